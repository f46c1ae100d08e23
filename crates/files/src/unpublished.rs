//! Files that are not visible yet.

use flott_storage::Location;
use flott_storage::files;
use flott_types::Result;

/// What there is of a file before it is visible.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Unpublished {
    /// The file, with a hidden name.
    Hidden(Location),
    /// An upload to an object store, for this object.
    Upload { visible: Location, id: String },
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
        })
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
        }
    }
}
