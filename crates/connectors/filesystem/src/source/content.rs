//! The content of a split: records, read from a byte position, or the columns of a whole file, read from a
//! row.

use flott_batch::ChangeBatch;
use flott_connector::format::{BulkInput, BulkReader, RecordDecoder, Unreadable};
use flott_connector::{BadRecord, Place, Rejected};
use flott_files::{FileSplit, SplitInput, WholeFile};
use flott_types::{Error, Result};

/// A batch ends when this many bytes of a file are in it.
const BATCH_BYTES: u64 = 4 << 20;

/// The byte order mark that some programs write at the start of a text file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

pub(super) enum Content {
    Records(Records),
    Columns(Columns),
}

/// The result of one read.
pub(super) struct Portion {
    pub(super) rows: Option<ChangeBatch>,
    /// The records that cannot be read, for ERRORS INTO.
    pub(super) rejected: Option<ChangeBatch>,
    /// Fields and records that were skipped.
    pub(super) skipped: u64,
    /// Nothing follows.
    pub(super) done: bool,
}

impl Content {
    /// Reads up to this many rows, fewer if they are wide.
    pub(super) fn read(&mut self, max_rows: usize) -> Result<Portion> {
        match self {
            Content::Records(records) => {
                let done = records.decode(max_rows)?;
                let skipped = records.decoder.take_skipped();
                let rejected = records.rejected.as_mut().map_or(Ok(None), |rejected| rejected.finish())?;
                Ok(Portion { rows: records.decoder.finish()?, rejected, skipped, done })
            }
            Content::Columns(columns) => columns.read(max_rows),
        }
    }

    /// The split with its position.
    pub(super) fn checkpoint(&self) -> FileSplit {
        match self {
            Content::Records(records) => records.input.checkpoint(),
            Content::Columns(columns) => columns.split.clone(),
        }
    }
}

/// Records, one after the other.
pub(super) struct Records {
    decoder: Box<dyn RecordDecoder>,
    /// Whether the file is text.
    is_text: bool,
    input: SplitInput,
    /// Records that cannot be read, where they do not fail the job.
    rejected: Option<Box<Rejected>>,
}

impl Records {
    pub(super) fn open(
        decoder: Box<dyn RecordDecoder>,
        is_text: bool,
        input: SplitInput,
        rejected: Option<Rejected>,
    ) -> Self {
        Records { decoder, is_text, input, rejected: rejected.map(Box::new) }
    }

    /// How many records are read and not taken yet, good and bad ones.
    fn held(&self) -> usize {
        self.decoder.rows() + self.rejected.as_ref().map_or(0, |rejected| rejected.len())
    }

    /// Skips a byte order mark at the start of a text.
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
        while self.held() < max_rows
            && (self.held() == 0 || self.input.position().offset - begin < BATCH_BYTES)
        {
            let (bytes, at_end) = (self.input.bytes(), self.input.at_end());
            if bytes.is_empty() && at_end {
                return Ok(true);
            }
            let (line, offset) = (self.input.position().line, self.input.position().offset);
            let FileSplit { path, start, .. } = self.input.split();
            let from = if *start > 0 { format!(", lines from byte {start}") } else { String::new() };
            let in_file = |error: Error| error.context(format!("file {path}{from}"));
            let progress = self.decoder.decode(bytes, at_end, line, max_rows).map_err(in_file)?;
            if let Some(Unreadable { bytes: range, error }) = progress.unreadable {
                let Some(rejected) = &mut self.rejected else { return Err(in_file(error)) };
                let place = Place::File { path, position: offset + range.start as u64 };
                // The line in the reason is counted from where the split begins.
                let error = match from.strip_prefix(", ") {
                    Some(from) => error.context(from),
                    None => error,
                };
                let (bytes, key) = (bytes.get(range), None);
                rejected.push(BadRecord { bytes, key, place, timestamp: None, headers: None }, error)?;
            }
            self.input.consume(progress.consumed, progress.lines);
            if progress.consumed == 0 {
                if at_end {
                    let path = &self.input.split().path;
                    return Err(Error::internal(format!("the format makes no progress in {path}")));
                }
                self.input.fill()?;
            }
        }
        Ok(self.input.is_done())
    }
}

/// The columns of a whole file.
pub(super) struct Columns {
    /// With the rows that were read.
    split: FileSplit,
    reader: Box<dyn BulkReader>,
}

impl Columns {
    pub(super) fn open(
        mut split: FileSplit,
        reader: impl FnOnce(Box<dyn BulkInput>, u64) -> Result<Box<dyn BulkReader>>,
    ) -> Result<Self> {
        let (file, end) = WholeFile::open(&split)?;
        let reader =
            reader(Box::new(file), split.rows.unwrap_or(0)).map_err(|error| in_file(error, &split))?;
        split.before = Some(end);
        Ok(Columns { split, reader })
    }

    fn read(&mut self, max_rows: usize) -> Result<Portion> {
        let rows = self.reader.read(max_rows).map_err(|error| in_file(error, &self.split))?;
        let read = rows.as_ref().map_or(0, |rows| rows.num_rows() as u64);
        self.split.rows = Some(self.split.rows.unwrap_or(0) + read);
        Ok(Portion { done: rows.is_none(), rows, rejected: None, skipped: 0 })
    }
}

fn in_file(error: Error, split: &FileSplit) -> Error {
    error.context(format_args!("file {}", split.path))
}
