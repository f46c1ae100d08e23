//! One enumerator and the state of its readers: both the JobManager and the conformance suite drive sources
//! with it.
//!
//! A pure state machine around the enumerator. It returns messages for the readers, checks the enumerator's
//! contract, and remembers which splits were assigned since which checkpoint: if a reader restarts from a
//! checkpoint, splits that were assigned to it later are in no snapshot and go back to the enumerator.

use std::collections::BTreeMap;

use flott_types::{CheckpointId, Error, Result, SubtaskIndex, Timestamp};

use crate::{Assignment, Assignments, Discovery, Payload, Split, SplitEnumerator};

/// What one reader is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ToReader {
    /// Splits to read.
    AddSplits(Vec<Split>),
    /// There is nothing for it now: it holds event time back no longer.
    NothingYet,
    /// There never will be another split.
    NoMoreSplits,
    /// Something of the connector's own.
    Event(Payload),
}

/// What readers are told, in order.
pub type Messages = Vec<(SubtaskIndex, ToReader)>;

/// An enumerator with its readers.
pub struct SourceCoordinator {
    enumerator: Box<dyn SplitEnumerator>,
    readers: BTreeMap<SubtaskIndex, Reader>,
    /// How often each reader was sent splits.
    sent: BTreeMap<SubtaskIndex, u64>,
    assignments: Assignments,
    /// What was assigned since the last complete checkpoint, if anybody wants to know: by the checkpoint
    /// after whose snapshot it was. The first entry is of the one that all began from.
    assigned: Option<Vec<Since>>,
    /// Readers are not told that there are no more splits.
    holds: bool,
}

struct Since {
    checkpoint: Option<CheckpointId>,
    splits: Vec<(SubtaskIndex, Split)>,
}

impl Since {
    fn new(checkpoint: Option<CheckpointId>) -> Self {
        Since { checkpoint, splits: Vec::new() }
    }
}

/// How a reader stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reader {
    /// Has something to read, or has not said otherwise.
    Reading,
    /// Has read everything, and was told nothing since.
    Asking,
    /// Knows that there is nothing for now.
    Waiting,
    /// Knows that there will be nothing any more.
    Ending,
    /// There will be nothing any more, which it is not told, and it is still reading.
    Last,
    /// There will be nothing any more, which it is not told, and it has read everything.
    Held,
}

impl SourceCoordinator {
    /// An enumerator that has no readers yet.
    pub fn new(enumerator: Box<dyn SplitEnumerator>) -> Self {
        SourceCoordinator {
            enumerator,
            readers: BTreeMap::new(),
            sent: BTreeMap::new(),
            assignments: Assignments::default(),
            assigned: None,
            holds: false,
        }
    }

    /// Readers that have read everything stay, as if more could come: their inputs do not end.
    #[must_use]
    pub fn that_holds(mut self) -> Self {
        self.holds = true;
        self
    }

    /// Whether there are so many readers, which have read everything there is and [stay](Self::that_holds).
    pub fn holds_all(&self, readers: u32) -> bool {
        self.readers.len() == readers as usize && self.readers.values().all(|state| *state == Reader::Held)
    }

    /// Readers may fail one by one. All began from this checkpoint, or from nothing.
    #[must_use]
    pub fn with_failing_readers(mut self, restored: Option<CheckpointId>) -> Self {
        self.assigned = Some(vec![Since::new(restored)]);
        self
    }

    /// A reader is there, and reads the splits of these names.
    ///
    /// # Errors
    /// As the enumerator says; or if it breaks a promise. So all others.
    pub fn register(&mut self, reader: SubtaskIndex, reading: &[String]) -> Result<Messages> {
        self.readers.insert(reader, Reader::Reading);
        self.sent.insert(reader, 0);
        self.enumerator.reader_registered(reader, reading, &mut self.assignments)?;
        self.settle()
    }

    /// A reader has read all that it has, after it had received splits so often. Where readers
    /// [stay](Self::that_holds), it has not read everything if more splits are on their way to it: it will ask again.
    ///
    /// # Errors
    /// As [`SourceCoordinator::register`].
    pub fn request_after(&mut self, reader: SubtaskIndex, received: u64) -> Result<Messages> {
        if self.holds && self.sent.get(&reader).is_some_and(|sent| received < *sent) {
            return Ok(Messages::new());
        }
        self.request(reader)
    }

    /// A reader has read all that it has and was ever sent.
    ///
    /// # Errors
    /// As [`SourceCoordinator::register`].
    pub fn request(&mut self, reader: SubtaskIndex) -> Result<Messages> {
        match self.readers.get_mut(&reader) {
            None => {
                return Err(Error::internal(format!(
                    "reader {reader} requests splits but is not registered"
                )));
            }
            Some(Reader::Ending | Reader::Held) => return Ok(Messages::new()),
            Some(state @ Reader::Last) => {
                *state = Reader::Held;
                return Ok(vec![(reader, ToReader::NothingYet)]);
            }
            Some(state) => *state = Reader::Asking,
        }
        if self.enumerator.discovery() < Discovery::First {
            self.enumerator.splits_requested(reader, &mut self.assignments)?;
        }
        self.settle()
    }

    /// A reader says something of the connector's own.
    ///
    /// # Errors
    /// As [`SourceCoordinator::register`].
    pub fn event(&mut self, reader: SubtaskIndex, event: Payload) -> Result<Messages> {
        self.enumerator.reader_event(reader, event, &mut self.assignments)?;
        self.settle()
    }

    /// A reader has failed and will begin again from this checkpoint, or from nothing. Only of those
    /// [that may fail](SourceCoordinator::with_failing_readers).
    ///
    /// # Errors
    /// As [`SourceCoordinator::register`].
    pub fn failed(&mut self, reader: SubtaskIndex, from: Option<CheckpointId>) -> Result<Messages> {
        self.readers.remove(&reader);
        let mut lost = Vec::new();
        for since in self.assigned.iter_mut().flatten().filter(|since| since.checkpoint >= from) {
            lost.extend(since.splits.extract_if(.., |(to, _)| *to == reader).map(|(_, split)| split));
        }
        if !lost.is_empty() {
            self.enumerator.splits_returned(reader, lost, &mut self.assignments)?;
        }
        self.settle()
    }

    /// It is time, or somebody has woken.
    ///
    /// # Errors
    /// As [`SourceCoordinator::register`].
    pub fn work(&mut self, now: Timestamp) -> Result<Messages> {
        let before = self.enumerator.discovery();
        self.enumerator.work(now, &mut self.assignments)?;
        let mut messages = self.deliver()?;
        if before == Discovery::First && self.enumerator.discovery() < Discovery::First {
            // Those that have asked meanwhile.
            let asking = self.readers.iter().filter(|(_, state)| **state == Reader::Asking);
            for reader in asking.map(|(reader, _)| *reader).collect::<Vec<_>>() {
                self.enumerator.splits_requested(reader, &mut self.assignments)?;
            }
        }
        messages.extend(self.settle()?);
        Ok(messages)
    }

    /// When `work` is due.
    pub fn next_time(&self) -> Option<Timestamp> {
        self.enumerator.next_time()
    }

    /// Whether the enumerator is looking for splits elsewhere.
    pub fn discovery(&self) -> Discovery {
        self.enumerator.discovery()
    }

    /// The enumerator's part of a checkpoint. Taken before the readers' part.
    ///
    /// # Errors
    /// As the enumerator says.
    pub fn snapshot(&mut self, checkpoint: CheckpointId) -> Result<Payload> {
        let payload = self.enumerator.snapshot(checkpoint)?;
        if let Some(assigned) = &mut self.assigned {
            assigned.push(Since::new(Some(checkpoint)));
        }
        Ok(payload)
    }

    /// A checkpoint is complete: what was assigned before it is in the readers' part of it.
    ///
    /// # Errors
    /// As the enumerator says.
    pub fn complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        if let Some(assigned) = &mut self.assigned {
            assigned.retain(|since| since.checkpoint >= Some(checkpoint));
        }
        self.enumerator.checkpoint_complete(checkpoint)
    }

    /// A checkpoint will not be complete.
    ///
    /// # Errors
    /// As the enumerator says.
    pub fn aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        // What was assigned after it is now after the one before it.
        if let Some(assigned) = &mut self.assigned
            && let Some(at) = assigned.iter().position(|since| since.checkpoint == Some(checkpoint))
            && at > 0
        {
            let since = assigned.remove(at);
            assigned[at - 1].splits.extend(since.splits);
        }
        self.enumerator.checkpoint_aborted(checkpoint)
    }

    /// Where the source has ended.
    pub fn end_position(&self) -> Option<String> {
        self.enumerator.end_position()
    }

    /// What the enumerator has said becomes messages.
    fn deliver(&mut self) -> Result<Messages> {
        let mut messages = Messages::new();
        for assignment in self.assignments.take() {
            let (reader, message) = match assignment {
                Assignment::Splits(reader, splits) => (reader, ToReader::AddSplits(splits)),
                Assignment::NoMoreSplits(reader) => (reader, ToReader::NoMoreSplits),
                Assignment::Event(reader, event) => (reader, ToReader::Event(event)),
            };
            let Some(state) = self.readers.get_mut(&reader) else {
                return Err(Error::internal(format!(
                    "the enumerator addresses reader {reader}, which is not registered"
                )));
            };
            if self.holds && message == ToReader::NoMoreSplits {
                match *state {
                    Reader::Reading => *state = Reader::Last,
                    Reader::Asking | Reader::Waiting => {
                        *state = Reader::Held;
                        messages.push((reader, ToReader::NothingYet));
                    }
                    Reader::Ending | Reader::Last | Reader::Held => {}
                }
                continue;
            }
            match &message {
                ToReader::AddSplits(splits) => {
                    if matches!(state, Reader::Ending | Reader::Last | Reader::Held) {
                        return Err(Error::internal(format!(
                            "the enumerator assigns splits to reader {reader} after telling it that there are no more"
                        )));
                    }
                    *state = Reader::Reading;
                    *self.sent.entry(reader).or_default() += 1;
                    if let Some(since) = self.assigned.as_mut().and_then(|assigned| assigned.last_mut()) {
                        since.splits.extend(splits.iter().map(|split| (reader, split.clone())));
                    }
                }
                ToReader::NoMoreSplits => *state = Reader::Ending,
                ToReader::NothingYet | ToReader::Event(_) => {}
            }
            messages.push((reader, message));
        }
        Ok(messages)
    }

    /// The same; and who has asked and got nothing is told so.
    fn settle(&mut self) -> Result<Messages> {
        let mut messages = self.deliver()?;
        if self.enumerator.discovery() < Discovery::First {
            for (reader, state) in &mut self.readers {
                if *state == Reader::Asking {
                    *state = Reader::Waiting;
                    messages.push((*reader, ToReader::NothingYet));
                }
            }
        }
        Ok(messages)
    }
}

impl std::fmt::Debug for SourceCoordinator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceCoordinator").field("readers", &self.readers).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives each reader one split as soon as it is there, and tells it that there are no more, more than once.
    struct AtOnce;

    impl SplitEnumerator for AtOnce {
        fn reader_registered(
            &mut self,
            reader: SubtaskIndex,
            _: &[String],
            assignments: &mut Assignments,
        ) -> Result<()> {
            let split = Split { id: reader.to_string(), payload: Payload::default() };
            assignments.assign(reader, vec![split]);
            assignments.no_more_splits(reader);
            assignments.no_more_splits(reader);
            Ok(())
        }

        fn splits_requested(&mut self, _: SubtaskIndex, _: &mut Assignments) -> Result<()> {
            Ok(())
        }

        fn splits_returned(&mut self, _: SubtaskIndex, _: Vec<Split>, _: &mut Assignments) -> Result<()> {
            Ok(())
        }

        fn snapshot(&mut self, _: CheckpointId) -> Result<Payload> {
            Ok(Payload::default())
        }
    }

    #[test]
    fn a_reader_is_held_when_it_has_read_what_it_was_sent() {
        let mut coordinator = SourceCoordinator::new(Box::new(AtOnce)).that_holds();
        let readers = [SubtaskIndex(0), SubtaskIndex(1)];
        for reader in readers {
            let sent = coordinator.register(reader, &[]).unwrap();
            assert!(matches!(sent.as_slice(), [(_, ToReader::AddSplits(_))]), "{sent:?}");
            // It had nothing to read when it began; what it was sent was still on its way.
            assert_eq!(coordinator.request_after(reader, 0).unwrap(), []);
        }
        assert!(!coordinator.holds_all(2));
        assert_eq!(coordinator.request_after(readers[0], 1).unwrap(), [(readers[0], ToReader::NothingYet)]);
        assert!(!coordinator.holds_all(2));
        coordinator.request_after(readers[1], 1).unwrap();
        assert!(coordinator.holds_all(2) && !coordinator.holds_all(3));
    }
}
