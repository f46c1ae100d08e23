//! Names of files: unique forever, and showing who wrote them.
//!
//! `.part-<job>-<attempt>-<start>-<subtask>-<nonce>-<n>.inprogress` loses its dot and its extension when it
//! becomes visible. `start` is when the writer was opened: a job that is started again from a checkpoint may
//! count its attempts from 0 again. `nonce` distinguishes the writers of several sinks of one job that write
//! to one table.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use flott_connector::{Payload, SinkContext};
use flott_types::{Clock, Error, JobId, Result};
use serde::{Deserialize, Serialize};

use crate::waiting::WaitingFile;

/// How visible files are called: the prefix, who wrote them, and the suffix.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileNames {
    prefix: String,
    suffix: String,
}

impl Default for FileNames {
    /// `part-...`
    fn default() -> Self {
        FileNames { prefix: "part".to_owned(), suffix: String::new() }
    }
}

impl FileNames {
    /// With these.
    ///
    /// # Errors
    /// If such a file would be hidden, or in another directory.
    pub fn new(prefix: &str, suffix: &str) -> Result<Self> {
        if prefix.is_empty()
            || prefix.starts_with(['.', '_'])
            || [prefix, suffix].concat().contains(['/', '\\'])
        {
            return Err(Error::invalid(format!(
                "files cannot be called '{prefix}...{suffix}': the prefix must not be empty or begin with '.' or '_', and neither \
                 part has a slash"
            )));
        }
        Ok(FileNames { prefix: prefix.to_owned(), suffix: suffix.to_owned() })
    }
}

/// Counts the writers of this process.
static WRITERS: AtomicU64 = AtomicU64::new(0);

/// A writer of a job's attempt.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct WriterId {
    pub(crate) job: String,
    pub(crate) attempt: u32,
    pub(crate) start: i64,
    subtask: u32,
    nonce: u64,
}

impl WriterId {
    /// A writer that is opened now.
    pub fn new(context: &SinkContext) -> Self {
        WriterId {
            job: context.job.to_string(),
            attempt: context.attempt,
            start: context.clock.now(),
            subtask: context.subtask.0,
            nonce: context.clock.nanos() << 8 | WRITERS.fetch_add(1, Ordering::Relaxed) & 0xff,
        }
    }

    /// Who merges the files of all writers of a job. Its files end with it: no later attempt takes them over.
    pub(crate) fn of_merger(job: JobId, clock: &dyn Clock) -> Self {
        WriterId {
            job: job.to_string(),
            attempt: u32::MAX,
            start: clock.now(),
            subtask: 0,
            nonce: clock.nanos() << 8 | WRITERS.fetch_add(1, Ordering::Relaxed) & 0xff,
        }
    }

    /// Writers of a job one after the other, as their subtasks are.
    pub(crate) fn order(&self) -> (u32, i64, u64) {
        (self.subtask, self.start, self.nonce)
    }

    /// The name of a file that is committed.
    pub fn visible(&self, names: &FileNames, number: u64) -> String {
        let FileNames { prefix, suffix } = names;
        format!("{prefix}-{self}-{number}{suffix}")
    }

    /// The name of a file in progress.
    pub fn hidden(&self, number: u64) -> String {
        format!(".part-{self}-{number}.inprogress")
    }

    /// The writer and number of a hidden file.
    pub fn parse_hidden(name: &str) -> Option<(WriterId, u64)> {
        let (writer, number) = name.strip_prefix(".part-")?.strip_suffix(".inprogress")?.rsplit_once('-')?;
        Some((WriterId::parse(writer)?, number.parse().ok()?))
    }

    /// As it is displayed.
    pub(crate) fn parse(text: &str) -> Option<WriterId> {
        let mut parts = text.split('-');
        let writer = WriterId {
            job: parts.next()?.to_owned(),
            attempt: parts.next()?.parse().ok()?,
            start: i64::from_str_radix(parts.next()?, 16).ok()?,
            subtask: parts.next()?.parse().ok()?,
            nonce: u64::from_str_radix(parts.next()?, 16).ok()?,
        };
        parts.next().is_none().then_some(writer)
    }
}

impl fmt::Display for WriterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{:x}-{}-{:x}", self.job, self.attempt, self.start, self.subtask, self.nonce)
    }
}

/// How far a writer was at a checkpoint: files with lower numbers were handed over, others were not begun.
/// Returned by [`flott_connector::SinkWriter::snapshot`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Progress {
    /// 1, where payloads had no version yet; that is the form of today without it.
    #[serde(default, skip_serializing)]
    version: u32,
    writer: WriterId,
    next: u64,
    /// Whether the writer keeps a ledger. Earlier versions did not.
    #[serde(default)]
    ledger: bool,
    /// Files that wait to be merged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<WaitingFile>,
}

impl Progress {
    const VERSION: u32 = 2;
    /// With files that wait: earlier versions would lose them.
    const WITH_WAITING: u32 = 3;

    /// The writer begins with file `next`.
    pub fn new(writer: WriterId, next: u64) -> Self {
        Progress { version: 0, writer, next, ledger: true, waiting: Vec::new() }
    }

    /// The same with files that wait.
    pub(crate) fn with_waiting(self, waiting: Vec<WaitingFile>) -> Self {
        Progress { waiting, ..self }
    }

    pub(crate) fn waiting(&self) -> &[WaitingFile] {
        &self.waiting
    }

    pub(crate) fn writer(&self) -> &WriterId {
        &self.writer
    }

    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    pub(crate) fn has_ledger(&self) -> bool {
        self.ledger
    }

    /// As it is in the checkpoint.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn to_payload(&self) -> Result<Payload> {
        let version = if self.waiting.is_empty() { Progress::VERSION } else { Progress::WITH_WAITING };
        Payload::json(version, self)
    }

    /// From the checkpoint.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn from_payload(entry: &Payload) -> Result<Self> {
        const WHAT: &str = "a file writer's state";
        let known = [Payload::UNVERSIONED, Progress::VERSION, Progress::WITH_WAITING];
        let read: Progress = entry.from_json(&known, WHAT)?;
        if read.version > 1 {
            return Err(Error::state(format!("{WHAT} has version {} instead of 1", read.version)));
        }
        Ok(Progress { version: 0, ..read })
    }

    /// Whether a file was begun after this checkpoint by a writer that has gone, so that it is in no
    /// checkpoint. For writers without a ledger.
    pub(crate) fn leaves_behind(&self, writer: &WriterId, number: u64, current: &WriterId) -> bool {
        let old = &self.writer;
        let same = writer == old && writer != current && number >= self.next;
        let between = writer.job == old.job
            && writer.job == current.job
            && old.attempt < writer.attempt
            && writer.attempt < current.attempt
            && writer.start > old.start;
        same || between
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(attempt: u32, start: i64, subtask: u32) -> WriterId {
        WriterId { job: "ab".to_owned(), attempt, start, subtask, nonce: 171 }
    }

    #[test]
    fn names_tell_their_writer() {
        let writer = writer(2, 1_700_000_000_000, 3);
        assert_eq!(WriterId::parse_hidden(&writer.hidden(7)), Some((writer.clone(), 7)));
        assert_eq!(WriterId::parse_hidden(&writer.visible(&FileNames::default(), 7)), None);
        assert_eq!(WriterId::parse_hidden(".part-x.inprogress"), None);
        assert_eq!(writer.visible(&FileNames::default(), 7), "part-ab-2-18bcfe56800-3-ab-7");
        let names = FileNames::new("orders", ".csv").unwrap();
        assert_eq!(writer.visible(&names, 7), "orders-ab-2-18bcfe56800-3-ab-7.csv");
        for (prefix, suffix) in [("", ""), (".x", ""), ("_x", ""), ("a/b", ""), ("a", "/b")] {
            assert!(FileNames::new(prefix, suffix).unwrap_err().to_string().contains("cannot be called"));
        }
    }

    #[test]
    fn only_files_in_no_checkpoint_are_left_behind() {
        let waiting = Vec::new();
        let progress = Progress { version: 0, writer: writer(1, 100, 0), next: 5, ledger: false, waiting };
        let current = writer(3, 300, 0);
        let left = |attempt, start, subtask, number| {
            progress.leaves_behind(&writer(attempt, start, subtask), number, &current)
        };
        assert!(left(1, 100, 0, 5));
        assert!(!left(1, 100, 0, 4));
        assert!(!left(1, 101, 1, 9), "another subtask's file may be in the checkpoint");
        assert!(left(2, 200, 1, 0), "an attempt that never completed a checkpoint");
        assert!(!left(2, 50, 1, 0), "an attempt of an earlier start of the job");
        assert!(!left(3, 301, 1, 0), "a writer of this attempt");
    }
}
