//! Hidden files that will never be committed, and how to distinguish them from those that still may be.
//!
//! A file may be removed if its writer has gone and it is in no checkpoint that can still be restored. These
//! are
//!
//! 1. files that their writer never handed over, of any job: they are in no checkpoint (see
//!    [`crate::ledger`]);
//! 2. files of a writer that the restored checkpoint knows, begun after it;
//! 3. files of later attempts and starts of the same job that continued from the restored checkpoint, or from
//!    one before it: the job now continues from there again, and writes their rows once more;
//! 4. if nothing is restored, files of earlier attempts of the same job: had one of them completed a
//!    checkpoint, that would have been restored. In an object store those of earlier starts too, if none of these has a checkpoint.
//!
//! A live writer locks its ledger, and its files are left alone, whether it belongs to this job or another.
//! The ledger of a dead writer stays until its last hidden file has become visible or was removed; the next
//! writer to the directory looks at the ledgers, and walks through the directory only if one has no writer.
//! In an object store there are uploads instead of hidden files, which only the ledger knows, and no locks: a
//! writer there counts as gone if it belongs to an earlier attempt of the same start of a job, or to an earlier
//! start, which has lost its lease ([`Succession`]). Uploads of a job that is never started again stay until the
//! bucket's own rule ends them (`AbortIncompleteMultipartUpload`).
//!
//! So the next attempt always reclaims the space of the previous one, even if none ever completes a
//! checkpoint.
//!
//! A file that was handed over is kept, even if its checkpoint was not restored: somebody may still restore
//! it.

use flott_storage::Location;
use flott_storage::files;
use flott_types::{FastMap, FastSet, Result, Succession};
use parking_lot::Mutex;

use crate::ledger::{Begun, Ledger, Promises};
use crate::name::{Progress, WriterId};
use crate::unpublished::Unpublished;

/// Writers of one process look one after the other, so that a ledger locked for inspection is not mistaken
/// for one locked by its owner.
static LOOKING: Mutex<()> = Mutex::new(());

/// Files that a dead writer has left and that may still be committed.
#[derive(Debug)]
pub(crate) struct Promised {
    writer: WriterId,
    files: Vec<Unpublished>,
}

/// Removes files that can no longer be committed; returns what remains of dead writers.
pub(crate) fn remove(
    root: &Location,
    current: &WriterId,
    succession: Option<Succession>,
    is_restored: bool,
    restored: &[Progress],
) -> Result<Vec<Promised>> {
    let _one = LOOKING.lock();
    let mut gone: FastMap<WriterId, (Ledger, Vec<Unpublished>)> = FastMap::default();
    let mut living = Vec::new();
    for writer in Ledger::list(root)? {
        // An attempt begins when those before it have ended, or can no longer complete a checkpoint.
        let has_gone = |promises: &Promises| {
            let before =
                promises.succession.is_some_and(|its| succession.is_some_and(|own| own.is_after(&its)));
            before || writer.job == current.job && writer.attempt < current.attempt
        };
        match Ledger::take(root, &writer, has_gone)? {
            Some(ledger) => _ = gone.insert(writer, (ledger, Vec::new())),
            None => living.push(writer),
        }
    }
    let by_older_version: Vec<&Progress> =
        restored.iter().filter(|progress| !progress.has_ledger()).collect();
    if gone.is_empty() && by_older_version.is_empty() {
        return Ok(Vec::new());
    }
    let rule = Rule {
        current,
        succession,
        is_restored,
        restored,
        later: later_jobs(current, restored, &gone),
        living,
    };
    let mut doomed = Vec::new();
    for (ledger, files) in gone.values_mut() {
        for Begun { number, visible, upload } in &ledger.promises.uploads {
            let upload = Unpublished::Upload { visible: visible.clone(), id: upload.clone() };
            // One for a hidden object that was not completed is in no checkpoint; what was completed is found by its
            // name.
            let is_part = visible.name().and_then(WriterId::parse_hidden).is_some();
            match rule.is_left_behind(ledger, *number) || rule.is_of_no_checkpoint(ledger) {
                true => doomed.push(upload),
                false if is_part && files::look(visible)?.is_none() => doomed.push(upload),
                false if is_part => {}
                false => files.push(upload),
            }
        }
        Unpublished::keep_waiting(files);
    }
    for path in files::find(root, &|name| WriterId::parse_hidden(name).is_some())? {
        let Some((writer, number)) = path.name().and_then(WriterId::parse_hidden) else { continue };
        let is_object = path.is_object();
        let path = Unpublished::Hidden(path);
        if let Some((ledger, files)) = gone.get_mut(&writer) {
            let lost = is_object && rule.is_of_no_checkpoint(ledger);
            if lost || rule.is_left_behind(ledger, number) { doomed.push(path) } else { files.push(path) }
        } else if by_older_version.iter().any(|progress| progress.leaves_behind(&writer, number, current)) {
            doomed.push(path);
        }
    }
    if !doomed.is_empty() {
        tracing::info!("removing {} hidden files below {root} that are in no checkpoint", doomed.len());
    }
    doomed.iter().try_for_each(Unpublished::discard)?;
    let mut promised = Vec::new();
    for (writer, (ledger, files)) in gone {
        if files.is_empty() {
            ledger.remove()?;
        } else {
            promised.push(Promised { writer, files });
        }
    }
    Ok(promised)
}

/// Removes the ledgers of writers whose last files have become visible in the meantime.
pub(crate) fn settle(root: &Location, promised: &mut Vec<Promised>) -> Result<()> {
    if promised.is_empty() {
        return Ok(());
    }
    for entry in &mut *promised {
        Unpublished::keep_waiting(&mut entry.files);
    }
    let _one = LOOKING.lock();
    for Promised { writer, .. } in promised.extract_if(.., |entry| entry.files.is_empty()) {
        if let Some(ledger) = Ledger::take(root, &writer, |_| true)? {
            ledger.remove()?;
        }
    }
    Ok(())
}

/// Writers whose last files were published by somebody else, maybe when they had ended: their ledgers are of no use then.
#[derive(Debug, Default)]
pub(crate) struct GoneWriters(Mutex<FastSet<WriterId>>);

impl GoneWriters {
    /// Takes note of the writer of a hidden file.
    pub(crate) fn note(&self, hidden: &Location) {
        if let Some((writer, _)) = hidden.name().and_then(WriterId::parse_hidden) {
            self.0.lock().insert(writer);
        }
    }

    /// Removes the ledgers of those that have no hidden file.
    pub(crate) fn settle(&self, root: &Location) -> Result<()> {
        let mut writers = std::mem::take(&mut *self.0.lock());
        if !writers.is_empty() {
            for file in files::find(root, &|name| WriterId::parse_hidden(name).is_some())? {
                if let Some((writer, _)) = file.name().and_then(WriterId::parse_hidden) {
                    writers.remove(&writer);
                }
            }
        }
        let are_visible = |promises: &Promises| {
            let is_visible = |begun: &Begun| {
                let is_part = begun.visible.name().and_then(WriterId::parse_hidden).is_some();
                !is_part && files::look(&begun.visible).is_ok_and(|found| found.is_some())
            };
            promises.uploads.iter().all(is_visible)
        };
        let _one = LOOKING.lock();
        for writer in writers {
            if let Some(ledger) = Ledger::take(root, &writer, are_visible)? {
                ledger.remove()?;
            }
        }
        Ok(())
    }
}

/// The jobs, by id, that continued from the checkpoint that is restored: this one, and starts in between.
fn later_jobs(
    current: &WriterId,
    restored: &[Progress],
    gone: &FastMap<WriterId, (Ledger, Vec<Unpublished>)>,
) -> Vec<String> {
    let mut known: Vec<String> = restored.iter().map(|progress| progress.writer().job.clone()).collect();
    let mut later = vec![current.job.clone()];
    loop {
        let follows = |ledger: &Ledger| {
            let job = &ledger.writer.job;
            let is_new = !later.contains(job) && !known.contains(job);
            is_new && ledger.promises.follows.iter().any(|job| known.contains(job))
        };
        let found = gone.values().find(|(ledger, _)| follows(ledger));
        let Some((ledger, _)) = found else { return later };
        known.push(ledger.writer.job.clone());
        later.push(ledger.writer.job.clone());
    }
}

struct Rule<'a> {
    current: &'a WriterId,
    succession: Option<Succession>,
    is_restored: bool,
    restored: &'a [Progress],
    later: Vec<String>,
    living: Vec<WriterId>,
}

impl Rule<'_> {
    /// Whether it belongs to an earlier start of the job, and no such start has a checkpoint.
    fn is_of_no_checkpoint(&self, ledger: &Ledger) -> bool {
        let its = ledger.promises.succession;
        self.succession.is_some_and(|own| own.is_first && its.is_some_and(|its| own.is_after(&its)))
    }

    /// Whether a file of a writer that has gone can no longer be committed.
    fn is_left_behind(&self, ledger: &Ledger, number: u64) -> bool {
        let Ledger { writer, promises, .. } = ledger;
        if number >= promises.handed_over {
            return true;
        }
        if let Some(progress) = self.restored.iter().find(|progress| progress.writer() == writer) {
            return number >= progress.next();
        }
        let own = writer.job == self.current.job;
        if !own && self.living.iter().any(|living| living.job == writer.job) {
            return false;
        }
        if own && !self.is_restored {
            return writer.attempt < self.current.attempt;
        }
        self.restored.iter().any(|progress| {
            let known = progress.writer();
            let same_job = writer.job == known.job && writer.attempt > known.attempt;
            let later_job = writer.job != known.job && self.later.contains(&writer.job);
            (same_job || later_job) && writer.start > known.start
        })
    }
}
