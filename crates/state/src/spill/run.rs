//! A sorted run: an immutable file of keys with values.
//!
//! ```text
//! block   entry .. entry  checksum                 some 16 KB; the last one may be shorter
//! entry   length of the key, length of the value, key, value; a value of length u32::MAX is a deletion
//! ```
//!
//! In memory are the first key and the place of each block, and a filter of all keys: some 12 bits for each
//! key. The file has no name: the system removes it with the process, however that ends.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use flott_types::{Error, Result};
use xxhash_rust::xxh3::xxh3_64;

use super::filter::Filter;

/// A block that has this many bytes is written.
const BLOCK: usize = 16 << 10;
const HEADER: usize = 8;
const CHECKSUM: usize = 8;
const DELETED: u32 = u32::MAX;

/// Where the bytes of a run are.
#[derive(Debug)]
enum Medium {
    Memory(Vec<u8>),
    File(File),
}

/// An immutable sorted run. See the module's header.
#[derive(Debug)]
pub(crate) struct Run {
    medium: Medium,
    /// The end of each block.
    ends: Vec<u64>,
    /// The first keys of the blocks, one after the other, and where each ends.
    first_keys: Vec<u8>,
    first_ends: Vec<usize>,
    last_key: Vec<u8>,
    filter: Filter,
    entries: u64,
    epoch: u64,
}

/// Writes a run, key by key.
pub(super) struct RunWriter {
    run: Run,
    written: u64,
    block: Vec<u8>,
    /// Where the last key is in the block.
    last: std::ops::Range<usize>,
}

/// A block that was read, for keys that lie close to each other.
#[derive(Default)]
pub(crate) struct Block {
    of: Option<(usize, usize)>,
    bytes: Vec<u8>,
    at: usize,
}

/// What a run has of a key.
pub(crate) enum Lookup {
    Nothing,
    Deleted,
    /// The place of the value in the block.
    Value(std::ops::Range<usize>),
}

/// An entry within a block.
struct Entry {
    key: std::ops::Range<usize>,
    value: Option<std::ops::Range<usize>>,
    next: usize,
}

fn entry_at(block: &[u8], at: usize) -> Option<Entry> {
    let number = |at: usize| block.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    let (key, value) = (number(at)?, number(at + 4)?);
    let first = at + HEADER;
    let key = first..first + key as usize;
    let (value, next) = match value {
        DELETED => (None, key.end),
        len => (Some(key.end..key.end + len as usize), key.end + len as usize),
    };
    (next <= block.len()).then_some(Entry { key, value, next })
}

fn damaged() -> Error {
    Error::external("a file of spilled state is damaged: its bytes are not those that were written")
}

/// The hash of a key in filters.
pub(super) fn hash_of(key: &[u8]) -> u64 {
    xxh3_64(key)
}

impl RunWriter {
    /// A run of at most so many keys in a folder, or in memory.
    pub fn new(folder: Option<&Path>, most: usize, epoch: u64) -> Result<Self> {
        let medium = match folder {
            Some(folder) => Medium::File(tempfile::tempfile_in(folder).map_err(|e| disk(folder, e))?),
            None => Medium::Memory(Vec::new()),
        };
        let run = Run {
            medium,
            ends: Vec::new(),
            first_keys: Vec::new(),
            first_ends: Vec::new(),
            last_key: Vec::new(),
            filter: Filter::new(most),
            entries: 0,
            epoch,
        };
        Ok(RunWriter { run, written: 0, block: Vec::new(), last: 0..0 })
    }

    /// Adds a key that is greater than the one before; without a value, that it is deleted.
    pub fn add(&mut self, key: &[u8], value: Option<&[u8]>, folder: Option<&Path>) -> Result<()> {
        let too_large = |_| Error::unsupported("state of one key of more than 4 GB");
        let key_len = u32::try_from(key.len()).map_err(too_large)?;
        let value_len = value.map_or(Ok(DELETED), |value| u32::try_from(value.len())).map_err(too_large)?;
        if value.is_some() && value_len == DELETED {
            return Err(Error::unsupported("state of one key of more than 4 GB"));
        }
        if self.block.is_empty() {
            self.run.first_keys.extend_from_slice(key);
            self.run.first_ends.push(self.run.first_keys.len());
        }
        self.block.extend_from_slice(&key_len.to_le_bytes());
        self.block.extend_from_slice(&value_len.to_le_bytes());
        self.last = self.block.len()..self.block.len() + key.len();
        self.block.extend_from_slice(key);
        self.block.extend_from_slice(value.unwrap_or_default());
        self.run.filter.add(hash_of(key));
        self.run.entries += 1;
        if self.block.len() >= BLOCK { self.write_block(folder) } else { Ok(()) }
    }

    fn write_block(&mut self, folder: Option<&Path>) -> Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        self.run.last_key.clear();
        self.run.last_key.extend_from_slice(&self.block[self.last.clone()]);
        let sum = xxh3_64(&self.block);
        self.block.extend_from_slice(&sum.to_le_bytes());
        match &mut self.run.medium {
            Medium::Memory(bytes) => bytes.extend_from_slice(&self.block),
            Medium::File(file) => file
                .write_all(&self.block)
                .map_err(|error| disk(folder.unwrap_or(Path::new("memory")), error))?,
        }
        self.written += self.block.len() as u64;
        self.run.ends.push(self.written);
        self.block.clear();
        Ok(())
    }

    pub fn finish(mut self, folder: Option<&Path>) -> Result<Arc<Run>> {
        self.write_block(folder)?;
        self.run.ends.shrink_to_fit();
        self.run.first_keys.shrink_to_fit();
        self.run.first_ends.shrink_to_fit();
        Ok(Arc::new(self.run))
    }
}

/// What is wrong with the local disk.
pub(super) fn disk(folder: &Path, error: std::io::Error) -> Error {
    let folder = folder.display();
    Error::external(format!(
        "state that does not fit into memory cannot be written to {folder} ('io.tmp.dirs'); nothing of it is lost: \
         the job continues from its last checkpoint"
    ))
    .with_source(error)
}

impl Run {
    pub fn entries(&self) -> u64 {
        self.entries
    }

    pub fn bytes(&self) -> u64 {
        self.ends.last().copied().unwrap_or_default()
    }

    /// After which snapshot it was written, or of merged ones the last was.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The bytes of memory that it holds, and where the run is in memory itself, those too.
    pub fn memory(&self) -> usize {
        let medium = match &self.medium {
            Medium::Memory(bytes) => bytes.capacity(),
            Medium::File(_) => 0,
        };
        medium
            + self.filter.memory()
            + self.first_keys.capacity()
            + self.last_key.capacity()
            + (self.ends.capacity() + self.first_ends.capacity()) * 8
    }

    /// The last of its keys.
    pub fn last_key(&self) -> &[u8] {
        &self.last_key
    }

    fn first_key(&self, block: usize) -> &[u8] {
        let start = if block == 0 { 0 } else { self.first_ends[block - 1] };
        &self.first_keys[start..self.first_ends[block]]
    }

    /// Reads a block into `bytes`, without its checksum.
    fn read(&self, block: usize, bytes: &mut Vec<u8>) -> Result<()> {
        let start = if block == 0 { 0 } else { self.ends[block - 1] };
        let len = (self.ends[block] - start) as usize;
        bytes.clear();
        match &self.medium {
            Medium::Memory(all) => bytes.extend_from_slice(&all[start as usize..start as usize + len]),
            Medium::File(file) => {
                bytes.resize(len, 0);
                file.read_exact_at(bytes, start).map_err(|error| {
                    Error::external("spilled state cannot be read from the local disk").with_source(error)
                })?;
            }
        }
        let (payload, sum) = bytes.split_at(len.saturating_sub(CHECKSUM));
        if sum != xxh3_64(payload).to_le_bytes() {
            return Err(damaged());
        }
        bytes.truncate(len - CHECKSUM);
        Ok(())
    }

    /// The block that may have a key; `None` if all keys are greater.
    fn block_of(&self, key: &[u8]) -> Option<usize> {
        let (mut low, mut high) = (0, self.first_ends.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.first_key(middle) <= key { low = middle + 1 } else { high = middle }
        }
        low.checked_sub(1)
    }

    pub fn may_hold(&self, hash: u64) -> bool {
        self.filter.may_hold(hash)
    }

    /// What there is of a key. Of several lookups with the same `block`, the keys ascend; `number` tells runs
    /// apart.
    pub fn get(&self, key: &[u8], number: usize, block: &mut Block) -> Result<Lookup> {
        let Some(at) = self.block_of(key) else { return Ok(Lookup::Nothing) };
        if block.of != Some((number, at)) {
            block.of = None;
            self.read(at, &mut block.bytes)?;
            (block.of, block.at) = (Some((number, at)), 0);
        }
        while block.at < block.bytes.len() {
            let entry = entry_at(&block.bytes, block.at).ok_or_else(damaged)?;
            match block.bytes[entry.key.clone()].cmp(key) {
                std::cmp::Ordering::Less => block.at = entry.next,
                std::cmp::Ordering::Equal => {
                    return Ok(entry.value.map_or(Lookup::Deleted, Lookup::Value));
                }
                std::cmp::Ordering::Greater => break,
            }
        }
        Ok(Lookup::Nothing)
    }
}

impl Block {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a run in order.
pub(super) struct Scan {
    run: Arc<Run>,
    next_block: usize,
    bytes: Vec<u8>,
    entry: Option<Entry>,
}

impl Scan {
    /// At the first key that is not less than this.
    pub fn from(run: Arc<Run>, key: &[u8]) -> Result<Self> {
        let next_block = run.block_of(key).unwrap_or(0);
        let mut scan = Scan { run, next_block, bytes: Vec::new(), entry: None };
        scan.advance()?;
        while scan.key().is_some_and(|at| at < key) {
            scan.advance()?;
        }
        Ok(scan)
    }

    pub fn run(&self) -> &Run {
        &self.run
    }

    pub fn advance(&mut self) -> Result<()> {
        let mut next = self.entry.take().map_or(self.bytes.len(), |entry| entry.next);
        if next >= self.bytes.len() {
            if self.next_block >= self.run.ends.len() {
                self.bytes.clear();
                return Ok(());
            }
            self.run.read(self.next_block, &mut self.bytes)?;
            self.next_block += 1;
            next = 0;
        }
        self.entry = Some(entry_at(&self.bytes, next).ok_or_else(damaged)?);
        Ok(())
    }

    pub fn key(&self) -> Option<&[u8]> {
        self.entry.as_ref().map(|entry| &self.bytes[entry.key.clone()])
    }

    /// The value of the current key; `None` if it is deleted.
    pub fn value(&self) -> Option<&[u8]> {
        let value = self.entry.as_ref()?.value.clone()?;
        Some(&self.bytes[value])
    }
}
