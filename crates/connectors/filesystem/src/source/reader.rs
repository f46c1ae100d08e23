//! Reads splits, one after the other, a batch at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::ArrayRef;
use flott_batch::Batch;
use flott_connector::{Poll, RateLimiter, SourceOutput, SourceReader, Split};
use flott_files::FileSplit;
use flott_plan::SourceSpec;
use flott_types::{CheckpointId, Result};

use super::columns::Layout;
use super::content::{Content, Portion};
use crate::config::Config;

pub(super) struct FileReader {
    config: Arc<Config>,
    spec: Arc<SourceSpec>,
    layout: Layout,
    limiter: Option<RateLimiter>,
    batch_size: usize,
    waiting: VecDeque<FileSplit>,
    current: Option<OpenSplit>,
    /// How many rows are still wanted, if there is a limit.
    wanted: Option<u64>,
}

/// The split that is being read.
struct OpenSplit {
    id: String,
    content: Content,
    constants: Vec<Option<ArrayRef>>,
}

impl FileReader {
    pub(super) fn new(
        config: Arc<Config>,
        spec: Arc<SourceSpec>,
        layout: Layout,
        limiter: Option<RateLimiter>,
        batch_size: usize,
    ) -> Self {
        let wanted = spec.limit;
        FileReader {
            config,
            spec,
            layout,
            limiter,
            batch_size,
            waiting: VecDeque::new(),
            current: None,
            wanted,
        }
    }

    fn open(&self, split: FileSplit) -> Result<OpenSplit> {
        let constants = self.layout.constants(&self.config, &split)?;
        let id = split.to_split()?.id;
        Ok(OpenSplit { id, content: self.layout.content(&self.config, &self.spec, split)?, constants })
    }
}

impl SourceReader for FileReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for split in &splits {
            self.waiting.push_back(FileSplit::from_split(split)?);
        }
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        if self.wanted == Some(0) {
            self.waiting.clear();
            self.current = None;
        }
        if self.current.is_none() {
            let Some(split) = self.waiting.pop_front() else {
                return Ok(Poll::SplitsDone);
            };
            self.current = Some(self.open(split)?);
        }
        let mut max_rows = self.batch_size.min(self.wanted.map_or(usize::MAX, |wanted| wanted as usize));
        if let Some(limiter) = &mut self.limiter {
            match limiter.permits() {
                0 => return Ok(Poll::Wait(limiter.next_time())),
                permits => max_rows = max_rows.min(permits),
            }
        }
        let Some(open) = &mut self.current else {
            return Ok(Poll::SplitsDone);
        };
        let Portion { rows, rejected, skipped, done } = open.content.read(max_rows)?;
        if skipped > 0 {
            output.skipped(skipped);
        }
        if let Some(rejected) = rejected {
            output.rejected(Batch::Changes(rejected))?;
        }
        if let Some(decoded) = rows {
            let batch = self.layout.assemble(&decoded, &open.constants)?;
            let rows = batch.num_rows();
            output.emit(&open.id, Batch::Changes(batch))?;
            if let Some(limiter) = &mut self.limiter {
                limiter.taken(rows);
            }
            if let Some(wanted) = &mut self.wanted {
                *wanted = wanted.saturating_sub(rows as u64);
            }
        }
        if done {
            self.current = None;
        }
        let nothing_left = self.current.is_none() && self.waiting.is_empty();
        Ok(if nothing_left { Poll::SplitsDone } else { Poll::More })
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        let current = self.current.as_ref().map(|open| open.content.checkpoint());
        current.iter().chain(&self.waiting).map(FileSplit::to_split).collect()
    }
}
