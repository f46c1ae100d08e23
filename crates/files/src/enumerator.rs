//! Finds files and hands their splits out, first found first.

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

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
    /// The files found so far; kept while the directory is watched.
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
}

const VERSION: u32 = 1;

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
            return Ok(enumerator);
        };
        let damaged = || Error::state("what a file source had handed out cannot be read");
        let snapshot: Snapshot =
            serde_json::from_str(restored).map_err(|error| damaged().with_source(error))?;
        if snapshot.version != VERSION {
            return Err(damaged().context(format!("version {} instead of {VERSION}", snapshot.version)));
        }
        enumerator.pending = snapshot.pending.into();
        (enumerator.seen, enumerator.newest) = (snapshot.seen, snapshot.newest);
        Ok(enumerator)
    }

    /// Lists the files and queues the new ones.
    fn look(&mut self) -> Result<()> {
        let watched = self.listing.monitor_interval;
        for file in storage::list(&self.listing.path)? {
            let path = file.path.to_string_lossy();
            if self.listing.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(&path)) {
                continue;
            }
            if watched.is_some() && !self.seen.insert(path.into_owned()) {
                continue;
            }
            self.newest = self.newest.max(Some(file.modified));
            for split in cut(&file, self.listing.is_splittable)? {
                self.pending.push_back(split.to_split()?);
            }
        }
        self.next_look = self.clock.now() + watched.unwrap_or(0);
        Ok(())
    }
}

/// The splits of a file: one, unless it is large, uncompressed, and of a format whose records end with the line.
fn cut(file: &FileInfo, splittable: bool) -> Result<Vec<FileSplit>> {
    if file.size == 0 {
        return Ok(Vec::new());
    }
    let compressed = Compression::of(&file.path)?.is_some();
    let pieces = if splittable && !compressed { file.size.div_ceil(SPLIT_BYTES) } else { 1 };
    let bound = |piece: u64| (u128::from(file.size) * u128::from(piece) / u128::from(pieces)) as u64;
    (0..pieces).map(|piece| FileSplit::new(file, bound(piece), bound(piece + 1))).collect()
}

impl SplitEnumerator for FileEnumerator {
    fn next_splits(&mut self, _reader: SubtaskIndex) -> Result<Option<Vec<Split>>> {
        let watched = self.listing.monitor_interval.is_some();
        if self.pending.is_empty() && watched && self.clock.now() >= self.next_look {
            self.look()?;
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
        };
        serde_json::to_string(&snapshot)
            .map_err(|error| Error::internal("splits cannot be written").with_source(error))
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
