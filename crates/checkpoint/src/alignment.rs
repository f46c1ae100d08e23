//! Alignment: when a task with several input channels takes its snapshot.
//!
//! A task's channels (all gates flattened, numbered from 0) deliver barriers at different times. The snapshot
//! is taken when the barrier has arrived on all of them. In between, [`Mode::ExactlyOnce`] blocks the
//! channels that are ahead, so that the snapshot contains exactly what came before the barrier;
//! [`Mode::AtLeastOnce`] keeps reading them.
//!
//! One machine serves every task:
//!
//! - A **source** has no channels. [`Event::Trigger`], the coordinator's message, starts the barrier at once.
//! - A task **in the middle** gets the same message, and normally does not need it: the barrier comes with
//!   the stream. But nothing follows the end of an input, so if upstream tasks have ended before they saw the
//!   trigger, no barrier will come. The machine therefore remembers what was triggered, and takes the
//!   snapshot once the last channel has ended. Otherwise a checkpoint at the end of the inputs would hang
//!   until its timeout.
//! - A **drained** task (all channels ended) is like a source: it acts on the trigger.
//!
//! Invariants: barrier ids of one channel increase; a channel that has ended is silent; at most one
//! checkpoint is aligning; a checkpoint is triggered or aborted at most once, and none with a lower id after
//! it. A violation is an internal error: the task fails, and nothing wrong is snapshotted.
//!
//! At the end of the last channel, a checkpoint whose barrier has arrived on others is triggered at once: its
//! barrier is forwarded before the end. One that was only announced waits for the next event, at the latest
//! an [`Event::Tick`], so that the operators can finish before it; see [`crate::life`].
//!
//! The interface is also designed for alignment with a timeout and for unaligned barriers: `now` comes with
//! each event, the driver asks for [`Alignment::next_deadline`], and [`Action`] can get a variant that
//! includes the channels' queues in the snapshot.
//!
//! Cost: nothing per record; a barrier costs one look at its channel.
//!
//! ```
//! use flott_checkpoint::alignment::{Action, Alignment, Event, Mode};
//! use flott_checkpoint::{Barrier, CheckpointKind};
//! use flott_types::CheckpointId;
//!
//! let barrier = Barrier { checkpoint: CheckpointId(1), created_at: 0, kind: CheckpointKind::Checkpoint };
//! let mut alignment = Alignment::new(Mode::ExactlyOnce, 2);
//! assert_eq!(alignment.step(Event::Barrier { channel: 0, barrier }, 10)?, [Action::Block(0)]);
//! assert_eq!(alignment.step(Event::Barrier { channel: 1, barrier }, 12)?, [Action::Trigger(barrier), Action::Unblock]);
//! # Ok::<(), flott_types::Error>(())
//! ```

use flott_types::{CheckpointId, Error, Result, Timestamp};

use crate::Barrier;

/// What happens to channels that are ahead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// They are blocked.
    ExactlyOnce,
    /// They continue.
    AtLeastOnce,
}

/// What the task saw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The coordinator's message. May be lost, come late, or twice.
    Trigger(Barrier),
    /// A barrier has come through a channel.
    Barrier {
        /// The channel.
        channel: usize,
        /// The barrier.
        barrier: Barrier,
    },
    /// A channel has ended; nothing follows.
    EndOfInput {
        /// The channel.
        channel: usize,
    },
    /// The coordinator has aborted a checkpoint. May come late, or twice.
    Abort(CheckpointId),
    /// [`Alignment::next_deadline`] has come; or the task has dealt with the end of its last channel.
    Tick,
}

/// What the task has to do, in this order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Stop reading this channel.
    Block(usize),
    /// Broadcast the barrier (unless the outputs have ended), take the snapshot, and acknowledge.
    Trigger(Barrier),
    /// Read all channels again.
    Unblock,
    /// The checkpoint will not be taken here: decline it as superseded, so that the coordinator need not wait
    /// for the timeout.
    Abort {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// For people.
        reason: AbortReason,
    },
}

/// Why an alignment was given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AbortReason {
    /// The coordinator said so.
    Cancelled,
    /// The barrier of this later checkpoint arrived first.
    Superseded(CheckpointId),
}

/// The state of one task's alignment.
#[derive(Clone, Debug)]
pub struct Alignment {
    mode: Mode,
    channels: Vec<Channel>,
    open: usize,
    /// The checkpoint that has come through some channels but not all.
    aligning: Option<Aligning>,
    /// Triggered by the coordinator, not seen in the stream yet. Ids increase.
    announced: Vec<Barrier>,
    /// Aborted by the coordinator, not seen in the stream yet. Forgotten when a later one is over.
    cancelled: Vec<CheckpointId>,
    /// The highest checkpoint that is over for this task: triggered or aborted.
    done: CheckpointId,
}

#[derive(Clone, Copy, Debug, Default)]
struct Channel {
    /// The id of the last barrier; 0 is none, for ids begin with 1.
    last: u64,
    ended: bool,
}

#[derive(Clone, Copy, Debug)]
struct Aligning {
    barrier: Barrier,
    arrived: usize,
    since: Timestamp,
}

impl Alignment {
    /// A task with `channels` inputs, none for a source.
    pub fn new(mode: Mode, channels: usize) -> Self {
        Alignment {
            mode,
            channels: vec![Channel::default(); channels],
            open: channels,
            aligning: None,
            announced: Vec::new(),
            cancelled: Vec::new(),
            done: CheckpointId(0),
        }
    }

    /// When the driver has to send [`Event::Tick`]. Never, as long as alignment has no timeout.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        None
    }

    /// The checkpoint that is aligning, and since when: for the metric and for "why does it stand still".
    pub fn aligning(&self) -> Option<(CheckpointId, Timestamp)> {
        self.aligning.map(|a| (a.barrier.checkpoint, a.since))
    }

    /// The open channels that the aligning checkpoint still waits for.
    pub fn waiting_for(&self) -> impl Iterator<Item = usize> {
        let id = self.aligning.map_or(0, |a| a.barrier.checkpoint.0);
        self.channels.iter().enumerate().filter(move |(_, c)| !c.ended && c.last < id).map(|(index, _)| index)
    }

    /// Whether every channel has ended; so from the beginning for a source.
    pub fn all_ended(&self) -> bool {
        self.open == 0
    }

    /// The machine.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::Internal`] if the stream breaks the protocol. The task must fail.
    pub fn step(&mut self, event: Event, now: Timestamp) -> Result<Vec<Action>> {
        let mut actions = Vec::new();
        let ends = matches!(event, Event::EndOfInput { .. });
        match event {
            Event::Trigger(barrier) => self.announce(barrier),
            Event::Barrier { channel, barrier } => self.barrier(channel, barrier, now, &mut actions)?,
            Event::EndOfInput { channel } => self.end(channel)?,
            Event::Abort(checkpoint) => self.abort(checkpoint, &mut actions),
            Event::Tick => {}
        }
        self.complete(&mut actions);
        if self.open == 0 && !ends {
            self.take_announced(&mut actions);
        }
        Ok(actions)
    }

    fn announce(&mut self, barrier: Barrier) {
        let id = barrier.checkpoint;
        let known = self.announced.iter().any(|b| b.checkpoint == id) || self.cancelled.contains(&id);
        if known || id <= self.done {
            return;
        }
        let at = self.announced.partition_point(|b| b.checkpoint < id);
        self.announced.insert(at, barrier);
    }

    fn barrier(
        &mut self,
        channel: usize,
        barrier: Barrier,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) -> Result<()> {
        let id = barrier.checkpoint;
        let aligning = self.aligning.map(|a| a.barrier.checkpoint);
        let known = self.channel(channel)?;
        if known.ended {
            return Err(Error::internal(format!("barrier {id} after the end of input channel {channel}")));
        }
        if id.0 <= known.last {
            return Err(Error::internal(format!(
                "barrier {id} after barrier {} in input channel {channel}: ids must increase",
                known.last
            )));
        }
        if self.mode == Mode::ExactlyOnce && aligning.is_some_and(|a| known.last == a.0) {
            return Err(Error::internal(format!(
                "barrier {id} from input channel {channel}, which is blocked"
            )));
        }
        self.channels[channel].last = id.0;
        if id <= self.done {
            return Ok(()); // The rest of a checkpoint that is over.
        }
        match &mut self.aligning {
            Some(current) if current.barrier.checkpoint == id => current.arrived += 1,
            Some(current) if current.barrier.checkpoint > id => return Ok(()),
            _ => {
                // Here the older one can no longer arrive: ids increase.
                self.give_up(AbortReason::Superseded(id), actions);
                if self.cancelled.contains(&id) {
                    self.done = id;
                    return Ok(());
                }
                self.aligning = Some(Aligning { barrier, arrived: 1, since: now });
            }
        }
        let complete = self.aligning.is_some_and(|a| a.arrived == self.open);
        if self.mode == Mode::ExactlyOnce && !complete {
            actions.push(Action::Block(channel));
        }
        Ok(())
    }

    fn end(&mut self, channel: usize) -> Result<()> {
        let aligning = self.aligning.map(|a| a.barrier.checkpoint.0);
        let known = self.channel(channel)?;
        if known.ended {
            return Err(Error::internal(format!("input channel {channel} has ended twice")));
        }
        let arrived = aligning.is_some_and(|id| known.last == id);
        if arrived && self.mode == Mode::ExactlyOnce {
            return Err(Error::internal(format!("end of input channel {channel}, which is blocked")));
        }
        self.channels[channel].ended = true;
        self.open -= 1;
        // `arrived` counts open channels only, so that it can be compared with `open`.
        if let (Some(aligning), true) = (&mut self.aligning, arrived) {
            aligning.arrived -= 1;
        }
        Ok(())
    }

    fn abort(&mut self, checkpoint: CheckpointId, actions: &mut Vec<Action>) {
        self.announced.retain(|b| b.checkpoint != checkpoint);
        if self.aligning.is_some_and(|a| a.barrier.checkpoint == checkpoint) {
            self.give_up(AbortReason::Cancelled, actions);
        } else if checkpoint > self.done && !self.cancelled.contains(&checkpoint) {
            self.cancelled.push(checkpoint); // Its barrier may still be on the way; an earlier one goes on.
        }
    }

    fn give_up(&mut self, reason: AbortReason, actions: &mut Vec<Action>) {
        let Some(Aligning { barrier: Barrier { checkpoint, .. }, .. }) = self.aligning.take() else {
            return;
        };
        self.done = checkpoint;
        actions.push(Action::Abort { checkpoint, reason });
        if self.mode == Mode::ExactlyOnce {
            actions.push(Action::Unblock);
        }
    }

    /// Triggers the aligning checkpoint if it is ready.
    fn complete(&mut self, actions: &mut Vec<Action>) {
        if let Some(aligning) = self.aligning.take_if(|a| a.arrived == self.open) {
            self.done = aligning.barrier.checkpoint;
            actions.push(Action::Trigger(aligning.barrier));
            if self.mode == Mode::ExactlyOnce && self.channels.len() > 1 {
                actions.push(Action::Unblock);
            }
        }
        let done = self.done;
        self.announced.retain(|b| b.checkpoint > done);
        self.cancelled.retain(|id| *id > done);
    }

    /// With all inputs ended no barrier will come.
    fn take_announced(&mut self, actions: &mut Vec<Action>) {
        for barrier in self.announced.drain(..) {
            self.done = barrier.checkpoint;
            actions.push(Action::Trigger(barrier));
        }
    }

    fn channel(&self, channel: usize) -> Result<Channel> {
        self.channels
            .get(channel)
            .copied()
            .ok_or_else(|| Error::internal(format!("there is no input channel {channel}")))
    }
}
