//! The JobManager's side: which source is current.

use std::collections::BTreeSet;

use flott_connector::{
    Assignment, Assignments, Discovery, EnumeratorContext, Payload, Split, SplitEnumerator,
};
use flott_types::{CheckpointId, Error, Result, SubtaskIndex, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Chain, KNOWN, Stage, Switch, VERSION, check_inner};

pub(super) struct HybridEnumerator {
    chain: Chain,
    context: EnumeratorContext,
    stage: Stage,
    inner: Box<dyn SplitEnumerator>,
    /// The answers of the inner enumerator.
    said: Assignments,
    /// The registered readers.
    readers: BTreeSet<SubtaskIndex>,
    /// Readers that have read all their splits and will get no more from this source. Not in checkpoints: a
    /// restored reader asks again when it is done.
    done: BTreeSet<SubtaskIndex>,
    /// Splits of earlier sources that were returned.
    returned: Vec<Split>,
}

/// What is in the checkpoint.
#[derive(Serialize, Deserialize)]
struct Snapshot {
    /// 1, where payloads had no version yet; that is the form of today without it.
    #[serde(default, skip_serializing)]
    version: u32,
    stage: Stage,
    inner: Payload,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    returned: Vec<Split>,
}

impl HybridEnumerator {
    pub(super) fn new(chain: Chain, restored: Option<&Payload>, context: EnumeratorContext) -> Result<Self> {
        let (stage, state, returned) = match restored {
            None => (Stage { number: 0, switch: Switch::default() }, None, Vec::new()),
            Some(payload) => {
                let what = "the assigned splits of a hybrid source";
                let read: Snapshot = payload.from_json(&KNOWN, what)?;
                check_inner(read.version, what)?;
                (read.stage, Some(read.inner), read.returned)
            }
        };
        let inner = chain.source(&stage)?.enumerator(state.as_ref(), context.clone())?;
        Ok(HybridEnumerator {
            chain,
            context,
            stage,
            inner,
            said: Assignments::default(),
            readers: BTreeSet::new(),
            done: BTreeSet::new(),
            returned,
        })
    }

    /// Passes on the answers of the inner enumerator. When it has no more splits for anyone, the next source
    /// begins.
    fn relay(&mut self, assignments: &mut Assignments) -> Result<()> {
        loop {
            for said in self.said.take() {
                match said {
                    Assignment::Splits(reader, splits) => {
                        let splits = splits.into_iter().map(|split| self.stage.wrap(split));
                        assignments.assign(reader, splits.collect::<Result<_>>()?);
                    }
                    Assignment::NoMoreSplits(reader) if self.chain.is_last(&self.stage) => {
                        assignments.no_more_splits(reader);
                    }
                    Assignment::NoMoreSplits(reader) => _ = self.done.insert(reader),
                    Assignment::Event(..) => {
                        return Err(Error::unsupported(
                            "a source that sends events to its readers cannot be part of a hybrid source",
                        ));
                    }
                }
            }
            if self.done.len() < self.context.parallelism as usize {
                return Ok(());
            }
            self.switch()?;
        }
    }

    fn switch(&mut self) -> Result<()> {
        let switch = Switch { end_position: self.inner.end_position() };
        self.stage = Stage { number: self.stage.number + 1, switch };
        self.inner = self.chain.source(&self.stage)?.enumerator(None, self.context.clone())?;
        self.done.clear();
        for reader in &self.readers {
            self.inner.reader_registered(*reader, &[], &mut self.said)?;
        }
        for reader in &self.readers {
            self.inner.splits_requested(*reader, &mut self.said)?;
        }
        Ok(())
    }
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl SplitEnumerator for HybridEnumerator {
    fn reader_registered(
        &mut self,
        reader: SubtaskIndex,
        reading: &[String],
        assignments: &mut Assignments,
    ) -> Result<()> {
        self.readers.insert(reader);
        let prefix = self.stage.id("");
        let own: Vec<String> =
            reading.iter().filter_map(|split| split.strip_prefix(&prefix)).map(str::to_owned).collect();
        self.inner.reader_registered(reader, &own, &mut self.said)?;
        self.relay(assignments)
    }

    fn splits_requested(&mut self, reader: SubtaskIndex, assignments: &mut Assignments) -> Result<()> {
        if let Some(split) = self.returned.pop() {
            assignments.assign(reader, vec![split]);
            return Ok(());
        }
        if !self.done.contains(&reader) {
            self.inner.splits_requested(reader, &mut self.said)?;
        }
        self.relay(assignments)
    }

    fn splits_returned(
        &mut self,
        reader: SubtaskIndex,
        splits: Vec<Split>,
        assignments: &mut Assignments,
    ) -> Result<()> {
        self.readers.remove(&reader);
        self.done.remove(&reader);
        let mut current = Vec::new();
        for split in splits {
            match Stage::unwrap(&split)? {
                (stage, split) if stage.number == self.stage.number => current.push(split),
                _ => self.returned.push(split),
            }
        }
        if !current.is_empty() {
            self.inner.splits_returned(reader, current, &mut self.said)?;
            // Readers that were done have work again.
            for reader in std::mem::take(&mut self.done) {
                self.inner.splits_requested(reader, &mut self.said)?;
            }
        }
        self.relay(assignments)
    }

    fn reader_event(&mut self, _: SubtaskIndex, event: Payload, _: &mut Assignments) -> Result<()> {
        Err(Error::unsupported(format!(
            "a source whose readers send events cannot be part of a hybrid source ({event:?})"
        )))
    }

    fn work(&mut self, now: Timestamp, assignments: &mut Assignments) -> Result<()> {
        self.inner.work(now, &mut self.said)?;
        self.relay(assignments)
    }

    fn next_time(&self) -> Option<Timestamp> {
        self.inner.next_time()
    }

    fn discovery(&self) -> Discovery {
        self.inner.discovery()
    }

    fn snapshot(&mut self, checkpoint: CheckpointId) -> Result<Payload> {
        let inner = self.inner.snapshot(checkpoint)?;
        let (stage, returned) = (self.stage.clone(), self.returned.clone());
        Payload::json(VERSION, &Snapshot { version: 0, stage, inner, returned })
    }

    fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.inner.checkpoint_complete(checkpoint)
    }

    fn checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.inner.checkpoint_aborted(checkpoint)
    }

    fn end_position(&self) -> Option<String> {
        self.inner.end_position()
    }
}
