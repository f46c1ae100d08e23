//! Finds files and hands their splits out, first found first.
//!
//! A directory that is watched: a file is new if it is there and was not there at the last look. No time of a file decides: one
//! that is moved into the directory, or copied with its time, is older than others that were read long ago. So the
//! enumerator remembers the names of the files that are there. Those that are gone it forgets: its memory, and what it writes into
//! each checkpoint, is as large as the directory and not as its history; and a file that comes again under an old name is a new
//! file. (Where there is nothing at all, it forgets nothing: perhaps a disk is not mounted.) Names of a directory are much alike, and
//! a checkpoint has them compressed: a few bytes each.
//!
//! A directory that cannot be listed for a while is told, and looked at again the next time. A file without content is not yet
//! found: it is read when it has some.

use std::collections::{BTreeSet, VecDeque};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use flott_connector::{Split, SplitEnumerator};
use flott_types::{Clock, Error, Result, SubtaskIndex, Timestamp};
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::storage::{self, FileInfo};
use crate::{Compression, FileSplit};

/// Splits of a large file are about this long.
const SPLIT_BYTES: u64 = 32 << 20;

/// Which files are read.
#[derive(Clone, Debug)]
pub struct Listing {
    /// A file, a directory, or a glob.
    pub path: PathBuf,
    /// Whole paths must match.
    pub pattern: Option<Regex>,
    /// New files are looked for so often, in milliseconds; else the source ends with those that there are.
    pub monitor_interval: Option<i64>,
    /// Whether each line end is the end of a record, so that a file can be read in pieces.
    pub is_splittable: bool,
}

/// The enumerator of a source of files.
pub struct FileEnumerator {
    listing: Listing,
    clock: Arc<dyn Clock>,
    pending: VecDeque<Split>,
    /// The files that were there at the last look. Kept also where nothing is watched: the table may be when it is restored.
    seen: BTreeSet<String>,
    /// When the newest of the files found so far was changed.
    newest: Option<Timestamp>,
    next_look: Timestamp,
}

/// What is in the checkpoint.
#[derive(Serialize, Deserialize)]
struct Snapshot {
    version: u32,
    pending: Vec<Split>,
    seen: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<Timestamp>,
    /// Where the files were looked for. Earlier versions did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

const VERSION: u32 = 1;

/// A snapshot that was long: the same, compressed.
#[derive(Serialize, Deserialize)]
struct Packed {
    version: u32,
    packed: String,
}

const PACKED_VERSION: u32 = 2;

/// Shorter ones are as well left readable.
const LONG: usize = 4 << 10;

impl Snapshot {
    fn to_text(&self) -> Result<String> {
        let failed =
            |error: serde_json::Error| Error::internal("splits cannot be written").with_source(error);
        let text = serde_json::to_string(self).map_err(failed)?;
        if text.len() < LONG {
            return Ok(text);
        }
        let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        let packed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
        let packed =
            packed.map_err(|error| Error::internal("splits cannot be compressed").with_source(error))?;
        let packed = Packed { version: PACKED_VERSION, packed: STANDARD.encode(packed) };
        serde_json::to_string(&packed).map_err(failed)
    }

    fn from_text(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let damaged = || Error::state("what a file source had handed out cannot be read");
        let parsed = |error: serde_json::Error| damaged().with_source(error);
        match serde_json::from_str::<Versioned>(text).map_err(parsed)?.version {
            VERSION => serde_json::from_str(text).map_err(parsed),
            PACKED_VERSION => {
                let Packed { packed, .. } = serde_json::from_str(text).map_err(parsed)?;
                let packed = STANDARD.decode(packed).map_err(|error| damaged().with_source(error))?;
                let mut text = String::new();
                let unpacked = ZlibDecoder::new(packed.as_slice()).read_to_string(&mut text);
                unpacked.map_err(|error| damaged().with_source(error))?;
                serde_json::from_str(&text).map_err(parsed)
            }
            version => Err(damaged().context(format!("version {version} instead of {PACKED_VERSION}"))),
        }
    }
}

impl FileEnumerator {
    /// Lists the files, or goes on where it was.
    ///
    /// # Errors
    /// If there is nothing at the path, or what was handed out cannot be read.
    pub fn new(listing: Listing, restored: Option<&str>, clock: Arc<dyn Clock>) -> Result<Self> {
        let now = clock.now();
        let mut enumerator = FileEnumerator {
            listing,
            clock,
            pending: VecDeque::new(),
            seen: BTreeSet::new(),
            newest: None,
            next_look: now,
        };
        let Some(restored) = restored else {
            enumerator.look()?;
            enumerator.next_look += enumerator.listing.monitor_interval.unwrap_or(0);
            return Ok(enumerator);
        };
        let snapshot = Snapshot::from_text(restored)?;
        let path = enumerator.listing.path.to_string_lossy();
        if let Some(before) = snapshot.path.filter(|before| *before != path) {
            let then = match enumerator.listing.monitor_interval {
                Some(_) => "new files are looked for at the new path only",
                None => "nothing of the new path is read; begin anew without the snapshot to read it",
            };
            tracing::warn!(
                "the path of a source is {path}, and was {before} when the snapshot was taken: files that were found there \
                 and are not read yet are read from there, and {then}"
            );
        }
        enumerator.pending = snapshot.pending.into();
        (enumerator.seen, enumerator.newest) = (snapshot.seen, snapshot.newest);
        Ok(enumerator)
    }

    /// Lists the files and queues the new ones.
    fn look(&mut self) -> Result<()> {
        let mut present = BTreeSet::new();
        for file in storage::list(&self.listing.path)? {
            let path = file.path.to_string_lossy();
            let is_wanted = self.listing.pattern.as_ref().is_none_or(|pattern| pattern.is_match(&path));
            if !is_wanted || file.size == 0 {
                continue;
            }
            if !self.seen.contains(&*path) {
                self.newest = self.newest.max(Some(file.modified));
                for split in cut(&file, self.listing.is_splittable)? {
                    self.pending.push_back(split.to_split()?);
                }
            }
            present.insert(path.into_owned());
        }
        if !present.is_empty() {
            self.seen = present;
        }
        Ok(())
    }

    /// Looks again, where that is due.
    fn look_again(&mut self) {
        let Some(interval) = self.listing.monitor_interval else { return };
        if self.clock.now() < self.next_look {
            return;
        }
        if let Err(error) = self.look() {
            tracing::warn!("new files cannot be looked for now: {error}");
        }
        self.next_look = self.clock.now() + interval;
    }
}

/// The splits of a file: one, unless it is large, uncompressed, and of a format whose records end with the line.
fn cut(file: &FileInfo, splittable: bool) -> Result<Vec<FileSplit>> {
    let compressed = Compression::of(&file.path)?.is_some();
    let pieces = if splittable && !compressed { file.size.div_ceil(SPLIT_BYTES) } else { 1 };
    let bound = |piece: u64| (u128::from(file.size) * u128::from(piece) / u128::from(pieces)) as u64;
    (0..pieces).map(|piece| FileSplit::new(file, bound(piece), bound(piece + 1))).collect()
}

impl SplitEnumerator for FileEnumerator {
    fn next_splits(&mut self, _reader: SubtaskIndex) -> Result<Option<Vec<Split>>> {
        let watched = self.listing.monitor_interval.is_some();
        if self.pending.is_empty() {
            self.look_again();
        }
        match self.pending.pop_front() {
            Some(split) => Ok(Some(vec![split])),
            None if watched => Ok(Some(Vec::new())),
            None => Ok(None),
        }
    }

    fn snapshot(&self) -> Result<String> {
        let snapshot = Snapshot {
            version: VERSION,
            pending: self.pending.iter().cloned().collect(),
            seen: self.seen.clone(),
            newest: self.newest,
            path: Some(self.listing.path.to_string_lossy().into_owned()),
        };
        snapshot.to_text()
    }

    /// When the newest file was changed, in milliseconds since the epoch.
    fn end_position(&self) -> Option<String> {
        self.newest.map(|at| at.to_string())
    }

    fn discovery_interval(&self) -> i64 {
        self.listing.monitor_interval.unwrap_or(1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_a_file_without_gaps() {
        let file = FileInfo { path: "a.json".into(), size: 5 * SPLIT_BYTES + 7, modified: 0 };
        let splits = cut(&file, true).unwrap();
        assert_eq!(splits.len(), 6);
        assert_eq!((splits[0].start, splits[5].end), (0, file.size));
        assert!(splits.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!(cut(&file, false).unwrap().len(), 1);
        assert_eq!(cut(&FileInfo { path: "a.json.gz".into(), ..file }, true).unwrap().len(), 1);
        assert!(cut(&FileInfo { path: "a.json.xz".into(), size: 1, modified: 0 }, true).is_err());
    }
}
