//! The log of this process: the files to which its standard error and its standard output go, and those that were
//! moved away from there.
//!
//! A process writes its log to its standard error, and whoever starts it decides where that goes. If it is a file, as
//! with `flott start-cluster`, it is told here; a terminal or a pipe cannot be read again.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use flott_types::Timestamp;
use serde::{Deserialize, Serialize};

/// The most bytes that are read at once.
const PIECE: u64 = 1 << 20;

/// A file of the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LogFile {
    /// Its name.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// When something was written last.
    pub modified: Timestamp,
}

/// Which file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LogName {
    /// That of standard error.
    Log,
    /// That of standard output.
    Stdout,
    /// One of those that are listed.
    Named(String),
}

/// A part of a file. It ends with a line, if there is one so soon.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LogPiece {
    /// What is written there.
    pub text: String,
    /// Where the next one begins.
    pub next: u64,
    /// How many bytes the whole file has.
    pub size: u64,
}

/// The files of this process.
pub(super) fn all() -> Vec<LogFile> {
    let mut all: Vec<_> = paths().iter().filter_map(|path| described(path)).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// A piece of one of them.
pub(super) fn read(name: &LogName, from: u64) -> Option<LogPiece> {
    let path = match name {
        LogName::Log => behind(2)?,
        LogName::Stdout => behind(1)?,
        // By what is listed, and never by a path that somebody writes.
        LogName::Named(name) => paths().into_iter().find(|path| name_of(path).as_deref() == Some(name))?,
    };
    piece(&path, from)
}

/// Where a process that this one starts writes its log: beside that of this one, so that it is found there.
pub(crate) fn beside(suffix: &str) -> PathBuf {
    let own = behind(2).and_then(|path| Some(path.with_file_name(format!("{}.{suffix}", name_of(&path)?))));
    own.unwrap_or_else(|| std::env::temp_dir().join(format!("flott-{}.{suffix}", std::process::id())))
}

/// The file behind one of the streams with which a process begins.
fn behind(stream: u8) -> Option<PathBuf> {
    let path = fs::read_link(format!("/proc/self/fd/{stream}")).ok()?;
    path.is_file().then_some(path)
}

/// Those that are written, and what was renamed to `NAME.1`, `NAME.2024-01-01` and so on.
fn paths() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = Vec::new();
    for path in [behind(2), behind(1)].into_iter().flatten() {
        let (Some(folder), Some(name)) = (path.parent(), name_of(&path)) else { continue };
        let older = format!("{name}.");
        let beside = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        let moved = beside
            .filter(|path| path.is_file() && name_of(path).is_some_and(|other| other.starts_with(&older)));
        all.extend(moved.collect::<Vec<_>>());
        all.push(path);
    }
    all.sort();
    all.dedup();
    all
}

fn name_of(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_str()?.to_owned())
}

fn described(path: &Path) -> Option<LogFile> {
    let metadata = fs::metadata(path).ok()?;
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_millis();
    Some(LogFile {
        name: name_of(path)?,
        size: metadata.len(),
        modified: Timestamp::try_from(modified).unwrap_or(Timestamp::MAX),
    })
}

fn piece(path: &Path, from: u64) -> Option<LogPiece> {
    let mut file = File::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    let from = from.min(size);
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut bytes = Vec::new();
    file.take(PIECE).read_to_end(&mut bytes).ok()?;
    // A character is never cut where a line ends.
    if bytes.len() as u64 == PIECE
        && let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n')
    {
        bytes.truncate(end + 1);
    }
    let next = from + bytes.len() as u64;
    Some(LogPiece { text: String::from_utf8_lossy(&bytes).into_owned(), next, size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_in_pieces_that_end_with_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let line = "über\n".repeat(100);
        let text = line.repeat(3_000);
        fs::write(&path, &text).unwrap();
        let (mut told, mut from, mut pieces) = (String::new(), 0, 0);
        while from < text.len() as u64 {
            let piece = piece(&path, from).unwrap();
            assert!(piece.text.ends_with('\n') && piece.text.len() as u64 <= PIECE);
            assert_eq!(piece.size, text.len() as u64);
            told.push_str(&piece.text);
            (from, pieces) = (piece.next, pieces + 1);
        }
        assert!(told == text && pieces > 1, "{pieces}");
        // A file that has become shorter has nothing more.
        assert_eq!(piece(&path, u64::MAX).unwrap().text, "");
        assert_eq!(piece(&folder.path().join("b.log"), 0), None);
    }

    #[test]
    fn only_own_files_are_read() {
        for name in ["/etc/passwd", "../../etc/passwd", "passwd", ""] {
            assert_eq!(read(&LogName::Named(name.to_owned()), 0), None, "{name}");
        }
    }
}
