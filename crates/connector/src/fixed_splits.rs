//! The enumerator of a source whose splits are known from the start.

use std::collections::VecDeque;

use flott_types::{CheckpointId, Error, Result, SubtaskIndex};
use serde::{Deserialize, Serialize};

use crate::{Assignments, Payload, Split, SplitEnumerator};

/// Assigns splits and remembers which are left: of a bounded source one at a time, first come first served;
/// of an unbounded one, whose splits never end, each reader gets its share at once.
#[derive(Debug)]
pub struct FixedSplits {
    pending: VecDeque<Split>,
    sharing: Option<Sharing>,
    end: Option<String>,
}

/// Splits that never end.
#[derive(Clone, Copy, Debug)]
struct Sharing {
    readers: u32,
    /// How many have had a share.
    served: u32,
}

/// What is in the checkpoint.
#[derive(Serialize, Deserialize)]
struct Snapshot {
    pending: VecDeque<Split>,
}

/// A version 1 within the JSON is all that the unversioned form has besides.
const VERSION: u32 = 2;
const KNOWN: [u32; 2] = [Payload::UNVERSIONED, VERSION];

/// The version that the unversioned form knows of.
#[derive(Deserialize)]
struct Inner {
    #[serde(default)]
    version: u32,
}

impl FixedSplits {
    /// The splits that were left, or all of them on a fresh start; each is read to its end.
    ///
    /// # Errors
    /// If what was left cannot be read.
    pub fn new(restored: Option<&Payload>, all: impl FnOnce() -> Result<Vec<Split>>) -> Result<Self> {
        const WHAT: &str = "the unassigned splits of a source";
        let pending = match restored {
            None => all()?.into(),
            Some(payload) => {
                let Inner { version } = payload.from_json(&KNOWN, WHAT)?;
                if version > 1 {
                    return Err(Error::state(format!("{WHAT} has version {version} instead of 1")));
                }
                payload.from_json::<Snapshot>(&KNOWN, WHAT)?.pending
            }
        };
        Ok(FixedSplits { pending, sharing: None, end: None })
    }

    /// The splits never end: so many readers get their shares as soon as they are there, and nothing after.
    #[must_use]
    pub fn shared_by(mut self, readers: u32) -> Self {
        self.sharing = Some(Sharing { readers, served: 0 });
        self
    }

    /// With the answer to [`SplitEnumerator::end_position`].
    #[must_use]
    pub fn ending_at(mut self, end: String) -> Self {
        self.end = Some(end);
        self
    }
}

impl SplitEnumerator for FixedSplits {
    fn reader_registered(
        &mut self,
        reader: SubtaskIndex,
        _: &[String],
        assignments: &mut Assignments,
    ) -> Result<()> {
        if let Some(Sharing { readers, served }) = &mut self.sharing {
            // Whoever comes when all have had their share gets what is left.
            let without = readers.saturating_sub(*served).max(1);
            *served += 1;
            let share = self.pending.len().div_ceil(without as usize);
            assignments.assign(reader, self.pending.drain(..share).collect());
        }
        Ok(())
    }

    fn splits_requested(&mut self, reader: SubtaskIndex, assignments: &mut Assignments) -> Result<()> {
        // Of splits that never end those that are left are others' shares.
        match self.pending.pop_front_if(|_| self.sharing.is_none()) {
            Some(split) => assignments.assign(reader, vec![split]),
            None => assignments.no_more_splits(reader),
        }
        Ok(())
    }

    fn splits_returned(&mut self, _: SubtaskIndex, splits: Vec<Split>, _: &mut Assignments) -> Result<()> {
        splits.into_iter().rev().for_each(|split| self.pending.push_front(split));
        if let Some(sharing) = &mut self.sharing {
            sharing.served = sharing.served.saturating_sub(1);
        }
        Ok(())
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Payload> {
        Payload::json(VERSION, &Snapshot { pending: self.pending.clone() })
    }

    fn end_position(&self) -> Option<String> {
        self.end.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SourceCoordinator, ToReader};

    fn splits(count: usize) -> FixedSplits {
        let split = |at: usize| Split { id: at.to_string(), payload: Payload::default() };
        FixedSplits::new(None, || Ok((0..count).map(split).collect())).unwrap()
    }

    fn given(coordinator: &mut SourceCoordinator, reader: u32) -> usize {
        let messages = coordinator.register(SubtaskIndex(reader), &[]).unwrap();
        let splits = |(_, message): &(SubtaskIndex, ToReader)| match message {
            ToReader::AddSplits(splits) => splits.len(),
            _ => 0,
        };
        messages.iter().map(splits).sum()
    }

    #[test]
    fn splits_without_an_end_are_shared_out() {
        for (count, readers) in [(5, 2), (2, 5), (6, 3), (1, 1)] {
            let mut coordinator = SourceCoordinator::new(Box::new(splits(count).shared_by(readers)));
            let shares: Vec<usize> = (0..readers).map(|reader| given(&mut coordinator, reader)).collect();
            assert_eq!(shares.iter().sum::<usize>(), count, "{shares:?}");
            assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1, "{shares:?}");
            let end = coordinator.request(SubtaskIndex(0)).unwrap();
            assert_eq!(end, [(SubtaskIndex(0), ToReader::NoMoreSplits)]);
        }
    }

    #[test]
    fn a_request_does_not_take_the_share_of_an_absent_reader() {
        let mut coordinator = SourceCoordinator::new(Box::new(splits(4).shared_by(2)));
        assert_eq!(given(&mut coordinator, 0), 2);
        coordinator.request(SubtaskIndex(0)).unwrap();
        assert_eq!(given(&mut coordinator, 1), 2);
    }

    #[test]
    fn unowned_splits_go_to_readers_that_have_some() {
        let mut before = SourceCoordinator::new(Box::new(splits(4).shared_by(2)));
        given(&mut before, 0);
        let snapshot = before.snapshot(CheckpointId(1)).unwrap();
        let after = FixedSplits::new(Some(&snapshot), || unreachable!()).unwrap().shared_by(1);
        let mut after = SourceCoordinator::new(Box::new(after));
        assert_eq!(given(&mut after, 0), 2);
    }

    #[test]
    fn splits_of_a_reader_that_failed_alone_come_back() {
        let mut coordinator = SourceCoordinator::new(Box::new(splits(3))).with_failing_readers(None);
        let reader = SubtaskIndex(0);
        given(&mut coordinator, 0);
        let ids = |messages: Vec<(SubtaskIndex, ToReader)>| match messages.as_slice() {
            [(_, ToReader::AddSplits(splits))] => splits[0].id.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(ids(coordinator.request(reader).unwrap()), "0");
        coordinator.snapshot(CheckpointId(1)).unwrap();
        assert_eq!(ids(coordinator.request(reader).unwrap()), "1");
        coordinator.complete(CheckpointId(1)).unwrap();
        // Split 0 is in its snapshot, split 1 is in nobody's.
        coordinator.failed(reader, Some(CheckpointId(1))).unwrap();
        coordinator.register(reader, &["0".to_owned()]).unwrap();
        assert_eq!(ids(coordinator.request(reader).unwrap()), "1");
        assert_eq!(ids(coordinator.request(reader).unwrap()), "2");
    }

    #[test]
    fn snapshots_of_before_are_read_and_of_later_refused() {
        let old = Payload::new(0, r#"{"version":1,"pending":[{"id":"a","payload":"{\"version\":1}"}]}"#);
        let read = FixedSplits::new(Some(&old), || unreachable!()).unwrap();
        assert_eq!(read.pending[0].payload, Payload::new(0, r#"{"version":1}"#));
        for later in [Payload::new(0, r#"{"version":2,"pending":[]}"#), Payload::new(3, r#"{"pending":[]}"#)]
        {
            let error = FixedSplits::new(Some(&later), || unreachable!()).unwrap_err();
            assert!(error.message().contains("version"), "{error}");
        }
    }
}
