//! A file that is uploaded while it is produced.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use bytes::Bytes;
use flott_types::{Error, Result};
use object_store::{MultipartUpload, ObjectStoreExt};

use crate::error::failed;
use crate::folder::{Folder, Linked, link, unique};

/// The size of an object's parts: more than the minimum of object stores, so that a large file has few.
const PART: usize = 8 << 20;

/// A new file in a [`Folder`], written in parts: at most one of them is in memory, plus what was written
/// since [`Upload::ready`] was called. Nobody sees it until [`Upload::finish`].
///
/// On a disk it gets its name then. An object cannot be renamed, only copied, so one that is uploaded in parts has
/// from its beginning a name that nothing else has.
///
/// A dropped upload leaves nothing on a local disk. To give one up on an object store, call
/// [`Upload::abandon`].
#[derive(Debug)]
pub struct Upload {
    folder: Folder,
    /// What the name of an object ends with.
    extension: &'static str,
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
        name: String,
        parts: Box<dyn MultipartUpload>,
    },
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
    /// A new file in this folder, whose name ends with `.extension`.
    pub fn new(folder: &Folder, extension: &'static str) -> Self {
        Upload { folder: folder.clone(), extension, pending: Vec::new(), handed_on: 0, to: To::Nowhere }
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

    /// Completes the file, and gives the name that it has: this one, unless it had one of its own before. `None` if
    /// the name exists, and then another may be tried. Nothing more can be written.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn finish(&mut self, wanted: &str) -> Result<Option<String>> {
        let url = self.folder.url_of(wanted);
        match &mut self.to {
            To::Nowhere => {
                let is_new = self.folder.put_new(wanted, Bytes::copy_from_slice(&self.pending)).await?;
                return Ok(is_new.then(|| wanted.to_owned()));
            }
            To::Local(_) | To::Parts { .. } if !self.pending.is_empty() => self.hand_on().await?,
            To::Local(_) | To::Parts { .. } => {}
        }
        match &mut self.to {
            To::Local(LocalFile { file, temporary }) => {
                let cannot = |error: io::Error| failed("write", &url, error);
                file.sync_all().map_err(cannot)?;
                let Some((root, path)) = self.folder.local(wanted) else {
                    return Err(Error::internal("a local file in a folder that is not local"));
                };
                let is_new = match link(temporary, &path, root).map_err(cannot)? {
                    Linked::New => true,
                    Linked::Taken => false,
                    Linked::Impossible if path.exists() => false,
                    Linked::Impossible => {
                        std::fs::rename(temporary, &path).map_err(cannot)?;
                        true
                    }
                };
                Ok(is_new.then(|| wanted.to_owned()))
            }
            To::Parts { name, parts } => {
                if let Err(error) = parts.complete().await {
                    // Perhaps only the answer was lost. Nobody else has this name.
                    let there = self.folder.store().head(&self.folder.at(name)).await;
                    there.map_err(|_| failed("write", self.folder.url_of(name), error))?;
                }
                Ok(Some(name.clone()))
            }
            To::Nowhere => Err(Error::internal("a file that is complete and not there")),
        }
    }

    /// Removes whatever exists of it.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub async fn abandon(mut self) -> Result<()> {
        match &mut self.to {
            To::Nowhere | To::Local(_) => Ok(()),
            To::Parts { parts, .. } => match parts.abort().await {
                // What is not there any more need not be removed.
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(failed("remove a part of", self.folder.url(), error)),
            },
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
            To::Nowhere => return Err(Error::internal("a file is written that is complete")),
        }
        Ok(())
    }

    async fn begin(&self) -> Result<To> {
        if let Some((_, temporary)) = self.folder.local(&format!("{}.inprogress", unique())) {
            let cannot = |error: io::Error| failed("create", temporary.display(), error);
            temporary.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(cannot)?;
            let file = File::options().write(true).create_new(true).open(&temporary).map_err(cannot)?;
            return Ok(To::Local(LocalFile { file, temporary }));
        }
        let name = format!("{}.{}", unique(), self.extension);
        let parts = self.folder.store().put_multipart(&self.folder.at(&name)).await;
        let parts = parts.map_err(|error| failed("create a file in", self.folder.url(), error))?;
        Ok(To::Parts { name, parts })
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
