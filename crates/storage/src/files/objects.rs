//! Files that are objects of an object store.

use std::io::{self, Read};

use bytes::Bytes;
use flott_types::{Error, Result};
use futures::TryStreamExt;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};

use super::{FileInfo, PreparedUpload, Published, is_hidden};
use crate::error::failed;
use crate::location::{Location, ObjectLocation};
use crate::ranges::Ranges;
use crate::runtime::block_on;
use crate::store::Client;
use crate::stores;

/// The first piece that a reader fetches, and the largest. A piece is twice as large as the one before: the
/// reader of a few bytes does not wait for megabytes, and that of a large file sends few requests.
const FIRST_PIECE: u64 = 256 << 10;
const LARGEST_PIECE: u64 = 8 << 20;

/// The client for a location, and its key.
pub(super) fn client(at: &ObjectLocation) -> Result<(Client, Path)> {
    Ok((stores::open(&at.store)?, at.path()?))
}

fn location(store: &str, key: &Path) -> Location {
    Location::Object(ObjectLocation { store: store.to_owned(), key: key.as_ref().to_owned() })
}

fn shown(at: &ObjectLocation) -> Location {
    Location::Object(at.clone())
}

fn info(store: &str, meta: &ObjectMeta) -> FileInfo {
    FileInfo {
        location: location(store, &meta.location),
        size: meta.size,
        modified: meta.last_modified.timestamp_millis(),
        version: meta.e_tag.as_deref().map(version),
    }
}

/// What a store calls a version, in one form: Azure's listings leave out the quotes that its other answers have.
fn version(e_tag: &str) -> String {
    e_tag.replace('"', "")
}

/// What is below a place and wanted, and how many objects there are. Of a listing one page is held at a time: of
/// many objects only what is kept of them takes memory.
fn below(at: &ObjectLocation, wanted: &dyn Fn(&ObjectMeta) -> bool) -> Result<(Vec<FileInfo>, u64)> {
    let (client, key) = client(at)?;
    let prefix = (!at.key.is_empty()).then_some(&key);
    let (mut found, mut all) = (Vec::new(), 0);
    let listed = client.list(prefix).try_for_each(|meta| {
        all += 1;
        if wanted(&meta) {
            found.push(info(&at.store, &meta));
        }
        futures::future::ready(Ok(()))
    });
    block_on(listed).map_err(|error| failed("list", shown(at), error))?;
    Ok((found, all))
}

pub(super) fn list(at: &ObjectLocation) -> Result<Vec<FileInfo>> {
    if !at.key.is_empty()
        && let Some(object) = look(at)?
    {
        return Ok(vec![object]);
    }
    if !at.has_folders() {
        return Err(Error::external(format!(
            "there is no file at {}; folders and patterns of files cannot be had of a server of HTTP",
            shown(at)
        )));
    }
    let under = |key: &str| key.strip_prefix(&at.key).map(|rest| rest.split('/').any(hidden_part));
    let (visible, all) = below(at, &|meta| under(meta.location.as_ref()) == Some(false))?;
    if all > 0 {
        return Ok(visible);
    }
    if !at.key.contains(['*', '?', '[']) {
        return Err(Error::external(format!("there is no object at {}", shown(at))));
    }
    let pattern = glob::Pattern::new(&at.key).map_err(|error| {
        Error::invalid(format!("the path '{}' is not a pattern", shown(at))).with_source(error)
    })?;
    let fixed = at.key.split('/').take_while(|part| !part.contains(['*', '?', '[']));
    let above = ObjectLocation { store: at.store.clone(), key: fixed.collect::<Vec<_>>().join("/") };
    below(&above, &|meta| matches(&pattern, meta.location.as_ref())).map(|(found, _)| found)
}

fn hidden_part(part: &str) -> bool {
    is_hidden(part.as_bytes())
}

/// Whether the key or a folder above it matches, and what is below the match is not hidden.
fn matches(pattern: &glob::Pattern, key: &str) -> bool {
    let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
    let ends = key.match_indices('/').map(|(at, _)| at).chain([key.len()]);
    ends.into_iter().any(|end| {
        let (above, rest) = key.split_at(end);
        let name = above.rsplit('/').next().unwrap_or(above);
        pattern.matches_with(above, options) && !hidden_part(name) && !rest.split('/').any(hidden_part)
    })
}

pub(super) fn look(at: &ObjectLocation) -> Result<Option<FileInfo>> {
    let (client, key) = client(at)?;
    match block_on(client.look(&key)) {
        Ok(meta) => Ok(Some(FileInfo { location: shown(at), ..info(&at.store, &meta) })),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(failed("look at", shown(at), error)),
    }
}

pub(super) fn check_writable(directory: &ObjectLocation) -> Result<()> {
    let probe = shown(directory).join(&format!(".probe-{}", crate::folder::unique()));
    let Location::Object(probe) = probe else { return Ok(()) };
    touch(&probe).and_then(|()| remove(&probe))
}

pub(super) fn touch(at: &ObjectLocation) -> Result<()> {
    let (client, key) = client(at)?;
    let put = block_on(client.put(&key, Bytes::new().into()));
    put.map(|_| ()).map_err(|error| failed("create", shown(at), error))
}

pub(super) fn put(at: &ObjectLocation, content: Bytes) -> Result<()> {
    let (client, key) = client(at)?;
    let put = block_on(client.put(&key, content.into()));
    put.map(|_| ()).map_err(|error| failed("write", shown(at), error))
}

pub(super) fn get(at: &ObjectLocation) -> Result<Option<Bytes>> {
    let (client, key) = client(at)?;
    let got = block_on(async { client.get(&key).await?.bytes().await });
    match got {
        Ok(content) => Ok(Some(content)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(failed("read", shown(at), error)),
    }
}

pub(super) fn remove(at: &ObjectLocation) -> Result<()> {
    let (client, key) = client(at)?;
    match block_on(client.delete(&key)) {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(failed("remove", shown(at), error)),
    }
}

pub(super) fn find(directory: &ObjectLocation, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Location>> {
    let (found, _) = below(directory, &|meta| meta.location.filename().is_some_and(wanted))?;
    Ok(found.into_iter().map(|file| file.location).collect())
}

/// Completes an upload. After that the server does not know it any more, but the object is there.
pub(super) fn publish(visible: &ObjectLocation, upload: &PreparedUpload) -> Result<Published> {
    let (client, key) = client(visible)?;
    let parts = upload.parts.iter().map(|part| PartId { content_id: part.clone() }).collect();
    match block_on(client.uploads()?.complete_multipart(&key, &upload.id, parts)) {
        Ok(_) => Ok(Published::Visible),
        Err(error) => match look(visible)? {
            Some(_) => Ok(Published::Visible),
            None if matches!(error, object_store::Error::NotFound { .. }) => Ok(Published::Missing),
            None => Err(failed("complete", shown(visible), error)),
        },
    }
}

pub(super) fn abandon(visible: &ObjectLocation, upload: &str) -> Result<()> {
    let (client, key) = client(visible)?;
    match block_on(client.uploads()?.abort_multipart(&key, &upload.to_owned())) {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(failed("give up the upload of", shown(visible), error)),
    }
}

/// Reads an object piece by piece, as it was when it was opened: if it is replaced, reading fails.
#[derive(Debug)]
pub struct ObjectReader {
    at: ObjectLocation,
    object: Ranges,
    /// Where the next piece begins.
    offset: u64,
    /// Its length.
    next: u64,
    piece: Bytes,
}

impl ObjectReader {
    pub(super) fn open(at: &ObjectLocation, offset: u64) -> Result<Self> {
        let (client, key) = client(at)?;
        let object = block_on(Ranges::of(&client, key));
        Ok(ObjectReader {
            at: at.clone(),
            object: object.map_err(|error| failed("open", shown(at), error))?,
            offset,
            next: FIRST_PIECE,
            piece: Bytes::new(),
        })
    }

    pub(super) fn read_at(&self, offset: u64, bytes: usize) -> Result<Vec<u8>> {
        let piece = block_on(self.object.fetch(offset, bytes as u64));
        let piece = piece.map_err(|error| failed("read", shown(&self.at), error))?;
        match piece.len() == bytes {
            true => Ok(piece.to_vec()),
            false => Err(Error::external(format!("{} is shorter than it was", shown(&self.at)))),
        }
    }
}

impl Read for ObjectReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() && !into.is_empty() {
            let piece = block_on(self.object.fetch(self.offset, self.next));
            self.piece = piece.map_err(io::Error::other)?;
            self.offset += self.piece.len() as u64;
            self.next = (self.next * 2).min(LARGEST_PIECE);
        }
        let bytes = self.piece.len().min(into.len());
        into[..bytes].copy_from_slice(&self.piece.split_to(bytes));
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_one_form() {
        let version = |e_tag: &str| {
            let meta = ObjectMeta {
                location: Path::from("a"),
                last_modified: std::time::UNIX_EPOCH.into(),
                size: 1,
                e_tag: Some(e_tag.to_owned()),
                version: None,
            };
            info("abfss://c@account.dfs.core.windows.net", &meta).version
        };
        assert_eq!(version("0x8DE1"), version("\"0x8DE1\""));
        assert_ne!(version("0x8DE1"), version("\"0x8DE2\""));
    }

    #[test]
    fn a_pattern_matches_keys_and_folders_above_them() {
        let matches = |pattern: &str, key: &str| matches(&glob::Pattern::new(pattern).unwrap(), key);
        assert!(matches("in/*.csv", "in/a.csv"));
        assert!(!matches("in/*.csv", "in/b/a.csv"));
        assert!(matches("in/day=*", "in/day=1/part-0"));
        assert!(!matches("in/day=*", "in/day=1/_temporary/part-0"));
        assert!(!matches("in/*", "in/.part-0"));
        assert!(matches("in/**/*.csv", "in/x/y/a.csv"));
    }
}
