//! A folder on an object store: durable, atomic writes.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{ErrorKind, Write};
use std::path::{Path as FsPath, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use flott_types::{Error, Result};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{Attribute, Attributes, GetOptions, ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use crate::error::failed;
use crate::location::{Location, ObjectLocation};
use crate::ranges::Ranges;
use crate::stores;

/// An object store is asked for this many bytes of a file at once.
const PIECE: u64 = 8 << 20;

/// What an object says of the call that wrote it. Of the services' rules for such names this keeps all.
const WRITTEN_BY: Attribute = Attribute::Metadata(Cow::Borrowed("writtenby"));

/// A folder under a URL. Cheap to clone.
///
/// A file is written as a whole or not at all, and is on the disk before the call returns: a local file is
/// synced, and so are the folders above it.
#[derive(Clone)]
pub struct Folder {
    store: Arc<dyn ObjectStore>,
    /// Of the store's root.
    root_url: String,
    /// The store's root when it is a local file system.
    root: Option<PathBuf>,
    /// Within the store.
    path: Path,
    /// Local files and folders that are made are for their owner only.
    private: bool,
}

/// What a folder holds.
#[derive(Clone, Default, Debug)]
pub struct Listing {
    /// The names of folders.
    pub folders: Vec<String>,
    /// The names of files.
    pub files: Vec<String>,
}

impl Folder {
    /// An empty folder in the memory of the process; it ends with its last clone. `name` identifies it in
    /// messages.
    pub fn in_memory(name: &str) -> Self {
        Folder {
            store: Arc::new(InMemory::new()),
            root_url: format!("memory://{name}"),
            root: None,
            path: Path::default(),
            private: false,
        }
    }

    /// The folder with this URL (`file:///a/b`, `s3://bucket/a`) or local path. A local folder is created if
    /// it does not exist.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::Unsupported`] for other schemes, [`flott_types::ErrorKind::External`] if a
    /// local folder cannot be made.
    pub fn create(url: &str) -> Result<Self> {
        Folder::created(url, false)
    }

    /// The same for what only its owner may read: a local folder that is made, and all files and folders that are
    /// made within, are closed to other users. One that is there already stays as it is.
    ///
    /// # Errors
    /// As [`Folder::create`].
    pub fn create_private(url: &str) -> Result<Self> {
        Ok(Folder { private: true, ..Folder::created(url, true)? })
    }

    fn created(url: &str, private: bool) -> Result<Self> {
        let path = match Location::parse(url)? {
            Location::Local(path) => absolute(url, &path)?,
            Location::Object(object) => return Folder::of_objects(&object),
        };
        if !path.is_dir() {
            make_folders(&path, private).map_err(|error| failed("make the folder", url, error))?;
            // Folders above may have been created too; they may also belong to somebody else and not be
            // readable.
            path.ancestors().skip(1).take(2).for_each(|above| _ = sync_folder(above));
        }
        Folder::at_path(url, &path)
    }

    /// The folder with this URL or local path, if it exists. In an object store every folder does: it may be
    /// empty.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::Unsupported`] for other schemes.
    pub fn open(url: &str) -> Result<Option<Self>> {
        let path = match Location::parse(url)? {
            Location::Local(path) => absolute(url, &path)?,
            Location::Object(object) => return Folder::of_objects(&object).map(Some),
        };
        if path.is_dir() { Folder::at_path(url, &path).map(Some) } else { Ok(None) }
    }

    fn of_objects(object: &ObjectLocation) -> Result<Self> {
        Location::Object(object.clone()).check_writable()?;
        Ok(Folder {
            store: stores::open(&object.store)?.objects(),
            root_url: object.store.clone(),
            root: None,
            path: object.path()?,
            private: false,
        })
    }

    fn at_path(url: &str, path: &FsPath) -> Result<Self> {
        let path = path.canonicalize().map_err(|error| failed("open the folder", url, error))?;
        let store = LocalFileSystem::new_with_prefix(&path);
        let store = store.map_err(|error| failed("open the folder", url, error))?;
        Ok(Folder {
            store: Arc::new(store.with_automatic_cleanup(true)),
            root_url: format!("file://{}", path.display()),
            root: Some(path),
            path: Path::default(),
            private: false,
        })
    }

    /// The URL.
    pub fn url(&self) -> String {
        self.url_of("")
    }

    /// The URL of something within.
    pub fn url_of(&self, name: &str) -> String {
        let parts = [self.root_url.trim_end_matches('/'), self.path.as_ref(), name];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("/")
    }

    /// A folder within; it need not exist.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        Folder { path: self.at(name), ..self.clone() }
    }

    /// Creates a local folder within; `false` if one of this name exists. On stores without real folders
    /// there is nothing to create: the folder is new if it is empty.
    pub async fn create_child(&self, name: &str) -> Result<bool> {
        let Some(root) = &self.root else {
            let listing = self.child(name).list().await?;
            return Ok(listing.files.is_empty() && listing.folders.is_empty());
        };
        let path = self.in_file_system(root, name);
        match std::fs::create_dir(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            Err(error) => {
                return Err(failed("make the folder", self.url_of(name), error));
            }
        }
        sync_folders(&path, root).map_err(|error| failed("write", self.url(), error))?;
        Ok(true)
    }

    /// Checks whether files can be written here, by writing one and removing it again.
    ///
    /// # Errors
    /// Why not.
    pub async fn check_writable(&self, name: &str) -> Result<()> {
        let cannot = |error: object_store::Error| failed("create a file in", self.url(), error);
        self.store.put(&self.at(name), Bytes::new().into()).await.map_err(cannot)?;
        self.store.delete(&self.at(name)).await.map_err(cannot)
    }

    /// The parent folder.
    pub fn parent(&self) -> Result<Self> {
        match (self.path.filename(), &self.root) {
            (None, Some(root)) => {
                let parent = root.parent().unwrap_or(root);
                Folder::at_path(&parent.display().to_string(), parent)
            }
            (None, None) => Ok(self.clone()),
            (Some(_), _) => {
                let parts = self.path.parts_count().saturating_sub(1);
                Ok(Folder { path: self.path.parts().take(parts).collect(), ..self.clone() })
            }
        }
    }

    /// Writes a file, replacing an existing one.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn put(&self, name: &str, bytes: Bytes) -> Result<()> {
        let Some(root) = &self.root else {
            let put = self.store.put(&self.at(name), bytes.into()).await;
            return put.map(|_| ()).map_err(|error| failed("write", self.url_of(name), error));
        };
        // The content must be on the disk before the name, and nobody else may write to the same temporary
        // file.
        let temporary = self.in_file_system(root, &format!("{name}.{}.inprogress", unique()));
        let path = self.in_file_system(root, name);
        write_synced(&temporary, &bytes, self.private)
            .and_then(|()| std::fs::rename(&temporary, &path))
            .and_then(|()| sync_folders(&path, root))
            .map_err(|error| failed("write", self.url_of(name), error))
    }

    /// Writes a new file; `false` if one of this name exists. Of several concurrent callers, one succeeds; if
    /// what an object store answers is lost, a file with the same content counts as the one that was written.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn put_new(&self, name: &str, bytes: Bytes) -> Result<bool> {
        let Some(root) = &self.root else { return self.put_object(name, bytes, &unique()).await };
        let cannot = |error| failed("write", self.url_of(name), error);
        let temporary = self.in_file_system(root, &format!("{name}.{}.inprogress", unique()));
        let path = self.in_file_system(root, name);
        write_synced(&temporary, &bytes, self.private).map_err(cannot)?;
        let linked = link(&temporary, &path, root);
        // Remains are swept later.
        _ = std::fs::remove_file(&temporary);
        match linked.map_err(cannot)? {
            Linked::New => Ok(true),
            Linked::Taken => Ok(false),
            // A crash of the machine may leave a partial file, which its checksum reveals.
            Linked::Impossible => match write_synced(&path, &bytes, self.private) {
                Ok(()) => sync_folders(&path, root).map(|()| true).map_err(cannot),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
                Err(error) => Err(cannot(error)),
            },
        }
    }

    /// Writes a new object, which remembers the call that wrote it: the client tries again by itself, and the
    /// answer to its second attempt may be that the name is taken, by the first one.
    async fn put_object(&self, name: &str, bytes: Bytes, call: &str) -> Result<bool> {
        let mut attributes = Attributes::new();
        attributes.insert(WRITTEN_BY, call.to_owned().into());
        let options = PutOptions { mode: PutMode::Create, attributes, ..PutOptions::default() };
        let cannot = |error| failed("write", self.url_of(name), error);
        match self.store.put_opts(&self.at(name), bytes.clone().into(), options).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => {
                let look = GetOptions { head: true, ..GetOptions::default() };
                match self.store.get_opts(&self.at(name), look).await {
                    Ok(there) => Ok(there.attributes.get(&WRITTEN_BY).is_some_and(|by| by.as_ref() == call)),
                    // Somebody has taken it away since.
                    Err(object_store::Error::NotFound { .. }) => Ok(false),
                    Err(error) => Err(cannot(error)),
                }
            }
            // Perhaps only the answer was lost.
            Err(error) => match self.get(name).await {
                Ok(Some(there)) if there == bytes => Ok(true),
                _ => Err(cannot(error)),
            },
        }
    }

    /// Reads a file; `None` if it does not exist.
    pub async fn get(&self, name: &str) -> Result<Option<Bytes>> {
        let cannot = |error: object_store::Error| failed("read", self.url_of(name), error);
        let read = match self.is_remote() {
            true => Ranges::whole(&self.store, &self.at(name), PIECE).await,
            false => async { self.store.get(&self.at(name)).await?.bytes().await }.await,
        };
        match read {
            Ok(bytes) => Ok(Some(bytes)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(cannot(error)),
        }
    }

    /// The direct contents; nothing if the folder does not exist.
    pub async fn list(&self) -> Result<Listing> {
        let listed = match self.store.list_with_delimiter(Some(&self.path)).await {
            Ok(listed) => listed,
            Err(object_store::Error::NotFound { .. }) => return Ok(Listing::default()),
            Err(error) => return Err(failed("list", self.url(), error)),
        };
        let name = |path: &Path| path.filename().map(str::to_owned);
        Ok(Listing {
            folders: listed.common_prefixes.iter().filter_map(name).collect(),
            files: listed.objects.iter().filter_map(|object| name(&object.location)).collect(),
        })
    }

    /// Deletes a file, and local folders that become empty. Does nothing if the file does not exist.
    pub async fn delete(&self, name: &str) -> Result<()> {
        match self.store.delete(&self.at(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed("delete", self.url_of(name), error)),
        }
    }

    /// Removes this folder and its subfolders if they are empty: a process may have been killed after
    /// creating them. Object stores have no folders.
    pub fn remove_empty(&self) {
        if let Some(root) = &self.root {
            remove_empty(&self.path.parts().fold(root.clone(), |path, part| path.join(part.as_ref())));
        }
    }

    /// The path of a file on a local file system; the folders above it are created.
    pub fn local_file(&self, name: &str) -> Result<Option<PathBuf>> {
        let Some(root) = &self.root else { return Ok(None) };
        let path = self.in_file_system(root, name);
        let cannot = |error| failed("make the folder of", self.url_of(name), error);
        path.parent().map_or(Ok(()), |above| make_folders(above, self.private)).map_err(cannot)?;
        Ok(Some(path))
    }

    /// Whether files are behind a network.
    fn is_remote(&self) -> bool {
        self.root.is_none() && !self.root_url.starts_with("memory:")
    }

    pub(crate) fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// The path of a file in a local folder, and of the store's root above it.
    pub(crate) fn local(&self, name: &str) -> Option<(&FsPath, PathBuf)> {
        self.root.as_deref().map(|root| (root, self.in_file_system(root, name)))
    }

    pub(crate) fn at(&self, name: &str) -> Path {
        name.split('/').fold(self.path.clone(), |path, part| path.join(part))
    }

    fn in_file_system(&self, root: &FsPath, name: &str) -> PathBuf {
        self.at(name).parts().fold(root.to_owned(), |path, part| path.join(part.as_ref()))
    }
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url())
    }
}

fn absolute(url: &str, path: &FsPath) -> Result<PathBuf> {
    std::path::absolute(path)
        .map_err(|error| Error::invalid(format!("'{url}' is not a path")).with_source(error))
}

/// The outcome of giving a file a name.
pub(crate) enum Linked {
    /// It has it.
    New,
    /// Another file has it.
    Taken,
    /// The file system has no links.
    Impossible,
}

/// Gives a file a second, unique name, on the disk; of several concurrent callers, one succeeds. The file
/// keeps its old name.
pub(crate) fn link(from: &FsPath, to: &FsPath, root: &FsPath) -> std::io::Result<Linked> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match std::fs::hard_link(from, to) {
        Ok(()) => sync_folders(to, root).map(|()| Linked::New),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Linked::Taken),
        Err(error) if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied) => {
            Ok(Linked::Impossible)
        }
        Err(error) => Err(error),
    }
}

/// A new file with this content, on the disk; the folders above it are created.
fn write_synced(path: &FsPath, bytes: &[u8], private: bool) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        make_folders(folder, private)?;
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Creates a folder and those above it; if `private`, for their owner only, where there are owners.
fn make_folders(path: &FsPath, private: bool) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    }
    #[cfg(not(unix))]
    let _ = private;
    builder.create(path)
}

/// Distinguishes the temporary files of this process from those of others, on any machine.
pub(crate) fn unique() -> String {
    static FILES: AtomicU64 = AtomicU64::new(0);
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(std::process::id()));
    format!("{:x}-{}", *PROCESS, FILES.fetch_add(1, Ordering::Relaxed))
}

fn remove_empty(folder: &FsPath) {
    let within = std::fs::read_dir(folder).into_iter().flatten().flatten();
    within
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .for_each(|e| remove_empty(&e.path()));
    // It fails if the folder is not empty, as intended.
    _ = std::fs::remove_dir(folder);
}

/// Puts a file's content on the disk.
fn sync(path: &FsPath) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}

/// Syncs the existence of a file, in folders that may be new.
fn sync_folders(file: &FsPath, root: &FsPath) -> std::io::Result<()> {
    for folder in file.ancestors().skip(1).take_while(|folder| folder.starts_with(root)) {
        sync_folder(folder)?;
    }
    Ok(())
}

/// Syncs a folder's entries, on file systems that support it.
fn sync_folder(folder: &FsPath) -> std::io::Result<()> {
    match sync(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block_on;

    #[test]
    fn a_second_attempt_finds_what_the_first_one_has_written() {
        let folder = Folder::in_memory("test");
        let put = |call: &str, text: &'static str| {
            block_on(folder.put_object("x", Bytes::from(text), call)).unwrap()
        };
        assert!(put("a", "one"));
        assert!(put("a", "one"), "the answer to the first attempt was lost");
        assert!(!put("b", "one"), "another one's, though it is the same");
        assert!(!block_on(folder.put_new("x", Bytes::from("one"))).unwrap());
    }
}
