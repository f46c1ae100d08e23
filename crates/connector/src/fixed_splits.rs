//! The enumerator of a source whose splits are known from the start.

use std::collections::VecDeque;

use flott_types::{Error, Result, SubtaskIndex};
use serde::{Deserialize, Serialize};

use crate::{Split, SplitEnumerator};

/// Hands out splits one at a time, first come first served, and remembers which are left.
#[derive(Debug)]
pub struct FixedSplits {
    pending: VecDeque<Split>,
    end: Option<String>,
}

/// What is in the checkpoint.
#[derive(Serialize, Deserialize)]
struct Snapshot {
    version: u32,
    pending: VecDeque<Split>,
}

const VERSION: u32 = 1;

impl FixedSplits {
    /// The splits that were left, or all of them on a fresh start.
    ///
    /// # Errors
    /// If what was left cannot be read.
    pub fn new(restored: Option<&str>, all: impl FnOnce() -> Result<Vec<Split>>) -> Result<Self> {
        let pending = match restored {
            None => all()?.into(),
            Some(text) => {
                let damaged = || Error::state("the splits that a source had not handed out cannot be read");
                let snapshot: Snapshot =
                    serde_json::from_str(text).map_err(|error| damaged().with_source(error))?;
                if snapshot.version != VERSION {
                    return Err(
                        damaged().context(format!("version {} instead of {VERSION}", snapshot.version))
                    );
                }
                snapshot.pending
            }
        };
        Ok(FixedSplits { pending, end: None })
    }

    /// With the answer to [`SplitEnumerator::end_position`].
    #[must_use]
    pub fn ending_at(mut self, end: String) -> Self {
        self.end = Some(end);
        self
    }
}

impl SplitEnumerator for FixedSplits {
    fn next_splits(&mut self, _: SubtaskIndex) -> Result<Option<Vec<Split>>> {
        Ok(self.pending.pop_front().map(|split| vec![split]))
    }

    fn snapshot(&self) -> Result<String> {
        serde_json::to_string(&Snapshot { version: VERSION, pending: self.pending.clone() })
            .map_err(|error| Error::internal("splits cannot be written").with_source(error))
    }

    fn end_position(&self) -> Option<String> {
        self.end.clone()
    }
}
