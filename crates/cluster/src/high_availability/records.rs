//! Records: small JSON objects with checksums, each in a file of its own.

use bytes::Bytes;
use flott_checkpoint::manifest::{seal, unseal};
use flott_storage::Folder;
use flott_types::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version of all of them.
pub(super) const VERSION: u32 = 1;

/// Reads a record; `None` if it is not there.
pub(super) async fn read<T: DeserializeOwned>(folder: &Folder, name: &str) -> Result<Option<T>> {
    let Some(bytes) = folder.get(name).await? else { return Ok(None) };
    let damaged = |error: Error| error.context(format_args!("'{}'", folder.url_of(name)));
    let json = unseal(&bytes).map_err(damaged)?;
    let json =
        json.ok_or_else(|| damaged(Error::state("it is damaged: it does not begin with its checksum")))?;
    let wrong = |e| damaged(Error::state("it was written by another version of Flott").with_source(e));
    serde_json::from_slice(&json).map(Some).map_err(wrong)
}

/// A record as it is stored.
pub(super) fn bytes_of<T: Serialize>(record: &T) -> Result<Bytes> {
    let json = serde_json::to_vec(record)
        .map_err(|error| Error::internal("a record of the cluster cannot be written").with_source(error))?;
    Ok(seal(&json)?.into())
}
