//! What a writer has promised, stored where later writers can read it.
//!
//! `.writers/.<writer>` is at the top of a sink's directory, from a writer's first file until none of the
//! writer's hidden files is left. The writer keeps it locked, so it also shows whether the writer is alive.
//! It records how many of the writer's files were handed over to a checkpoint (all that had been begun at
//! that moment), and is written before the checkpoint can complete. Once the writer has gone, a file that was
//! not handed over is in no checkpoint and never will be.

use std::path::{Path, PathBuf};

use flott_storage::local::{self as storage, LockedFile};
use flott_types::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::name::WriterId;

const DIRECTORY: &str = ".writers";

/// The content of the file.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct Promises {
    version: u32,
    /// Files with lower numbers may be in a checkpoint.
    pub(crate) handed_over: u64,
    /// The jobs whose checkpoint the writer's job began with.
    #[serde(default)]
    pub(crate) follows: Vec<String>,
}

const VERSION: u32 = 1;

impl Promises {
    pub(crate) fn new(follows: Vec<String>) -> Self {
        Promises { version: VERSION, handed_over: 0, follows }
    }

    fn to_text(&self) -> Result<String> {
        serde_json::to_string(self)
            .map_err(|error| Error::internal("a writer's ledger cannot be written").with_source(error))
    }
}

/// The ledger of a writer, held.
#[derive(Debug)]
pub(crate) struct Ledger {
    file: LockedFile,
    pub(crate) writer: WriterId,
    pub(crate) promises: Promises,
}

impl Ledger {
    /// A writer's own.
    pub(crate) fn create(root: &Path, writer: &WriterId, promises: Promises) -> Result<Self> {
        let file = LockedFile::create(place(root, writer), &promises.to_text()?)?;
        Ok(Ledger { file, writer: writer.clone(), promises })
    }

    /// Another writer's, if that one has gone. A ledger that cannot be read is left alone.
    pub(crate) fn take(root: &Path, writer: &WriterId) -> Result<Option<Self>> {
        let Some(mut file) = LockedFile::take(&place(root, writer))? else { return Ok(None) };
        let content = file.read()?;
        if content.is_empty() {
            // The writer died before it had written anything here, and so before it had begun a file.
            file.remove()?;
            return Ok(None);
        }
        match serde_json::from_str::<Promises>(&content) {
            Ok(promises) if promises.version == VERSION => {
                Ok(Some(Ledger { file, writer: writer.clone(), promises }))
            }
            _ => {
                let path = place(root, writer);
                tracing::warn!(
                    "{} cannot be read; files of its writer are left where they are",
                    path.display()
                );
                Ok(None)
            }
        }
    }

    /// The writers that have a ledger.
    pub(crate) fn list(root: &Path) -> Result<Vec<WriterId>> {
        let files = storage::find(&root.join(DIRECTORY), &|_| true)?;
        let writer = |path: &PathBuf| WriterId::parse(path.file_name()?.to_str()?.strip_prefix('.')?);
        Ok(files.iter().filter_map(writer).collect())
    }

    /// Files with lower numbers are about to be handed over.
    pub(crate) fn hand_over(&mut self, next: u64) -> Result<()> {
        self.promises.handed_over = next;
        self.file.replace(&self.promises.to_text()?)
    }

    /// Removes the ledger: nothing of the writer's is left.
    pub(crate) fn remove(self) -> Result<()> {
        self.file.remove()
    }
}

fn place(root: &Path, writer: &WriterId) -> PathBuf {
    root.join(DIRECTORY).join(format!(".{writer}"))
}
