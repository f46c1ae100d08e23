//! Files that are complete and wait to be merged with others of their directory.
//!
//! Many checkpoints make many small files. With [`Compaction`] a writer hands its files over only when
//! there are enough of them, as one file. Until then they keep their hidden names, and the writer's state
//! names them, so whoever continues from a checkpoint merges them as well. What has been merged is removed when
//! the merged file is visible: until then an earlier checkpoint may still need it.

use std::collections::BTreeMap;
use std::io::Read;

use flott_connector::Committable;
use flott_storage::Location;
use flott_storage::files::{self, NewFile, PreparedUpload};
use flott_types::Result;
use serde::{Deserialize, Serialize};

use crate::committable::FinishedFile;
use crate::unpublished::Unpublished;

/// This much is copied at once.
const CHUNK: usize = 256 << 10;

/// When the files of a directory are merged into one. Each writer merges its own.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Compaction {
    /// They come from so many checkpoints.
    pub checkpoints: Option<u32>,
    /// They have together at least so many bytes.
    pub size: Option<u64>,
}

/// A file that waits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct WaitingFile {
    pub(crate) hidden: Location,
    pub(crate) visible: Location,
    /// In an object store, which knows no hidden file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) upload: Option<PreparedUpload>,
    pub(crate) bytes: u64,
    /// How many checkpoints it has waited for.
    #[serde(default)]
    pub(crate) checkpoints: u32,
}

impl WaitingFile {
    pub(crate) fn unpublished(&self) -> Unpublished {
        Unpublished::of(&self.hidden, &self.visible, self.upload.as_ref().map(PreparedUpload::id))
    }
}

/// The files of a writer that wait, by their directory.
#[derive(Default)]
pub(crate) struct Waiting(BTreeMap<Option<Location>, Vec<WaitingFile>>);

impl Waiting {
    /// Those of a checkpoint. A file that is gone was merged by the job that ran before, after that
    /// checkpoint, and its records are visible; unless somebody removed it, which cannot be told apart.
    pub(crate) fn restored(files: impl Iterator<Item = WaitingFile>) -> Self {
        let mut waiting = Waiting::default();
        for file in files {
            match file.unpublished().is_gone() {
                true => tracing::warn!(
                    "the file {} of a checkpoint is not there any more: it was merged with others after the checkpoint, or it \
                     was removed before it was merged and its rows are missing in the output",
                    file.hidden
                ),
                false => waiting.add(file),
            }
        }
        waiting
    }

    pub(crate) fn add(&mut self, file: WaitingFile) {
        self.0.entry(file.visible.parent()).or_default().push(file);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &WaitingFile> {
        self.0.values().flatten()
    }

    /// Another checkpoint is taken: the groups of files that are to be merged with it.
    pub(crate) fn due(&mut self, compaction: Option<&Compaction>, end: bool) -> Vec<Vec<WaitingFile>> {
        self.0.values_mut().flatten().for_each(|file| file.checkpoints += 1);
        let is_due = |_: &Option<Location>, files: &mut Vec<WaitingFile>| {
            let Some(Compaction { checkpoints, size }) = compaction else { return true };
            let oldest = files.iter().map(|file| file.checkpoints).max().unwrap_or(0);
            let bytes = files.iter().map(|file| file.bytes).sum::<u64>();
            end || checkpoints.is_some_and(|most| oldest >= most) || size.is_some_and(|least| bytes >= least)
        };
        let due = self.0.extract_if(.., is_due);
        due.map(|(_, files)| files).collect()
    }
}

/// The bytes of a file from an offset on, in chunks.
///
/// # Errors
/// If it cannot be read, or what `out` says.
pub(crate) fn append(
    file: &Location,
    offset: u64,
    chunk: &mut Vec<u8>,
    out: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    chunk.resize(CHUNK, 0);
    let mut input = files::open(file, offset)?;
    loop {
        match input.read(chunk) {
            Ok(0) => return Ok(()),
            Ok(read) => out(&chunk[..read])?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(files::failed("read", file, error)),
        }
    }
}

/// The bytes of all files, one after the other, in a file of these names.
///
/// # Errors
/// If one cannot be read, or the new one not be written.
pub(crate) fn merge(
    parts: &[WaitingFile],
    mut merged: NewFile,
    hidden: &Location,
    visible: &Location,
) -> Result<Committable> {
    let mut chunk = Vec::new();
    for file in parts {
        append(&file.hidden, 0, &mut chunk, &mut |bytes| merged.write(bytes))?;
    }
    let upload = merged.close()?;
    let parts = parts.iter().map(|file| &file.hidden);
    FinishedFile::to_committable(hidden, visible, upload.as_ref(), parts)
}
