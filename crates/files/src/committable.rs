//! Files that wait for their visible names.

use std::path::{Path, PathBuf};

use flott_connector::Committable;
use flott_types::{CheckpointId, Error, Result};
use serde::{Deserialize, Serialize};

use crate::storage::{self, Published};

/// A file that is complete and waits for its name: the payload of a [`Committable`].
#[derive(Serialize, Deserialize, Debug)]
pub struct FinishedFile {
    version: u32,
    hidden: String,
    visible: String,
}

const VERSION: u32 = 1;

impl FinishedFile {
    /// As a writer hands it over.
    ///
    /// # Errors
    /// If a path is not UTF-8.
    pub fn to_committable(hidden: &Path, visible: &Path) -> Result<Committable> {
        let text = |path: &Path| {
            path.to_str()
                .map(str::to_owned)
                .ok_or_else(|| Error::unsupported(format!("the path {} is not UTF-8", path.display())))
        };
        let file = FinishedFile { version: VERSION, hidden: text(hidden)?, visible: text(visible)? };
        let payload = serde_json::to_string(&file);
        Ok(Committable {
            payload: payload
                .map_err(|error| Error::internal("a file's name cannot be written").with_source(error))?,
        })
    }

    fn from_committable(committable: &Committable) -> Result<Self> {
        let damaged = || Error::state(format!("a finished file cannot be read: {}", committable.payload));
        let file: FinishedFile =
            serde_json::from_str(&committable.payload).map_err(|error| damaged().with_source(error))?;
        if file.version != VERSION {
            return Err(damaged().context(format!("version {} instead of {VERSION}", file.version)));
        }
        Ok(file)
    }
}

/// Makes files visible, and says in which directories. Harmless when it was done before.
///
/// # Errors
/// If a file is lost, or its name is taken.
pub fn commit(committables: &[Committable]) -> Result<Vec<PathBuf>> {
    publish(committables, &|file| {
        let FinishedFile { hidden, visible, .. } = file;
        Err(Error::external(format!(
            "output is lost: neither {hidden} nor {visible} exists, although a checkpoint promises it"
        )))
    })
}

/// As [`commit`], of what a checkpoint held that is being restored. It may have been committed before, and whoever reads
/// the files may have taken them away since: what is not there is told and passed over.
///
/// # Errors
/// If a file's name is taken.
pub fn commit_restored(checkpoint: CheckpointId, committables: &[Committable]) -> Result<Vec<PathBuf>> {
    publish(committables, &|file| {
        tracing::warn!(
            "the file {} of checkpoint {checkpoint} is not there, and {} neither: it was committed before and has been \
             taken away, or it was removed before it was committed and its rows are missing in the output",
            file.visible,
            file.hidden
        );
        Ok(())
    })
}

/// `missing` says what it means that a file is there under neither name.
fn publish(
    committables: &[Committable],
    missing: &dyn Fn(&FinishedFile) -> Result<()>,
) -> Result<Vec<PathBuf>> {
    let mut directories: Vec<PathBuf> = Vec::new();
    for committable in committables {
        let file = FinishedFile::from_committable(committable)?;
        let visible = Path::new(&file.visible);
        match storage::publish(Path::new(&file.hidden), visible)? {
            Published::Visible => directories.extend(visible.parent().map(Path::to_owned)),
            Published::Missing => missing(&file)?,
        }
    }
    directories.sort();
    directories.dedup();
    // Once for all files of a directory.
    directories.iter().try_for_each(|directory| storage::sync_directory(directory))?;
    Ok(directories)
}
