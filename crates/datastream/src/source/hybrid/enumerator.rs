//! The JobManager's side: which source it is the turn of.

use std::collections::BTreeSet;

use flott_connector::{EnumeratorContext, Split, SplitEnumerator};
use flott_types::{Error, Result, SubtaskIndex};
use serde::{Deserialize, Serialize};

use super::{Chain, Stage, Switch, VERSION, check_version};

/// Readers that are done with a source look so often whether the others are, in milliseconds.
const SWITCH_CHECK: i64 = 20;

pub(super) struct HybridEnumerator {
    chain: Chain,
    context: EnumeratorContext,
    stage: Stage,
    inner: Box<dyn SplitEnumerator>,
    /// Readers that have read all that they were given, and will be given nothing more of this source. Not in checkpoints: a reader
    /// that is restored asks again when it is done.
    done: BTreeSet<SubtaskIndex>,
}

/// What is in the checkpoint.
#[derive(Serialize, Deserialize)]
struct Snapshot {
    version: u32,
    stage: Stage,
    inner: String,
}

impl HybridEnumerator {
    pub(super) fn new(chain: Chain, restored: Option<&str>, context: EnumeratorContext) -> Result<Self> {
        let (stage, state) = match restored {
            None => (Stage { number: 0, switch: Switch::default() }, None),
            Some(text) => {
                let read: Snapshot = serde_json::from_str(text).map_err(|error| {
                    Error::state("what a hybrid source had handed out cannot be read").with_source(error)
                })?;
                check_version(read.version)?;
                (read.stage, Some(read.inner))
            }
        };
        let inner = chain.source(&stage)?.enumerator(state.as_deref(), context.clone())?;
        Ok(HybridEnumerator { chain, context, stage, inner, done: BTreeSet::new() })
    }

    fn switch(&mut self) -> Result<()> {
        let switch = Switch { end_position: self.inner.end_position() };
        self.stage = Stage { number: self.stage.number + 1, switch };
        self.inner = self.chain.source(&self.stage)?.enumerator(None, self.context.clone())?;
        self.done.clear();
        Ok(())
    }
}

impl SplitEnumerator for HybridEnumerator {
    fn next_splits(&mut self, reader: SubtaskIndex) -> Result<Option<Vec<Split>>> {
        loop {
            if let Some(splits) = self.inner.next_splits(reader)? {
                let splits = splits.into_iter().map(|split| self.stage.wrap(split));
                return splits.collect::<Result<_>>().map(Some);
            }
            if self.chain.is_last(&self.stage) {
                return Ok(None);
            }
            self.done.insert(reader);
            if self.done.len() < self.context.parallelism as usize {
                return Ok(Some(Vec::new()));
            }
            self.switch()?;
        }
    }

    fn snapshot(&self) -> Result<String> {
        let snapshot =
            Snapshot { version: VERSION, stage: self.stage.clone(), inner: self.inner.snapshot()? };
        serde_json::to_string(&snapshot)
            .map_err(|error| Error::internal("splits cannot be written").with_source(error))
    }

    fn end_position(&self) -> Option<String> {
        self.inner.end_position()
    }

    fn discovery_interval(&self) -> i64 {
        if self.done.is_empty() { self.inner.discovery_interval() } else { SWITCH_CHECK }
    }
}
