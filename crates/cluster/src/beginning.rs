//! The start of a job: nobody else may run it, and what it continues from.

use std::sync::atomic::AtomicBool;

use flott_checkpoint::manifest::Manifest;
use flott_state::store::{
    Began, CheckpointStorage, End, Epoch, Folder, Found, JobRegister, Latest, Lease, Origin as From, Outcome,
    Search, difference,
};
use flott_types::{CheckpointId, Error, JobId, JobKey, Result, Succession};

use crate::storage::{Begun, Origin, Start};

/// The word for the newest state of the job.
pub const LATEST: &str = "latest";
const RESTORE_PATH: &str = "execution.state-recovery.path";
const ALLOW_OLDER: &str = "execution.state-recovery.allow-older-checkpoint";

/// A job that runs here, and what is known of it.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) lease: Lease,
    /// See [`Began::lineage`].
    pub(crate) lineage: Epoch,
    /// Its end could not be noted, so that nothing may be deleted.
    pub(crate) is_unsure: AtomicBool,
}

/// What [`registered`] gives.
pub(crate) struct Registered {
    pub(crate) begun: Begun,
    /// Unless there is nothing to do.
    pub(crate) held: Option<Held>,
}

/// The start of a job that nobody continues, or whose checkpoints end with the process.
pub(crate) async fn unregistered(
    storage: &CheckpointStorage,
    folder: &Folder,
    start: &Start<'_>,
) -> Result<Begun> {
    let mut warnings = Vec::new();
    let origin = match start.restore {
        None => Origin::Anew,
        Some(LATEST) => Origin::Nothing { dir: storage.url(), others: 0 },
        Some(path) => snapshot(storage.resolve(path).await?, folder, start, &mut warnings)?,
    };
    Ok(Begun { origin, succession: None, warnings })
}

/// The start of a job that has a key, in a folder that others may use as well.
pub(crate) async fn registered(
    storage: &CheckpointStorage,
    folder: &Folder,
    job: JobId,
    key: &JobKey,
    start: &Start<'_>,
) -> Result<Registered> {
    let register = storage.register(key);
    let search = start.identity.search(key);
    let nothing_to_do =
        |origin| Registered { begun: Begun { origin, succession: None, warnings: Vec::new() }, held: None };
    let is_own = |other: &flott_state::store::Start| start.continues.contains(&other.claim.job);
    if let Some(origin) = taken_over(&register, key, start).await? {
        return Ok(nothing_to_do(origin));
    }
    let vacancy = register.vacancy_after(start.now, start.continues).await?;
    let continued = vacancy.newest().is_some_and(is_own);
    // It may have ended in between.
    if let Some(origin) = vacancy.newest().filter(|_| continued).and_then(ended) {
        return Ok(nothing_to_do(origin));
    }
    if vacancy.newest().is_some_and(|newest| !is_own(newest) && !is_over(newest))
        && !start.continues.is_empty()
    {
        return Err(Error::external(format!("job '{key}' has been started elsewhere at this moment")));
    }
    if start.restore == Some(LATEST)
        && vacancy.newest().is_some_and(|newest| newest.finished())
        && let Latest::Finished(end) = register.latest(Epoch(u64::MAX), search).await?
    {
        let mut warnings = Vec::new();
        if let Err(error) = vacancy.sweep().await {
            warnings.push(format!("Remains of the job could not be deleted: {error}"));
        }
        let begun = Begun { origin: Origin::Finished { at: end.at }, succession: None, warnings };
        return Ok(Registered { begun, held: None });
    }
    if let Some(leading) = start.leading {
        // Between the look at the lease and the claim: who has led longer than it knows claims too late, or is
        // found by its successor.
        leading.check().await?;
    }
    let lease = vacancy.claim(search, job, start.now).await?;
    match begin(storage, folder, &register, &lease, (search, continued), start).await {
        Ok((begun, lineage)) => {
            let held = Held { lease, lineage, is_unsure: AtomicBool::new(false) };
            Ok(Registered { begun, held: Some(held) })
        }
        Err(error) => {
            // Nothing came of it. If that cannot be written either, the next start finds that nobody runs the
            // job. One that an earlier leader has left is tried again.
            let outcome = if start.continues.is_empty() { Outcome::Failed } else { Outcome::Suspended };
            _ = lease.end(&End::new(outcome, start.now)).await;
            Err(error)
        }
    }
}

/// What is known of the job of an earlier leader before it is begun again: that it is not to be.
///
/// # Errors
/// If that cannot be known here.
async fn taken_over(register: &JobRegister, key: &JobKey, start: &Start<'_>) -> Result<Option<Origin>> {
    if start.continues.is_empty() {
        return Ok(None);
    }
    let starts = register.starts().await?;
    let own = starts.iter().rev().find(|other| start.continues.contains(&other.claim.job));
    if own.is_none() && start.has_run {
        // Its folder may be a mount that is missing on this machine.
        return Err(Error::state(format!(
            "the JobManager that led before has run job '{key}', and '{}' knows of no start of it: is that the same folder on this \
             machine? The job is not begun anew",
            register.url()
        )));
    }
    if let Some(origin) = own.and_then(ended) {
        return Ok(Some(origin));
    }
    let others = starts.last().filter(|newest| own.is_none_or(|own| own.epoch < newest.epoch));
    Ok(match (own, others) {
        (Some(_), Some(newest)) => Some(Origin::Refused {
            why: format!(
                "job '{key}' was started elsewhere since the last leader of the cluster ran it, as job {}; it is not continued here",
                newest.claim.job
            ),
        }),
        // It was submitted when the last leader was lost, and had not begun.
        (None, Some(newest)) if !is_over(newest) => Some(Origin::Refused {
            why: format!(
                "job '{key}' was running already, as job {}, when this one was submitted; if this is another job, give it a name of \
                 its own with 'pipeline.name' or 'pipeline.job-key'",
                newest.claim.job
            ),
        }),
        (Some(_) | None, _) => None,
    })
}

/// Whether a start has ended, and nothing goes on with it by itself.
fn is_over(start: &flott_state::store::Start) -> bool {
    start.end.as_ref().is_some_and(|end| end.outcome != Outcome::Suspended)
}

/// How a job has ended that an earlier leader ran, if it is not to go on.
fn ended(last: &flott_state::store::Start) -> Option<Origin> {
    // One that did not come so far as to begin is begun again.
    last.began.as_ref()?;
    let End { outcome, at, .. } = last.end.clone()?;
    match outcome {
        Outcome::Finished => Some(Origin::Finished { at }),
        Outcome::Suspended => None,
        Outcome::Stopped | Outcome::Canceled | Outcome::Failed => Some(Origin::Ended { outcome, at }),
    }
}

async fn begin(
    storage: &CheckpointStorage,
    folder: &Folder,
    register: &JobRegister,
    lease: &Lease,
    (search, continued): (Search<'_>, bool),
    start: &Start<'_>,
) -> Result<(Begun, Epoch)> {
    let epoch = lease.claim().epoch;
    let mut warnings = Vec::new();
    let (mut lineage, mut from) = (epoch, None);
    let mut found_at = |found: &Found| {
        let manifest = &found.snapshot.manifest;
        let url = found.snapshot.url.clone();
        from = Some(From { job: manifest.job, checkpoint: manifest.checkpoint, url });
    };
    let of_before = match continued {
        true => register.latest_of(epoch, start.continues).await?,
        false => None,
    };
    let origin = match (of_before, start.restore) {
        (Some(Latest::Snapshot(found, of)), _) => {
            lineage = of.unwrap_or(epoch);
            found_at(&found);
            snapshot(*found, folder, start, &mut warnings)?
        }
        (Some(Latest::Nothing { .. } | Latest::Finished(_)), _) | (None, None) => Origin::Anew,
        (None, Some(LATEST)) => match register.latest(epoch, search).await? {
            Latest::Snapshot(found, of) => {
                lineage = of.unwrap_or(epoch);
                found_at(&found);
                snapshot(*found, folder, start, &mut warnings)?
            }
            Latest::Nothing { others } => Origin::Nothing { dir: storage.url(), others },
            Latest::Finished(_) => {
                return Err(Error::external("the job has just finished; start it again"));
            }
        },
        (None, Some(path)) => {
            let found = storage.resolve(path).await?;
            found_at(&found);
            warnings.extend(doubts(storage, register, epoch, search, &found).await);
            snapshot(found, folder, start, &mut warnings)?
        }
    };
    let succession = Succession {
        register: register.id(lease.claim().job).await?,
        start: epoch.0,
        is_first: matches!(origin, Origin::Nothing { .. }),
    };
    lease.begin(&Began::new(from, lineage)).await?;
    if let Err(error) = lease.sweep(None).await {
        warnings.push(format!("Remains of earlier starts of the job could not be deleted: {error}"));
    }
    Ok((Begun { origin, succession: Some(succession), warnings }, lineage))
}

/// The snapshot that was found, unless newer ones were passed over and that would write output twice.
fn snapshot(found: Found, folder: &Folder, start: &Start<'_>, warnings: &mut Vec<String>) -> Result<Origin> {
    let checkpoint = found.snapshot.manifest.checkpoint;
    if let Some((_, newest)) = found.damaged.first().filter(|_| start.commits && !start.allow_older) {
        return Err(older_refused(newest, checkpoint).context(format_args!("'{}'", found.snapshot.url)));
    }
    for (damaged, error) in &found.damaged {
        let name = if damaged.0 > 0 { format!("checkpoint {damaged}: ") } else { String::new() };
        warnings.push(format!("A damaged checkpoint is skipped: {name}{error}"));
    }
    if !found.damaged.is_empty() && start.commits {
        warnings
            .push(format!("Output published after checkpoint {checkpoint} will be written a second time."));
    }
    let manifest = Box::new(found.snapshot.manifest_for(folder));
    Ok(Origin::Snapshot { manifest, url: found.snapshot.url })
}

/// Why a job does not go back to `older` by itself when `newest`, which it has completed, cannot be read.
pub(crate) fn older_refused(newest: &Error, older: CheckpointId) -> Error {
    Error::state(format!(
        "the newest checkpoint cannot be used: {newest}. To go on from checkpoint {older} in its place would write a second time \
         what was published since. Remove what was written after it, or accept that, and set '{ALLOW_OLDER}' to true"
    ))
}

/// What a user who has named a snapshot should know about it.
async fn doubts(
    storage: &CheckpointStorage,
    register: &JobRegister,
    epoch: Epoch,
    search: Search<'_>,
    found: &Found,
) -> Vec<String> {
    let Manifest { job, checkpoint, key, .. } = &found.snapshot.manifest;
    let mut doubts = Vec::new();
    if let Some(key) = key {
        if key != search.key {
            doubts.push(format!(
                "The snapshot is of job '{key}', this is job '{}': later starts of '{key}' do not know about it.",
                search.key
            ));
        }
        // Whatever is wrong with other records is not in the way of a snapshot that was named.
        let starts = storage.register(key).starts().await.unwrap_or_default();
        if let Some(start) = starts.iter().rev().find(|start| start.claim.job == *job)
            && let Some(difference) = difference(&start.claim.meaning, search.meaning)
        {
            doubts.push(format!("The job that took the snapshot {difference}."));
        }
    }
    if let Ok(Latest::Snapshot(newest, _)) = register.latest(epoch, search).await
        && newest.snapshot.manifest.checkpoint > *checkpoint
        && newest.snapshot.url != found.snapshot.url
    {
        doubts.push(format!(
            "There is a newer checkpoint of this job ('{}'): what was published after the one that you have named ('{RESTORE_PATH}') \
             will be written a second time.",
            newest.snapshot.url
        ));
    }
    doubts
}
