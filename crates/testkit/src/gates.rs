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
    /// Those of tasks that still exist.
    gates: Vec<Arc<Gate>>,
    /// How many there have been.
    started: u64,
}

/// All tasks at rest. If two values are equal, no task has done anything in between, or started or ended.
#[derive(PartialEq, Eq)]
pub(crate) struct Rest {
    started: u64,
    /// For each task, the number of the wait it is in.
    waits: Vec<u64>,
}

impl Gates {
    /// The state of all tasks, if all are waiting with nothing to do.
    pub fn at_rest(&self) -> Option<Rest> {
        let mut tasks = self.tasks.lock();
        tasks.gates.retain(|gate| !gate.is_left());
        let waits = tasks.gates.iter().map(|gate| gate.idle()).collect::<Option<_>>()?;
        Some(Rest { started: tasks.started, waits })
    }

    /// Makes all tasks check the clock.
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
