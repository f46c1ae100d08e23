//! A task: one thread that runs one chain of operators for one subtask.
//!
//! The loop takes a message, or else an element of an input, or else (for a source) reads a batch; when there
//! is nothing, it flushes rows that were held back for larger batches, and waits. Everything that an operator
//! sees happens on this thread.
//!
//! A checkpoint: let the operators emit what must precede the barrier, send the barrier downstream, take the
//! state (synchronously; proportional to what changed), and pass it to the snapshot thread, which stores it
//! and acknowledges.
//!
//! [`flott_checkpoint::life`] decides when the task reads, snapshots, finishes and ends; this file does it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flott_batch::Batch;
use flott_checkpoint::Barrier;
use flott_checkpoint::life::{Action, Event, TaskLife};
use flott_operator::{Backlog, Committing, Output, TaskInfo};
use flott_types::{CheckpointId, Error, Result, Timestamp, Waker, Watermark};

use crate::build::Chain;
use crate::chain::Restored;
use crate::gate::overtaking::Admit;
use crate::gate::{CancelFlag, Element, Gate, Next};
use crate::in_parts;
use crate::overtaking::{Overtaking, admitted};
use crate::snapshot::{Report, Uploader, Work};
use crate::source::{SourceHead, SourceStep};
use crate::valve::{Progress, Valve};
use crate::{SnapshotMetrics, TaskCommand, TaskDeployment, TaskEnvironment, TaskMetrics, TaskReport};

/// A wait ends after this even if nothing arrives: a test's clock does not wake anybody.
const LONGEST_WAIT: i64 = 1_000;

pub(crate) struct Task {
    pub(crate) deployment: TaskDeployment,
    pub(crate) environment: TaskEnvironment,
    pub(crate) gate: Arc<Gate>,
    pub(crate) cancel: Arc<CancelFlag>,
    pub(crate) metrics: Arc<TaskMetrics>,
    pub(crate) report: Report,
    pub(crate) chain: Chain,
    /// The input of the head that each channel feeds.
    pub(crate) input_of: Vec<usize>,
    pub(crate) life: TaskLife,
    pub(crate) valve: Valve,
    pub(crate) uploader: Option<Uploader>,
    /// Ends a wait of this task.
    pub(crate) waker: Waker,
    /// The folders of savepoints that are on their way.
    pub(crate) targets: BTreeMap<CheckpointId, Arc<str>>,
    /// The next snapshot has to hold everything.
    pub(crate) full_next: bool,
    /// In a job in which barriers may overtake.
    pub(crate) overtaking: Option<Overtaking>,
}

impl Task {
    pub(crate) fn run(&mut self) -> Result<()> {
        let registration = self.open()?;
        self.replay()?;
        (self.report)(TaskReport::Running);
        registration.into_iter().for_each(|registration| (self.report)(registration));
        let (at_end, now) = (self.deployment.drained, self.environment.clock.now());
        self.step(Event::Opened { at_end }, now)?;
        self.begin(now)?;
        // Whether buffered rows have been flushed since the last element.
        let mut dry = false;
        loop {
            self.cancel.check()?;
            let now = self.environment.clock.now();
            let mut wait_until = None;
            let room = self.chain.root.backlog() < Backlog::Full;
            let may_send = self.may_send()?;
            let admit = admitted(may_send, room);
            match self.gate.next_if(admit) {
                Next::Command(command) => {
                    if self.command(command, now)? {
                        return self.await_commits();
                    }
                    dry = false;
                    continue;
                }
                Next::Element { channel, element } => {
                    dry = false;
                    self.element(channel, element, now)?;
                }
                Next::Arrived { channel, arrival } => {
                    self.arrived(channel, arrival, now)?;
                    continue;
                }
                Next::Nothing if !may_send || !room => wait_until = Some(None),
                Next::Nothing => match self.poll_source(now)? {
                    SourceStep::More => dry = false,
                    SourceStep::Wait(at) => wait_until = Some(at),
                    SourceStep::RequestSplits | SourceStep::Ended => {}
                },
            }
            self.overtake_due(now)?;
            if may_send && self.timers(now)? {
                dry = false;
            }
            let Some(at) = wait_until else { continue };
            if dry || !may_send {
                self.wait(at, now, admit);
            } else {
                dry = true;
                self.input_dry(now)?;
            }
        }
    }

    /// Sends the source's reports.
    fn open(&mut self) -> Result<Option<TaskReport>> {
        let now = self.environment.clock.now();
        let Task { deployment, environment, chain, waker, .. } = self;
        let mut restore = |info: &TaskInfo, in_parts: bool| -> Result<Restored> {
            let Some(restore) = deployment.restore.iter().find(|restore| restore.uid == info.uid) else {
                return Ok(Restored::default());
            };
            let state = match in_parts {
                true => in_parts::read(environment, deployment, &restore.state),
                false => environment.storage.restore(deployment, &restore.state),
            };
            let state = state.map_err(|error| error.in_operator(&info.name))?;
            Ok(Restored { state, finished: restore.state.finished })
        };
        chain.root.open(&mut restore, now)?;
        let Some(source) = &mut chain.source else { return Ok(None) };
        let Restored { state, .. } = restore(&source.info, false)?;
        let reading = source.open(state, deployment.options.batch_size, &environment.clock, waker.clone())?;
        let operator = source.info.uid.clone();
        Ok(reading.map(|reading| TaskReport::ReaderRegistered { operator, reading }))
    }

    fn poll_source(&mut self, now: Timestamp) -> Result<SourceStep> {
        let Some(source) = &mut self.chain.source else {
            return Ok(SourceStep::Wait(None));
        };
        if !self.life.reads() {
            return Ok(SourceStep::Wait(None));
        }
        // A source is the head of its vertex.
        let step = self.metrics.whereabouts.within(0, || source.poll(&mut self.chain.root, now))?;
        if let Some((group, watermark)) = source.take_watermark_report() {
            (self.report)(TaskReport::SourceWatermark { group, watermark });
        }
        for event in source.take_events() {
            (self.report)(TaskReport::SourceEvent { operator: source.info.uid.clone(), event });
        }
        match step {
            SourceStep::RequestSplits => {
                self.gate.expect(true);
                let (operator, received) = (source.info.uid.clone(), source.received());
                (self.report)(TaskReport::RequestSplits { operator, received });
            }
            SourceStep::Ended => {
                self.step(Event::SourceEnded, now)?;
            }
            SourceStep::More | SourceStep::Wait(_) => self.begin(now)?,
        }
        Ok(step)
    }

    /// Sends the beginning once the source knows what it reads.
    fn begin(&mut self, now: Timestamp) -> Result<()> {
        let assigned = self.chain.source.as_ref().is_some_and(SourceHead::is_assigned);
        if assigned && !self.life.has_begun() {
            self.step(Event::Assigned, now)?;
        }
        Ok(())
    }

    fn element(&mut self, channel: usize, element: Element, now: Timestamp) -> Result<()> {
        match element {
            Element::Begin => self.step(Event::Begin { channel }, now).map(drop),
            Element::Batch(batch) if self.overtaking.is_some() => self.process_in_pieces(channel, batch, now),
            Element::Batch(batch) => self.process(channel, batch, now),
            Element::Watermark(watermark) => {
                let progress = self.valve.watermark(channel, watermark);
                self.progress(progress, now)
            }
            Element::Status(status) => {
                let progress = self.valve.status(channel, status);
                self.progress(progress, now)
            }
            Element::Barrier(barrier, target) => {
                self.remember(barrier, target);
                self.step(Event::Barrier { channel, barrier }, now).map(drop)
            }
            Element::EndOfInput => self.step(Event::EndOfInput { channel }, now).map(drop),
            Element::Broken(why) => Err(Error::external(format!("an input of the task is broken: {why}"))),
        }
    }

    pub(crate) fn process(&mut self, channel: usize, batch: Batch, now: Timestamp) -> Result<()> {
        self.metrics.records_in.add(batch.num_rows() as u64);
        let input = self.input_of[channel];
        match self.chain.root.links.first_mut() {
            Some(head) => head.process(input, batch, now),
            None => Ok(()),
        }
    }

    fn progress(&mut self, progress: Vec<Progress>, now: Timestamp) -> Result<()> {
        let Some(head) = self.chain.root.links.first_mut() else {
            return Ok(());
        };
        progress.into_iter().try_for_each(|progress| match progress {
            Progress::Watermark(watermark) => head.watermark(watermark, now),
            Progress::Status(status) => head.watermark_status(status, now),
        })
    }

    /// Everything leaves.
    fn finish(&mut self, now: Timestamp) -> Result<()> {
        if self.chain.source.is_some() {
            self.chain.root.at(now).watermark(Watermark::MAX)?;
            self.chain.root.finish(now)?;
        } else if let Some(head) = self.chain.root.links.first_mut() {
            if self.valve.current() < Watermark::MAX {
                head.watermark(Watermark::MAX, now)?;
            }
            head.finish(now)?;
        }
        Ok(())
    }

    /// Handles a message; returns whether it was the last.
    fn command(&mut self, command: TaskCommand, now: Timestamp) -> Result<bool> {
        use TaskCommand::{AddSplits, NoMoreSplits, NoSplitsYet};
        if matches!(command, AddSplits(_) | NoSplitsYet | NoMoreSplits) {
            self.gate.expect(false);
        }
        match command {
            TaskCommand::Trigger { barrier, target } => {
                self.remember(barrier, target.map(Arc::from));
                return self.step(Event::Trigger(barrier), now);
            }
            TaskCommand::Complete(checkpoint) => return self.step(Event::Complete(checkpoint), now),
            TaskCommand::Aborted(checkpoint) => {
                self.drop_snapshot(checkpoint);
                return self.step(Event::Aborted(checkpoint), now);
            }
            TaskCommand::AddSplits(splits) => {
                if let Some(source) = &mut self.chain.source {
                    source.add_splits(splits, &mut self.chain.root, now)?;
                }
                self.begin(now)?;
            }
            TaskCommand::NoSplitsYet => {
                if let Some(source) = &mut self.chain.source {
                    source.no_splits_yet(&mut self.chain.root, now)?;
                }
                self.begin(now)?;
            }
            TaskCommand::SourceEvent(event) => {
                if let Some(source) = &mut self.chain.source {
                    source.event(event)?;
                }
            }
            TaskCommand::NoMoreSplits => {
                if let Some(source) = &mut self.chain.source {
                    source.no_more_splits();
                }
            }
            TaskCommand::Align(least) => {
                if let Some(source) = &mut self.chain.source {
                    source.align_to(least);
                }
            }
            TaskCommand::Drain => return self.step(Event::SourceEnded, now),
            TaskCommand::Finish(checkpoint) => return self.step(Event::Finish(checkpoint), now),
            TaskCommand::Cancel => self.cancel.set(),
        }
        Ok(false)
    }

    fn complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        if let Some(source) = &mut self.chain.source {
            source.checkpoint_complete(checkpoint)?;
        }
        self.chain.root.checkpoint_complete(checkpoint)
    }

    fn forget(&mut self, checkpoint: CheckpointId) -> Result<()> {
        if let Some(source) = &mut self.chain.source {
            source.checkpoint_aborted(checkpoint)?;
        }
        self.chain.root.checkpoint_aborted(checkpoint)
    }

    pub(crate) fn remember(&mut self, barrier: Barrier, target: Option<Arc<str>>) {
        if let Some(target) = target {
            self.targets.insert(barrier.checkpoint, target);
        }
    }

    /// Handles an event of the state machine, and returns whether the task has to end.
    pub(crate) fn step(&mut self, event: Event, now: Timestamp) -> Result<bool> {
        let mut leave = false;
        for action in self.life.step(event, now)? {
            match action {
                Action::Block(channel) => self.gate.block(channel),
                Action::Unblock => self.gate.unblock_all(),
                Action::Keep { checkpoint, channels } => self.gate.keep(checkpoint, &channels),
                Action::Kept(checkpoint) => self.kept(checkpoint)?,
                Action::Snapshot { barrier, ended, aligning_since, overtakes } => {
                    let mut work = self.snapshot(barrier, ended, aligning_since, now)?;
                    work.metrics.unaligned = overtakes;
                    match (&self.uploader, overtakes) {
                        (Some(uploader), true) => uploader.write_when_complete(work)?,
                        (Some(uploader), false) => uploader.write(work)?,
                        (None, _) => {}
                    }
                    // Results of requests in flight and of timers come again from the savepoint.
                    self.chain.root.hold(self.life.is_suspended())?;
                }
                Action::Decline(checkpoint) => {
                    (self.report)(TaskReport::Decline { checkpoint, failure: None });
                    self.drop_snapshot(checkpoint);
                }
                Action::EndInput(input) => {
                    if let Some(head) = self.chain.root.links.first_mut() {
                        head.end_input(input, now)?;
                    }
                }
                Action::Settle => self.settle(now)?,
                Action::Finish => self.finish(now)?,
                Action::Begin => self.chain.root.broadcast(&Element::Begin)?,
                Action::End => self.chain.root.broadcast(&Element::EndOfInput)?,
                Action::ReportDrained => (self.report)(TaskReport::Drained),
                Action::Commit(checkpoint) => self.complete(checkpoint)?,
                Action::Forget(checkpoint) => {
                    self.chain.root.hold(self.life.is_suspended())?;
                    self.forget(checkpoint)?;
                }
                Action::Leave => leave = true,
            }
        }
        Ok(leave)
    }

    /// Results of work in flight come before the end. Until then, the task handles messages and checkpoints
    /// as always.
    fn settle(&mut self, now: Timestamp) -> Result<()> {
        let outstanding = self.chain.root.backlog() > Backlog::None;
        self.step(Event::Outstanding(outstanding), now).map(drop)
    }

    fn snapshot(
        &mut self,
        barrier: Barrier,
        ended: bool,
        aligning_since: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Work> {
        let target = self.targets.get(&barrier.checkpoint).cloned();
        self.targets.retain(|checkpoint, _| *checkpoint > barrier.checkpoint);
        let element = Element::Barrier(barrier, target.clone());
        self.chain.root.barrier(&element, now, ended)?;
        let clock = self.environment.clock.clone();
        let start = clock.nanos();
        let uploader = match &self.uploader {
            Some(uploader) => uploader,
            None => {
                let writer = self.environment.storage.writer(&self.deployment)?;
                let name = thread_name(&self.deployment);
                let threads = &self.environment.threads;
                let uploader = Uploader::start(&name, threads, writer, clock.clone(), self.report.clone())?;
                self.uploader.insert(uploader)
            }
        };
        let full = barrier.kind.is_full() | self.full_next | uploader.must_be_full();
        // A savepoint's changes are not in the files that the next checkpoint builds on.
        self.full_next = barrier.kind.is_savepoint();
        let mut operators = Vec::with_capacity(self.deployment.vertex.operators.len());
        if let Some(source) = &mut self.chain.source {
            operators.push(source.snapshot(barrier.checkpoint, ended)?);
        }
        self.chain.root.snapshot(barrier.checkpoint, full, &mut operators)?;
        let processed = self.take_processed();
        let metrics = SnapshotMetrics {
            processed,
            alignment_millis: aligning_since.map_or(0, |since| now.saturating_sub(since)),
            sync_micros: clock.nanos().saturating_sub(start) / 1_000,
            start_delay_millis: now.saturating_sub(barrier.created_at),
            ..SnapshotMetrics::default()
        };
        Ok(Work { barrier, target, operators, full, metrics, overtaken: None })
    }

    /// The job is over for this task, except for its sinks' last commits.
    fn await_commits(&mut self) -> Result<()> {
        loop {
            self.cancel.check()?;
            let now = self.environment.clock.now();
            self.timers(now)?;
            if self.chain.root.committing() == Committing::None {
                return Ok(());
            }
            match self.gate.next_if(Admit::Control) {
                Next::Nothing => self.wait(None, now, Admit::Control),
                // No other messages are sent to a task that has ended.
                Next::Command(_) | Next::Element { .. } | Next::Arrived { .. } => {}
            }
        }
    }

    /// Fires timers that are due and calls woken operators; returns whether there were any. Their output is
    /// not held back if the input is dry.
    fn timers(&mut self, now: Timestamp) -> Result<bool> {
        let due = self.chain.root.wake_at().is_some_and(|at| at <= now);
        if due {
            self.chain.root.fire(now)?;
        }
        let woken = self.chain.root.woken(now)?;
        if self.life.is_ending() {
            self.settle(now)?;
        }
        self.chain.root.flush_overdue(now)?;
        Ok(due || woken)
    }

    fn input_dry(&mut self, now: Timestamp) -> Result<()> {
        if self.life.is_drained() {
            return Ok(());
        }
        self.chain.root.input_dry(now)?;
        self.chain.root.flush()
    }

    /// Waits for a message, or for an element that is admitted.
    fn wait(&mut self, until: Option<Timestamp>, now: Timestamp, admit: Admit) {
        let timer = self.chain.root.wake_at().filter(|_| admit != Admit::Nothing);
        let overtaking = self.overtaking.as_ref().and_then(|_| self.life.next_deadline());
        let until = [until, timer, overtaking].into_iter().flatten().min();
        let millis = until.map_or(LONGEST_WAIT, |at| at.saturating_sub(now).clamp(0, LONGEST_WAIT));
        if millis == 0 {
            return;
        }
        let clock = &self.environment.clock;
        let start = clock.nanos();
        let busy = self.chain.root.committing() == Committing::UnderWay;
        self.gate.wait(Duration::from_millis(millis as u64), admit, busy);
        let waited = clock.nanos().saturating_sub(start);
        match admit {
            Admit::All => self.metrics.idle.add(waited),
            Admit::Nothing => self.metrics.back_pressured.add(waited),
            Admit::Control => {}
        }
    }
}

/// The name shown in debuggers and profilers.
pub(crate) fn thread_name(deployment: &TaskDeployment) -> String {
    let TaskDeployment { vertex, task, .. } = deployment;
    format!("{} ({}/{})", vertex.name, task.subtask.0 + 1, vertex.parallelism)
}
