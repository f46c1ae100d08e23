//! A file that is uploaded while it is produced.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use bytes::Bytes;
use flott_types::{Error, Result};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt};

use crate::error::failed;
use crate::folder::{Folder, Linked, link, unique};

/// The size of an object's parts: more than the minimum of object stores, so that a large file has few.
const PART: usize = 8 << 20;

/// A new file in a [`Folder`], written in parts: at most one of them is in memory, plus what was written
/// since [`Upload::ready`] was called. It has no name, and nobody sees it, until [`Upload::finish`].
///
/// A dropped upload leaves nothing on a local disk. To give one up on an object store, call
/// [`Upload::abandon`].
#[derive(Debug)]
pub struct Upload {
    folder: Folder,
    /// Bytes not yet in the store.
    pending: Vec<u8>,
    /// Bytes in the store.
    handed_on: u64,
    to: To,
}

/// Where parts go.
#[derive(Debug)]
enum To {
    /// Nowhere yet: the file may be small enough to be written at once.
    Nowhere,
    Local(LocalFile),
    Parts {
        temporary: Path,
        parts: Box<dyn MultipartUpload>,
    },
    /// All parts are in an object, which does not have its final name yet.
    Object(Path),
}

/// A temporary file, removed when it is dropped.
#[derive(Debug)]
struct LocalFile {
    file: File,
    temporary: PathBuf,
}

impl Drop for LocalFile {
    fn drop(&mut self) {
        // Remains are swept later.
        _ = std::fs::remove_file(&self.temporary);
    }
}

impl Upload {
    /// A new file in this folder.
    pub fn new(folder: &Folder) -> Self {
        Upload { folder: folder.clone(), pending: Vec::new(), handed_on: 0, to: To::Nowhere }
    }

    /// How many bytes were written.
    pub fn len(&self) -> u64 {
        self.handed_on + self.pending.len() as u64
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes everything that was written, if it is less than this many bytes and none of it is in the store
    /// yet.
    pub fn take_below(&mut self, bytes: usize) -> Option<Vec<u8>> {
        let little = matches!(self.to, To::Nowhere) && self.pending.len() < bytes;
        little.then(|| std::mem::take(&mut self.pending))
    }

    /// Uploads what was written if it is enough for a part. Call it now and then; until then, everything
    /// written is in memory.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn ready(&mut self) -> Result<()> {
        match self.pending.len() >= PART {
            true => self.hand_on().await,
            false => Ok(()),
        }
    }

    /// Gives the file this name; `false` if the name exists, and then another may be tried. Nothing more can
    /// be written.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn finish(&mut self, name: &str) -> Result<bool> {
        let url = self.folder.url_of(name);
        let broken = |error: object_store::Error| failed("write", &url, error);
        match &mut self.to {
            To::Nowhere => {
                let taken = !self.folder.put_new(name, Bytes::copy_from_slice(&self.pending)).await?;
                return Ok(!taken);
            }
            To::Local(_) | To::Parts { .. } if !self.pending.is_empty() => self.hand_on().await?,
            _ => {}
        }
        if let To::Parts { temporary, parts } = &mut self.to {
            if let Err(error) = parts.complete().await {
                // Perhaps only the answer was lost. Nobody else has this name.
                self.folder.store().head(temporary).await.map_err(|_| broken(error))?;
            }
            self.to = To::Object(std::mem::take(temporary));
        }
        match &self.to {
            To::Local(LocalFile { file, temporary }) => {
                let cannot = |error: io::Error| failed("write", &url, error);
                file.sync_all().map_err(cannot)?;
                let Some((root, path)) = self.folder.local(name) else {
                    return Err(Error::internal("a local file in a folder that is not local"));
                };
                match link(temporary, &path, root).map_err(cannot)? {
                    Linked::New => Ok(true),
                    Linked::Taken => Ok(false),
                    Linked::Impossible if path.exists() => Ok(false),
                    Linked::Impossible => {
                        std::fs::rename(temporary, &path).map_err(cannot)?;
                        Ok(true)
                    }
                }
            }
            To::Object(temporary) => {
                let store = self.folder.store();
                match store.copy_if_not_exists(temporary, &self.folder.at(name)).await {
                    Ok(()) => gone(store.delete(temporary).await).map(|()| true).map_err(broken),
                    Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
                    Err(error) => Err(broken(error)),
                }
            }
            To::Nowhere | To::Parts { .. } => Err(Error::internal("a file that is complete and not there")),
        }
    }

    /// Removes whatever exists of it.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub async fn abandon(mut self) -> Result<()> {
        let broken = |error: object_store::Error| failed("remove a part of", self.folder.url(), error);
        match &mut self.to {
            To::Nowhere | To::Local(_) => Ok(()),
            To::Parts { parts, .. } => gone(parts.abort().await).map_err(broken),
            To::Object(temporary) => gone(self.folder.store().delete(temporary).await).map_err(broken),
        }
    }

    async fn hand_on(&mut self) -> Result<()> {
        if matches!(self.to, To::Nowhere) {
            self.to = self.begin().await?;
        }
        let name = self.folder.url();
        match &mut self.to {
            To::Local(LocalFile { file, .. }) => {
                file.write_all(&self.pending).map_err(|error| failed("write a file in", name, error))?;
                self.handed_on += self.pending.len() as u64;
                self.pending.clear();
            }
            To::Parts { parts, .. } => {
                let part = std::mem::take(&mut self.pending);
                self.handed_on += part.len() as u64;
                let put = parts.put_part(Bytes::from(part).into());
                put.await.map_err(|error| failed("write a file in", name, error))?;
            }
            To::Nowhere | To::Object(_) => return Err(Error::internal("a file is written that is complete")),
        }
        Ok(())
    }

    async fn begin(&self) -> Result<To> {
        let name = format!("{}.inprogress", unique());
        if let Some((_, temporary)) = self.folder.local(&name) {
            let cannot = |error: io::Error| failed("create", temporary.display(), error);
            temporary.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(cannot)?;
            let file = File::options().write(true).create_new(true).open(&temporary).map_err(cannot)?;
            return Ok(To::Local(LocalFile { file, temporary }));
        }
        let temporary = self.folder.at(&name);
        let parts = self.folder.store().put_multipart(&temporary).await;
        let parts = parts.map_err(|error| failed("create a file in", self.folder.url(), error))?;
        Ok(To::Parts { temporary, parts })
    }
}

/// What is not there any more need not be removed.
fn gone(removed: object_store::Result<()>) -> object_store::Result<()> {
    match removed {
        Err(object_store::Error::NotFound { .. }) => Ok(()),
        removed => removed,
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
