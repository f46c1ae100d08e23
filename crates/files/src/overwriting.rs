//! Files that take the place of those that a table holds: INSERT OVERWRITE.
//!
//! Nothing changes before the job has written everything. Writers hand their files over for the whole job
//! ([`crate::RollingWriter::for_the_job`]), and these wait, hidden, until all writers have ended. Then the [`Overwriter`]
//!
//! 1. claims `.writers/.overwrite` in the table's directory, so that one overwrites at a time,
//! 2. lists what is to go, and *decides*: it writes into that file which files become visible and which go,
//! 3. makes the new files visible, then removes the old ones, then the record.
//!
//! Until the decision is durable the table is what it was. From then on it is what the record says: whoever comes across a
//! record that was left behind carries it out to its end ([`finish_overwrite`]), the committer that is asked again as well
//! as any other writer or reader of the table. It names files, which have names that are never used again, so nobody
//! who is late removes what came after it. Old files go when the new ones are visible; if one of these is lost, those that are
//! visible go instead, and the table is what it was.
//!
//! A **token**, an empty hidden file, is handed over with the first checkpoint, and goes with the old files. So it shows whether
//! an overwrite was carried out, also one without any new file; a committer that is asked once more does nothing then.
//!
//! Who reads the files while they are exchanged may see new ones beside old ones: a directory has no other form of a snapshot.

use std::collections::BTreeSet;

use flott_connector::{CommitOutcome, CommitRequest, GlobalCommitterContext};
use flott_storage::Location;
use flott_storage::files::{self, LockedFile, PreparedUpload, Published};
use flott_types::{Error, JobId, Result, Succession};
use serde::{Deserialize, Serialize};

use crate::committable::{FinishedFile, failed};
use crate::ledger;
use crate::leftovers::GoneWriters;
use crate::unpublished::Unpublished;

/// What is in the file.
#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Record {
    version: u32,
    /// Who claimed it.
    job: JobId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    succession: Option<Succession>,
    /// `None` before it is decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Decision {
    /// These become visible.
    publish: Vec<FinishedFile>,
    /// Then these go.
    remove: Vec<String>,
}

const VERSION: u32 = 1;

/// What came of carrying it out.
enum Carried {
    Out,
    /// This file is not there any more.
    Lost(Location),
}

impl Record {
    fn to_text(&self) -> Result<String> {
        serde_json::to_string(self)
            .map_err(|error| Error::internal("an overwrite cannot be noted").with_source(error))
    }

    /// `None` if whoever wrote it was cut off before it was complete.
    fn read(file: &mut LockedFile, root: &Location) -> Result<Option<Self>> {
        let content = file.read()?;
        match serde_json::from_str::<Record>(&content) {
            Ok(record) if record.version == VERSION => Ok(Some(record)),
            // A local file is not replaced in one step; what was cut off was not decided.
            Err(error) if error.is_eof() && file.shows_its_owner() => Ok(None),
            _ => Err(Error::external(format!(
                "{} cannot be read: another version has written it",
                place(root)
            ))),
        }
    }
}

impl Decision {
    /// Idempotent.
    fn carry_out(&self) -> Result<Carried> {
        let mut directories = BTreeSet::new();
        for file in &self.publish {
            let (hidden, visible, upload) = file.places()?;
            match files::publish(&hidden, &visible, upload)? {
                Published::Visible => directories.extend(visible.parent()),
                Published::Missing => return Ok(Carried::Lost(visible)),
            }
        }
        directories.iter().try_for_each(files::sync_directory)?;
        let mut directories = BTreeSet::new();
        for old in &self.remove {
            let old = Location::try_from(old.clone())?;
            files::remove(&old)?;
            directories.extend(old.parent().filter(files::may_be_directory));
        }
        directories.iter().try_for_each(files::sync_directory)?;
        Ok(Carried::Out)
    }

    /// Takes back what has become visible, when nothing was removed.
    fn take_back(&self) -> Result<()> {
        for file in &self.publish {
            files::remove(&file.places()?.1)?;
        }
        Ok(())
    }
}

fn place(root: &Location) -> Location {
    root.join(ledger::DIRECTORY).join(".overwrite")
}

/// Carries out to its end what somebody has decided and could not finish. To be called by whoever writes to a directory or
/// reads it.
///
/// # Errors
/// If it cannot be finished now: the directory holds old files and new ones.
pub fn finish_overwrite(root: &Location) -> Result<()> {
    if !files::may_be_directory(root) || root.check_writable().is_err() {
        return Ok(());
    }
    finish(root).map_err(|error| {
        error.context(format_args!("INSERT OVERWRITE of {root} was cut off, and cannot be finished"))
    })
}

fn finish(root: &Location) -> Result<()> {
    // Who holds it is at it.
    let Some(mut file) = LockedFile::take(&place(root))? else { return Ok(()) };
    match Record::read(&mut file, root)? {
        Some(Record { decision: Some(decision), .. }) => match decision.carry_out()? {
            Carried::Out => {
                tracing::info!("an INSERT OVERWRITE of {root} that was cut off is finished");
                file.remove()
            }
            // Somebody else has finished it, and these files went their way.
            Carried::Lost(_) if files::look(&place(root))?.is_none() => Ok(()),
            Carried::Lost(visible) => Err(Error::external(format!(
                "the file {visible} is lost: remove {} to keep what the table holds besides",
                place(root)
            ))),
        },
        // Nothing was decided, and whoever claimed it has gone.
        _ if file.shows_its_owner() => file.remove(),
        _ => Ok(()),
    }
}

/// Exchanges the files of a directory, once for a job.
#[derive(Debug)]
pub struct Overwriter {
    root: Location,
    job: JobId,
    succession: Option<Succession>,
    writers: GoneWriters,
}

impl Overwriter {
    /// For the sink of a job that writes below a directory.
    pub fn new(root: Location, context: &GlobalCommitterContext) -> Self {
        Overwriter { root, job: context.job, succession: context.succession, writers: GoneWriters::default() }
    }

    /// Puts these files in the place of all that is visible below the `directories`, if the tokens are still there. One
    /// outcome for all. Idempotent.
    ///
    /// # Errors
    /// If a committable is none of a file that replaces others.
    pub fn commit(
        &self,
        requests: &[&CommitRequest],
        tokens: &[Location],
        directories: &BTreeSet<Location>,
    ) -> Result<CommitOutcome> {
        let read = |request: &&CommitRequest| FinishedFile::from_committable(&request.committable);
        let new: Vec<FinishedFile> = requests.iter().map(read).collect::<Result<_>>()?;
        Ok(self.replace(new, tokens, directories).unwrap_or_else(|error| failed(&error)))
    }

    fn replace(
        &self,
        publish: Vec<FinishedFile>,
        tokens: &[Location],
        directories: &BTreeSet<Location>,
    ) -> Result<CommitOutcome> {
        finish_overwrite(&self.root)?;
        let looked = tokens.iter().map(files::look).collect::<Result<Vec<_>>>()?;
        if looked.iter().all(Option::is_none) {
            self.discard(&publish)?;
            return Ok(CommitOutcome::AlreadyCommitted);
        }
        let mut record =
            Record { version: VERSION, job: self.job, succession: self.succession, decision: None };
        let Some(mut file) = self.claim(&record)? else {
            let reason = format!(
                "another INSERT OVERWRITE of {} is under way; if there is none, remove {}",
                self.root,
                place(&self.root)
            );
            return Ok(CommitOutcome::Retry { after: None, reason });
        };
        let mut remove = BTreeSet::new();
        for directory in directories {
            remove.extend(visible_below(directory)?);
        }
        for file in &publish {
            // After a failure it may be there already.
            remove.remove(&file.places()?.1);
        }
        let remove = remove.iter().chain(tokens).map(Location::to_text).collect::<Result<_>>()?;
        let decision = Decision { publish, remove };
        self.note(&decision.publish, tokens)?;
        record.decision = Some(decision);
        file.replace(&record.to_text()?)?;
        place(&self.root).parent().iter().try_for_each(files::sync_directory)?;
        files::sync_directory(&self.root)?;
        let Some(decision) = &record.decision else { return Err(Error::internal("it was decided")) };
        match decision.carry_out()? {
            Carried::Out => {
                file.remove()?;
                Ok(CommitOutcome::Committed)
            }
            Carried::Lost(visible) => {
                decision.take_back()?;
                file.remove()?;
                Ok(CommitOutcome::Failed(format!(
                    "output is lost: there is nothing of the file {visible} any more, although a checkpoint contains it; the table \
                     is what it was"
                )))
            }
        }
    }

    /// `None` if somebody else has a claim.
    fn claim(&self, record: &Record) -> Result<Option<LockedFile>> {
        let place = place(&self.root);
        if let Some(file) = LockedFile::claim(&place, &record.to_text()?)? {
            return Ok(Some(file));
        }
        let Some(mut file) = LockedFile::take(&place)? else { return Ok(None) };
        if file.shows_its_owner() {
            return Ok(None);
        }
        // One of this job that was cut off.
        let is_own = |claim: &Record| {
            let before =
                claim.succession.is_some_and(|its| self.succession.is_some_and(|own| own.is_after(&its)));
            claim.decision.is_none() && (claim.job == self.job || before)
        };
        Ok(Record::read(&mut file, &self.root)?.as_ref().is_some_and(is_own).then_some(file))
    }

    /// It was carried out before: these are of a later attempt, which wrote the same once more.
    fn discard(&self, files: &[FinishedFile]) -> Result<()> {
        if !files.is_empty() {
            tracing::warn!(
                "INSERT OVERWRITE of {} was carried out before: what was written since a snapshot of before is discarded",
                self.root
            );
        }
        self.note(files, &[])?;
        for file in files {
            let (hidden, visible, upload) = file.places()?;
            Unpublished::of(&hidden, &visible, upload.map(PreparedUpload::id)).discard()?;
        }
        Ok(())
    }

    /// Takes note of who has written these.
    fn note(&self, files: &[FinishedFile], tokens: &[Location]) -> Result<()> {
        for file in files {
            self.writers.note(&file.places()?.0);
        }
        tokens.iter().for_each(|token| self.writers.note(token));
        Ok(())
    }
}

impl Drop for Overwriter {
    fn drop(&mut self) {
        if let Err(error) = self.writers.settle(&self.root) {
            tracing::warn!("not all notes of writers below {} were removed: {error}", self.root);
        }
    }
}

/// The files below a directory that somebody sees who reads it.
fn visible_below(directory: &Location) -> Result<Vec<Location>> {
    let is_hidden = |name: &str| name.starts_with(['.', '_']);
    let mut found = files::find(directory, &|name| !is_hidden(name))?;
    found.retain(|file| {
        let above = std::iter::successors(file.parent(), Location::parent);
        above.take_while(|above| above != directory).all(|above| !above.name().is_some_and(is_hidden))
    });
    Ok(found)
}
