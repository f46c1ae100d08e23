//! A split: a part of a file, and how far it was read.

use flott_connector::{Payload, Split};
use flott_storage::Location;
use flott_storage::files::FileInfo;
use flott_types::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// The payload of a [`Split`]. It is in checkpoints: fields may be added with defaults, none may change its
/// meaning.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileSplit {
    /// 1, of splits that were written before payloads had a version; that is the form of today without it.
    #[serde(default, skip_serializing)]
    version: u32,
    /// The file.
    pub path: String,
    /// The file's size when it was found.
    pub size: u64,
    /// When the file was changed last, when it was found.
    pub modified: Timestamp,
    /// Of an object, what its store called this version of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The split owns the records that begin in `[start, end)`.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// Where reading continues.
    #[serde(default)]
    pub position: Option<Position>,
    /// A hash of the bytes before the position, to check that the file is still the one that was read. Splits
    /// of earlier versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// For a columnar file: how many of its rows were read. The hash is then that of its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

/// The start of the next record, in bytes of the uncompressed file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Position {
    /// Its first byte.
    pub offset: u64,
    /// Its line, from 1, counted from the start of the split.
    pub line: u64,
}

const VERSION: u32 = 2;

impl FileSplit {
    /// The part of a file that begins in `[start, end)`.
    ///
    /// # Errors
    /// If its path is not UTF-8.
    pub fn new(file: &FileInfo, start: u64, end: u64) -> Result<Self> {
        Ok(FileSplit {
            version: 0,
            path: file.location.to_text()?,
            size: file.size,
            modified: file.modified,
            object: file.version.clone(),
            start,
            end,
            position: None,
            before: None,
            rows: None,
        })
    }

    /// Whether the object is another one than that which was found, as far as its store tells.
    pub(crate) fn is_other(&self, now: &FileInfo) -> bool {
        // Splits of earlier versions have it with quotes.
        let bare = |version: &str| version.replace('"', "");
        matches!((&self.object, &now.version), (Some(found), Some(now)) if bare(found) != bare(now))
    }

    /// Whether others read the rest of the file, or some of it was read: then all must be of one version.
    pub(crate) fn is_part(&self) -> bool {
        let whole = self.start == 0 && self.end >= self.size;
        !whole || self.position.is_some() || self.rows.is_some()
    }

    /// Where the file is.
    ///
    /// # Errors
    /// If its path cannot be one.
    pub fn location(&self) -> Result<Location> {
        Location::try_from(self.path.clone())
    }

    /// The same split, to be read from a position; `before` is a hash of what was read last.
    pub(crate) fn at(&self, position: Position, before: Option<u64>) -> Self {
        FileSplit { position: Some(position), before, ..self.clone() }
    }

    /// As a split, for a source to assign.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn to_split(&self) -> Result<Split> {
        let id = format!("{}:{}-{}", self.path, self.start, self.end);
        Ok(Split { id, payload: Payload::json(VERSION, self)? })
    }

    /// From an assigned split.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn from_split(split: &Split) -> Result<Self> {
        let what = format!("the position of the split {}", split.id);
        let read: FileSplit = split.payload.from_json(&[Payload::UNVERSIONED, VERSION], &what)?;
        if read.version > 1 {
            return Err(Error::state(format!("{what} has version {} instead of 1", read.version)));
        }
        Ok(FileSplit { version: 0, ..read })
    }
}
