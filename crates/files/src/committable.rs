//! Files that wait for their visible names.

use flott_connector::{CommitOutcome, CommitRequest, Committable, CommittedBy, Committer, Payload};
use flott_storage::Location;
use flott_storage::files::{self as storage, PreparedUpload, Published};
use flott_types::{Error, Result};
use serde::{Deserialize, Serialize};

/// A file that is complete and waits for its name: the payload of a [`Committable`].
#[derive(Serialize, Deserialize, Debug)]
pub struct FinishedFile {
    /// 1, where payloads had no version yet; that is the form of today without it.
    #[serde(default, skip_serializing)]
    version: u32,
    hidden: String,
    visible: String,
    /// The files that it was merged from: they are removed when it is visible.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<String>,
    /// In an object store: what becomes the visible file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upload: Option<PreparedUpload>,
    /// Of a part: about its size, the same whenever it is asked for.
    #[serde(default, skip_serializing_if = "is_zero")]
    bytes: u64,
}

fn is_zero(bytes: &u64) -> bool {
    *bytes == 0
}

const VERSION: u32 = 2;
/// With the files that it was merged from: earlier versions would leave them behind.
const MERGED: u32 = 3;
/// An upload: earlier versions would look for a hidden file.
const UPLOADED: u32 = 4;
/// To be merged with others, for the whole job.
const PART: u32 = 5;
/// One of those that replace what a table holds, for the whole job.
const REPLACING: u32 = 6;

impl FinishedFile {
    /// As a committable, for the writer to hand over; with the hidden files that it was merged from.
    ///
    /// # Errors
    /// If a path is not UTF-8.
    pub(crate) fn to_committable<'a>(
        hidden: &Location,
        visible: &Location,
        upload: Option<&PreparedUpload>,
        parts: impl IntoIterator<Item = &'a Location>,
    ) -> Result<Committable> {
        let parts = parts.into_iter().map(Location::to_text).collect::<Result<Vec<_>>>()?;
        let version = match (upload, parts.is_empty()) {
            (Some(_), _) => UPLOADED,
            (None, true) => VERSION,
            (None, false) => MERGED,
        };
        let (hidden, visible) = (hidden.to_text()?, visible.to_text()?);
        let file = FinishedFile { version: 0, hidden, visible, parts, upload: upload.cloned(), bytes: 0 };
        Ok(Committable::new(Payload::json(version, &file)?))
    }

    /// As a committable of the job: one of the files of its checkpoint that are merged before they are visible
    /// ([`crate::Merger`]).
    pub(crate) fn to_part(hidden: &Location, visible: &Location, bytes: u64) -> Result<Committable> {
        let (hidden, visible) = (hidden.to_text()?, visible.to_text()?);
        let file = FinishedFile { version: 0, hidden, visible, parts: Vec::new(), upload: None, bytes };
        Ok(Committable::global(Payload::json(PART, &file)?))
    }

    /// The same for the job, which makes all of its files visible at once ([`crate::Overwriter`]).
    pub(crate) fn replacing(committable: &Committable) -> Committable {
        Committable::global(Payload::new(REPLACING, committable.payload.bytes()))
    }

    /// Whether it is one of the files that replace others.
    pub fn is_replacing(committable: &Committable) -> bool {
        committable.by == CommittedBy::Job && committable.payload.version() == REPLACING
    }

    /// The hidden file, the visible one, and the upload that becomes it.
    pub(crate) fn places(&self) -> Result<(Location, Location, Option<&PreparedUpload>)> {
        let (hidden, visible) = (self.hidden.clone(), self.visible.clone());
        Ok((Location::try_from(hidden)?, Location::try_from(visible)?, self.upload.as_ref()))
    }

    /// Whether it is a file to be merged.
    pub fn is_part(committable: &Committable) -> bool {
        committable.by == CommittedBy::Job && committable.payload.version() == PART
    }

    /// The hidden file, the name that it would have on its own, and its size.
    pub(crate) fn part(committable: &Committable) -> Result<(Location, Location, u64)> {
        let FinishedFile { hidden, visible, bytes, .. } = FinishedFile::from_committable(committable)?;
        Ok((Location::try_from(hidden)?, Location::try_from(visible)?, bytes))
    }

    /// The directory that a file of a writer becomes visible in.
    ///
    /// # Errors
    /// If it is no committable of such a file.
    pub fn directory(committable: &Committable) -> Result<Location> {
        let file = FinishedFile::from_committable(committable)?;
        let visible = Location::try_from(file.visible)?;
        Ok(visible.parent().unwrap_or(visible))
    }

    pub(crate) fn from_committable(committable: &Committable) -> Result<Self> {
        const KNOWN: [u32; 6] = [Payload::UNVERSIONED, VERSION, MERGED, UPLOADED, PART, REPLACING];
        let what = format!("a finished file ({:?})", committable.payload);
        let file: FinishedFile = committable.payload.from_json(&KNOWN, &what)?;
        if file.version > 1 {
            return Err(Error::state(format!("{what} has version {} instead of 1", file.version)));
        }
        Ok(file)
    }
}

/// Makes files visible. Idempotent.
struct FileCommitter;

/// Makes the files of a [`crate::RollingWriter`] visible.
pub fn committer() -> Box<dyn Committer> {
    Box::new(FileCommitter)
}

impl Committer for FileCommitter {
    fn commit(&mut self, requests: &[CommitRequest]) -> Result<Vec<CommitOutcome>> {
        let mut directories: Vec<Location> = Vec::new();
        let outcomes =
            requests.iter().map(|request| publish(request, &mut directories)).collect::<Result<_>>()?;
        directories.sort();
        directories.dedup();
        // Once for all files of a directory.
        directories.iter().try_for_each(storage::sync_directory)?;
        Ok(outcomes)
    }
}

fn publish(request: &CommitRequest, directories: &mut Vec<Location>) -> Result<CommitOutcome> {
    let file = FinishedFile::from_committable(&request.committable)?;
    let FinishedFile { hidden, visible, .. } = &file;
    let (source, target) = (Location::try_from(hidden.clone())?, Location::try_from(visible.clone())?);
    let remove = |part: &String| storage::remove(&Location::try_from(part.clone())?);
    Ok(match storage::publish(&source, &target, file.upload.as_ref()) {
        Ok(Published::Visible) => {
            directories.extend(target.parent());
            // Their records are in it.
            match file.parts.iter().try_for_each(remove) {
                Ok(()) => CommitOutcome::Committed,
                Err(error) => failed(&error),
            }
        }
        // A bucket's rule may have ended the upload: that is likelier than a consumer.
        Ok(Published::Missing) if request.restored && file.upload.is_some() => {
            CommitOutcome::Failed(format!(
                "neither the object {visible} of checkpoint {} nor the upload for it exists: if it was committed and has been \
             taken away, put an empty object in its place and restore again; else its rows are lost, because the bucket \
             has ended the upload or is another one",
                request.checkpoint
            ))
        }
        // A consumer may have removed the file after it was committed.
        Ok(Published::Missing) if request.restored => {
            tracing::warn!(
                "neither the file {visible} of checkpoint {} nor {hidden} exists: it was committed before and has been \
                 taken away, or it was removed before it was committed and its rows are missing in the output",
                request.checkpoint
            );
            CommitOutcome::AlreadyCommitted
        }
        Ok(Published::Missing) => CommitOutcome::Failed(format!(
            "output is lost: neither {hidden} nor {visible} exists, although a checkpoint contains it"
        )),
        Err(error) => failed(&error),
    })
}

pub(crate) fn failed(error: &Error) -> CommitOutcome {
    match error.is_retryable() {
        true => CommitOutcome::Retry { after: None, reason: error.to_string() },
        false => CommitOutcome::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committables_of_before_are_read_and_of_later_refused() {
        let old = |version: u32| {
            let text = format!(r#"{{"version":{version},"hidden":"/t/.a","visible":"/t/a"}}"#);
            Committable::new(Payload::new(Payload::UNVERSIONED, text))
        };
        assert_eq!(FinishedFile::from_committable(&old(1)).unwrap().visible, "/t/a");
        let later = Committable::new(Payload::new(7, "{}"));
        for later in [old(2), later] {
            assert!(FinishedFile::from_committable(&later).unwrap_err().message().contains("version"));
        }
    }
}
