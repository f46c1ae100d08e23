//! A snapshot that was found.

use flott_checkpoint::manifest::{FileLocation, Manifest, ManifestKind, StateFile, SubtaskSnapshot};
use flott_storage::Folder;
use flott_types::{CheckpointId, Error, FastSet, OperatorUid, Result, SubtaskIndex};

use super::job::create_manifest;
use super::{METADATA, Stopped, reader};
use crate::RestoredState;

/// A checkpoint or savepoint: its manifest, and where its files are.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The manifest as it was written.
    pub manifest: Manifest,
    /// The folder to which the paths in the manifest are relative.
    pub files: Folder,
    /// The URL of the snapshot's own folder.
    pub url: String,
}

/// A snapshot that was searched for.
#[derive(Debug)]
pub struct Found {
    /// The newest usable one.
    pub snapshot: Snapshot,
    /// What was noted when the job stopped, if this is the savepoint with which it did.
    pub stopped: Option<Stopped>,
    /// Newer ones that were skipped, and what is wrong with them. Warn of them.
    pub damaged: Vec<(CheckpointId, Error)>,
}

impl Snapshot {
    /// Reads the manifest in `folder`; `None` if there is none. A checkpoint's paths are relative to `job`.
    pub(super) async fn read(folder: &Folder, job: &Folder) -> Result<Option<Self>> {
        let Some(json) = folder.get(METADATA).await? else {
            return Ok(None);
        };
        let manifest = Manifest::from_json(&json)
            .map_err(|e| e.context(format_args!("'{}'", folder.url_of(METADATA))))?;
        let files = match manifest.kind {
            ManifestKind::Checkpoint => job.clone(),
            ManifestKind::Savepoint => folder.clone(),
        };
        Ok(Some(Snapshot { manifest, files, url: folder.url() }))
    }

    /// Writes a savepoint's manifest into its folder: once this returns, the savepoint will be found again.
    /// Returns the URL.
    ///
    /// # Errors
    /// If the manifest is not valid or cannot be written.
    pub async fn complete_savepoint(folder: &Folder, manifest: &Manifest) -> Result<String> {
        if manifest.kind != ManifestKind::Savepoint {
            return Err(Error::internal("a checkpoint belongs in the job's folder"));
        }
        create_manifest(folder, manifest).await?;
        Ok(folder.url())
    }

    /// Reads every file and verifies its checksum.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`], naming snapshot and file, if one is missing or damaged.
    pub async fn verify(&self) -> Result<()> {
        let mut seen = FastSet::default();
        for file in self.manifest.files() {
            // After a rescale, several subtasks name the same file.
            if file.path().is_some_and(|path| !seen.insert(path)) {
                continue;
            }
            reader::read(&self.files, file).await.map_err(|e| self.at(e))?;
        }
        Ok(())
    }

    /// Copies a file of this snapshot into the folder of a savepoint, under this name, and says how a manifest there
    /// names it. What is stored in the manifest itself stays as it is.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`], naming snapshot and file, if it is missing or damaged; or if it cannot be
    /// written.
    pub async fn copy_file(&self, file: &StateFile, to: &Folder, name: &str) -> Result<StateFile> {
        if file.path().is_none() {
            return Ok(file.clone());
        }
        let bytes = reader::read(&self.files, file).await.map_err(|e| self.at(e))?;
        if !to.put_new(name, bytes).await? {
            return Err(Error::external(format!("'{}' exists already", to.url_of(name))));
        }
        Ok(file.named(name))
    }

    /// The manifest with paths relative to another folder: that of the job that continues from here.
    pub fn manifest_for(&self, job: &Folder) -> Manifest {
        let mut manifest = self.manifest.clone();
        if self.files.url() != job.url() {
            let subtasks = manifest.operators.iter_mut().flat_map(|o| &mut o.subtasks);
            for file in subtasks.flat_map(SubtaskSnapshot::files_mut) {
                if let FileLocation::File { path, .. } = &mut file.location
                    && !path.contains("://")
                {
                    *path = self.files.url_of(path);
                }
            }
        }
        manifest
    }

    /// Reads what one subtask of an operator starts from; nothing if the snapshot does not contain the
    /// operator.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`], naming snapshot and file, if one is missing or damaged, or the
    /// number of key groups has changed.
    pub async fn restore(
        &self,
        uid: &OperatorUid,
        subtask: SubtaskIndex,
        parallelism: u32,
        max_parallelism: u32,
    ) -> Result<RestoredState> {
        let state =
            self.manifest.restore(uid, subtask, parallelism, max_parallelism).map_err(|e| self.at(e))?;
        match state {
            Some(state) => reader::read_state(&self.files, &state).await.map_err(|e| self.at(e)),
            None => Ok(RestoredState::default()),
        }
    }

    fn at(&self, error: Error) -> Error {
        let kind = match self.manifest.kind {
            ManifestKind::Checkpoint => "checkpoint",
            ManifestKind::Savepoint => "savepoint",
        };
        error.context(format_args!("{kind} {} ('{}')", self.manifest.checkpoint, self.url))
    }
}
