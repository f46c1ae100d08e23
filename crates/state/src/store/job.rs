//! The checkpoints of one job.

use bytes::Bytes;
use flott_checkpoint::manifest::{Manifest, ManifestKind};
use flott_storage::Folder;
use flott_types::{CheckpointId, Error, ErrorKind, FastSet, JobId, Result};
use serde::{Deserialize, Serialize};

use super::{Found, METADATA, NEWEST, SHARED, STOPPED, Snapshot};

/// The folder of one job: `chk-<n>/_metadata` for each completed checkpoint, the files that they share, and a
/// note of the newest checkpoint, which reveals if that checkpoint goes missing.
#[derive(Clone, Debug)]
pub struct JobStorage {
    folder: Folder,
}

/// The savepoint with which a job stopped or was about to stop: it holds the job's newest state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stopped {
    /// The checkpoint that the savepoint is.
    pub checkpoint: CheckpointId,
    /// Its folder.
    pub savepoint: String,
    /// Whether the job had drained.
    pub drained: bool,
}

/// The newest checkpoint that is known to be complete.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Newest {
    checkpoint: CheckpointId,
}

impl JobStorage {
    /// The checkpoints of a job under a checkpoint folder.
    pub(super) fn of_job(checkpoints: &Folder, job: JobId) -> Self {
        JobStorage { folder: checkpoints.child(&job.to_string()) }
    }

    /// The checkpoints in a job's folder.
    pub(super) fn at(folder: Folder) -> Self {
        JobStorage { folder }
    }

    /// The folder; paths in the manifests of its checkpoints are relative to it.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Makes a checkpoint complete: once this returns, the checkpoint will be found again, whatever happens.
    /// Returns its URL. A manifest is never overwritten. If an identical one is there already, that counts as
    /// success: an earlier write may have had an unknown outcome.
    ///
    /// # Errors
    /// If the manifest is not valid or cannot be written, or a different one is there: then somebody else
    /// writes this job's checkpoints.
    pub async fn complete(&self, manifest: &Manifest) -> Result<String> {
        if manifest.kind != ManifestKind::Checkpoint {
            return Err(Error::internal("a savepoint has a folder of its own"));
        }
        let folder = self.checkpoint(manifest.checkpoint);
        create_manifest(&folder, manifest).await?;
        // The checkpoint is complete even if this note cannot be written.
        if let Err(error) = self.note_newest(manifest.checkpoint).await {
            tracing::warn!("'{}' cannot be written: {error}", self.folder.url_of(NEWEST));
        }
        Ok(folder.url())
    }

    /// The ids of the checkpoints, ascending, including those that turn out to be damaged.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub async fn checkpoints(&self) -> Result<Vec<CheckpointId>> {
        let mut ids = Vec::new();
        for name in self.folder.list().await?.folders {
            if let Some(id) = name.strip_prefix("chk-").and_then(|id| id.parse().ok()).map(CheckpointId)
                && self.checkpoint(id).list().await?.files.iter().any(|file| file == METADATA)
            {
                ids.push(id);
            }
        }
        ids.sort();
        Ok(ids)
    }

    /// Reads a checkpoint's manifest.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if it is missing or damaged.
    pub async fn read(&self, checkpoint: CheckpointId) -> Result<Snapshot> {
        let folder = self.checkpoint(checkpoint);
        let snapshot = Snapshot::read(&folder, &self.folder).await?;
        let snapshot =
            snapshot.ok_or_else(|| Error::state(format!("there is no checkpoint '{}'", folder.url())))?;
        if snapshot.manifest.checkpoint != checkpoint {
            return Err(Error::state(format!(
                "'{}' holds checkpoint {}",
                folder.url_of(METADATA),
                snapshot.manifest.checkpoint
            )));
        }
        Ok(snapshot)
    }

    /// The newest snapshot of the job whose files are all there and undamaged, skipping those that are not;
    /// `None` if the job has no snapshot. Reads every file of the snapshot.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if there are snapshots and all are damaged,
    /// [`flott_types::ErrorKind::External`] if one cannot be read for other reasons.
    pub async fn latest(&self) -> Result<Option<Found>> {
        self.latest_until(None).await
    }

    /// Like [`JobStorage::latest`], limited to snapshots up to this one.
    pub(super) async fn latest_until(&self, limit: Option<CheckpointId>) -> Result<Option<Found>> {
        let mut damaged = Vec::new();
        let mut checkpoints = self.checkpoints().await?;
        checkpoints.retain(|checkpoint| limit.is_none_or(|limit| *checkpoint <= limit));
        if let Some(stopped) = self.stopped().await?
            && checkpoints.last().is_none_or(|newest| *newest < stopped.checkpoint)
        {
            // Sinks committed with the savepoint, so nothing older can take its place.
            let snapshot = match Folder::open(&stopped.savepoint)? {
                Some(folder) => Snapshot::read(&folder, &folder).await?,
                None => None,
            };
            let missing = || {
                Error::state(format!(
                    "the job stopped with savepoint '{}', which is missing",
                    stopped.savepoint
                ))
            };
            let snapshot = snapshot.ok_or_else(missing)?;
            snapshot.verify().await?;
            return Ok(Some(Found { snapshot, stopped: Some(stopped), damaged }));
        }
        // A missing checkpoint counts as damaged.
        match self.newest_noted().await {
            Ok(Some(noted))
                if limit.is_none_or(|limit| noted <= limit)
                    && checkpoints.last().is_none_or(|newest| *newest < noted) =>
            {
                let manifest = self.checkpoint(noted).url_of(METADATA);
                damaged.push((noted, Error::state(format!("'{manifest}' is missing: it was complete"))));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::State => damaged.push((CheckpointId(0), error)),
            Err(error) => return Err(error),
        }
        while let Some(checkpoint) = checkpoints.pop() {
            let verified = match self.read(checkpoint).await {
                Ok(snapshot) => snapshot.verify().await.map(|()| snapshot),
                Err(error) => Err(error),
            };
            match verified {
                Ok(snapshot) => {
                    return Ok(Some(Found { snapshot, stopped: None, damaged }));
                }
                Err(error) if error.kind() == ErrorKind::State => damaged.push((checkpoint, error)),
                Err(error) => return Err(error),
            }
        }
        match damaged.first() {
            None => Ok(None),
            Some((_, newest)) => Err(Error::state(format!(
                "all {} checkpoints in '{}' are damaged; the newest: {newest}",
                damaged.len(),
                self.folder.url()
            ))),
        }
    }

    /// The newest snapshot of the job, without reading its files if that can be avoided: to find out whose it
    /// is.
    ///
    /// # Errors
    /// As [`JobStorage::latest`].
    pub(super) async fn newest(&self) -> Result<Option<Snapshot>> {
        if self.stopped().await?.is_none()
            && let Some(checkpoint) = self.checkpoints().await?.last()
            && let Ok(snapshot) = self.read(*checkpoint).await
        {
            return Ok(Some(snapshot));
        }
        Ok(self.latest().await?.map(|found| found.snapshot))
    }

    /// Takes back a checkpoint whose writing was reported as failed: its manifest may be there all the same. Its
    /// files stay, because a checkpoint in progress may build on them. The call may be repeated.
    ///
    /// # Errors
    /// If it cannot be known to be gone.
    pub async fn withdraw(&self, checkpoint: CheckpointId) -> Result<()> {
        match self.newest_noted().await {
            // The note goes first: a manifest without a note is a checkpoint, a note without a manifest a loss.
            Ok(Some(noted)) if noted == checkpoint => self.folder.delete(NEWEST).await?,
            Err(error) if error.kind() != ErrorKind::State => return Err(error),
            Ok(_) | Err(_) => {}
        }
        self.checkpoint(checkpoint).delete(METADATA).await
    }

    /// Notes durably that the job's newest state is a savepoint, before sinks commit with it.
    ///
    /// # Errors
    /// If the note cannot be written.
    pub async fn note_stop(&self, stopped: &Stopped) -> Result<()> {
        let json =
            serde_json::to_vec(stopped).map_err(|e| Error::internal("a note of a stop").with_source(e))?;
        self.folder.put(STOPPED, Bytes::from(json)).await
    }

    /// What was last noted with [`JobStorage::note_stop`].
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if the note is damaged.
    pub async fn stopped(&self) -> Result<Option<Stopped>> {
        let Some(json) = self.folder.get(STOPPED).await? else {
            return Ok(None);
        };
        let damaged =
            |e| Error::state(format!("'{}' is damaged", self.folder.url_of(STOPPED))).with_source(e);
        serde_json::from_slice(&json).map(Some).map_err(damaged)
    }

    /// Notes that a checkpoint is complete, so that its loss is noticed.
    async fn note_newest(&self, checkpoint: CheckpointId) -> Result<()> {
        let json = serde_json::to_vec(&Newest { checkpoint });
        let json = json.map_err(|e| Error::internal("a note of a checkpoint").with_source(e))?;
        self.folder.put(NEWEST, Bytes::from(json)).await
    }

    /// The checkpoint that was last noted as complete. It may not be the newest: the process may have died in
    /// between.
    async fn newest_noted(&self) -> Result<Option<CheckpointId>> {
        let Some(json) = self.folder.get(NEWEST).await? else { return Ok(None) };
        let damaged = |e| Error::state(format!("'{}' is damaged", self.folder.url_of(NEWEST))).with_source(e);
        let noted: Newest = serde_json::from_slice(&json).map_err(damaged)?;
        Ok(Some(noted.checkpoint))
    }

    /// Deletes a checkpoint, and the files that it names and no checkpoint of `retained` does. Files that no
    /// completed checkpoint has named yet are left alone: a checkpoint in progress may need them.
    ///
    /// # Errors
    /// If something cannot be deleted; the call may be repeated.
    pub async fn discard(&self, checkpoint: CheckpointId, retained: &[CheckpointId]) -> Result<()> {
        let discarded = self.read(checkpoint).await;
        let kept = self.named_by(retained).await;
        // If the newest checkpoint itself is no longer wanted, its absence is no loss.
        if retained.iter().all(|other| *other < checkpoint) {
            self.folder.delete(NEWEST).await?;
        }
        // The manifest goes first, so that an existing manifest names only existing files.
        self.checkpoint(checkpoint).delete(METADATA).await?;
        // Files stay unless they are known to be unused.
        let (Ok(discarded), Ok(kept)) = (discarded, kept) else {
            return Ok(());
        };
        let mut deleted = FastSet::default();
        for path in discarded.manifest.files().filter_map(|file| file.path()) {
            let own = path.strip_prefix(SHARED).is_some_and(|rest| rest.starts_with('/'));
            if own && !kept.contains(path) && deleted.insert(path.to_owned()) {
                self.folder.delete(path).await?;
            }
        }
        Ok(())
    }

    /// Deletes files that no checkpoint names: leftovers of snapshots that did not complete. Call it only
    /// while no task of the job runs. Returns how many.
    ///
    /// # Errors
    /// If a manifest is damaged (nothing is deleted then), or a file cannot be deleted.
    pub async fn sweep(&self) -> Result<usize> {
        self.sweep_except(&FastSet::default()).await
    }

    /// Like [`JobStorage::sweep`], but keeps the files with these URLs: checkpoints of another start name
    /// them.
    pub(super) async fn sweep_except(&self, urls: &FastSet<String>) -> Result<usize> {
        let checkpoints = self.checkpoints().await?;
        let kept = self.named_by(&checkpoints).await?;
        let mut deleted = 0;
        for folder in self.checkpoint_folders().await? {
            // A manifest that was only half written.
            let listing = folder.list().await?;
            if listing.files.iter().all(|file| file != METADATA) {
                for file in listing.files {
                    folder.delete(&file).await?;
                    deleted += 1;
                }
            }
        }
        for file in self.folder.child(SHARED).list().await?.files {
            let path = format!("{SHARED}/{file}");
            if !kept.contains(&path) && !urls.contains(&self.folder.url_of(&path)) {
                self.folder.delete(&path).await?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }

    /// Deletes everything: the job has ended and its checkpoints are not retained.
    ///
    /// # Errors
    /// If something cannot be deleted; the call may be repeated.
    pub async fn discard_all(&self) -> Result<()> {
        self.discard_except(&FastSet::default()).await
    }

    /// Deletes everything but the files with these URLs: checkpoints of another start name them.
    ///
    /// # Errors
    /// If something cannot be deleted; the call may be repeated.
    pub(super) async fn discard_except(&self, kept: &FastSet<String>) -> Result<()> {
        self.folder.delete(NEWEST).await?;
        // Oldest first, so that an interrupted deletion leaves the newest.
        for folder in self.checkpoint_folders().await? {
            for file in folder.list().await?.files {
                folder.delete(&file).await?;
            }
        }
        let shared = self.folder.child(SHARED);
        for file in shared.list().await?.files {
            if !kept.contains(&shared.url_of(&file)) {
                shared.delete(&file).await?;
            }
        }
        self.folder.delete(STOPPED).await?;
        self.folder.remove_empty();
        Ok(())
    }

    /// The URLs of all files that the job's checkpoints name, those in folders of other jobs included.
    pub(super) async fn urls(&self) -> Result<FastSet<String>> {
        let paths = self.named_by(&self.checkpoints().await?).await?;
        let url = |path: &String| if path.contains("://") { path.clone() } else { self.folder.url_of(path) };
        Ok(paths.iter().map(url).collect())
    }

    fn checkpoint(&self, checkpoint: CheckpointId) -> Folder {
        self.folder.child(&format!("chk-{checkpoint}"))
    }

    /// The folders of the checkpoints, including incomplete ones, oldest first.
    async fn checkpoint_folders(&self) -> Result<Vec<Folder>> {
        let folders = self.folder.list().await?.folders;
        let mut numbered: Vec<(u64, &String)> = folders
            .iter()
            .filter_map(|name| Some((name.strip_prefix("chk-")?.parse().unwrap_or(0), name)))
            .collect();
        numbered.sort_unstable();
        Ok(numbered.into_iter().map(|(_, name)| self.folder.child(name)).collect())
    }

    async fn named_by(&self, checkpoints: &[CheckpointId]) -> Result<FastSet<String>> {
        let mut named = FastSet::default();
        for checkpoint in checkpoints {
            let snapshot = self.read(*checkpoint).await?;
            named.extend(snapshot.manifest.files().filter_map(|file| file.path()).map(str::to_owned));
        }
        Ok(named)
    }
}

/// Writes the manifest of a snapshot into its folder, unless it is there already.
pub(super) async fn create_manifest(folder: &Folder, manifest: &Manifest) -> Result<()> {
    let json = Bytes::from(manifest.to_json()?);
    if folder.put_new(METADATA, json.clone()).await? || folder.get(METADATA).await?.as_ref() == Some(&json) {
        return Ok(());
    }
    Err(Error::state(format!(
        "'{}' is there already and says something else: another process writes snapshots of this job",
        folder.url_of(METADATA)
    )))
}
