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
//! **A barrier may overtake** ([`Barrier::overtakes_after`]). When that time has passed since the task heard of it and the checkpoint
//! has not been taken, the snapshot is taken as soon as the barrier has arrived in the queue of one channel, and what
//! waits in front of it becomes part of the snapshot ([`Action::Overtake`]): the driver keeps copies of what
//! lies in the channels, and of what still arrives on channels where the barrier has not, until it does
//! ([`Action::Kept`]). That is the snapshot of Chandy and Lamport as they described it; alignment is the
//! special case in which all channels are empty. The driver says what arrives in the queues
//! ([`Event::Arrived`], [`Event::EndArrived`]), which also tells this machine when a channel is complete.
//! A task could begin with the coordinator's message, before any barrier; but then it would keep everything
//! that a sender sends until that comes to the barrier, and not only what is in the queues.
//!
//! A channel that cannot be overtaken (see `flott_plan::Exchange::can_be_overtaken`) is aligned as always:
//! nobody overtakes before the barrier has been read from each of these. While one checkpoint is aligning, no
//! later one overtakes.
//!
//! Cost: nothing per record; a barrier costs one look at its channel.
//!
//! ```
//! use flott_checkpoint::alignment::{Action, Alignment, Event, Mode};
//! use flott_checkpoint::{Barrier, CheckpointKind};
//! use flott_types::CheckpointId;
//!
//! let barrier =
//!     Barrier { checkpoint: CheckpointId(1), created_at: 0, kind: CheckpointKind::Checkpoint, overtakes_after: None };
//! let mut alignment = Alignment::new(Mode::ExactlyOnce, 2);
//! assert_eq!(alignment.step(Event::Barrier { channel: 0, barrier }, 10)?, [Action::Block(0)]);
//! assert_eq!(alignment.step(Event::Barrier { channel: 1, barrier }, 12)?, [Action::Trigger(barrier), Action::Unblock]);
//! # Ok::<(), flott_types::Error>(())
//! ```

mod announced;

use flott_types::{CheckpointId, Error, Result, Timestamp};

use self::announced::Announced;
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
    /// A barrier has arrived in the queue of a channel, behind what is yet to be read.
    Arrived {
        /// The channel.
        channel: usize,
        /// The barrier.
        barrier: Barrier,
    },
    /// The end has arrived in the queue of a channel.
    EndArrived {
        /// The channel.
        channel: usize,
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
    /// The barrier overtakes. Keep what lies in these channels before the barrier, and what still arrives
    /// there before it; then as with [`Action::Trigger`], but acknowledge only when everything is kept.
    Overtake {
        /// The barrier.
        barrier: Barrier,
        /// The channels that it has not been read from.
        channels: Vec<usize>,
    },
    /// Everything that this barrier overtook is kept.
    Kept(CheckpointId),
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
    announced: Vec<Announced>,
    /// Aborted by the coordinator, not seen in the stream yet. Forgotten when a later one is over.
    cancelled: Vec<CheckpointId>,
    /// The highest checkpoint that is over for this task: triggered or aborted.
    done: CheckpointId,
    /// Those that have overtaken and whose barrier has not arrived everywhere, in order.
    keeping: Vec<Keeping>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Channel {
    /// The id of the last barrier that was read; 0 is none, for ids begin with 1.
    last: u64,
    ended: bool,
    /// The id of the last barrier that has arrived in the queue.
    arrived: u64,
    end_arrived: bool,
    can_be_overtaken: bool,
}

impl Channel {
    /// Whether nothing more can arrive before this barrier.
    fn is_complete(&self, checkpoint: CheckpointId) -> bool {
        self.ended || self.end_arrived || self.last.max(self.arrived) >= checkpoint.0
    }
}

/// A checkpoint that has overtaken: more may come before its barrier.
#[derive(Clone, Debug)]
struct Keeping {
    checkpoint: CheckpointId,
    /// The channels where its barrier has not arrived.
    missing: Vec<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Aligning {
    barrier: Barrier,
    arrived: usize,
    since: Timestamp,
    /// When the task heard of it.
    announced: Timestamp,
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
            keeping: Vec::new(),
        }
    }

    /// Says which channels a barrier may overtake; without this, none.
    #[must_use]
    pub fn with_overtaking(mut self, can_be_overtaken: &[bool]) -> Self {
        for (channel, can) in self.channels.iter_mut().zip(can_be_overtaken) {
            channel.can_be_overtaken = *can;
        }
        self
    }

    /// When the driver has to send [`Event::Tick`]: then a barrier overtakes.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.next_to_overtake()?.deadline()
    }

    /// The checkpoint that will overtake if it is not aligned before.
    fn next_to_overtake(&self) -> Option<Announced> {
        if self.mode != Mode::ExactlyOnce || self.open == 0 {
            return None;
        }
        let aligning =
            self.aligning.map(|Aligning { barrier, announced, .. }| Announced { barrier, since: announced });
        let next = aligning.or_else(|| self.announced.first().copied());
        next.filter(|Announced { barrier, .. }| {
            let id = barrier.checkpoint.0;
            let mut open = self.channels.iter().filter(|c| !c.ended);
            let is_there = open.clone().any(|c| c.last.max(c.arrived) >= id);
            // Or nothing can arrive any more.
            let has_begun = is_there || open.clone().all(|c| c.end_arrived);
            let must_be_read = open.any(|c| !c.can_be_overtaken && c.last < id);
            barrier.overtakes_after.is_some() && has_begun && !must_be_read
        })
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
            Event::Trigger(barrier) => self.announce(barrier, now),
            Event::Barrier { channel, barrier } => self.barrier(channel, barrier, now, &mut actions)?,
            Event::Arrived { channel, barrier } => self.arrived(channel, barrier, now, &mut actions)?,
            Event::EndArrived { channel } => {
                self.channel(channel)?;
                self.channels[channel].end_arrived = true;
            }
            Event::EndOfInput { channel } => self.end(channel)?,
            Event::Abort(checkpoint) => self.abort(checkpoint, &mut actions),
            Event::Tick => {}
        }
        self.complete(&mut actions);
        self.overtake(now, &mut actions);
        self.kept(&mut actions);
        if self.open == 0 && !ends {
            self.take_announced(&mut actions);
        }
        Ok(actions)
    }

    fn announce(&mut self, barrier: Barrier, now: Timestamp) {
        let id = barrier.checkpoint;
        let known = self.announced.iter().any(|b| b.barrier.checkpoint == id) || self.cancelled.contains(&id);
        if known || id <= self.done {
            return;
        }
        let at = self.announced.partition_point(|b| b.barrier.checkpoint < id);
        self.announced.insert(at, Announced { barrier, since: now });
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
        self.passed(channel, id, actions);
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
                let announced = self.announced.iter().find(|other| other.barrier.checkpoint == id);
                let announced = announced.map_or(now, |announced| announced.since);
                self.aligning = Some(Aligning { barrier, arrived: 1, since: now, announced });
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

    /// A barrier has arrived in a queue. It is as good as the coordinator's message.
    fn arrived(
        &mut self,
        channel: usize,
        barrier: Barrier,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) -> Result<()> {
        let id = barrier.checkpoint;
        let known = self.channel(channel)?;
        if known.end_arrived || id.0 <= known.arrived {
            return Err(Error::internal(format!(
                "barrier {id} arrives in input channel {channel} behind barrier {} or the end",
                known.arrived
            )));
        }
        self.channels[channel].arrived = id.0;
        self.passed(channel, id, actions);
        self.announce(barrier, now);
        Ok(())
    }

    /// An earlier barrier will not come through this channel any more.
    fn passed(&mut self, channel: usize, id: CheckpointId, actions: &mut Vec<Action>) {
        self.keeping.retain(|keeping| {
            let hopeless = keeping.checkpoint < id && keeping.missing.contains(&channel);
            if hopeless {
                let reason = AbortReason::Superseded(id);
                actions.push(Action::Abort { checkpoint: keeping.checkpoint, reason });
            }
            !hopeless
        });
    }

    /// Takes the snapshots whose time to overtake has come.
    fn overtake(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        while let Some(announced) = self.next_to_overtake()
            && announced.is_due(now)
        {
            let barrier = announced.barrier;
            let checkpoint = barrier.checkpoint;
            let was_aligning = self.aligning.take().is_some();
            self.done = checkpoint;
            let all = self.channels.iter().enumerate();
            let channels = all.filter(|(_, c)| !c.ended && c.last < checkpoint.0).map(|(at, _)| at);
            let channels: Vec<usize> = channels.collect();
            let incomplete = |at: &usize| !self.channels[*at].is_complete(checkpoint);
            let missing = channels.iter().copied().filter(incomplete).collect();
            self.keeping.push(Keeping { checkpoint, missing });
            actions.push(Action::Overtake { barrier, channels });
            if was_aligning {
                actions.push(Action::Unblock);
            }
            self.forget_done();
        }
    }

    /// Says of which snapshots everything is kept.
    fn kept(&mut self, actions: &mut Vec<Action>) {
        let channels = &self.channels;
        self.keeping.retain_mut(|keeping| {
            keeping.missing.retain(|at| !channels[*at].is_complete(keeping.checkpoint));
            if keeping.missing.is_empty() {
                actions.push(Action::Kept(keeping.checkpoint));
            }
            !keeping.missing.is_empty()
        });
    }

    fn abort(&mut self, checkpoint: CheckpointId, actions: &mut Vec<Action>) {
        self.announced.retain(|b| b.barrier.checkpoint != checkpoint);
        let keeping = self.keeping.len();
        self.keeping.retain(|keeping| keeping.checkpoint != checkpoint);
        if self.keeping.len() < keeping {
            actions.push(Action::Abort { checkpoint, reason: AbortReason::Cancelled });
            return;
        }
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
        self.forget_done();
    }

    fn forget_done(&mut self) {
        let done = self.done;
        self.announced.retain(|b| b.barrier.checkpoint > done);
        self.cancelled.retain(|id| *id > done);
    }

    /// With all inputs ended no barrier will come.
    fn take_announced(&mut self, actions: &mut Vec<Action>) {
        for Announced { barrier, .. } in self.announced.drain(..) {
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
