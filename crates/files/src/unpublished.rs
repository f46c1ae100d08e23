//! Files that are not visible yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flott_storage::Location;
use flott_storage::files;
use flott_types::Result;

/// What there is of a file before it is visible.
#[derive(Clone, Debug)]
pub(crate) enum Unpublished {
    /// The file, with a hidden name.
    Hidden(Location),
    /// An upload to an object store, for this object.
    Upload { visible: Location, id: String },
    /// An upload for an object with a hidden name: it is `complete` long before it is published.
    Part { hidden: Location, id: String, complete: Arc<AtomicBool> },
}

impl Unpublished {
    /// What there is of a file: an upload, if it has the id of one.
    pub(crate) fn of(hidden: &Location, visible: &Location, upload: Option<&str>) -> Self {
        match upload {
            None => Unpublished::Hidden(hidden.clone()),
            Some(id) => Unpublished::Upload { visible: visible.clone(), id: id.to_owned() },
        }
    }

    /// Whether it waits to be published.
    ///
    /// # Errors
    /// If that cannot be found out now.
    fn waits(&self) -> Result<bool> {
        Ok(match self {
            Unpublished::Hidden(file) => files::look(file)?.is_some(),
            Unpublished::Upload { visible, .. } => files::look(visible)?.is_none(),
            Unpublished::Part { hidden, complete, .. } => {
                !complete.load(Ordering::Acquire) || files::look(hidden)?.is_some()
            }
        })
    }

    /// Whether it is this upload, and not complete. Not every store has ids of uploads: they are told apart by
    /// their objects as well.
    pub(crate) fn is_upload(&self, upload: &str, object: &Location) -> bool {
        match self {
            Unpublished::Hidden(_) => false,
            Unpublished::Upload { visible, id } => id == upload && visible == object,
            Unpublished::Part { hidden, id, complete } => {
                id == upload && hidden == object && !complete.load(Ordering::Acquire)
            }
        }
    }

    /// Whether it is known not to wait any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.waits().is_ok_and(|waits| !waits)
    }

    /// Forgets those that have been published. Of what cannot be found out, none is forgotten; an object store
    /// that does not answer is asked once.
    pub(crate) fn keep_waiting(all: &mut Vec<Unpublished>) {
        let mut answers = true;
        all.retain(|file| {
            !answers
                || file.waits().unwrap_or_else(|_| {
                    answers = matches!(file, Unpublished::Hidden(_));
                    true
                })
        });
    }

    /// Removes it: it will never be published.
    ///
    /// # Errors
    /// If it cannot be removed now.
    pub(crate) fn discard(&self) -> Result<()> {
        match self {
            Unpublished::Hidden(file) => files::remove(file),
            Unpublished::Upload { visible, id } => files::abandon(visible, id),
            Unpublished::Part { hidden, id, .. } => {
                files::abandon(hidden, id)?;
                files::remove(hidden)
            }
        }
    }
}
