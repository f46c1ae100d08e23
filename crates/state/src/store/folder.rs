//! A folder on an object store: durable, atomic writes.

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
use object_store::{ObjectStore, ObjectStoreExt, PutMode};

/// A folder under a URL. Cheap to clone.
///
/// What is written is there as a whole or not at all, and on the disk before the call returns: a local file is synced,
/// and so are the folders above it.
#[derive(Clone)]
pub struct Folder {
    store: Arc<dyn ObjectStore>,
    /// Of the store's root.
    root_url: String,
    /// The store's root when it is a local file system.
    root: Option<PathBuf>,
    /// Within the store.
    path: Path,
}

/// What a folder holds.
#[derive(Clone, Default, Debug)]
pub(crate) struct Listing {
    pub folders: Vec<String>,
    pub files: Vec<String>,
}

impl Folder {
    /// A folder in the memory of the process, with nothing in it; it ends with its last clone. `name` tells it from others
    /// in messages.
    pub fn in_memory(name: &str) -> Self {
        Folder {
            store: Arc::new(InMemory::new()),
            root_url: format!("memory://{name}"),
            root: None,
            path: Path::default(),
        }
    }

    /// The folder with this URL (`file:///a/b`) or local path. A local folder is made if it is not there.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::Unsupported`] for other schemes, [`flott_types::ErrorKind::External`] if a local
    /// folder cannot be made.
    pub fn create(url: &str) -> Result<Self> {
        let path = local_path(url)?;
        if !path.is_dir() {
            let failed = |e| external(format!("the folder '{url}' cannot be made"), e);
            std::fs::create_dir_all(&path).map_err(failed)?;
            // Folders above may be made too; they may also be somebody else's, and not to be opened.
            path.ancestors().skip(1).take(2).for_each(|above| _ = sync_folder(above));
        }
        Folder::local(url, &path)
    }

    /// The folder with this URL or local path, if it is there.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::Unsupported`] for other schemes.
    pub fn open(url: &str) -> Result<Option<Self>> {
        let path = local_path(url)?;
        if path.is_dir() { Folder::local(url, &path).map(Some) } else { Ok(None) }
    }

    fn local(url: &str, path: &FsPath) -> Result<Self> {
        let failed = |e| external(format!("the folder '{url}' cannot be opened"), e);
        let path = path.canonicalize().map_err(failed)?;
        let store = LocalFileSystem::new_with_prefix(&path)
            .map_err(|e| external(format!("the folder '{url}' cannot be opened"), e))?;
        Ok(Folder {
            store: Arc::new(store.with_automatic_cleanup(true)),
            root_url: format!("file://{}", path.display()),
            root: Some(path),
            path: Path::default(),
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

    /// A folder within; it need not be there.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        Folder { path: self.at(name), ..self.clone() }
    }

    /// Makes a local folder within that nobody else has made; `false` if there is one of this name. Stores without folders
    /// of their own have nothing to make: there it is new if nothing lies in it.
    pub(crate) async fn create_child(&self, name: &str) -> Result<bool> {
        let Some(root) = &self.root else {
            let listing = self.child(name).list().await?;
            return Ok(listing.files.is_empty() && listing.folders.is_empty());
        };
        let path = self.in_file_system(root, name);
        match std::fs::create_dir(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            Err(error) => {
                return Err(external(format!("the folder '{}' cannot be made", self.url_of(name)), error));
            }
        }
        sync_folders(&path, root).map_err(|e| external(format!("'{}' cannot be written", self.url()), e))?;
        Ok(true)
    }

    /// Sees whether files can be written here, by writing one and taking it away again.
    ///
    /// # Errors
    /// Why not.
    pub(crate) async fn check_writable(&self, name: &str) -> Result<()> {
        let failed = |e: object_store::Error| external(format!("'{}' cannot be written to", self.url()), e);
        self.store.put(&self.at(name), Bytes::new().into()).await.map_err(failed)?;
        self.store.delete(&self.at(name)).await.map_err(failed)
    }

    /// The folder that this one lies in.
    pub(crate) fn parent(&self) -> Result<Self> {
        match (self.path.filename(), &self.root) {
            (None, Some(root)) => {
                let parent = root.parent().unwrap_or(root);
                Folder::local(&parent.display().to_string(), parent)
            }
            (None, None) => Ok(self.clone()),
            (Some(_), _) => {
                let parts = self.path.parts_count().saturating_sub(1);
                Ok(Folder { path: self.path.parts().take(parts).collect(), ..self.clone() })
            }
        }
    }

    /// Writes a file, in place of one that is there.
    pub(crate) async fn put(&self, name: &str, bytes: Bytes) -> Result<()> {
        let failed =
            |e: object_store::Error| external(format!("'{}' cannot be written", self.url_of(name)), e);
        let Some(root) = &self.root else {
            return self.store.put(&self.at(name), bytes.into()).await.map(|_| ()).map_err(failed);
        };
        // The content must be on the disk before the name is.
        let temporary = format!("{name}.inprogress");
        self.store.put(&self.at(&temporary), bytes.into()).await.map_err(failed)?;
        let (from, to) = (self.in_file_system(root, &temporary), self.in_file_system(root, name));
        sync(&from)
            .and_then(|()| std::fs::rename(&from, &to))
            .and_then(|()| sync_folders(&to, root))
            .map_err(|e| external(format!("'{}' cannot be written", self.url_of(name)), e))
    }

    /// Writes a new file; `false` if there is one of this name. Of several who try at once one succeeds.
    pub(crate) async fn put_new(&self, name: &str, bytes: Bytes) -> Result<bool> {
        let failed = |e| external(format!("'{}' cannot be written", self.url_of(name)), e);
        let Some(root) = &self.root else {
            let put = self.store.put_opts(&self.at(name), bytes.into(), PutMode::Create.into()).await;
            return match put {
                Ok(_) => Ok(true),
                Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
                Err(error) => Err(external(format!("'{}' cannot be written", self.url_of(name)), error)),
            };
        };
        // The content must be on the disk before the name is, and nobody else may write to the same temporary file.
        let temporary = self.in_file_system(root, &format!("{name}.{}.inprogress", unique()));
        let path = self.in_file_system(root, name);
        write_synced(&temporary, &bytes).map_err(failed)?;
        let linked = match std::fs::hard_link(&temporary, &path) {
            // A file system without links. A crash of the machine may leave a part of it there, which its checksum tells.
            Err(error) if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied) => {
                write_synced(&path, &bytes)
            }
            linked => linked,
        };
        // What stays of it is swept.
        _ = std::fs::remove_file(&temporary);
        match linked {
            Ok(()) => sync_folders(&path, root).map(|()| true).map_err(failed),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    /// Reads a file; `None` if it is not there.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<Bytes>> {
        let failed = |e| external(format!("'{}' cannot be read", self.url_of(name)), e);
        match self.store.get(&self.at(name)).await {
            Ok(result) => result.bytes().await.map(Some).map_err(failed),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// What lies directly within; nothing if the folder is not there.
    pub(crate) async fn list(&self) -> Result<Listing> {
        let listed = match self.store.list_with_delimiter(Some(&self.path)).await {
            Ok(listed) => listed,
            Err(object_store::Error::NotFound { .. }) => return Ok(Listing::default()),
            Err(error) => return Err(external(format!("'{}' cannot be listed", self.url()), error)),
        };
        let name = |path: &Path| path.filename().map(str::to_owned);
        Ok(Listing {
            folders: listed.common_prefixes.iter().filter_map(name).collect(),
            files: listed.objects.iter().filter_map(|object| name(&object.location)).collect(),
        })
    }

    /// Deletes a file, and local folders that become empty. Does nothing if it is not there.
    pub(crate) async fn delete(&self, name: &str) -> Result<()> {
        match self.store.delete(&self.at(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(external(format!("'{}' cannot be deleted", self.url_of(name)), error)),
        }
    }

    /// Removes this folder and those within, as far as nothing lies in them: a process that was killed may have made them and
    /// not come to write into them. Folders are nothing on an object store.
    pub(crate) fn remove_empty(&self) {
        if let Some(root) = &self.root {
            remove_empty(&self.path.parts().fold(root.clone(), |path, part| path.join(part.as_ref())));
        }
    }

    /// The path of a file, if it is one of a local file system; the folders above it are made.
    pub(crate) fn local_file(&self, name: &str) -> Result<Option<PathBuf>> {
        let Some(root) = &self.root else { return Ok(None) };
        let path = self.in_file_system(root, name);
        let failed = |e| external(format!("the folder of '{}' cannot be made", self.url_of(name)), e);
        path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(failed)?;
        Ok(Some(path))
    }

    fn at(&self, name: &str) -> Path {
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

/// The local path that a URL means.
fn local_path(url: &str) -> Result<PathBuf> {
    let path = match url.split_once(':') {
        Some(("file", rest)) => {
            // `file:/a`, `file:///a` and `file://localhost/a` are the same.
            let rest = rest.strip_prefix("//").unwrap_or(rest);
            rest.strip_prefix("localhost").unwrap_or(rest)
        }
        Some((scheme, rest)) if rest.starts_with("//") => {
            return Err(Error::unsupported(format!(
                "'{url}': snapshots on '{scheme}' are not built yet; use 'file:///...' or a local path"
            )));
        }
        _ => url,
    };
    if path.is_empty() {
        return Err(Error::invalid(format!("'{url}' names no folder")));
    }
    std::path::absolute(path).map_err(|e| Error::invalid(format!("'{url}' is not a path")).with_source(e))
}

/// A new file with this content, on the disk; the folders above it are made.
fn write_synced(path: &FsPath, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Tells the temporary files of this process and of others, on whatever machine, apart.
fn unique() -> String {
    static FILES: AtomicU64 = AtomicU64::new(0);
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(std::process::id()));
    format!("{:x}-{}", *PROCESS, FILES.fetch_add(1, Ordering::Relaxed))
}

fn remove_empty(folder: &FsPath) {
    let within = std::fs::read_dir(folder).into_iter().flatten().flatten();
    within
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .for_each(|e| remove_empty(&e.path()));
    // It fails if something lies in it, and that is what is wanted.
    _ = std::fs::remove_dir(folder);
}

/// Puts a file's content on the disk.
fn sync(path: &FsPath) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}

/// Puts on the disk that a file exists, in folders that may be new.
fn sync_folders(file: &FsPath, root: &FsPath) -> std::io::Result<()> {
    for folder in file.ancestors().skip(1).take_while(|folder| folder.starts_with(root)) {
        sync_folder(folder)?;
    }
    Ok(())
}

/// Puts a folder's entries on the disk, on file systems that have such a thing.
fn sync_folder(folder: &FsPath) -> std::io::Result<()> {
    match sync(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        done => done,
    }
}

fn external(message: String, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(flott_types::ErrorKind::External, message).with_source(source)
}
