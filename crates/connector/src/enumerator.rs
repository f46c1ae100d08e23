//! The JobManager's side of a source: finds splits and assigns them to readers.

use std::sync::Arc;

use flott_types::{CheckpointId, Clock, Error, Result, SubtaskIndex, Timestamp, Waker};

use crate::{Payload, Split};

/// What an enumerator may use.
#[derive(Clone, Debug)]
pub struct EnumeratorContext {
    /// How many readers there are.
    pub parallelism: u32,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// From any thread, lets [`SplitEnumerator::work`] be called soon.
    pub waker: Waker,
}

/// Whether an enumerator is looking for splits elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum Discovery {
    /// It is not.
    #[default]
    None,
    /// It is, and what it knew before can be read meanwhile.
    Again,
    /// It is, for the first time: readers that ask are told nothing until it is over. Nobody counts as idle
    /// before, so that event time does not run ahead of what is found.
    First,
}

/// Finds splits and assigns them. Runs in the JobManager; its state is in the checkpoint.
///
/// It is called by one thread at a time and must not wait for the outside in its calls: it begins such work
/// elsewhere ([`Background`](crate::Background)), wakes when that is done, and goes on in
/// [`SplitEnumerator::work`]. Assignments may be made in every call, to any reader that is registered, also
/// to one that is reading.
///
/// What it has assigned is the readers': it is in their part of the checkpoint, and after a restart they
/// begin with it.
pub trait SplitEnumerator: Send {
    /// A reader is there. `reading` names the splits that it was restored with.
    fn reader_registered(
        &mut self,
        reader: SubtaskIndex,
        reading: &[String],
        assignments: &mut Assignments,
    ) -> Result<()> {
        let _ = (reader, reading, assignments);
        Ok(())
    }

    /// A reader has read all that it was given. If nothing is assigned to it in this call, it holds event
    /// time back no longer, and waits for what may be assigned to it later.
    fn splits_requested(&mut self, reader: SubtaskIndex, assignments: &mut Assignments) -> Result<()>;

    /// A reader has failed, and these splits were assigned to it after the checkpoint from which it begins
    /// again: nobody has them. It will be registered again. Splits that must not be lost are assigned to
    /// somebody, now or later.
    fn splits_returned(
        &mut self,
        reader: SubtaskIndex,
        splits: Vec<Split>,
        assignments: &mut Assignments,
    ) -> Result<()>;

    /// A reader says something ([`SourceOutput::send`](crate::SourceOutput::send)).
    fn reader_event(
        &mut self,
        reader: SubtaskIndex,
        event: Payload,
        assignments: &mut Assignments,
    ) -> Result<()> {
        let _ = assignments;
        Err(Error::internal(format!("reader {reader} sends an unexpected event: {event:?}")))
    }

    /// The time has come that [`SplitEnumerator::next_time`] asked for, or somebody has used the waker.
    fn work(&mut self, now: Timestamp, assignments: &mut Assignments) -> Result<()> {
        let _ = (now, assignments);
        Ok(())
    }

    /// When it wants to be called next, if ever. Asked after each call.
    fn next_time(&self) -> Option<Timestamp> {
        None
    }

    /// Whether it is looking for splits elsewhere.
    fn discovery(&self) -> Discovery {
        Discovery::None
    }

    /// What is needed to go on: above all, which splits were assigned and which were not. A second one
    /// without a call in between is the same.
    fn snapshot(&mut self, checkpoint: CheckpointId) -> Result<Payload>;

    /// A checkpoint is complete. Earlier ones that were not told of are covered too.
    fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        let _ = checkpoint;
        Ok(())
    }

    /// A checkpoint will not be complete.
    fn checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        let _ = checkpoint;
        Ok(())
    }

    /// Where the source has ended, for one that goes on after it: an offset, a point in time, in a form of
    /// the connector's own. Asked when everything is assigned and read.
    fn end_position(&self) -> Option<String> {
        None
    }
}

/// What an enumerator wants readers to be told, in order.
#[derive(Default, Debug)]
pub struct Assignments(Vec<Assignment>);

/// What one reader is to be told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Assignment {
    /// Splits to read.
    Splits(SubtaskIndex, Vec<Split>),
    /// There never will be another split: it ends when it has read those that it has.
    NoMoreSplits(SubtaskIndex),
    /// Something of the connector's own ([`SourceReader::event`](crate::SourceReader::event)).
    Event(SubtaskIndex, Payload),
}

impl Assignments {
    /// Gives a reader splits. None are none.
    pub fn assign(&mut self, reader: SubtaskIndex, splits: Vec<Split>) {
        if !splits.is_empty() {
            self.0.push(Assignment::Splits(reader, splits));
        }
    }

    /// Tells a reader that there never will be another split for it.
    pub fn no_more_splits(&mut self, reader: SubtaskIndex) {
        self.0.push(Assignment::NoMoreSplits(reader));
    }

    /// Tells a reader something else.
    pub fn send(&mut self, reader: SubtaskIndex, event: Payload) {
        self.0.push(Assignment::Event(reader, event));
    }

    /// Takes what has been said.
    pub fn take(&mut self) -> Vec<Assignment> {
        std::mem::take(&mut self.0)
    }
}
