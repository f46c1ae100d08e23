//! Whether tasks are at rest.

use std::sync::Arc;

use flott_checkpoint::{Attempt, TaskId};
use flott_runtime::connect::{InputChannel, Sender, SenderContext};
use flott_runtime::gate::Gate;
use flott_runtime::{ChannelKey, Exchanges, LocalExchanges};
use flott_types::{JobId, Result};
use parking_lot::Mutex;

/// The channels of the process, and the gates of all its tasks.
#[derive(Default)]
pub(crate) struct Gates {
    channels: LocalExchanges,
    tasks: Mutex<Tasks>,
}

#[derive(Default)]
struct Tasks {
    /// Of those that have not gone.
    gates: Vec<Arc<Gate>>,
    /// How many there have been.
    started: u64,
}

/// All tasks at rest. Two that are equal say that no task has done anything in between, nor come and gone.
#[derive(PartialEq, Eq)]
pub(crate) struct Rest {
    started: u64,
    /// For each task the number of its wait.
    waits: Vec<u64>,
}

impl Gates {
    /// How all tasks wait, if they do and have nothing to do.
    pub fn at_rest(&self) -> Option<Rest> {
        let mut tasks = self.tasks.lock();
        tasks.gates.retain(|gate| !gate.is_left());
        let waits = tasks.gates.iter().map(|gate| gate.idle()).collect::<Option<_>>()?;
        Some(Rest { started: tasks.started, waits })
    }

    /// Lets all tasks look at the clock.
    pub fn wake(&self) {
        self.tasks.lock().gates.iter().for_each(|gate| gate.wake());
    }
}

impl Exchanges for Gates {
    fn register(&self, channels: &[InputChannel], gate: &Arc<Gate>) -> Result<()> {
        let mut tasks = self.tasks.lock();
        tasks.gates.push(gate.clone());
        tasks.started += 1;
        drop(tasks);
        self.channels.register(channels, gate)
    }

    fn connect(&self, channel: ChannelKey, context: &SenderContext) -> Result<Box<dyn Sender>> {
        self.channels.connect(channel, context)
    }

    fn unregister(&self, job: JobId, attempt: Attempt, task: TaskId) {
        self.channels.unregister(job, attempt, task);
    }
}
