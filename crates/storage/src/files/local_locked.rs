//! Small local files that their owner keeps locked, so that others can see whether the owner is still alive.
//!
//! The lock is the system's (`flock`): it is released when the process ends, in whatever way. On a file
//! system without locks, every owner counts as alive.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use flott_types::{Error, Result};

use super::local::{self, failed};

/// A locked file.
#[derive(Debug)]
pub(super) struct LocalLockedFile {
    file: File,
    path: PathBuf,
}

impl LocalLockedFile {
    /// Creates a file with its directory, and locks it. The name must not exist.
    ///
    /// # Errors
    /// If it cannot be created.
    pub(super) fn create(path: PathBuf, content: &str) -> Result<Self> {
        let taken = failed("create", &path, io::ErrorKind::AlreadyExists.into());
        LocalLockedFile::claim(path, content)?.ok_or(taken)
    }

    /// The same; `None` if the name exists.
    ///
    /// # Errors
    /// If it cannot be created.
    pub(super) fn claim(path: PathBuf, content: &str) -> Result<Option<Self>> {
        // Whoever empties the directory removes it, and whoever finds an empty file removes that: both may
        // happen between two of our steps.
        for _ in 0..100 {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)
                    .map_err(|error| failed("create the directory of", &path, error))?;
            }
            let file = match File::options().read(true).write(true).create_new(true).open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
                Err(error) => return Err(failed("create", &path, error)),
            };
            match file.lock() {
                Err(error) if error.kind() != io::ErrorKind::Unsupported => {
                    return Err(failed("lock", &path, error));
                }
                _ => {}
            }
            if path.try_exists().map_err(|error| failed("look at", &path, error))? {
                let mut locked = LocalLockedFile { file, path };
                locked.write(content).map_err(|error| failed("write", &locked.path, error))?;
                return Ok(Some(locked));
            }
        }
        Err(Error::external(format!("cannot create {}: others keep removing it", path.display())))
    }

    /// Takes over a file whose owner has gone. `None` if the owner is alive, or the file does not exist.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(super) fn take(path: &Path) -> Result<Option<Self>> {
        let file = match File::options().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("open", path, error)),
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(LocalLockedFile { file, path: path.to_owned() })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed("lock", path, error)),
        }
    }

    /// What is in it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn read(&mut self) -> Result<String> {
        let mut content = String::new();
        let read = self.file.seek(SeekFrom::Start(0)).and_then(|_| self.file.read_to_string(&mut content));
        read.map_err(|error| failed("read", &self.path, error))?;
        Ok(content)
    }

    /// Replaces the content durably.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn replace(&mut self, content: &str) -> Result<()> {
        let written = self.write(content).and_then(|()| self.file.sync_data());
        written.map_err(|error| failed("write", &self.path, error))
    }

    fn write(&mut self, content: &str) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(content.as_bytes())?;
        self.file.set_len(content.len() as u64)
    }

    /// Removes it, and its directory if nothing else is in there.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub(super) fn remove(self) -> Result<()> {
        local::remove(&self.path)?;
        if let Some(directory) = self.path.parent() {
            // Not empty, mostly.
            let _ = fs::remove_dir(directory);
        }
        Ok(())
    }
}
