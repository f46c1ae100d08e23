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
    /// Whether it waits to be published; also if that cannot be found out.
    pub(crate) fn waits(&self) -> bool {
        match self {
            Unpublished::Hidden(file) => files::may_exist(file),
            Unpublished::Upload { visible, .. } => !matches!(files::look(visible), Ok(Some(_))),
        }
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
