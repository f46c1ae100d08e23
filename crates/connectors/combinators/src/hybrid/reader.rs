//! A subtask's side: a reader for each source that it has splits of.

use std::collections::BTreeMap;

use flott_batch::{Batch, WatermarkStatus};
use flott_connector::{Payload, Poll, ReaderContext, SourceOutput, SourceReader, Split};
use flott_types::{CheckpointId, Error, Result, Watermark};

use super::{Chain, Stage};

pub(super) struct HybridReader {
    chain: Chain,
    context: ReaderContext,
    /// By number; the lowest is read.
    readers: BTreeMap<usize, (Stage, Box<dyn SourceReader>)>,
}

impl HybridReader {
    pub(super) fn new(chain: Chain, context: ReaderContext) -> Self {
        HybridReader { chain, context, readers: BTreeMap::new() }
    }
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl SourceReader for HybridReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for split in &splits {
            let (stage, split) = Stage::unwrap(split)?;
            let reader = match self.readers.entry(stage.number) {
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::btree_map::Entry::Vacant(entry) => {
                    let reader = self.chain.source(&stage)?.reader(self.context.clone())?;
                    entry.insert((stage, reader))
                }
            };
            reader.1.add_splits(vec![split])?;
        }
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        let several = self.readers.len() > 1;
        let Some(mut first) = self.readers.first_entry() else {
            return Ok(Poll::SplitsDone);
        };
        let (stage, reader) = first.get_mut();
        match reader.poll(&mut StageOutput { stage, output })? {
            Poll::SplitsDone if several => {
                first.remove();
                Ok(Poll::More)
            }
            poll => Ok(poll),
        }
    }

    fn snapshot(&mut self, checkpoint: CheckpointId) -> Result<Vec<Split>> {
        let mut splits = Vec::new();
        for (stage, reader) in self.readers.values_mut() {
            for split in reader.snapshot(checkpoint)? {
                splits.push(stage.wrap(split)?);
            }
        }
        Ok(splits)
    }

    fn pause_splits(&mut self, paused: &[&str]) -> Result<()> {
        self.readers.values_mut().try_for_each(|(stage, reader)| {
            let prefix = stage.id("");
            let own: Vec<&str> = paused.iter().filter_map(|split| split.strip_prefix(&prefix)).collect();
            reader.pause_splits(&own)
        })
    }

    fn event(&mut self, event: Payload) -> Result<()> {
        Err(Error::internal(format!("the enumerator of a hybrid source sends no events: {event:?}")))
    }

    fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.readers.values_mut().try_for_each(|(_, reader)| reader.checkpoint_complete(checkpoint))
    }

    fn checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.readers.values_mut().try_for_each(|(_, reader)| reader.checkpoint_aborted(checkpoint))
    }
}

/// Gives splits the names that they have in the whole.
struct StageOutput<'a> {
    stage: &'a Stage,
    output: &'a mut dyn SourceOutput,
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl SourceOutput for StageOutput<'_> {
    fn emit(&mut self, split: &str, batch: Batch) -> Result<()> {
        self.output.emit(&self.stage.id(split), batch)
    }

    fn skipped(&mut self, rows: u64) {
        self.output.skipped(rows);
    }

    fn rejected(&mut self, batch: Batch) -> Result<()> {
        self.output.rejected(batch)
    }

    fn split_finished(&mut self, split: &str) -> Result<()> {
        self.output.split_finished(&self.stage.id(split))
    }

    // A strategy is given to the whole, see `HybridSource`.
    fn watermark(&mut self, _: &str, _: Watermark) -> Result<()> {
        Ok(())
    }

    fn watermark_status(&mut self, _: &str, _: WatermarkStatus) -> Result<()> {
        Ok(())
    }

    fn send(&mut self, event: Payload) -> Result<()> {
        self.output.send(event)
    }
}
