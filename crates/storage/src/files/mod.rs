//! Files of tables, with blocking calls: for the threads of sources and sinks, which have nothing else to do
//! in the meantime. They are on local disks (`local`) or in an object store (`objects`); the
//! [`Location`] decides.
//!
//! A new file is invisible until it is published, on either: a local file has a hidden name until it is
//! renamed, and an object is a multipart upload that is completed.

mod local;
mod local_locked;
mod local_new_file;
mod locked;
mod new_file;
mod objects;

use std::io::{self, Read};

use flott_types::{Error, Result, Timestamp};

pub use locked::LockedFile;
pub use new_file::{NewFile, PreparedUpload};

use crate::location::Location;

/// A file as a listing shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileInfo {
    /// Where it is.
    pub location: Location,
    /// In bytes.
    pub size: u64,
    /// When it was changed last.
    pub modified: Timestamp,
    /// What the store calls this version of it (its ETag), where there is such a name.
    pub version: Option<String>,
}

/// The files at a location, sorted by name: the file itself, all files below a directory, or what a glob
/// matches. Hidden names, those that begin with `.` or `_`, are left out below the location.
///
/// # Errors
/// If nothing is there, or it cannot be listed.
pub fn list(location: &Location) -> Result<Vec<FileInfo>> {
    let mut files = match location {
        Location::Local(path) => local::list(path)?,
        Location::Object(object) => objects::list(object)?,
    };
    files.sort_by(|a, b| a.location.cmp(&b.location));
    files.dedup_by(|a, b| a.location == b.location);
    Ok(files)
}

/// A file as it is now, if it exists.
///
/// # Errors
/// If that cannot be found out.
pub fn look(location: &Location) -> Result<Option<FileInfo>> {
    match location {
        Location::Local(path) => local::look(path),
        Location::Object(object) => objects::look(object),
    }
}

/// Opens a file for reading from an offset.
///
/// # Errors
/// If it cannot be opened.
pub fn open(location: &Location, offset: u64) -> Result<Box<dyn Read + Send>> {
    match location {
        Location::Local(path) => Ok(Box::new(local::open(path, offset)?)),
        Location::Object(object) => Ok(Box::new(objects::ObjectReader::open(object, offset)?)),
    }
}

/// A file with random access.
#[derive(Debug)]
pub enum RandomFile {
    /// On a local disk.
    Local(local::RandomFile),
    /// In an object store.
    Object(Box<objects::ObjectReader>),
}

impl RandomFile {
    /// Opens a file.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(location: &Location) -> Result<Self> {
        match location {
            Location::Local(path) => local::RandomFile::open(path).map(RandomFile::Local),
            Location::Object(object) => {
                objects::ObjectReader::open(object, 0).map(Box::new).map(RandomFile::Object)
            }
        }
    }

    /// Reads this many bytes from an offset.
    ///
    /// # Errors
    /// If they cannot be read, or do not exist.
    pub fn read(&mut self, offset: u64, bytes: usize) -> Result<Vec<u8>> {
        match self {
            RandomFile::Local(file) => file.read(offset, bytes),
            RandomFile::Object(object) => object.read_at(offset, bytes),
        }
    }
}

/// The outcome of publishing a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Published {
    /// The file has its visible name, from now on or since an earlier call.
    Visible,
    /// Neither the hidden nor the visible file exists.
    Missing,
}

/// Makes a file visible, durably after [`sync_directory`]: the one with the hidden name, or else the upload
/// that was prepared for it. Idempotent.
///
/// # Errors
/// If it cannot be made visible now.
pub fn publish(hidden: &Location, visible: &Location, upload: Option<&PreparedUpload>) -> Result<Published> {
    match (hidden, visible, upload) {
        (Location::Local(hidden), Location::Local(visible), None) => local::publish(hidden, visible),
        (_, Location::Object(object), Some(upload)) => objects::publish(object, upload),
        _ => Err(Error::state(format!("the file {visible} was not written by a writer of files"))),
    }
}

/// Whether a directory is there; in an object store, which has none, it always is.
pub fn may_be_directory(location: &Location) -> bool {
    match location {
        Location::Local(path) => path.is_dir(),
        Location::Object(_) => true,
    }
}

/// Creates a directory, and says whether files can be created in it.
///
/// # Errors
/// If not.
pub fn check_writable(directory: &Location) -> Result<()> {
    match directory {
        Location::Local(path) => local::check_writable(path),
        Location::Object(object) => objects::check_writable(object),
    }
}

/// Creates an empty file unless it exists.
///
/// # Errors
/// If it cannot be created.
pub fn touch(location: &Location) -> Result<()> {
    match location {
        Location::Local(path) => local::touch(path),
        Location::Object(object) => objects::touch(object),
    }
}

/// Removes a file, if it exists.
///
/// # Errors
/// If it cannot be removed.
pub fn remove(location: &Location) -> Result<()> {
    match location {
        Location::Local(path) => local::remove(path),
        Location::Object(object) => objects::remove(object),
    }
}

/// Gives up an upload that was not published. It may be gone already.
///
/// # Errors
/// If it cannot be given up now.
pub fn abandon(visible: &Location, upload: &str) -> Result<()> {
    match visible {
        Location::Local(_) => Ok(()),
        Location::Object(object) => objects::abandon(object, upload),
    }
}

/// The files below a directory whose names satisfy `wanted`, including hidden ones; none if the directory
/// does not exist.
///
/// # Errors
/// If it cannot be listed.
pub fn find(directory: &Location, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Location>> {
    let mut found = match directory {
        Location::Local(path) => local::find(path, wanted)?,
        Location::Object(object) => objects::find(object, wanted)?,
    };
    found.sort();
    Ok(found)
}

/// Makes the names in a directory durable.
///
/// # Errors
/// If they cannot be written.
pub fn sync_directory(directory: &Location) -> Result<()> {
    match directory {
        Location::Local(path) => local::sync_directory(path),
        // An object is durable once it is visible.
        Location::Object(_) => Ok(()),
    }
}

/// What went wrong with which file.
pub fn failed(action: &str, location: &Location, error: io::Error) -> Error {
    crate::error::failed(action, location, error)
}

/// Hidden names begin with `.` or `_`.
fn is_hidden(name: &[u8]) -> bool {
    matches!(name.first(), Some(b'.' | b'_'))
}
