//! A storage of which a test chooses the call that does not come back.

use std::sync::Arc;

use flott_checkpoint::Barrier;
use flott_checkpoint::manifest::{Manifest, StateFile, SubtaskRestore};
use flott_cluster::{Begun, Destination, End, Place, Snapshots, Start, Storage};
use flott_runtime::{OperatorState, SnapshotStorage, SnapshotWriter, Stored, TaskDeployment};
use flott_state::RestoredState;
use flott_types::{CheckpointId, Error, Result, Timestamp};
use parking_lot::{Condvar, Mutex};

/// A call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// A task stores its part.
    Upload,
    /// The manifest is written.
    Write,
    /// The folder of a savepoint is made.
    Folder,
    /// A manifest is read.
    Read,
}

#[derive(Default)]
pub struct HangingStorage {
    inner: Arc<Snapshots>,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    /// What hangs, and how many calls hang.
    state: Mutex<(Option<Step>, usize)>,
    changed: Condvar,
}

impl Gate {
    fn pass(&self, step: Step) {
        let mut state = self.state.lock();
        if state.0 == Some(step) {
            state.1 += 1;
            self.changed.wait_while(&mut state, |(hangs, _)| hangs.is_some());
            state.1 -= 1;
        }
    }
}

impl HangingStorage {
    pub fn hang(&self, step: Step) {
        self.gate.state.lock().0 = Some(step);
    }

    pub fn release(&self) {
        self.gate.state.lock().0 = None;
        self.gate.changed.notify_all();
    }

    /// Whether a call hangs.
    pub fn hangs(&self) -> bool {
        self.gate.state.lock().1 > 0
    }
}

impl SnapshotStorage for HangingStorage {
    fn writer(&self, deployment: &TaskDeployment) -> Result<Box<dyn SnapshotWriter>> {
        Ok(Box::new(Writer(self.inner.writer(deployment)?, self.gate.clone())))
    }

    fn restore(&self, deployment: &TaskDeployment, state: &SubtaskRestore) -> Result<RestoredState> {
        self.inner.restore(deployment, state)
    }

    fn in_flight(&self, deployment: &TaskDeployment, file: &StateFile) -> Result<Vec<u8>> {
        self.inner.in_flight(deployment, file)
    }
}

struct Writer(Box<dyn SnapshotWriter>, Arc<Gate>);

impl SnapshotWriter for Writer {
    fn write(
        &mut self,
        barrier: Barrier,
        target: Option<&str>,
        operators: Vec<OperatorState>,
    ) -> Result<Stored> {
        // One of them is enough.
        if operators.iter().any(|operator| operator.uid.0 == "sink") {
            self.1.pass(Step::Upload);
        }
        self.0.write(barrier, target, operators)
    }
}

impl Storage for HangingStorage {
    fn as_snapshot_storage(self: Arc<Self>) -> Arc<dyn SnapshotStorage> {
        self
    }

    fn savepoint_folder(&self, place: &Place<'_>, target: &str, random: u64) -> Result<String> {
        self.gate.pass(Step::Folder);
        self.inner.savepoint_folder(place, target, random)
    }

    fn write(&self, place: &Place<'_>, destination: &Destination, manifest: &Manifest) -> Result<String> {
        self.gate.pass(Step::Write);
        self.inner.write(place, destination, manifest)
    }

    fn read(&self, place: &Place<'_>, checkpoint: CheckpointId) -> Result<Manifest> {
        self.gate.pass(Step::Read);
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
        self.inner.withdraw(place, checkpoint)
    }

    fn sweep_aborted(&self, place: &Place<'_>) -> Result<()> {
        self.inner.sweep_aborted(place)
    }

    fn end(&self, place: &Place<'_>, end: &End) -> Result<()> {
        self.inner.end(place, end)
    }

    fn release(&self, place: &Place<'_>) {
        self.inner.release(place);
    }
}
