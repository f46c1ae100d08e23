//! Finds files and assigns their splits, first found first.
//!
//! In a watched directory, a file is new if it exists and did not at the last look. Timestamps do not decide:
//! a file that is moved into the directory, or copied with its timestamp, is older than others that were read
//! long ago. So the enumerator remembers the names of the existing files, and forgets those that are gone:
//! its memory, and its part of each checkpoint, is proportional to the directory and not to its history, and
//! a file that reappears under an old name is a new file. (If the directory is completely empty, it forgets
//! nothing: perhaps a disk is not mounted.) The names in a directory are similar, and a checkpoint compresses
//! them to a few bytes each.
//!
//! A directory that cannot be listed for a while is reported, and listed again the next time. An empty file
//! does not count yet: it is read when it has content.
//!
//! Listing a large or remote directory takes time. The first listing runs before anything is read, so a wrong
//! path is reported at once. The others run in the background, on their schedule, and what they find goes to
//! readers that have nothing to read.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use flott_connector::{
    Assignments, Background, Discovery, EnumeratorContext, Payload, Split, SplitEnumerator, SplitQueue,
};
use flott_storage::Location;
use flott_storage::files::{self, FileInfo};
use flott_types::{CheckpointId, Error, Result, SubtaskIndex, Timestamp};
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::compression::Compression;
use crate::overwriting::finish_overwrite;
use crate::split::FileSplit;

/// Splits of a large file are about this long.
const SPLIT_BYTES: u64 = 32 << 20;

/// Which files are read.
#[derive(Clone, Debug)]
pub struct Listing {
    /// A file, a directory, or a glob.
    pub path: Location,
    /// Whole paths must match.
    pub pattern: Option<Regex>,
    /// New files are looked for this often, in milliseconds; without it, the source ends with the files that
    /// exist.
    pub monitor_interval: Option<i64>,
    /// Whether each line end is the end of a record, so that a file can be read in pieces.
    pub is_splittable: bool,
}

/// The enumerator of a source of files.
pub struct FileEnumerator {
    listing: Arc<Listing>,
    queue: SplitQueue,
    look: Background<Vec<FileInfo>>,
    /// The files that existed at the last listing. Kept even if nothing is watched: the restored table may
    /// be.
    seen: BTreeSet<String>,
    /// When the newest of the files found so far was changed.
    newest: Option<Timestamp>,
    next_look: Timestamp,
}

/// What is in the checkpoint.
#[derive(Serialize, Deserialize)]
struct Snapshot {
    pending: Vec<Split>,
    seen: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<Timestamp>,
    /// Where the files were looked for. Earlier versions did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

/// JSON.
const PLAIN: u32 = 3;
/// The same, compressed.
const PACKED: u32 = 4;

/// How long payloads were compressed before payloads had a version: in base64, in JSON.
#[derive(Deserialize)]
struct Packed {
    packed: String,
}

const OLD_PLAIN: u32 = 1;
const OLD_PACKED: u32 = 2;

/// Shorter ones may as well stay readable.
const LONG: usize = 4 << 10;

const WHAT: &str = "the assigned splits of a file source";

impl Snapshot {
    fn to_payload(&self) -> Result<Payload> {
        let plain = Payload::json(PLAIN, self)?;
        if plain.bytes().len() < LONG {
            return Ok(plain);
        }
        let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        let packed = encoder.write_all(plain.bytes()).and_then(|()| encoder.finish());
        let packed =
            packed.map_err(|error| Error::internal("splits cannot be compressed").with_source(error))?;
        Ok(Payload::new(PACKED, packed))
    }

    fn from_payload(payload: &Payload) -> Result<Self> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let unpacked = |packed: &[u8]| {
            let mut bytes = Vec::new();
            let read = ZlibDecoder::new(packed).read_to_end(&mut bytes);
            read.map_err(|error| Error::state(format!("{WHAT} cannot be read")).with_source(error))?;
            Payload::new(PLAIN, bytes).from_json(&[PLAIN], WHAT)
        };
        payload.check(&[Payload::UNVERSIONED, PLAIN, PACKED], WHAT)?;
        match payload.version() {
            PLAIN => payload.from_json(&[PLAIN], WHAT),
            PACKED => unpacked(payload.bytes()),
            any => match payload.from_json::<Versioned>(&[any], WHAT)?.version {
                OLD_PLAIN => payload.from_json(&[any], WHAT),
                OLD_PACKED => {
                    let Packed { packed } = payload.from_json(&[any], WHAT)?;
                    let packed = STANDARD
                        .decode(packed)
                        .map_err(|error| Error::state(format!("{WHAT} cannot be read")).with_source(error))?;
                    unpacked(&packed)
                }
                version => Err(Error::state(format!("{WHAT} has version {version}, which is unknown"))),
            },
        }
    }
}

impl FileEnumerator {
    /// Lists the files, or continues where it was.
    ///
    /// # Errors
    /// If there is nothing at the path, or what was handed out cannot be read.
    pub fn new(listing: Listing, restored: Option<&Payload>, context: EnumeratorContext) -> Result<Self> {
        let now = context.clock.now();
        let mut enumerator = FileEnumerator {
            listing: Arc::new(listing),
            queue: SplitQueue::default(),
            look: Background::new("a listing of files", context.waker),
            seen: BTreeSet::new(),
            newest: None,
            next_look: now,
        };
        let Some(restored) = restored else {
            let found = enumerator.listing.look()?;
            enumerator.found(&found)?;
            enumerator.next_look += enumerator.listing.monitor_interval.unwrap_or(0);
            return Ok(enumerator);
        };
        let snapshot = Snapshot::from_payload(restored)?;
        let path = enumerator.listing.path.to_string();
        if let Some(before) = snapshot.path.filter(|before| *before != path) {
            let then = match enumerator.listing.monitor_interval {
                Some(_) => "new files are looked for at the new path only",
                None => "nothing of the new path is read; start over without the snapshot to read it",
            };
            tracing::warn!(
                "the path of a source is {path}, and was {before} when the snapshot was taken: files that were found there \
                 and are not read yet are read from there, and {then}"
            );
        }
        enumerator.queue = SplitQueue::new(snapshot.pending);
        (enumerator.seen, enumerator.newest) = (snapshot.seen, snapshot.newest);
        Ok(enumerator)
    }

    /// Queues the files that were not there at the last look.
    fn found(&mut self, files: &[FileInfo]) -> Result<()> {
        let mut present = BTreeSet::new();
        for file in files {
            let path = file.location.to_string();
            if !self.seen.contains(&path) {
                self.newest = self.newest.max(Some(file.modified));
                for split in cut(file, self.listing.is_splittable)? {
                    self.queue.push(split.to_split()?);
                }
            }
            present.insert(path);
        }
        if !present.is_empty() {
            self.seen = present;
        }
        Ok(())
    }
}

impl Listing {
    /// The existing files that are not empty.
    fn look(&self) -> Result<Vec<FileInfo>> {
        finish_overwrite(&self.path)?;
        let mut files = files::list(&self.path)?;
        files.retain(|file| {
            let matches = |pattern: &Regex| pattern.is_match(&file.location.to_string());
            file.size > 0 && self.pattern.as_ref().is_none_or(matches)
        });
        Ok(files)
    }
}

/// The splits of a file: one, unless it is large, uncompressed, and of a format whose records end with the
/// line.
fn cut(file: &FileInfo, splittable: bool) -> Result<Vec<FileSplit>> {
    let compressed = Compression::of(&file.location).is_some();
    let pieces = if splittable && !compressed { file.size.div_ceil(SPLIT_BYTES) } else { 1 };
    let bound = |piece: u64| (u128::from(file.size) * u128::from(piece) / u128::from(pieces)) as u64;
    (0..pieces).map(|piece| FileSplit::new(file, bound(piece), bound(piece + 1))).collect()
}

impl SplitEnumerator for FileEnumerator {
    fn reader_registered(&mut self, reader: SubtaskIndex, _: &[String], _: &mut Assignments) -> Result<()> {
        self.queue.registered(reader);
        Ok(())
    }

    fn splits_requested(&mut self, reader: SubtaskIndex, assignments: &mut Assignments) -> Result<()> {
        self.queue.requested(reader, self.listing.monitor_interval.is_some(), assignments);
        Ok(())
    }

    fn splits_returned(
        &mut self,
        reader: SubtaskIndex,
        splits: Vec<Split>,
        assignments: &mut Assignments,
    ) -> Result<()> {
        self.queue.returned(reader, splits, assignments);
        Ok(())
    }

    fn work(&mut self, now: Timestamp, assignments: &mut Assignments) -> Result<()> {
        let Some(interval) = self.listing.monitor_interval else { return Ok(()) };
        match self.look.take() {
            Some(Ok(files)) => self.found(&files)?,
            Some(Err(error)) => tracing::warn!("new files cannot be looked for now: {error}"),
            None => {}
        }
        if now >= self.next_look && !self.look.is_busy() {
            self.next_look = now + interval;
            let listing = self.listing.clone();
            self.look.start(move || listing.look())?;
        }
        self.queue.serve(assignments);
        Ok(())
    }

    fn next_time(&self) -> Option<Timestamp> {
        (self.listing.monitor_interval.is_some() && !self.look.is_busy()).then_some(self.next_look)
    }

    fn discovery(&self) -> Discovery {
        if self.look.is_busy() { Discovery::Again } else { Discovery::None }
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Payload> {
        let snapshot = Snapshot {
            pending: self.queue.pending(),
            seen: self.seen.clone(),
            newest: self.newest,
            path: Some(self.listing.path.to_string()),
        };
        snapshot.to_payload()
    }

    /// When the newest file was changed, in milliseconds since the epoch.
    fn end_position(&self) -> Option<String> {
        self.newest.map(|at| at.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(path: &str) -> Location {
        Location::parse(path).unwrap()
    }

    #[test]
    fn pieces_cover_a_file_without_gaps() {
        let file =
            FileInfo { location: local("a.json"), size: 5 * SPLIT_BYTES + 7, modified: 0, version: None };
        let splits = cut(&file, true).unwrap();
        assert_eq!(splits.len(), 6);
        assert_eq!((splits[0].start, splits[5].end), (0, file.size));
        assert!(splits.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!(cut(&file, false).unwrap().len(), 1);
        assert_eq!(cut(&FileInfo { location: local("a.json.gz"), ..file }, true).unwrap().len(), 1);
        for ending in ["xz", "BZ2", "zst", "lz4", "snappy"] {
            let location = local(&format!("a.json.{ending}"));
            let file = FileInfo { location, size: 5 * SPLIT_BYTES, modified: 0, version: None };
            assert_eq!(cut(&file, true).unwrap().len(), 1, "{ending}");
        }
    }

    /// The forms from before payloads had versions: a plain split, and a snapshot both plain and compressed.
    #[test]
    fn snapshots_of_before_are_read_and_of_later_refused() {
        let split = r#"{"version":1,"path":"/a.csv","size":9,"modified":5,"start":0,"end":9,"position":{"offset":4,"line":2}}"#;
        let text = format!(
            r#"{{"version":1,"pending":[{{"id":"/a.csv:0-9","payload":{}}}],"seen":["/a.csv"],"newest":5}}"#,
            serde_json::to_string(split).unwrap()
        );
        let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        let packed = STANDARD.encode(encoder.finish().unwrap());
        let packed = format!(r#"{{"version":2,"packed":"{packed}"}}"#);
        for old in [text, packed] {
            let read = Snapshot::from_payload(&Payload::new(Payload::UNVERSIONED, old)).unwrap();
            let split = FileSplit::from_split(&read.pending[0]).unwrap();
            assert_eq!((split.path.as_str(), split.position.unwrap().offset), ("/a.csv", 4));
            let again = Snapshot::from_payload(&read.to_payload().unwrap()).unwrap();
            assert_eq!((again.pending, again.seen, again.newest), (read.pending, read.seen, read.newest));
        }
        for later in [Payload::new(0, r#"{"version":3}"#), Payload::new(5, "{}")] {
            let error = Snapshot::from_payload(&later).err().unwrap();
            assert!(error.message().contains("version"), "{error}");
        }
        let later = Split { id: "a".to_owned(), payload: Payload::new(3, "{}") };
        assert!(FileSplit::from_split(&later).unwrap_err().message().contains("has version 3"));
    }
}
