//! Local files under construction, and how many of them are open.
//!
//! A process may have more files in progress than it may have open: one for each of thousands of partitions.
//! A file in progress can be parked: its handle is closed, and it is reopened for appending when there is
//! more to write. Nobody sees a difference; the file keeps its hidden name.
//!
//! The bound is per process: half of the system's limit of open files, shared by all writers. The other half
//! is for sources, sockets and state.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use flott_types::Result;

use super::local::failed;

/// How many files under construction the process has open.
static OPEN: AtomicUsize = AtomicUsize::new(0);

/// How many files under construction may be open in the process.
fn bound() -> usize {
    /// For systems that do not report a limit.
    const UNKNOWN: u64 = 1_024;
    static BOUND: OnceLock<usize> = OnceLock::new();
    *BOUND.get_or_init(|| {
        let limit = rlimit::getrlimit(rlimit::Resource::NOFILE).map_or(UNKNOWN, |(soft, _)| soft);
        usize::try_from(limit / 2).unwrap_or(usize::MAX).max(16)
    })
}

/// An open file that is counted.
#[derive(Debug)]
struct Handle(File);

impl Handle {
    fn new(file: File) -> Self {
        OPEN.fetch_add(1, Ordering::Relaxed);
        Handle(file)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A file under construction.
#[derive(Debug)]
pub struct LocalNewFile {
    /// `None` while it is parked.
    handle: Option<Handle>,
    path: PathBuf,
}

impl LocalNewFile {
    pub(super) fn too_many() -> bool {
        OPEN.load(Ordering::Relaxed) >= bound()
    }

    /// Creates a file, and the directories above it. The name must not exist.
    pub(super) fn create(path: PathBuf) -> Result<Self> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| failed("create the directory of", &path, error))?;
        }
        let file = File::options().write(true).create_new(true).open(&path);
        let file = file.map_err(|error| failed("create", &path, error))?;
        Ok(LocalNewFile { handle: Some(Handle::new(file)), path })
    }

    pub(super) fn is_open(&self) -> bool {
        self.handle.is_some()
    }

    /// Closes the handle until there is more to write.
    pub(super) fn park(&mut self) {
        self.handle = None;
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file()?.write_all(bytes);
        written.map_err(|error| failed("write", &self.path, error))
    }

    /// Makes what was written survive a crash.
    pub(super) fn close(mut self) -> Result<()> {
        let synced = self.file()?.sync_all();
        synced.map_err(|error| failed("write", &self.path, error))
    }

    fn file(&mut self) -> Result<&mut File> {
        let handle = match self.handle.take() {
            Some(handle) => handle,
            // Not created: a file that somebody has removed must not reappear without its beginning.
            None => {
                let file = File::options().append(true).open(&self.path);
                Handle::new(file.map_err(|error| failed("write", &self.path, error))?)
            }
        };
        Ok(&mut self.handle.insert(handle).0)
    }
}
