//! What `latest` means: the newest state of *this* job, across all its starts.
//!
//! The search goes backwards from the last start. A start that has checkpoints is continued from its newest
//! one; a start without any, from where it began. A finished job is not continued. A snapshot that might be
//! another job's is refused, because it would lose this job's rows and duplicate the other's; the error says
//! how to be explicit.

use flott_types::{CheckpointId, Error, ErrorKind, FastMap, JobId, JobKey, OperatorUid, Result};

use super::records::{Claim, End, Ends, Epoch, Meaning};
use super::register::{JobRegister, Start};
use super::{CheckpointStorage, Found, JobStorage};

/// The job whose latest snapshot is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The job.
    pub key: &'a JobKey,
    /// Whether the user chose the name; otherwise it was derived from the statement.
    pub named: bool,
    /// Where it reads and writes.
    pub meaning: &'a Meaning,
    /// Its operators, which identify snapshots that have no key.
    pub uids: &'a [OperatorUid],
}

/// What was found.
#[derive(Debug)]
pub enum Latest {
    /// A snapshot, and the start of this lineage that wrote it, if that start is registered.
    Snapshot(Box<Found>, Option<Epoch>),
    /// The job has finished.
    Finished(End),
    /// The job has no snapshot.
    Nothing {
        /// How many other jobs have a register in this folder.
        others: usize,
    },
}

impl JobRegister {
    /// The newest usable state left by the starts before `before`.
    ///
    /// # Errors
    /// [`ErrorKind::State`] if there are snapshots and all are damaged, [`ErrorKind::Invalid`] if they may
    /// belong to another job.
    pub async fn latest(&self, before: Epoch, search: Search<'_>) -> Result<Latest> {
        let mut starts = self.starts().await?;
        starts.retain(|start| start.epoch < before);
        let mut damaged: Vec<(CheckpointId, Error)> = Vec::new();
        // A start decides from which checkpoint of an earlier one it continues. If a later one turns up, it
        // is ignored.
        let mut limits: FastMap<JobId, CheckpointId> = FastMap::default();
        let last = starts.last().map(|start| start.epoch);
        for start in starts.into_iter().rev() {
            self.is_same(&start.claim, search.meaning)?;
            if start.finished()
                && let Some(end) = start.end.clone()
            {
                if Some(start.epoch) == last {
                    return Ok(Latest::Finished(end));
                }
                break;
            }
            if start.end.as_ref().is_some_and(|end| end.discarded) {
                break;
            }
            let job = self.checkpoints_of(&start);
            let limit = limits.get(&start.claim.job).copied();
            if let Some(found) = collect(job.latest_until(limit).await, &mut damaged)? {
                return Ok(Latest::Snapshot(found, Some(start.lineage())));
            }
            if let Some(from) = start.began.as_ref().and_then(|began| began.from.as_ref()) {
                limits.entry(from.job).or_insert(from.checkpoint);
                let found = self.storage.resolve(&from.url).await;
                let verified = match found {
                    Ok(found) => found.snapshot.verify().await.map(|()| Some(found)),
                    Err(error) => Err(error),
                };
                if let Some(found) = collect(verified, &mut damaged)? {
                    return Ok(Latest::Snapshot(found, Some(start.lineage())));
                }
            }
        }
        if let Some((_, newest)) = damaged.first() {
            return Err(Error::state(format!(
                "no snapshot of job '{}' below '{}' can be used: {newest}; to start over, do not restore",
                search.key,
                self.storage.url()
            )));
        }
        if last.is_none() {
            return self.unregistered(search).await;
        }
        Ok(Latest::Nothing { others: self.others().await?.len() })
    }

    /// What the last of these starts of one job left behind, of those before `before`: its newest checkpoint, or what
    /// it had begun from, which may be nothing. `None` if none of them came so far.
    ///
    /// # Errors
    /// As [`JobRegister::latest`].
    pub async fn latest_of(&self, before: Epoch, jobs: &[JobId]) -> Result<Option<Latest>> {
        let starts = self.starts().await?;
        let own = |start: &&Start| start.epoch < before && jobs.contains(&start.claim.job);
        let mut damaged: Vec<(CheckpointId, Error)> = Vec::new();
        for start in starts.iter().filter(own).rev() {
            if let Some(found) = collect(self.checkpoints_of(start).latest().await, &mut damaged)? {
                return Ok(Some(Latest::Snapshot(found, Some(start.lineage()))));
            }
            // One that was killed before it had decided leaves that to who comes next.
            let Some(began) = &start.began else { continue };
            if let Some((_, newest)) = damaged.first() {
                return Err(Error::state(format!("no checkpoint of the job can be used: {newest}")));
            }
            let Some(from) = &began.from else { return Ok(Some(Latest::Nothing { others: 0 })) };
            let found = self.storage.resolve(&from.url).await?;
            return Ok(Some(Latest::Snapshot(Box::new(found), Some(start.lineage()))));
        }
        Ok(None)
    }

    /// Refuses to continue a job that reads or writes elsewhere.
    fn is_same(&self, claim: &Claim, meaning: &Meaning) -> Result<()> {
        let Some(difference) = difference(&claim.meaning, meaning) else { return Ok(()) };
        Err(Error::invalid(format!(
            "an earlier start of job '{}' {difference}. If this is the same job, name the snapshot that it is to continue from \
             ('{}', for example); if it is another, give it a name of its own with 'pipeline.name' or 'pipeline.job-key'; to begin \
             anew, do not restore",
            claim.key,
            self.storage.job(claim.job).folder().url()
        )))
    }

    async fn others(&self) -> Result<Vec<(JobRegister, Start)>> {
        let mut others = Vec::new();
        for register in JobRegister::all(&self.storage).await? {
            if register.url() != self.url()
                && let Some(newest) = register.newest().await?
                && !newest.finished()
            {
                others.push((register, newest));
            }
        }
        Ok(others)
    }

    /// Handles a job that was never started under this key: perhaps it ran under another one, or under a
    /// build that had no keys.
    async fn unregistered(&self, search: Search<'_>) -> Result<Latest> {
        let others = self.others().await?;
        for (register, start) in &others {
            let same = |own: &Ends| own.place.is_some() && start.claim.meaning.writes.contains(own);
            let unclear = !(search.named && start.claim.named) && search.meaning.writes.iter().any(same);
            // Somebody else is running the job.
            if unclear && !register.is_locked()? && register.checkpoints_of(start).latest().await?.is_some() {
                return Err(Error::invalid(format!(
                    "there is no snapshot of job '{}', but one of job '{}', which writes to the same place and has not finished: \
                     it may be this job before it was changed. If it is, name the snapshot that it is to continue from ('{}', for \
                     example); if it is another, or to start over, do not restore",
                    search.key,
                    start.claim.key,
                    register.checkpoints_of(start).folder().url()
                )));
            }
        }
        let mut candidates = self.candidates(search).await?;
        if candidates.len() > 1 {
            let folders: Vec<_> = candidates.iter().map(|job| format!("'{}'", job.folder().url())).collect();
            return Err(Error::invalid(format!(
                "{} folders hold snapshots that may be of this job: {}. Name the one that it is to continue from",
                folders.len(),
                folders.join(", ")
            )));
        }
        let mut damaged = Vec::new();
        if let Some(job) = candidates.pop()
            && let Some(found) = collect(job.latest().await, &mut damaged)?
        {
            return Ok(Latest::Snapshot(found, None));
        }
        match damaged.pop() {
            Some((_, error)) => Err(error),
            None => Ok(Latest::Nothing { others: others.len() }),
        }
    }

    /// The folders of jobs that no register knows and that may be this one's: their manifests have its key,
    /// or have none and share operators with it. A folder from which another job continued is not counted.
    async fn candidates(&self, search: Search<'_>) -> Result<Vec<JobStorage>> {
        let registered = JobRegister::registered(&self.storage).await?;
        let (mut candidates, mut superseded) = (Vec::new(), Vec::new());
        for id in self.storage.jobs().await? {
            if registered.contains(&id) {
                continue;
            }
            let job = self.storage.job(id);
            match job.newest().await {
                Ok(Some(snapshot)) => {
                    let manifest = snapshot.manifest;
                    let shares = || manifest.operators.iter().any(|o| search.uids.contains(&o.uid));
                    let ours = match &manifest.key {
                        Some(key) => key == search.key,
                        None => manifest.is_without_key() && shares(),
                    };
                    superseded.extend(manifest.restored_from);
                    if ours {
                        candidates.push(job);
                    }
                }
                Ok(None) => {}
                // Its owner is unknown, so it may be this job's.
                Err(error) if error.kind() == ErrorKind::State => candidates.push(job),
                Err(error) => return Err(error),
            }
        }
        candidates.retain(|job| {
            let within = format!("{}/", job.folder().url());
            !superseded.iter().any(|from| from.starts_with(&within))
        });
        Ok(candidates)
    }
}

/// The snapshot, together with the damaged ones that were skipped; `None` if it is damaged itself, which is
/// noted.
fn collect(
    found: Result<Option<Found>>,
    damaged: &mut Vec<(CheckpointId, Error)>,
) -> Result<Option<Box<Found>>> {
    match found {
        Ok(None) => Ok(None),
        Ok(Some(mut found)) => {
            let known: Vec<String> = damaged.iter().map(|(_, error)| error.to_string()).collect();
            found.damaged.retain(|(_, error)| !known.contains(&error.to_string()));
            damaged.append(&mut found.damaged);
            found.damaged = std::mem::take(damaged);
            Ok(Some(Box::new(found)))
        }
        Err(error) if error.kind() == ErrorKind::State => {
            // A start may have begun with damaged files in the folder of an earlier one.
            if !damaged.iter().any(|(_, known)| known.to_string() == error.to_string()) {
                damaged.push((CheckpointId(0), error));
            }
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Describes how two jobs with the same key differ so much that they may not be the same job.
pub fn difference(earlier: &Meaning, now: &Meaning) -> Option<String> {
    let moved = |earlier: &[Ends], now: &[Ends], verb: &str| {
        let pairs = earlier.iter().flat_map(|then| now.iter().map(move |now| (then, now)));
        let mut moved = pairs.filter(|(then, now)| then.table == now.table && then.place != now.place);
        let place = |ends: &Ends| ends.place.clone().unwrap_or_else(|| "nowhere in particular".to_owned());
        moved.next().map(|(then, now)| {
            format!("{verb} table {} at '{}', this one at '{}'", then.table, place(then), place(now))
        })
    };
    let names = |ends: &[Ends]| ends.iter().map(|ends| ends.table.clone()).collect::<Vec<_>>().join(", ");
    let apart = !earlier.writes.is_empty()
        && !now.writes.is_empty()
        && !earlier.writes.iter().any(|then| now.writes.iter().any(|now| then.table == now.table));
    if apart {
        return Some(format!(
            "wrote to {}, this one writes to {}",
            names(&earlier.writes),
            names(&now.writes)
        ));
    }
    // The same table may be read from two places, so the sets of places are compared.
    let same =
        |a: &[Ends], b: &[Ends]| a.iter().all(|ends| b.contains(ends)) && b.iter().all(|e| a.contains(e));
    moved(&earlier.writes, &now.writes, "wrote to").filter(|_| !same(&earlier.writes, &now.writes)).or_else(
        || moved(&earlier.reads, &now.reads, "read from").filter(|_| !same(&earlier.reads, &now.reads)),
    )
}

impl CheckpointStorage {
    /// The register of the job with this key.
    pub fn register(&self, key: &JobKey) -> JobRegister {
        JobRegister::new(self, key)
    }
}
