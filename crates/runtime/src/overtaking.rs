//! What a task does in a job in which barriers may overtake.
//!
//! It must not be caught in the middle of something for long. So it asks for room before it begins with
//! anything that sends, and takes a batch of a slow operator in pieces ([`Pace`]). Meanwhile it handles
//! messages, among them the trigger of a checkpoint; and [`crate::gate::overtaking`] tells it of barriers that
//! arrive behind others.
//!
//! The snapshot of a barrier that overtakes waits in the queue of the thread that stores it until everything
//! that it overtook is kept. Snapshots stay in order: a later barrier arrives later in every channel.

use flott_batch::Batch;
use flott_types::{CheckpointId, Result, Timestamp};

use crate::gate::overtaking::{Admit, Arrival};
use crate::in_flight::{self, Overtaken};
use crate::pace::Pace;
use crate::task::Task;
use crate::{TaskDeployment, TaskReport, streams};
use flott_checkpoint::life::Event;

/// The state of it.
#[derive(Default)]
pub(crate) struct Overtaking {
    pace: Pace,
    /// The bytes that were processed while a barrier was on its way through the channels.
    processed: u64,
}

/// Which channels of a task can be overtaken: none in a job in which nothing is.
pub(crate) fn channels(deployment: &TaskDeployment) -> Vec<bool> {
    let can = |edge: u32| {
        let input = deployment.inputs.iter().find(|input| input.edge == edge);
        input.is_some_and(|input| input.plan.exchange.can_be_overtaken())
    };
    let overtakes = deployment.options.overtakes;
    deployment.input_channels().iter().map(|(key, _)| overtakes && can(key.edge)).collect()
}

impl Task {
    /// Puts back what was under way when the snapshot was taken, in front of everything that arrives.
    pub(crate) fn replay(&self) -> Result<()> {
        let Some(head) = self.deployment.vertex.operators.first() else { return Ok(()) };
        let own = self.deployment.restore.iter().filter(|restore| restore.uid == head.node.uid);
        let shares: Vec<_> = own.flat_map(|restore| restore.state.in_flight.clone()).collect();
        in_flight::replay(&self.deployment, &self.environment, &shares, &self.gate)
            .map_err(|error| error.in_operator(&head.node.name))
    }

    /// Whether something that sends may begin.
    pub(crate) fn may_send(&mut self) -> Result<bool> {
        match &self.overtaking {
            Some(_) => self.chain.root.has_room(&self.waker),
            None => Ok(true),
        }
    }

    /// The time has come at which a barrier overtakes.
    pub(crate) fn overtake_due(&mut self, now: Timestamp) -> Result<()> {
        if self.overtaking.is_some() && self.life.next_deadline().is_some_and(|at| at <= now) {
            self.step(Event::Tick, now)?;
        }
        Ok(())
    }

    pub(crate) fn arrived(&mut self, channel: usize, arrival: Arrival, now: Timestamp) -> Result<()> {
        match arrival {
            Arrival::Barrier(barrier, target) => {
                self.remember(barrier, target);
                self.step(Event::Arrived { channel, barrier }, now)?;
            }
            Arrival::End => _ = self.step(Event::EndArrived { channel }, now)?,
        }
        Ok(())
    }

    /// As many rows of a batch as the head of the chain is to take at once.
    pub(crate) fn process_in_pieces(&mut self, channel: usize, batch: Batch, now: Timestamp) -> Result<()> {
        let Some(overtaking) = &mut self.overtaking else { return Ok(()) };
        let (batch, rest) = overtaking.pace.cut(batch);
        if let Some(rest) = rest {
            self.gate.put_back(channel, rest);
        }
        if self.life.alignment().aligning().is_some() {
            overtaking.processed += batch.bytes() as u64;
        }
        let rows = batch.num_rows();
        let clock = self.environment.clock.clone();
        let start = clock.nanos();
        self.process(channel, batch, now)?;
        if let Some(overtaking) = &mut self.overtaking {
            overtaking.pace.took(rows, clock.nanos().saturating_sub(start));
        }
        Ok(())
    }

    /// The bytes that were processed during the alignment that has ended.
    pub(crate) fn take_processed(&mut self) -> u64 {
        self.overtaking.as_mut().map_or(0, |overtaking| std::mem::take(&mut overtaking.processed))
    }

    /// Everything that a barrier overtook is kept: its snapshot is complete.
    pub(crate) fn kept(&mut self, checkpoint: CheckpointId) -> Result<()> {
        let Some(uploader) = &self.uploader else { return Ok(()) };
        if !uploader.is_incomplete(checkpoint) {
            // It was dropped, with one that it builds on.
            self.gate.drop_kept(checkpoint);
            return Ok(());
        }
        match self.gate.take_kept(checkpoint)? {
            Ok(kept) => {
                let channels = streams::input_channels(&self.deployment);
                uploader.complete(checkpoint, Overtaken { channels, kept });
            }
            Err(error) => {
                (self.report)(TaskReport::Decline { checkpoint, failure: Some(error.to_string()) });
                self.drop_snapshot(checkpoint);
            }
        }
        Ok(())
    }

    /// A checkpoint will not be taken: its snapshot, if it waits, is dropped with those that build on it, and
    /// so is what was kept for them.
    pub(crate) fn drop_snapshot(&mut self, checkpoint: CheckpointId) {
        let building_on_it = self.uploader.as_ref().map(|uploader| uploader.abort(checkpoint));
        if self.overtaking.is_some() {
            let all = building_on_it.into_iter().flatten().chain([checkpoint]);
            all.for_each(|checkpoint| self.gate.drop_kept(checkpoint));
        }
    }
}

/// What a task takes from its gate.
pub(crate) fn admitted(may_send: bool, room: bool) -> Admit {
    match (may_send, room) {
        (false, _) => Admit::Nothing,
        (true, false) => Admit::Control,
        (true, true) => Admit::All,
    }
}
