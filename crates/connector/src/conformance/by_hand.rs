//! An enumerator driven by a test, reader by reader.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use flott_types::{CheckpointId, Clock, Result, SubtaskIndex, Waker};

use crate::{Discovery, EnumeratorContext, Messages, Payload, Source, SourceCoordinator, Split, ToReader};

/// An enumerator whose readers are a test's.
#[derive(Debug)]
pub struct ByHand {
    coordinator: SourceCoordinator,
    clock: Arc<dyn Clock>,
    checkpoint: CheckpointId,
    registered: BTreeSet<SubtaskIndex>,
    /// What came for a reader and was not taken.
    given: BTreeMap<SubtaskIndex, Vec<Split>>,
    ended: BTreeSet<SubtaskIndex>,
}

impl ByHand {
    /// The enumerator of a source, for this many readers.
    ///
    /// # Errors
    /// As the source says.
    pub fn new(
        source: &dyn Source,
        restored: Option<&Payload>,
        parallelism: u32,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let context = EnumeratorContext { parallelism, clock: clock.clone(), waker: Waker::default() };
        Ok(ByHand {
            coordinator: SourceCoordinator::new(source.enumerator(restored, context)?),
            clock,
            checkpoint: CheckpointId(0),
            registered: BTreeSet::new(),
            given: BTreeMap::new(),
            ended: BTreeSet::new(),
        })
    }

    /// What a reader that has nothing to read is given; none yet, or `None` if there never will be any.
    ///
    /// # Errors
    /// As the enumerator says.
    pub fn ask(&mut self, reader: SubtaskIndex) -> Result<Option<Vec<Split>>> {
        if self.registered.insert(reader) {
            let messages = self.coordinator.register(reader, &[])?;
            self.deliver(messages);
        }
        self.work()?;
        if !self.given.contains_key(&reader) && !self.ended.contains(&reader) {
            let messages = self.coordinator.request(reader)?;
            self.deliver(messages);
            self.work()?;
        }
        match self.given.remove(&reader) {
            None if self.ended.contains(&reader) => Ok(None),
            given => Ok(Some(given.unwrap_or_default())),
        }
    }

    /// What is in a checkpoint now.
    ///
    /// # Errors
    /// As the enumerator says.
    pub fn snapshot(&mut self) -> Result<Payload> {
        self.checkpoint = self.checkpoint.next();
        self.coordinator.snapshot(self.checkpoint)
    }

    /// When the enumerator wants to be called.
    pub fn next_time(&self) -> Option<i64> {
        self.coordinator.next_time()
    }

    /// Does what is due, and waits for what that has begun elsewhere.
    fn work(&mut self) -> Result<()> {
        let now = self.clock.now();
        let mut due = self.coordinator.next_time().is_some_and(|at| at <= now);
        while due || self.coordinator.discovery() > Discovery::None {
            due = false;
            let messages = self.coordinator.work(now)?;
            self.deliver(messages);
            std::thread::park_timeout(Duration::from_micros(50));
        }
        Ok(())
    }

    fn deliver(&mut self, messages: Messages) {
        for (reader, message) in messages {
            match message {
                ToReader::AddSplits(splits) => self.given.entry(reader).or_default().extend(splits),
                ToReader::NoMoreSplits => _ = self.ended.insert(reader),
                ToReader::NothingYet | ToReader::Event(_) => {}
            }
        }
    }
}
