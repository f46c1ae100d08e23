//! Finding snapshots: `state.checkpoints.dir`, `execution.state-recovery.path`.

use flott_checkpoint::manifest::ManifestKind;
use flott_storage::Folder;
use flott_types::{Error, JobId, Result};

use super::{Found, JobStorage, METADATA, STOPPED, Snapshot};

/// How many names are tried for a savepoint.
const SAVEPOINT_NAMES: u64 = 1_000;

/// The folder under which jobs keep their checkpoints (`state.checkpoints.dir`), each in a folder of its own.
#[derive(Clone, Debug)]
pub struct CheckpointStorage {
    folder: Folder,
}

impl CheckpointStorage {
    /// The checkpoints under this URL or local path. A local folder is created if it does not exist.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::Unsupported`] if the scheme is not supported yet.
    pub fn open(url: &str) -> Result<Self> {
        Ok(CheckpointStorage { folder: Folder::create(url)? })
    }

    /// Checkpoints in the memory of the process: for jobs that should survive the failure of a task, not of
    /// the process. Savepoints still go to folders.
    pub fn in_memory() -> Self {
        CheckpointStorage { folder: Folder::in_memory("checkpoints") }
    }

    /// The URL.
    pub fn url(&self) -> String {
        self.folder.url()
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The checkpoints of a job.
    pub fn job(&self, job: JobId) -> JobStorage {
        JobStorage::of_job(&self.folder, job)
    }

    /// Checks whether checkpoints of this job can be written.
    ///
    /// # Errors
    /// The reason why not.
    pub async fn check_writable(&self, job: JobId) -> Result<()> {
        self.folder.check_writable(&format!(".{job}.writable")).await
    }

    /// The jobs that have a folder here.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub async fn jobs(&self) -> Result<Vec<JobId>> {
        let folders = self.folder.list().await?.folders;
        Ok(folders.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// A new folder for a savepoint of a job, under `target` or by default here. Its name is derived from
    /// `random`; two savepoints never share a folder, even if they get the same number.
    ///
    /// # Errors
    /// If the folder cannot be created.
    pub async fn savepoint(&self, target: Option<&str>, job: JobId, random: u64) -> Result<Folder> {
        let parent = match target {
            Some(target) => Folder::create(target)?,
            None => self.folder.clone(),
        };
        let short = &job.to_string()[..6];
        for number in 0..SAVEPOINT_NAMES {
            let random = random.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let name = format!("savepoint-{short}-{:012x}", random & 0xffff_ffff_ffff);
            if parent.create_child(&name).await? {
                return Ok(parent.child(&name));
            }
        }
        Err(Error::external(format!("'{}' has {SAVEPOINT_NAMES} savepoints of the same names", parent.url())))
    }

    /// The newest usable snapshot of the only job that has any; `None` if none has.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::Invalid`] if several have; else as [`JobStorage::latest`].
    async fn of_only_job(&self) -> Result<Option<Found>> {
        let mut found: Option<Found> = None;
        for job in self.jobs().await? {
            let Some(other) = self.job(job).latest().await? else { continue };
            if let Some(first) = &found {
                return Err(Error::invalid(format!(
                    "'{}' holds snapshots of several jobs, for example '{}' and '{}': name one of them",
                    self.url(),
                    first.snapshot.url,
                    other.snapshot.url
                )));
            }
            found = Some(other);
        }
        Ok(found)
    }

    /// The snapshot that a path means: a checkpoint's or savepoint's folder; the `_metadata` in it; the
    /// folder of a job, which means its newest usable snapshot; or that of several jobs, if only one of them
    /// has snapshots. What `latest` means depends on the job:
    /// [`JobRegister::latest`](super::JobRegister::latest).
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if there is none, or the named one is damaged.
    pub async fn resolve(&self, path: &str) -> Result<Found> {
        let none = || Error::state(format!("there is no snapshot in '{path}'"));
        let trimmed = path.trim_end_matches('/');
        let trimmed = trimmed.strip_suffix(METADATA).unwrap_or(trimmed);
        let folder = Folder::open(trimmed)?.ok_or_else(none)?;
        let listing = folder.list().await?;
        if listing.files.iter().any(|file| file == METADATA) {
            let snapshot = Snapshot::read(&folder, &folder.parent()?).await?.ok_or_else(none)?;
            return Ok(Found { snapshot, stopped: None, damaged: Vec::new() });
        }
        let of_job = listing.folders.iter().any(|name| name.starts_with("chk-"))
            || listing.files.iter().any(|name| name == STOPPED);
        let found = if of_job {
            JobStorage::at(folder).latest().await?
        } else {
            CheckpointStorage { folder }.of_only_job().await?
        };
        found.ok_or_else(none)
    }

    /// Deletes a savepoint: its manifest, then its files.
    ///
    /// # Errors
    /// If there is none at this path, or it is a checkpoint, or something cannot be deleted.
    pub async fn dispose_savepoint(&self, path: &str) -> Result<()> {
        let Found { snapshot, .. } = self.resolve(path).await?;
        if snapshot.manifest.kind != ManifestKind::Savepoint {
            return Err(Error::invalid(format!(
                "'{path}' is a checkpoint, which belongs to its job, not a savepoint"
            )));
        }
        snapshot.files.delete(METADATA).await?;
        for file in snapshot.manifest.files().filter_map(|file| file.path()) {
            snapshot.files.delete(file).await?;
        }
        Ok(())
    }
}
