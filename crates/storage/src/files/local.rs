//! Files on local disks.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use flott_types::{Error, Result, Timestamp};

use super::{FileInfo, Published};
use crate::location::Location;

pub(super) fn list(path: &Path) -> Result<Vec<FileInfo>> {
    let mut files = Vec::new();
    if let Some(metadata) = metadata(path)? {
        visit(path, &metadata, &mut files)?;
    } else if let Some(pattern) = path.to_str().filter(|text| text.contains(['*', '?', '['])) {
        let matches = glob::glob(pattern).map_err(|error| {
            Error::invalid(format!("the path '{pattern}' is not a pattern")).with_source(error)
        })?;
        for found in matches {
            let found = found.map_err(|error| failed("list", path, error.into()))?;
            if !is_hidden(&found)
                && let Some(metadata) = metadata(&found)?
            {
                visit(&found, &metadata, &mut files)?;
            }
        }
    } else {
        return Err(Error::external(format!("the path {} does not exist", path.display())));
    }
    Ok(files)
}

fn visit(path: &Path, metadata: &fs::Metadata, files: &mut Vec<FileInfo>) -> Result<()> {
    if metadata.is_dir() {
        for entry in fs::read_dir(path).map_err(|error| failed("list", path, error))? {
            let entry = entry.map_err(|error| failed("list", path, error))?.path();
            // A file may vanish between the listing and here.
            if !is_hidden(&entry)
                && let Some(metadata) = self::metadata(&entry)?
            {
                visit(&entry, &metadata, files)?;
            }
        }
        return Ok(());
    }
    files.push(info(path, metadata));
    Ok(())
}

fn metadata(path: &Path) -> Result<Option<fs::Metadata>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("look at", path, error)),
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| super::is_hidden(name.as_encoded_bytes()))
}

pub(super) fn look(path: &Path) -> Result<Option<FileInfo>> {
    Ok(metadata(path)?.map(|metadata| info(path, &metadata)))
}

fn info(path: &Path, metadata: &fs::Metadata) -> FileInfo {
    let modified = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    FileInfo {
        location: Location::Local(path.to_owned()),
        size: metadata.len(),
        modified: modified.map_or(0, |since| since.as_millis() as Timestamp),
        version: None,
    }
}

/// A file with random access.
#[derive(Debug)]
pub struct RandomFile {
    file: File,
    path: PathBuf,
}

impl RandomFile {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| failed("open", path, error))?;
        Ok(RandomFile { file, path: path.to_owned() })
    }

    pub(super) fn read(&mut self, offset: u64, bytes: usize) -> Result<Vec<u8>> {
        let mut into = vec![0; bytes];
        let read = self.file.seek(SeekFrom::Start(offset)).and_then(|_| self.file.read_exact(&mut into));
        read.map_err(|error| failed("read", &self.path, error))?;
        Ok(into)
    }
}

pub(super) fn open(path: &Path, offset: u64) -> Result<File> {
    let mut file = File::open(path).map_err(|error| failed("open", path, error))?;
    if offset > 0 {
        file.seek(SeekFrom::Start(offset)).map_err(|error| failed("read", path, error))?;
    }
    Ok(file)
}

pub(super) fn publish(hidden: &Path, visible: &Path) -> Result<Published> {
    if metadata(hidden)?.is_some() && metadata(visible)?.is_some() {
        return Err(Error::external(format!(
            "{} is there already; it would be overwritten by {}",
            visible.display(),
            hidden.display()
        )));
    }
    match fs::rename(hidden, visible) {
        Ok(()) => Ok(Published::Visible),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(if metadata(visible)?.is_some() { Published::Visible } else { Published::Missing })
        }
        Err(error) => Err(failed("rename", hidden, error)),
    }
}

pub(super) fn check_writable(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).map_err(|error| failed("create the directory", directory, error))?;
    let probe = directory.join(format!(".probe-{}", std::process::id()));
    let created = File::options().write(true).create(true).truncate(true).open(&probe);
    created.map_err(|error| failed("create a file in", directory, error))?;
    remove(&probe)
}

pub(super) fn touch(path: &Path) -> Result<()> {
    let file = File::options().write(true).create(true).truncate(false).open(path);
    file.and_then(|file| file.sync_all()).map_err(|error| failed("create", path, error))?;
    sync_directory(path.parent().unwrap_or(Path::new("")))
}

pub(super) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path, error)),
        _ => Ok(()),
    }
}

pub(super) fn find(directory: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Location>> {
    let mut found = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                continue;
            }
            Err(error) => return Err(failed("list", &directory, error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| failed("list", &directory, error))?;
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_directory {
                directories.push(entry.path());
            } else if entry.file_name().to_str().is_some_and(wanted) {
                found.push(Location::Local(entry.path()));
            }
        }
    }
    Ok(found)
}

pub(super) fn sync_directory(directory: &Path) -> Result<()> {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(|error| failed("write", directory, error))
}

/// What went wrong with which file.
pub(super) fn failed(action: &str, path: &Path, error: io::Error) -> Error {
    crate::error::failed(action, path.display(), error)
}
