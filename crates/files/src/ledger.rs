//! What a writer has promised, stored where later writers can read it.
//!
//! `.writers/.<writer>` is at the top of a sink's directory, from a writer's first file until none of the
//! writer's hidden files is left. The writer keeps it locked, so it also shows whether the writer is alive.
//! It records how many of the writer's files were handed over to a checkpoint (all that had been begun at
//! that moment), and is written before the checkpoint can complete. Once the writer has gone, a file that was
//! not handed over is in no checkpoint and never will be.

use flott_storage::Location;
use flott_storage::files::{self, LockedFile};
use flott_types::{Error, Result, Succession};
use serde::{Deserialize, Serialize};

use crate::name::WriterId;
use crate::unpublished::Unpublished;

pub(crate) const DIRECTORY: &str = ".writers";

/// The content of the file.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct Promises {
    version: u32,
    /// Files with lower numbers may be in a checkpoint.
    pub(crate) handed_over: u64,
    /// The jobs whose checkpoint the writer's job began with.
    #[serde(default)]
    pub(crate) follows: Vec<String>,
    /// Which of the starts of its job the writer belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) succession: Option<Succession>,
    /// In an object store: the uploads that may not be completed yet. They have no names by which they could be
    /// found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) uploads: Vec<Begun>,
}

/// An upload that was begun.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Begun {
    /// The number of the file.
    pub(crate) number: u64,
    pub(crate) visible: Location,
    pub(crate) upload: String,
}

const VERSION: u32 = 1;

impl Promises {
    pub(crate) fn new(follows: Vec<String>, succession: Option<Succession>) -> Self {
        Promises { version: VERSION, handed_over: 0, follows, succession, uploads: Vec::new() }
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
    pub(crate) fn create(root: &Location, writer: &WriterId, promises: Promises) -> Result<Self> {
        let file = LockedFile::create(&place(root, writer), &promises.to_text()?)?;
        Ok(Ledger { file, writer: writer.clone(), promises })
    }

    /// Another writer's, if that one has gone; where there are no locks, `has_gone` says so. A ledger that
    /// cannot be read is left alone.
    pub(crate) fn take(
        root: &Location,
        writer: &WriterId,
        has_gone: impl FnOnce(&Promises) -> bool,
    ) -> Result<Option<Self>> {
        let Some(mut file) = LockedFile::take(&place(root, writer))? else { return Ok(None) };
        let content = file.read()?;
        if content.is_empty() {
            // The writer died before it had written anything here, and so before it had begun a file.
            file.remove()?;
            return Ok(None);
        }
        match serde_json::from_str::<Promises>(&content) {
            Ok(promises) if promises.version == VERSION => {
                if !file.shows_its_owner() && !has_gone(&promises) {
                    return Ok(None);
                }
                Ok(Some(Ledger { file, writer: writer.clone(), promises }))
            }
            _ => {
                tracing::warn!(
                    "{} cannot be read; files of its writer are left where they are",
                    place(root, writer)
                );
                Ok(None)
            }
        }
    }

    /// The writers that have a ledger.
    pub(crate) fn list(root: &Location) -> Result<Vec<WriterId>> {
        let files = files::find(&root.join(DIRECTORY), &|_| true)?;
        let writer = |file: &Location| WriterId::parse(file.name()?.strip_prefix('.')?);
        Ok(files.iter().filter_map(writer).collect())
    }

    /// Files with lower numbers are about to be handed over; these wait to be published.
    pub(crate) fn hand_over(&mut self, next: u64, waiting: &[Unpublished]) -> Result<()> {
        self.promises.handed_over = next;
        self.forget_all_but(waiting);
        self.file.replace(&self.promises.to_text()?)
    }

    /// Of the uploads only these wait; to be written with the next one.
    pub(crate) fn forget_all_but(&mut self, waiting: &[Unpublished]) {
        let waits = |begun: &Begun| waiting.iter().any(|file| file.is_upload(&begun.upload, &begun.visible));
        self.promises.uploads.retain(waits);
    }

    /// An upload was begun.
    pub(crate) fn begun(&mut self, begun: Begun) -> Result<()> {
        self.promises.uploads.push(begun);
        self.file.replace(&self.promises.to_text()?)
    }

    /// Removes the ledger: nothing of the writer's is left.
    pub(crate) fn remove(self) -> Result<()> {
        self.file.remove()
    }
}

fn place(root: &Location, writer: &WriterId) -> Location {
    root.join(DIRECTORY).join(&format!(".{writer}"))
}
