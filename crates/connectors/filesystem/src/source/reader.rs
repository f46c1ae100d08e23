//! Reads splits, one after the other, a batch at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::ArrayRef;
use flott_batch::Batch;
use flott_connector::format::RecordDecoder;
use flott_connector::{Poll, RateLimiter, SourceOutput, SourceReader, Split};
use flott_files::{FileSplit, SplitInput};
use flott_plan::SourceSpec;
use flott_types::{CheckpointId, Error, Result};

use super::columns::Layout;
use crate::config::Config;

/// A batch ends when this many bytes of a file are in it.
const BATCH_BYTES: u64 = 4 << 20;

pub(super) struct FileReader {
    config: Arc<Config>,
    spec: Arc<SourceSpec>,
    layout: Layout,
    limiter: Option<RateLimiter>,
    batch_size: usize,
    waiting: VecDeque<FileSplit>,
    current: Option<OpenSplit>,
    /// How many rows are still wanted, where there is a limit.
    wanted: Option<u64>,
}

/// The split that is being read.
struct OpenSplit {
    id: String,
    input: SplitInput,
    decoder: Box<dyn RecordDecoder>,
    constants: Vec<Option<ArrayRef>>,
    /// Whether the file is text.
    is_text: bool,
}

/// What some programs put before the text of a file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

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
        let decoder = self.layout.decoder(&self.config, &self.spec)?;
        let constants = self.layout.constants(&self.config, &split)?;
        let is_text = self.config.records()?.is_text();
        Ok(OpenSplit {
            id: split.to_split()?.id,
            input: SplitInput::open(split)?,
            decoder,
            constants,
            is_text,
        })
    }
}

impl OpenSplit {
    /// Passes over a byte order mark at the head of a text.
    fn skip_mark(&mut self) -> Result<()> {
        if !self.is_text || self.input.position().offset > 0 {
            return Ok(());
        }
        while self.input.bytes().len() < BYTE_ORDER_MARK.len() && !self.input.at_end() {
            self.input.fill()?;
        }
        if self.input.bytes().starts_with(BYTE_ORDER_MARK) {
            self.input.consume(BYTE_ORDER_MARK.len(), 0);
        }
        Ok(())
    }

    /// Decodes up to this many rows, fewer if they are wide. True when there is nothing more to read.
    fn decode(&mut self, max_rows: usize) -> Result<bool> {
        self.skip_mark()?;
        let begin = self.input.position().offset;
        while self.decoder.rows() < max_rows
            && (self.decoder.rows() == 0 || self.input.position().offset - begin < BATCH_BYTES)
        {
            let (bytes, at_end) = (self.input.bytes(), self.input.at_end());
            if bytes.is_empty() && at_end {
                return Ok(true);
            }
            let line = self.input.position().line;
            let progress = self.decoder.decode(bytes, at_end, line, max_rows).map_err(|error| {
                let FileSplit { path, start, .. } = self.input.split();
                let from = if *start > 0 { format!(", lines from byte {start}") } else { String::new() };
                error.context(format!("file {path}{from}"))
            })?;
            self.input.consume(progress.consumed, progress.lines);
            if progress.consumed == 0 {
                if at_end {
                    let path = &self.input.split().path;
                    return Err(Error::internal(format!("the format stands still in {path}")));
                }
                self.input.fill()?;
            }
        }
        Ok(self.input.is_done())
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
        let done = open.decode(max_rows)?;
        let skipped = open.decoder.take_skipped();
        if skipped > 0 {
            output.skipped(skipped);
        }
        if let Some(decoded) = open.decoder.finish()? {
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
        let current = self.current.as_ref().map(|open| open.input.checkpoint());
        current.iter().chain(&self.waiting).map(FileSplit::to_split).collect()
    }
}
