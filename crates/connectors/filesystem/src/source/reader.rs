//! Reads splits, one after the other, a batch at a time.

use std::collections::VecDeque;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use arrow::array::ArrayRef;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use flott_batch::Batch;
use flott_connector::{Poll, RateLimiter, SourceOutput, SourceReader, Split};
use flott_formats::RowDecoder;
use flott_plan::SourceSpec;
use flott_types::{Error, Result};

use super::columns::Layout;
use super::split::{FileSplit, Position};
use crate::config::Config;
use crate::storage;

/// So much is read from a file at once.
const CHUNK: usize = 256 << 10;

/// How a file is compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Compression {
    Gzip,
    Deflate,
}

/// What a file's ending says about its compression, as in Flink.
pub(super) fn compression(path: &Path) -> Result<Option<Compression>> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_ascii_lowercase();
    match ending.as_str() {
        "gz" | "gzip" => Ok(Some(Compression::Gzip)),
        "deflate" => Ok(Some(Compression::Deflate)),
        "bz2" | "xz" | "zst" | "zstd" | "lz4" | "snappy" => Err(Error::unsupported(format!(
            "the file {}: the compression '{ending}' is not built yet; there are: gz, gzip, deflate",
            path.display()
        ))),
        _ => Ok(None),
    }
}

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
    split: FileSplit,
    id: String,
    input: Box<dyn Read + Send>,
    decoder: Box<dyn RowDecoder>,
    constants: Vec<Option<ArrayRef>>,
    /// Bytes read and not decoded: `buffer[start..]`.
    buffer: Vec<u8>,
    start: usize,
    /// How many bytes are left to read from the input; `None` reads to its end.
    left: Option<u64>,
    at_end: bool,
    position: Position,
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
        let decoder = self.layout.decoder(&self.config, &self.spec)?;
        OpenSplit::open(split, decoder, |split| self.layout.constants(&self.config, split))
    }
}

impl OpenSplit {
    fn open(
        split: FileSplit,
        decoder: Box<dyn RowDecoder>,
        constants: impl FnOnce(&FileSplit) -> Result<Vec<Option<ArrayRef>>>,
    ) -> Result<Self> {
        let path = Path::new(&split.path);
        let compression = compression(path)?;
        let constants = constants(&split)?;
        let first = if compression.is_some() { 0 } else { line_start(path, split.start, split.size)? };
        let position = split.position.unwrap_or(Position { offset: first, line: 1 });
        let (input, left): (Box<dyn Read + Send>, _) = match compression {
            None => {
                // What was appended to the file after it was found is not read, so that a restart reads the same.
                let stop = line_start(path, split.end, split.size)?;
                let left = stop.saturating_sub(position.offset);
                (Box::new(storage::open(path, position.offset)?), Some(left))
            }
            Some(compression) => {
                let raw = storage::open(path, 0)?;
                let mut input: Box<dyn Read + Send> = match compression {
                    Compression::Gzip => Box::new(MultiGzDecoder::new(raw)),
                    Compression::Deflate => Box::new(ZlibDecoder::new(raw)),
                };
                let skipped = std::io::copy(&mut input.by_ref().take(position.offset), &mut std::io::sink())
                    .map_err(|error| storage::failed("read", path, error))?;
                if skipped != position.offset {
                    return Err(changed(&split));
                }
                (input, None)
            }
        };
        Ok(OpenSplit {
            id: split.to_split()?.id,
            split,
            input,
            decoder,
            constants,
            buffer: Vec::new(),
            start: 0,
            at_end: left == Some(0),
            left,
            position,
        })
    }

    /// Reads another chunk into the buffer.
    fn fill(&mut self) -> Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let held = self.buffer.len();
        // A record larger than the buffer makes the buffer grow by half, so that its cost stays linear.
        let chunk = CHUNK.max(held / 2);
        let chunk = self.left.map_or(chunk, |left| chunk.min(left.min(usize::MAX as u64) as usize));
        self.buffer.resize(held + chunk, 0);
        let mut filled = held;
        while filled < self.buffer.len() {
            match self.input.read(&mut self.buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(storage::failed("read", Path::new(&self.split.path), error)),
            }
        }
        let complete = filled == self.buffer.len();
        self.buffer.truncate(filled);
        match &mut self.left {
            Some(left) => {
                if !complete {
                    return Err(changed(&self.split));
                }
                *left -= (filled - held) as u64;
                self.at_end = *left == 0;
            }
            None => self.at_end = !complete,
        }
        Ok(())
    }

    /// Decodes up to so many rows. True when there is nothing more to read.
    fn decode(&mut self, max_rows: usize) -> Result<bool> {
        while self.decoder.rows() < max_rows {
            let bytes = &self.buffer[self.start..];
            if bytes.is_empty() && self.at_end {
                return Ok(true);
            }
            let progress =
                self.decoder.decode(bytes, self.at_end, self.position.line, max_rows).map_err(|error| {
                    let from = if self.split.start > 0 {
                        format!(", lines from byte {}", self.split.start)
                    } else {
                        String::new()
                    };
                    error.context(format!("file {}{from}", self.split.path))
                })?;
            self.start += progress.consumed;
            self.position.offset += progress.consumed as u64;
            self.position.line += progress.lines;
            if progress.consumed == 0 {
                if self.at_end {
                    return Err(Error::internal(format!("the format stands still in {}", self.split.path)));
                }
                self.fill()?;
            }
        }
        Ok(self.at_end && self.start == self.buffer.len())
    }
}

fn changed(split: &FileSplit) -> Error {
    Error::external(format!("the file {} became shorter while it was read", split.path))
}

/// The first byte at or after `at` that begins a line. A line that begins before `at` belongs to the split before.
fn line_start(path: &Path, at: u64, size: u64) -> Result<u64> {
    if at == 0 || at >= size {
        return Ok(at.min(size));
    }
    let mut offset = at - 1;
    let mut input = storage::open(path, offset)?;
    let mut chunk = vec![0; 4 << 10];
    loop {
        let read = input.read(&mut chunk).map_err(|error| storage::failed("read", path, error))?;
        match memchr::memchr(b'\n', &chunk[..read]) {
            Some(found) => return Ok((offset + found as u64 + 1).min(size)),
            None if read == 0 => return Ok(size),
            None => offset += read as u64,
        }
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

    fn snapshot(&mut self) -> Result<Vec<Split>> {
        let current = self.current.as_ref().map(|open| open.split.at(open.position));
        current.iter().chain(&self.waiting).map(FileSplit::to_split).collect()
    }
}
