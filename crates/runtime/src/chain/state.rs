//! The state that operators hand over at a checkpoint, and start from.

use flott_operator::SnapshotLater;
use flott_state::store::InFlightRows;
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::OperatorUid;

/// What one operator hands over at a checkpoint.
#[derive(Debug)]
pub struct OperatorState {
    /// The operator.
    pub uid: OperatorUid,
    /// Its name for people.
    pub name: String,
    /// The number of key groups.
    pub max_parallelism: u32,
    /// The state.
    pub state: OperatorSnapshot,
    /// It has emitted its last results.
    pub finished: bool,
    /// The remaining work, for the snapshot's thread.
    pub later: Option<Later>,
    /// Of the head: what the barrier overtook.
    pub in_flight: Option<InFlightRows>,
}

/// The remaining work of an operator's snapshot.
pub struct Later(pub SnapshotLater);

impl std::fmt::Debug for Later {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Later")
    }
}

/// What one operator starts from.
#[derive(Default)]
pub struct Restored {
    /// The state.
    pub state: RestoredState,
    /// It had emitted its last results.
    pub finished: bool,
}
