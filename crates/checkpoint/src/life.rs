//! The life cycle of a task: when it reads, takes its snapshots, finishes and ends; and which of its
//! operators are called.
//!
//! ```text
//! opening ── open ──> running ── inputs ended ──> ending ── nothing outstanding ──> drained ── told so ──> left
//! ```
//!
//! - A task that is **running** reads. A source that has taken the snapshot of a stop pauses, unless that
//!   checkpoint is aborted.
//! - One that is **ending** has reached the end of all its inputs, and waits for work that operators have in
//!   flight elsewhere. It handles messages and snapshots as before.
//! - A **drained** one has let its operators finish and has forwarded the end. It stays, because a sink can
//!   commit only what a completed checkpoint contains, and takes part in checkpoints.
//!
//! **Operators finish once.** What an operator emits at the end of its input must not be emitted again by a
//! recovery from a snapshot that was taken after that end. So whether it has finished is part of the
//! snapshot, as in Flink (FLIP-147), and [`Stage`] says what follows: an operator that had finished is
//! *dormant*. Watermarks, barriers and the end skip it, and it is not called, except for its state: it is
//! opened, takes snapshots and is notified of checkpoints, so that a sink commits.
//!
//! **All restores honour this, until rows come.** When a job recovers by itself, no row ever reaches an
//! operator that had finished: its snapshot was taken after all channels into it had ended, without a barrier
//! in them, so each sender had ended before its own snapshot, and so on up to the sources, which have nothing
//! left to read (or, after a stop with drain, stay at their end:
//! [`RestorePoint::drained`](crate::coordinator::RestorePoint)). A user, however, may start from such a
//! snapshot and read more: from the savepoint of a stop with drain, or with files that were added later. The
//! first row then wakes the operator, and it finishes again at its next end. An operator that no row reaches
//! stays dormant.
//!
//! **The order at the end of the last input.** A barrier that arrived on channels is snapshotted first:
//! downstream, too, it comes before the end. A checkpoint that was only announced, because everything
//! upstream had ended before its barrier, is taken after the operators have finished. So the subtasks of an
//! operator whose inputs have all ended the same way agree about a checkpoint: if some have finished and some
//! have not, that depends on what the operators wait for, not on a race.
//!
//! **The beginning.** Event time of a stream is the minimum over its channels, so whether a row is late
//! depends on whether the others have reported: a source without a split holds back event time until it
//! learns so and ends. That must not depend on which thread was faster. So no task reads rows before all its
//! channels have reported: a source that knows its first splits, or that there are none yet (then it is
//! idle), sends [`Action::Begin`]; one that will never have any sends the end. A task holds channels that
//! have begun until all have begun or ended, then begins itself. This costs, once, the time until the last
//! source has heard from its enumerator. (A task whose inputs end at once may still emit rows from its
//! restored state: they come before its first message, the end, and no watermark of others is ahead of them.
//! A barrier before the first message counts as one, because the alignment cannot wait; this happens only if
//! a checkpoint is triggered while sources still wait for their first splits.)
//!
//! Why one state machine: the simulation in `tests/simulation` runs this one, not a model of it.

use flott_types::{CheckpointId, Error, Result, Timestamp};

use crate::alignment::{self, Alignment, Mode};
use crate::{Barrier, CheckpointKind};

/// What the task saw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The operators are open.
    Opened {
        /// The inputs of the job had ended before it was restored: a source is at its end.
        at_end: bool,
    },
    /// The coordinator's message: a checkpoint begins. May be lost, come late, or twice.
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
    /// [`TaskLife::next_deadline`] has come.
    Tick,
    /// The first word of a channel: rows follow.
    Begin {
        /// The channel.
        channel: usize,
    },
    /// A channel has ended; nothing follows.
    EndOfInput {
        /// The channel.
        channel: usize,
    },
    /// The source knows its first splits, or that there are none yet. Not sent if there never will be any.
    Assigned,
    /// The source has read everything, or is told to end as if it had. Has no meaning for other tasks.
    SourceEnded,
    /// Whether operators wait for something that goes on elsewhere: the answer to [`Action::Settle`], and
    /// later, as long as the task [is ending](TaskLife::is_ending), whenever it may have changed.
    Outstanding(bool),
    /// A checkpoint is complete.
    Complete(CheckpointId),
    /// A checkpoint will not be complete. May come late, or twice.
    Aborted(CheckpointId),
    /// The job is over: commit up to this checkpoint, if any, and leave.
    Finish(Option<CheckpointId>),
}

/// What the task has to do, in this order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Stop reading this channel.
    Block(usize),
    /// Read all channels again.
    Unblock,
    /// Send the barrier on, unless the outputs have `ended`, take the snapshot, and acknowledge.
    Snapshot {
        /// The barrier.
        barrier: Barrier,
        /// Nothing can be sent any more.
        ended: bool,
        /// When the first barrier had come, if there were several to wait for.
        aligning_since: Option<Timestamp>,
        /// The barrier overtakes: acknowledge only with [`Action::Kept`].
        overtakes: bool,
    },
    /// A barrier overtakes: keep what lies in these channels before it, and what still arrives before it. The
    /// snapshot follows.
    Keep {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// The channels.
        channels: Vec<usize>,
    },
    /// Everything that the barrier overtook is kept: now it belongs to the snapshot.
    Kept(CheckpointId),
    /// Tell the coordinator that this checkpoint will not be taken here, so that it need not wait for the
    /// timeout. What was kept for it is dropped, with its snapshot.
    Decline(CheckpointId),
    /// Send the first word on, before any row.
    Begin,
    /// Tell the head of the chain that one of its inputs has ended.
    EndInput(usize),
    /// Say by [`Event::Outstanding`] whether operators still wait for something.
    Settle,
    /// Tell the operators that event time has ended, and let those finish that have not ([`Stage::finish`]).
    Finish,
    /// Send the end on.
    End,
    /// Tell the JobManager that everything is done and sent.
    ReportDrained,
    /// Tell source and operators that this checkpoint is complete.
    Commit(CheckpointId),
    /// Tell the operators that this checkpoint will not be complete.
    Forget(CheckpointId),
    /// Leave.
    Leave,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Opening,
    Running,
    Ending,
    Drained,
    Left,
}

#[derive(Clone, Copy, Default, Debug)]
struct Channel {
    spoken: bool,
    /// Not read until all have begun.
    held: bool,
    /// Not read until the barrier has come through all.
    aligned: bool,
}

/// The life of one task.
#[derive(Clone, Debug)]
pub struct TaskLife {
    alignment: Alignment,
    /// The input of the chain's head that each channel feeds.
    input_of: Vec<usize>,
    /// Channels still open, for each input.
    open_channels: Vec<usize>,
    phase: Phase,
    channels: Vec<Channel>,
    /// How many channels have not said a word.
    silent: usize,
    begun: bool,
    /// The task is silent since the barrier of this stop.
    suspended: Option<CheckpointId>,
}

impl TaskLife {
    /// A task before its operators are open, with channels that feed these inputs; a source has none.
    pub fn new(mode: Mode, input_of: Vec<usize>) -> Self {
        let mut open_channels = vec![0; input_of.iter().max().map_or(0, |most| most + 1)];
        for input in &input_of {
            open_channels[*input] += 1;
        }
        let silent = input_of.len();
        TaskLife {
            alignment: Alignment::new(mode, silent),
            input_of,
            open_channels,
            phase: Phase::Opening,
            channels: vec![Channel::default(); silent],
            silent,
            begun: false,
            suspended: None,
        }
    }

    /// Says which channels a barrier may overtake; without this, none.
    #[must_use]
    pub fn with_overtaking(mut self, can_be_overtaken: &[bool]) -> Self {
        self.alignment = self.alignment.with_overtaking(can_be_overtaken);
        self
    }

    /// When [`Event::Tick`] is due: a barrier overtakes.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Running | Phase::Ending => self.alignment.next_deadline(),
            Phase::Opening | Phase::Drained | Phase::Left => None,
        }
    }

    /// Whether a source reads: it has not ended and is not held by a stop.
    pub fn reads(&self) -> bool {
        self.phase == Phase::Running && self.suspended.is_none()
    }

    /// Whether a stop has taken the state of the task: what its operators emit from now on comes again from the savepoint.
    pub fn is_suspended(&self) -> bool {
        self.suspended.is_some()
    }

    /// Whether the task only waits for its operators before it can end.
    pub fn is_ending(&self) -> bool {
        self.phase == Phase::Ending
    }

    /// Whether the operators have finished and the outputs have ended.
    pub fn is_drained(&self) -> bool {
        matches!(self.phase, Phase::Drained | Phase::Left)
    }

    /// Whether the task has begun: it has sent its beginning, or will send the end.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether a channel has begun and waits for others to: it is blocked.
    pub fn holds(&self, channel: usize) -> bool {
        self.channels.get(channel).is_some_and(|channel| channel.held)
    }

    /// How far the alignment is, for people.
    pub fn alignment(&self) -> &Alignment {
        &self.alignment
    }

    /// The machine.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::Internal`] if a stream breaks the protocol. The task must fail.
    pub fn step(&mut self, event: Event, now: Timestamp) -> Result<Vec<Action>> {
        let mut actions = Vec::new();
        let out = &mut actions;
        match event {
            Event::Opened { at_end } => {
                self.phase = Phase::Running;
                if at_end && self.is_source() {
                    self.end(out);
                }
            }
            Event::Trigger(barrier) => self.align(alignment::Event::Trigger(barrier), now, out)?,
            Event::Arrived { channel, barrier } => {
                self.align(alignment::Event::Arrived { channel, barrier }, now, out)?;
            }
            Event::EndArrived { channel } => {
                self.align(alignment::Event::EndArrived { channel }, now, out)?;
            }
            Event::Tick => self.align(alignment::Event::Tick, now, out)?,
            Event::Begin { channel } => {
                self.spoken(channel, out);
                if self.silent > 0 {
                    self.channels[channel].held = true;
                    out.push(Action::Block(channel));
                }
            }
            Event::Barrier { channel, barrier } => {
                self.spoken(channel, out);
                self.align(alignment::Event::Barrier { channel, barrier }, now, out)?;
            }
            Event::EndOfInput { channel } => {
                self.align(alignment::Event::EndOfInput { channel }, now, out)?;
                self.spoken(channel, out);
                let input = self.input_of[channel];
                self.open_channels[input] -= 1;
                if self.open_channels[input] == 0 {
                    out.push(Action::EndInput(input));
                }
                if self.alignment.all_ended() {
                    self.end(out);
                }
            }
            Event::Assigned => {
                if self.is_source() {
                    self.begin(out);
                }
            }
            Event::SourceEnded => {
                if self.is_source() {
                    self.end(out);
                }
            }
            Event::Outstanding(outstanding) => {
                if self.phase != Phase::Ending {
                    return Ok(actions);
                }
                if !outstanding {
                    self.phase = Phase::Drained;
                    out.extend([Action::Finish, Action::End, Action::ReportDrained]);
                }
                // Checkpoints announced while the inputs ended.
                self.align(alignment::Event::Tick, now, out)?;
            }
            Event::Complete(checkpoint) => out.push(Action::Commit(checkpoint)),
            Event::Aborted(checkpoint) => {
                // A stop failed: the source continues.
                self.suspended.take_if(|suspended| *suspended == checkpoint);
                self.align(alignment::Event::Abort(checkpoint), now, out)?;
                out.push(Action::Forget(checkpoint));
            }
            Event::Finish(checkpoint) => {
                self.phase = Phase::Left;
                out.extend(checkpoint.map(Action::Commit));
                out.push(Action::Leave);
            }
        }
        Ok(actions)
    }

    fn is_source(&self) -> bool {
        self.input_of.is_empty()
    }

    /// A channel has said a word, perhaps its first.
    fn spoken(&mut self, channel: usize, out: &mut Vec<Action>) {
        let Some(known) = self.channels.get_mut(channel).filter(|channel| !channel.spoken) else {
            return;
        };
        known.spoken = true;
        self.silent -= 1;
        if self.silent > 0 {
            return;
        }
        if self.channels.iter().any(|channel| channel.held) {
            self.channels.iter_mut().for_each(|channel| channel.held = false);
            out.push(Action::Unblock);
            self.block(out);
        }
        self.begin(out);
    }

    /// Not if the end comes first.
    fn begin(&mut self, out: &mut Vec<Action>) {
        let ends = !self.is_source() && self.alignment.all_ended();
        if !self.begun && !self.is_drained() && !ends {
            out.push(Action::Begin);
        }
        self.begun = true;
    }

    /// What is not to be read, when all was unblocked.
    fn block(&self, out: &mut Vec<Action>) {
        let blocked = self.channels.iter().enumerate().filter(|(_, channel)| channel.held || channel.aligned);
        out.extend(blocked.map(|(at, _)| Action::Block(at)));
    }

    fn end(&mut self, out: &mut Vec<Action>) {
        if self.phase == Phase::Running {
            self.phase = Phase::Ending;
            out.push(Action::Settle);
        }
    }

    fn align(&mut self, event: alignment::Event, now: Timestamp, out: &mut Vec<Action>) -> Result<()> {
        let aligning_since = self.alignment.aligning().map(|(_, since)| since);
        for action in self.alignment.step(event, now)? {
            match action {
                alignment::Action::Block(channel) => {
                    self.channels[channel].aligned = true;
                    out.push(Action::Block(channel));
                }
                alignment::Action::Unblock => {
                    self.channels.iter_mut().for_each(|channel| channel.aligned = false);
                    out.push(Action::Unblock);
                    self.block(out);
                }
                alignment::Action::Trigger(barrier) => {
                    let stops = barrier.kind == CheckpointKind::Suspend;
                    self.suspended = stops.then_some(barrier.checkpoint);
                    let ended = self.is_drained();
                    out.push(Action::Snapshot { barrier, ended, aligning_since, overtakes: false });
                }
                alignment::Action::Overtake { barrier, channels } => {
                    out.push(Action::Keep { checkpoint: barrier.checkpoint, channels });
                    let ended = self.is_drained();
                    out.push(Action::Snapshot { barrier, ended, aligning_since, overtakes: true });
                }
                alignment::Action::Kept(checkpoint) => out.push(Action::Kept(checkpoint)),
                alignment::Action::Abort { checkpoint, .. } => out.push(Action::Decline(checkpoint)),
            }
        }
        Ok(())
    }
}

/// Whether an operator is called. See the module's header.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Stage {
    /// It is.
    #[default]
    Running,
    /// It had finished before the snapshot that it was restored from, and no row has come since.
    Dormant,
    /// It has finished in this run.
    Finished,
}

impl Stage {
    /// Of an operator that was restored from a snapshot that says this.
    pub fn restored(finished: bool) -> Self {
        if finished { Stage::Dormant } else { Stage::Running }
    }

    /// Whether it receives watermarks, timers, barriers and ends.
    pub fn is_called(self) -> bool {
        self == Stage::Running
    }

    /// The state recorded in its snapshot.
    pub fn has_finished(self) -> bool {
        self != Stage::Running
    }

    /// Rows have come. Says whether that woke the operator, so that it is to be told first what passed it by.
    ///
    /// # Errors
    /// If it has finished in this run: nothing comes after the end.
    pub fn rows(&mut self) -> Result<bool> {
        match *self {
            Stage::Running => Ok(false),
            Stage::Dormant => {
                *self = Stage::Running;
                Ok(true)
            }
            Stage::Finished => Err(Error::internal("rows arrive at an operator that has finished")),
        }
    }

    /// All inputs have ended. Says whether the operator is to be called.
    pub fn finish(&mut self) -> bool {
        let called = self.is_called();
        if called {
            *self = Stage::Finished;
        }
        called
    }
}
