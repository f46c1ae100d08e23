//! The right to write a job's checkpoints, held by one process at a time.
//!
//! - **Whoever creates the claim of the next epoch holds the lease.** Creation is conditional, so if several
//!   try, one succeeds, on a local disk and on an object store alike.
//! - **A deposed owner can do no harm.** Before it tells anybody that a checkpoint is complete, deletes a
//!   file, notes the end or restarts from a checkpoint, an owner checks whether a higher epoch exists. It
//!   checks *after* a manifest is durable; the successor takes its epoch *before* it lists the manifests. So
//!   either the successor sees the manifest and continues from it, or the owner sees the successor and
//!   commits nothing.
//! - **Whether an owner is alive** shows in a file system lock, which vanishes with the process, however that
//!   ends and whichever process gets its pid next. On an object store, which has no locks, a process of the
//!   same machine is looked for by its pid and its start. Machines that may not see each other's locks and
//!   processes go by the owner's last heartbeat. A wrong clock can depose an owner that is alive, which then fails; it can do no
//!   more harm than that.

use std::fs::{File, TryLockError};
use std::time::Duration;

use flott_types::{Error, JobId, Result, Timestamp};

use super::JobRegister;
use super::latest::Search;
use super::records::{Alive, Began, Claim, End, Epoch, Owner, VERSION, bytes_of};
use super::register::{CLAIM, LOCK, Start};

/// An owner on another machine is presumed dead after this many milliseconds without a heartbeat.
pub const LEASE_MILLIS: i64 = 20_000;
/// How often an owner sends a heartbeat, in milliseconds.
pub const RENEWAL_MILLIS: i64 = 5_000;
/// A process that only asks whether a job runs holds its lock for an instant, in which nobody else gets it.
/// So taking the lock is tried this often before it counts as taken.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// A lease that is held.
#[derive(Debug)]
pub struct Lease {
    register: JobRegister,
    claim: Claim,
    /// Locked for as long as it is open.
    _lock: Option<File>,
}

/// Proof that nobody runs the job: for the moment before a claim, and for callers that have nothing to claim.
#[derive(Debug)]
pub struct Vacancy {
    register: JobRegister,
    newest: Option<Start>,
    lock: Option<File>,
}

impl JobRegister {
    /// Makes sure that nobody runs the job.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::Invalid`] if somebody does, with who and since when;
    /// [`flott_types::ErrorKind::External`] if somebody is about to.
    pub async fn vacancy(&self, now: Timestamp) -> Result<Vacancy> {
        self.vacancy_after(now, &[]).await
    }

    /// The same for whoever knows that the owner of these starts may not go on: a JobManager that leads its cluster
    /// no longer. If the last start is one of them, it is taken over, whether its owner is dead, frozen, or about
    /// to find out.
    ///
    /// # Errors
    /// As [`JobRegister::vacancy`].
    pub async fn vacancy_after(&self, now: Timestamp, deposed: &[JobId]) -> Result<Vacancy> {
        let mut lock = self.lock()?;
        for _ in 0..LOOKS {
            if !matches!(lock, Lock::Taken) {
                break;
            }
            std::thread::park_timeout(BETWEEN_LOOKS);
            lock = self.lock()?;
        }
        let newest = self.newest().await?;
        match (&lock, &newest) {
            (_, Some(start)) if deposed.contains(&start.claim.job) => {}
            (Lock::Taken, Some(start)) => return Err(self.held(start, "")),
            (Lock::Taken, None) => return Err(self.starting()),
            (_, Some(start)) if start.end.is_none() => {
                let owner = &start.claim.owner;
                let dead = match lock {
                    Lock::Free(_) if !start.claim.unlocked => owner.same_machine(&Owner::this_process()),
                    Lock::Free(_) | Lock::Unknown => owner.has_ended(),
                    Lock::Taken => false,
                };
                let last_heartbeat = self.alive(start.epoch).await?.map_or(start.claim.at, |alive| alive.at);
                let left = last_heartbeat.saturating_add(LEASE_MILLIS).saturating_sub(now);
                if !dead && left > 0 {
                    let more = format!(
                        "; its last heartbeat was {} s ago: if it is dead, its lease expires in {} s",
                        now.saturating_sub(last_heartbeat) / 1_000,
                        left / 1_000 + 1
                    );
                    return Err(self.held(start, &more));
                }
            }
            _ => {}
        }
        let lock = match lock {
            Lock::Free(file) => Some(file),
            Lock::Taken | Lock::Unknown => None,
        };
        Ok(Vacancy { register: self.clone(), newest, lock })
    }

    fn lock(&self) -> Result<Lock> {
        let Some(path) = self.folder.local_file(LOCK)? else { return Ok(Lock::Unknown) };
        let failed = |e| Error::external(format!("'{}' cannot be opened", path.display())).with_source(e);
        let file = File::options().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock::Free(file)),
            Err(TryLockError::WouldBlock) => Ok(Lock::Taken),
            // A file system without locks: heartbeats must decide.
            Err(TryLockError::Error(_)) => Ok(Lock::Unknown),
        }
    }

    /// Whether a process of this machine runs the job.
    pub(super) fn is_locked(&self) -> Result<bool> {
        Ok(matches!(self.lock()?, Lock::Taken))
    }

    fn held(&self, start: &Start, more: &str) -> Error {
        let Claim { key, owner, job, at, .. } = &start.claim;
        Error::invalid(format!(
            "job '{key}' is already running: {owner} has been running it since {} as job {job}{more}. End that one first; or, if this is another job, \
             give it a name of its own with 'pipeline.name' or 'pipeline.job-key'",
            time(*at)
        ))
    }

    fn starting(&self) -> Error {
        Error::external(format!("another process is starting the job of '{}' at this moment", self.url()))
    }
}

enum Lock {
    Free(File),
    Taken,
    Unknown,
}

impl Vacancy {
    /// The last start.
    pub fn newest(&self) -> Option<&Start> {
        self.newest.as_ref()
    }

    /// Deletes what a finished job left behind because its process was killed before it could delete it.
    ///
    /// # Errors
    /// If something cannot be deleted; the call may be repeated.
    pub async fn sweep(&self) -> Result<()> {
        let Some(newest) = self.newest.as_ref().filter(|newest| newest.finished()) else { return Ok(()) };
        self.register.checkpoints_of(newest).discard_all().await?;
        self.register.sweep(newest.epoch, None).await
    }

    /// Takes the lease.
    ///
    /// # Errors
    /// If somebody else was faster.
    pub async fn claim(self, search: Search<'_>, job: JobId, now: Timestamp) -> Result<Lease> {
        let epoch = Epoch(self.newest.as_ref().map_or(0, |start| start.epoch.0) + 1);
        let claim = Claim {
            version: VERSION,
            key: search.key.clone(),
            named: search.named,
            epoch,
            job,
            meaning: search.meaning.clone(),
            owner: Owner::this_process(),
            at: now,
            unlocked: self.lock.is_none(),
        };
        let folder = self.register.epoch(epoch);
        if !folder.put_new(CLAIM, bytes_of(&claim)?).await? {
            return Err(match self.register.start(epoch).await? {
                Some(other) => self.register.held(&other, ""),
                None => self.register.starting(),
            });
        }
        Ok(Lease { register: self.register, claim, _lock: self.lock })
    }
}

impl Lease {
    /// The starts of the job.
    pub fn register(&self) -> &JobRegister {
        &self.register
    }

    /// What was claimed.
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// Whether the lease is still held.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if somebody else has taken over, with who.
    pub async fn check(&self) -> Result<()> {
        let own = self.claim.epoch;
        for newest in self.register.epochs().await?.into_iter().rev().take_while(|epoch| *epoch > own) {
            let by = match self.register.start(newest).await {
                Ok(Some(start)) => {
                    let Claim { owner, at, job, .. } = start.claim;
                    format!("{owner} has taken it over at {} as job {job}", time(at))
                }
                // A process that died while it was making its claim has taken over nothing.
                Ok(None) => continue,
                Err(_) => "another process has taken it over".to_owned(),
            };
            return Err(Error::state(format!(
                "this process no longer runs job '{}': {by} (epoch {newest}, this is {own}); it writes, commits and deletes nothing more",
                self.claim.key
            )));
        }
        Ok(())
    }

    /// Sends a heartbeat.
    ///
    /// # Errors
    /// As [`Lease::check`], or if that cannot be written.
    pub async fn renew(&self, now: Timestamp) -> Result<()> {
        self.check().await?;
        self.register.note_alive(self.claim.epoch, &Alive { version: VERSION, at: now }).await
    }

    /// Records what the start continues from, before it does so.
    ///
    /// # Errors
    /// If that cannot be written.
    pub async fn begin(&self, began: &Began) -> Result<()> {
        self.register.note_began(self.claim.epoch, began).await
    }

    /// Records durably how the start ended. Only after this may anything of it be deleted.
    ///
    /// # Errors
    /// As [`Lease::check`], or if that cannot be written.
    pub async fn end(&self, end: &End) -> Result<()> {
        self.check().await?;
        self.register.note_end(self.claim.epoch, end).await
    }

    /// Deletes what earlier starts left behind; see [`JobRegister`]. With `lineage`, a checkpoint of this
    /// start has completed and supersedes all that it descends from.
    ///
    /// # Errors
    /// As [`Lease::check`], or if something cannot be deleted; the call may be repeated.
    pub async fn sweep(&self, lineage: Option<Epoch>) -> Result<()> {
        self.check().await?;
        self.register.sweep(self.claim.epoch, lineage).await
    }
}

/// Formats a time for people.
fn time(at: Timestamp) -> String {
    match chrono::DateTime::from_timestamp_millis(at) {
        Some(at) => format!("{} UTC", at.naive_utc().format("%Y-%m-%d %H:%M:%S")),
        None => format!("{at} ms"),
    }
}
