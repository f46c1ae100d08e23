//! From a snapshot back into state.

use arrow::array::RecordBatch;
use bytes::Bytes;
use flott_checkpoint::manifest::{FileLocation, FileSlice, StateFile, SubtaskRestore, TableRestore};
use flott_storage::Folder;
use flott_types::{Error, KeyGroupRange, Result};

use super::{format, merge};
use crate::RestoredState;

/// Reads what one subtask of one operator starts from. Paths of files are relative to the folder.
///
/// # Errors
/// [`flott_types::ErrorKind::State`], naming the file, if one is missing, damaged or of another version.
pub async fn read_state(folder: &Folder, state: &SubtaskRestore) -> Result<RestoredState> {
    let mut restored = RestoredState { found: true, ..RestoredState::default() };
    for table in &state.keyed {
        let rows = restore_table(folder, table).await?;
        restored.keyed.insert(table.name.clone(), rows);
    }
    for list in &state.operator {
        let text = |entry: &flott_checkpoint::manifest::Blob| {
            String::from_utf8(entry.to_vec()).map_err(|e| {
                Error::state(format!("an entry of operator state '{}' is not text", list.name)).with_source(e)
            })
        };
        let entries = list.entries.iter().map(text).collect::<Result<_>>()?;
        restored.lists.insert(list.name.clone(), entries);
    }
    Ok(restored)
}

/// Reads what was under way to a subtask, as [`InFlightRows`](super::InFlightRows) had it.
///
/// # Errors
/// [`flott_types::ErrorKind::State`], naming the file, if it is missing or damaged.
pub async fn read_in_flight(folder: &Folder, file: &StateFile) -> Result<Bytes> {
    read(folder, file).await.map_err(|e| e.context(format_args!("rows that were under way")))
}

async fn restore_table(folder: &Folder, table: &TableRestore) -> Result<Vec<RecordBatch>> {
    let mut files = Vec::with_capacity(table.files.len());
    for FileSlice { file, key_groups } in &table.files {
        files.push(read_rows(folder, file, *key_groups).await?);
    }
    let context = |e: Error| e.context(format_args!("state '{}'", table.name));
    let rows = merge::newest(files, table.key_columns as usize).and_then(merge::live).map_err(context)?;
    let own_columns = |batch: RecordBatch| {
        let columns: Vec<usize> = (format::OWN..batch.num_columns()).collect();
        let rows = batch.project(&columns).map_err(|e| Error::internal("rows of state").with_source(e))?;
        RestoredState::told_apart_by(rows, table.key_columns as usize)
    };
    rows.into_iter().map(own_columns).collect()
}

/// The stored rows of some key groups of a file.
pub(super) async fn read_rows(
    folder: &Folder,
    file: &StateFile,
    key_groups: KeyGroupRange,
) -> Result<Vec<RecordBatch>> {
    let bytes = read(folder, file).await?;
    format::decode(bytes, key_groups).map_err(|e| e.context(format_args!("'{}'", name_of(folder, file))))
}

/// The bytes of a file, verified to be those that were written.
pub(super) async fn read(folder: &Folder, file: &StateFile) -> Result<Bytes> {
    let bytes = match &file.location {
        FileLocation::Inline(bytes) => bytes.0.clone(),
        FileLocation::File { path, .. } => {
            let missing = || Error::state(format!("'{}' is missing", name_of(folder, file)));
            let bytes = match path.rsplit_once('/') {
                Some((other, name)) if other.contains("://") => {
                    Folder::open(other)?.ok_or_else(missing)?.get(name).await
                }
                _ => folder.get(path).await,
            };
            bytes?.ok_or_else(missing)?
        }
    };
    file.verify(&bytes).map_err(|e| e.context(format_args!("'{}'", name_of(folder, file))))?;
    Ok(bytes)
}

fn name_of(folder: &Folder, file: &StateFile) -> String {
    match file.path() {
        Some(path) if path.contains("://") => path.to_owned(),
        Some(path) => folder.url_of(path),
        None => "a state file within the manifest".to_owned(),
    }
}
