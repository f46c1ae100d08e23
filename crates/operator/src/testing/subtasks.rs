//! The parallel instances of an operator under test.

use std::sync::Arc;
use std::time::Duration;

use flott_batch::Batch;
use flott_types::{
    CheckpointId, Error, JobId, KeyGroupRange, OperatorUid, Result, SubtaskIndex, Timestamp, Waker, Watermark,
};
use parking_lot::{Condvar, Mutex};

use super::Stored;
use crate::{Backlog, Context, Operator, OperatorMetrics, Output, TaskInfo};

/// The identity of a subtask of an operator called `test`.
pub fn task_info(subtask: u32, parallelism: u32, max_parallelism: u32) -> TaskInfo {
    let subtask = SubtaskIndex(subtask);
    TaskInfo {
        job: JobId(0),
        uid: OperatorUid("test".to_owned()),
        name: "test".to_owned(),
        subtask,
        parallelism,
        max_parallelism,
        key_groups: KeyGroupRange::of_subtask(subtask, max_parallelism, parallelism),
        attempt: 0,
        continues: false,
    }
}

/// Instances of an operator that share a clock, a watermark, metrics and an output.
pub struct Subtasks<O> {
    /// What comes out.
    pub output: O,
    /// The metrics of all instances.
    pub metrics: OperatorMetrics,
    /// The current time of the clock.
    pub now: Timestamp,
    /// The watermark of the input.
    pub watermark: Watermark,
    subtasks: Vec<Subtask>,
    /// How many checkpoints were taken.
    checkpoints: u64,
}

struct Subtask {
    operator: Box<dyn Operator>,
    info: TaskInfo,
    wake_at: Option<Timestamp>,
    waker: Waker,
    woken: Arc<Woken>,
}

#[derive(Default)]
struct Woken {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl<O: Output> Subtasks<O> {
    /// Starts without instances. The clock shows 0.
    pub fn new(output: O) -> Self {
        Subtasks {
            output,
            metrics: OperatorMetrics::default(),
            now: 0,
            watermark: Watermark::MIN,
            subtasks: Vec::new(),
            checkpoints: 0,
        }
    }

    /// Adds an instance, and opens it with its share of what is stored.
    ///
    /// # Errors
    /// As [`Operator::open`].
    pub fn open(&mut self, info: TaskInfo, operator: Box<dyn Operator>, stored: &Stored) -> Result<()> {
        let (woken, restored) = (Arc::new(Woken::default()), stored.restored(&info)?);
        let wake = woken.clone();
        let waker = Waker::new(move || {
            *wake.woken.lock() = true;
            wake.changed.notify_all();
        });
        self.subtasks.push(Subtask { operator, info, wake_at: None, waker, woken });
        self.call(self.subtasks.len() - 1, |operator, context| operator.open(restored, context))
    }

    /// Removes all instances, as after a failure; their input starts over.
    pub fn clear(&mut self) {
        self.subtasks.clear();
        self.watermark = Watermark::MIN;
    }

    /// How many instances there are.
    pub fn len(&self) -> usize {
        self.subtasks.len()
    }

    /// Whether there are no instances.
    pub fn is_empty(&self) -> bool {
        self.subtasks.is_empty()
    }

    fn subtask(&self, at: usize) -> Result<&Subtask> {
        self.subtasks.get(at).ok_or_else(|| Error::internal(format!("there is no subtask {at}")))
    }

    /// Calls an instance.
    ///
    /// # Errors
    /// The error of the call; also if there is no such instance.
    pub fn call(
        &mut self,
        at: usize,
        call: impl FnOnce(&mut dyn Operator, &mut Context<'_>) -> Result<()>,
    ) -> Result<()> {
        self.subtask(at)?;
        let Subtasks { output, metrics, now, watermark, subtasks, .. } = self;
        let Some(Subtask { operator, info, wake_at, waker, .. }) = subtasks.get_mut(at) else {
            return Ok(());
        };
        let mut context = Context { info, now: *now, watermark: *watermark, output, metrics, wake_at, waker };
        call(operator.as_mut(), &mut context)
    }

    /// Calls each instance in turn.
    ///
    /// # Errors
    /// The error of the first call that fails.
    pub fn call_each(
        &mut self,
        mut call: impl FnMut(&mut dyn Operator, &mut Context<'_>) -> Result<()>,
    ) -> Result<()> {
        (0..self.subtasks.len()).try_for_each(|at| self.call(at, &mut call))
    }

    /// Pushes rows into an input of an instance.
    ///
    /// # Errors
    /// As [`Operator::process`].
    pub fn process(&mut self, at: usize, input: usize, batch: Batch) -> Result<()> {
        self.call(at, |operator, context| operator.process(input, batch, context))
    }

    /// Advances event time.
    ///
    /// # Errors
    /// As [`Operator::watermark`].
    pub fn watermark(&mut self, at: Timestamp) -> Result<()> {
        self.watermark = Watermark(at);
        self.call_each(|operator, context| operator.watermark(Watermark(at), context))
    }

    /// Advances the clock to this time in one step. Each instance is called for as long as it asks for a time
    /// that has come.
    ///
    /// # Errors
    /// As [`Operator::processing_time`].
    pub fn clock(&mut self, now: Timestamp) -> Result<()> {
        self.now = now;
        for at in 0..self.subtasks.len() {
            while let Some(subtask) = self.subtasks.get_mut(at)
                && subtask.wake_at.take_if(|due| *due <= now).is_some()
            {
                self.call(at, |operator, context| operator.processing_time(now, context))?;
            }
        }
        Ok(())
    }

    /// When an instance wants to be called.
    pub fn wake_at(&self, at: usize) -> Option<Timestamp> {
        self.subtasks.get(at).and_then(|subtask| subtask.wake_at)
    }

    /// Waits until an instance has woken its task, and calls it.
    ///
    /// # Errors
    /// If it does not within this time; otherwise as [`Operator::woken`].
    pub fn wait_woken(&mut self, at: usize, within: Duration) -> Result<()> {
        {
            let woken = &self.subtask(at)?.woken;
            let mut is_woken = woken.woken.lock();
            let asleep = |woken: &mut bool| !*woken;
            if woken.changed.wait_while_for(&mut is_woken, asleep, within).timed_out() {
                return Err(Error::internal("the operator has not woken its task"));
            }
            *is_woken = false;
        }
        self.call(at, |operator, context| operator.woken(context))
    }

    /// How much input an instance has accepted but not processed.
    ///
    /// # Errors
    /// If there is no such instance.
    pub fn backlog(&self, at: usize) -> Result<Backlog> {
        Ok(self.subtask(at)?.operator.backlog())
    }

    /// Takes a checkpoint: what changed (or everything) is stored. Returns how many rows of tables that was,
    /// including deletions.
    ///
    /// # Errors
    /// As [`Operator::prepare_barrier`] and [`Operator::snapshot`]; also if what is handed over breaks a rule
    /// that a store relies on.
    pub fn checkpoint(&mut self, stored: &mut Stored, full: bool) -> Result<usize> {
        self.checkpoints += 1;
        let checkpoint = CheckpointId(self.checkpoints);
        let mut rows = 0;
        for at in 0..self.subtasks.len() {
            self.call(at, |operator, context| operator.prepare_barrier(context))?;
            if let Some(Subtask { operator, info, .. }) = self.subtasks.get_mut(at) {
                rows += stored.apply(info, operator.snapshot(checkpoint, full)?)?;
            }
        }
        Ok(rows)
    }

    /// Ends the inputs.
    ///
    /// # Errors
    /// As [`Operator::finish`].
    pub fn finish(&mut self) -> Result<()> {
        self.call_each(|operator, context| operator.finish(context))
    }

    /// Closes all instances.
    pub fn close(&mut self) {
        self.subtasks.iter_mut().for_each(|subtask| subtask.operator.close());
    }
}
