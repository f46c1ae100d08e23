//! The storage of a process that is killed at its end: what it would have done then is not done.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use flott_checkpoint::manifest::{Manifest, StateFile, SubtaskRestore};
use flott_cluster::{Begun, Destination, End, Place, Snapshots, Start, Storage};
use flott_runtime::{SnapshotStorage, SnapshotWriter, TaskDeployment};
use flott_state::RestoredState;
use flott_types::{CheckpointId, Error, Result, Timestamp};

/// Optionally stops working once a job ends.
#[derive(Default)]
pub struct Killed {
    pub inner: Arc<Snapshots>,
    /// At its end.
    pub at_end: AtomicBool,
    /// The next checkpoint is written and said to have failed.
    pub loses_answer: AtomicBool,
    /// So many attempts to take a checkpoint back fail.
    pub withdrawals_fail: AtomicUsize,
    /// Where the folder is copied to when the job ends, and from where.
    pub copy: Option<(PathBuf, PathBuf)>,
}

impl Killed {
    pub fn at_end() -> Arc<Self> {
        let killed = Killed::default();
        killed.at_end.store(true, Ordering::SeqCst);
        Arc::new(killed)
    }

    fn lives(&self) -> bool {
        !self.at_end.load(Ordering::SeqCst)
    }
}

/// A folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

impl SnapshotStorage for Killed {
    fn writer(&self, deployment: &TaskDeployment) -> Result<Box<dyn SnapshotWriter>> {
        self.inner.writer(deployment)
    }

    fn restore(&self, deployment: &TaskDeployment, state: &SubtaskRestore) -> Result<RestoredState> {
        self.inner.restore(deployment, state)
    }

    fn in_flight(&self, deployment: &TaskDeployment, file: &StateFile) -> Result<Vec<u8>> {
        self.inner.in_flight(deployment, file)
    }
}

impl Storage for Killed {
    fn as_snapshot_storage(self: Arc<Self>) -> Arc<dyn SnapshotStorage> {
        self
    }

    fn savepoint_folder(&self, place: &Place<'_>, target: &str, random: u64) -> Result<String> {
        self.inner.savepoint_folder(place, target, random)
    }

    fn write(&self, place: &Place<'_>, destination: &Destination, manifest: &Manifest) -> Result<String> {
        let written = self.inner.write(place, destination, manifest)?;
        match self.loses_answer.swap(false, Ordering::SeqCst) {
            true => Err(Error::external("the answer was lost")),
            false => Ok(written),
        }
    }

    fn read(&self, place: &Place<'_>, checkpoint: CheckpointId) -> Result<Manifest> {
        self.inner.read(place, checkpoint)
    }

    fn read_path(&self, place: &Place<'_>, path: &str) -> Result<Manifest> {
        self.inner.read_path(place, path)
    }

    fn discard(&self, place: &Place<'_>, checkpoint: CheckpointId) -> Result<()> {
        self.inner.discard(place, checkpoint)
    }

    fn dispose(&self, savepoint: &str) -> Result<()> {
        self.inner.dispose(savepoint)
    }

    fn begin(&self, place: &Place<'_>, start: &Start<'_>) -> Result<Begun> {
        self.inner.begin(place, start)
    }

    fn renew(&self, place: &Place<'_>, now: Timestamp) -> Result<()> {
        self.inner.renew(place, now)
    }

    fn deposed(&self, place: &Place<'_>) -> Option<Error> {
        self.inner.deposed(place)
    }

    fn sweep(&self, place: &Place<'_>) -> Result<()> {
        self.inner.sweep(place)
    }

    fn withdraw(&self, place: &Place<'_>, checkpoint: CheckpointId) -> Result<()> {
        let fails = |left: usize| left.checked_sub(1);
        match self.withdrawals_fail.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fails) {
            Ok(_) => Err(Error::external("nobody answers")),
            Err(_) => self.inner.withdraw(place, checkpoint),
        }
    }

    fn sweep_aborted(&self, place: &Place<'_>) -> Result<()> {
        self.inner.sweep_aborted(place)
    }

    fn end(&self, place: &Place<'_>, end: &End) -> Result<()> {
        if let Some((from, to)) = &self.copy {
            copy(from, to);
        }
        if self.lives() { self.inner.end(place, end) } else { Ok(()) }
    }

    fn release(&self, place: &Place<'_>) {
        self.inner.release(place);
    }
}
