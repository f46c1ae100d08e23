//! Reads a container file: a header with the writer's schema, and blocks of records.
//!
//! A position is a number of rows. Blocks before it are passed over by their sizes, without being
//! decompressed. A file that was cut off is an error, never a shorter file.

use flott_batch::ChangeBatch;
use flott_connector::format::{BulkInput, BulkReader};
use flott_plan::Schema as TableSchema;
use flott_types::{Error, Result};

use super::bytes::Bytes;
use super::codec::Codec;
use super::decode::skip;
use super::resolve::{self, Wire};
use super::schema::Parsed;
use crate::bad::Bad;
use crate::rows::{Rows, projected};

pub(super) const MAGIC: &[u8; 4] = b"Obj\x01";
pub(super) const SCHEMA_KEY: &str = "avro.schema";
pub(super) const CODEC_KEY: &str = "avro.codec";

/// So much is read from a file at once.
const CHUNK: usize = 256 << 10;

/// A block has no more bytes than this when it is decompressed.
const MAX_BLOCK: usize = 1 << 30;

/// A batch ends when this many bytes of records are in it, as with the formats whose records are bytes.
const BATCH_BYTES: u64 = 4 << 20;

/// A mark after the header and after each block.
const SYNC: usize = 16;

/// Two numbers of variable length stand before a block.
const LONGEST_HEAD: usize = 20;

pub(super) struct Reader {
    input: Input,
    header: Header,
    root: Wire,
    rows: Rows,
    /// The records of the current block, and how many of them are to be read.
    block: Vec<u8>,
    at: usize,
    left: u64,
    /// Where the block begins in the file.
    begin: u64,
    /// Rows before the position.
    skipped: u64,
}

struct Header {
    parsed: Parsed,
    codec: Codec,
    sync: [u8; SYNC],
}

impl Reader {
    pub(super) fn new(
        file: Box<dyn BulkInput>,
        first_row: u64,
        schema: &TableSchema,
        projection: &[usize],
    ) -> Result<Self> {
        let mut input = Input { size: file.size(), file, buffer: Vec::new(), start: 0, at: 0 };
        let header = Header::read(&mut input)?;
        let columns = projected(schema, projection)?;
        let named = columns.iter().map(|column| (column.name.as_str(), &column.ty));
        let root = resolve::root(&header.parsed, named).map_err(Error::data)?;
        let rows = Rows::new(&columns);
        Ok(Reader {
            input,
            header,
            root,
            rows,
            block: Vec::new(),
            at: 0,
            left: 0,
            begin: 0,
            skipped: first_row,
        })
    }

    /// Makes the next block the current one; `false` at the end of the file.
    fn next_block(&mut self) -> Result<bool> {
        loop {
            self.begin = self.input.at;
            if self.input.at == self.input.size {
                return Ok(false);
            }
            let (count, compressed) = {
                let (count, size) = self.input.block_head()?;
                let block = self.input.take(size + SYNC).map_err(|error| in_block(error, self.begin))?;
                let (block, sync) = block.split_at(size);
                if sync != self.header.sync {
                    return Err(in_block(
                        Error::data("the mark at the end is not that of the file"),
                        self.begin,
                    ));
                }
                (count, block)
            };
            if count > 0 && self.skipped >= count {
                self.skipped -= count;
                continue;
            }
            (self.at, self.left) = (0, count);
            let decompressed = self.header.codec.decompress(compressed, &mut self.block, MAX_BLOCK);
            decompressed.map_err(|error| {
                let codec = self.header.codec.name();
                in_block(
                    Error::data(format!("it cannot be decompressed with '{codec}'")).with_source(error),
                    self.begin,
                )
            })?;
            if count == 0 {
                let rest = self.block.len();
                if rest > 0 {
                    let error = Error::data(format!("it has no records, and {rest} bytes"));
                    return Err(in_block(error, self.begin));
                }
                continue;
            }
            while self.skipped > 0 {
                self.skipped -= 1;
                self.record(false)?;
            }
            return Ok(true);
        }
    }

    /// Reads a record of the current block, or passes over it.
    fn record(&mut self, wanted: bool) -> Result<()> {
        self.left -= 1;
        let rest = self.block.get(self.at..).unwrap_or_default();
        let mut bytes = Bytes::new(rest);
        let names = &self.header.parsed.names;
        // Also a record of which no column is wanted is looked at: the count of a block may be wrong.
        let read = match wanted && !self.rows.columns.is_empty() {
            true => self.root.read_row(&mut bytes, &mut self.rows.columns, names).map(drop),
            false => skip(&self.header.parsed.root, &mut bytes, names, 0),
        };
        let read = read.and_then(|()| match self.left {
            0 if bytes.len() > 0 => Err(Bad::new(format!("{} bytes follow the last record", bytes.len()))),
            _ => Ok(()),
        });
        if let Err(bad) = read {
            let error = Error::data(format!("byte {} of the records: {bad}", self.at));
            return Err(in_block(error, self.begin));
        }
        if wanted {
            self.rows.commit();
        }
        self.at += rest.len() - bytes.len();
        Ok(())
    }
}

impl BulkReader for Reader {
    fn read(&mut self, max_rows: usize) -> Result<Option<ChangeBatch>> {
        let mut bytes = 0;
        while self.rows.len() < max_rows.max(1) && bytes < BATCH_BYTES {
            if self.left == 0 && !self.next_block()? {
                break;
            }
            if self.left > 0 {
                let begin = self.at;
                self.record(true)?;
                bytes += (self.at - begin) as u64;
            }
        }
        self.rows.finish()
    }
}

fn in_block(error: Error, begin: u64) -> Error {
    error.context(format_args!("the block at byte {begin}"))
}

impl Header {
    fn read(input: &mut Input) -> Result<Self> {
        let no_file = || Error::data("it is no Avro container file");
        if input.take(MAGIC.len()).map_err(|_| no_file())? != MAGIC {
            return Err(no_file());
        }
        let (mut schema, mut codec) = (None, Codec::Null);
        loop {
            let count = input.long()?;
            if count == 0 {
                break;
            }
            if count < 0 {
                input.long()?;
            }
            for _ in 0..count.unsigned_abs() {
                let key = input.sized()?.to_vec();
                let value = input.sized()?;
                let text = || String::from_utf8_lossy(value).into_owned();
                if key == SCHEMA_KEY.as_bytes() {
                    schema = Some(text());
                } else if key == CODEC_KEY.as_bytes() {
                    let found = Codec::ALL.iter().find(|(name, _)| name.as_bytes() == value);
                    let known = Codec::ALL.map(|(name, _)| name).join(", ");
                    codec = found.map(|(_, codec)| *codec).ok_or_else(|| {
                        Error::unsupported(format!(
                            "the codec '{}' of an Avro file; there are: {known}",
                            text()
                        ))
                    })?;
                }
            }
        }
        let mut sync = [0; SYNC];
        sync.copy_from_slice(input.take(SYNC)?);
        let schema = schema.ok_or_else(|| Error::data("the header of an Avro file has no schema"))?;
        let parsed = Parsed::new(&schema).map_err(Error::data)?;
        Ok(Header { parsed, codec, sync })
    }
}

/// A file, read from its beginning.
struct Input {
    file: Box<dyn BulkInput>,
    size: u64,
    buffer: Vec<u8>,
    /// Where the buffer begins in the file.
    start: u64,
    /// What is read next.
    at: u64,
}

impl Input {
    /// The next bytes, at least this many or those up to the end of the file; they are not taken.
    fn peek(&mut self, count: usize) -> Result<&[u8]> {
        let rest = self.size.saturating_sub(self.at);
        let count = usize::try_from(rest).unwrap_or(usize::MAX).min(count);
        let first = usize::try_from(self.at - self.start).unwrap_or(usize::MAX);
        let held = self.buffer.len().saturating_sub(first);
        if held < count {
            let wanted = usize::try_from(rest).unwrap_or(usize::MAX).min(count.max(CHUNK));
            self.buffer = self.file.read(self.at, wanted)?;
            self.start = self.at;
        }
        let first = usize::try_from(self.at - self.start).unwrap_or(usize::MAX);
        Ok(self.buffer.get(first..).unwrap_or_default())
    }

    fn take(&mut self, count: usize) -> Result<&[u8]> {
        let found = self.peek(count)?.len();
        if found < count {
            return Err(Error::data("the file ends in the middle of it"));
        }
        let first = usize::try_from(self.at - self.start).unwrap_or(usize::MAX);
        self.at += count as u64;
        self.buffer.get(first..first + count).ok_or_else(|| Error::internal("the buffer of a file"))
    }

    fn long(&mut self) -> Result<i64> {
        let at = self.at;
        let bytes = self.peek(LONGEST_HEAD)?;
        let mut rest = Bytes::new(bytes);
        let long = rest.long().map_err(|bad| Error::data(format!("byte {at} of the file: {bad}")))?;
        let taken = bytes.len() - rest.len();
        self.at += taken as u64;
        Ok(long)
    }

    fn length(&mut self) -> Result<usize> {
        let (at, length) = (self.at, self.long()?);
        let length = usize::try_from(length);
        length.map_err(|_| Error::data(format!("byte {at} of the file: a length below zero")))
    }

    fn sized(&mut self) -> Result<&[u8]> {
        let length = self.length()?;
        self.take(length)
    }

    /// How many records are in the next block, and its bytes.
    fn block_head(&mut self) -> Result<(u64, usize)> {
        let begin = self.at;
        let count = u64::try_from(self.long()?);
        let count = count.map_err(|_| in_block(Error::data("a number of records below zero"), begin))?;
        let size = self.length()?;
        if size as u64 > self.size - self.at {
            return Err(in_block(Error::data(format!("the file ends before its {size} bytes do")), begin));
        }
        Ok((count, size))
    }
}
