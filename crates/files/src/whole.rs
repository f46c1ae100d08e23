//! A columnar file: read as a whole, with random access.
//!
//! The metadata of such a file is at its end. If its size has changed since it was found, or its end since
//! rows were read, it is a different file and is refused.

use flott_connector::format::BulkInput;
use flott_storage::files::{self, RandomFile};
use flott_types::{Error, Result};
use parking_lot::Mutex;
use xxhash_rust::xxh3::xxh3_64;

use crate::input::exchanged;
use crate::split::FileSplit;

/// This many bytes of the end show whether a file was replaced.
const END: u64 = 4 << 10;

/// The file of a split.
pub struct WholeFile {
    file: Mutex<RandomFile>,
    size: u64,
}

impl WholeFile {
    /// Opens the file of a split. Also returns a hash of its end, which is part of checkpoints.
    ///
    /// # Errors
    /// If it cannot be read, or is not the one that was found.
    pub fn open(split: &FileSplit) -> Result<(Self, u64)> {
        let location = split.location()?;
        let now = files::look(&location)?.ok_or_else(|| {
            Error::external(format!("the file {} is gone: not all of its rows have been read", split.path))
        })?;
        let replaced = || {
            Error::state(format!(
                "the file {} is not the one that was found, with {} bytes: restore that file, or start without the snapshot",
                split.path, split.size
            ))
        };
        if now.size != split.size {
            return Err(replaced());
        }
        if split.is_other(&now) && split.is_part() {
            return Err(exchanged(split, &now));
        }
        let mut file = RandomFile::open(&location)?;
        let length = split.size.min(END);
        let end = xxh3_64(&file.read(split.size - length, length as usize)?);
        if split.rows.is_some() && split.before.is_some_and(|before| before != end) {
            return Err(replaced());
        }
        Ok((WholeFile { file: Mutex::new(file), size: split.size }, end))
    }
}

impl BulkInput for WholeFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, offset: u64, bytes: usize) -> Result<Vec<u8>> {
        self.file.lock().read(offset, bytes)
    }
}
