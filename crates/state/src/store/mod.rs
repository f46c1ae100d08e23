//! The snapshot store: what operators hand over as files, and files as what they restore.
//!
//! ```text
//! <state.checkpoints.dir>/<job id>/chk-<n>/_metadata     a completed checkpoint's manifest
//! <state.checkpoints.dir>/<job id>/shared/<file>         immutable files that checkpoints share
//! <folder>/savepoint-<short job id>-<random>/            a savepoint: _metadata and all its files
//! <state.checkpoints.dir>/jobs/<job key>/                the starts of a job: who runs it, from where, and how that ended
//! ```
//!
//! - **A checkpoint exists when its `_metadata` does.** Files are on the disk before the manifest that names
//!   them is written, and deleted after the last one that names them was. So whatever is interrupted leaves
//!   litter at worst.
//! - **Files are immutable and never written over.** Each hand-over becomes a file of changes at the end of
//!   its table's chain; chains are merged by size, away from the task's thread. What is smaller than 20 KB
//!   lies in the manifest itself, so a checkpoint of a small job is one object.
//! - **A reader trusts nothing**: size and checksum of each file are compared with the manifest, and what is
//!   wrong is named. A file is read as a whole for that; of its rows only the row groups of the reader's key
//!   groups are decoded.
//! - **A job has a key, and each start of it an id.** Under the key lies the [register](JobRegister) of the
//!   starts; who runs the job holds its [`Lease`], and nobody else writes, commits or deletes.
//! - Jobs do not share folders; a job that starts from another's snapshot names its files by URL.
//!
//! The functions are `async` for object stores of the network, and blocking as far as they encode, compress
//! and sync to a local disk; no runtime is needed to drive them.

mod format;
mod job;
mod latest;
mod lease;
mod locate;
mod merge;
mod reader;
mod records;
mod register;
mod snapshot;
mod writer;

pub use flott_storage::Folder;
pub use job::{JobStorage, Stopped};
pub use latest::{Latest, Search, difference};
pub use lease::{LEASE_MILLIS, Lease, RENEWAL_MILLIS, Vacancy};
pub use locate::CheckpointStorage;
pub use reader::read_state;
pub use records::{Began, Claim, End, Ends, Epoch, Meaning, Origin, Outcome, Owner};
pub use register::{JobRegister, Start};
pub use snapshot::{Found, Snapshot};
pub use writer::{HandOver, Target, TaskSnapshotWriter, Written};

/// The manifest's name, as Flink's.
const METADATA: &str = "_metadata";
/// The folder of the files that a job's checkpoints share.
const SHARED: &str = "shared";
/// Where it is noted in a job's folder which checkpoint is the newest.
const NEWEST: &str = "newest";
/// Where the note of [`JobStorage::note_stop`] lies in a job's folder.
const STOPPED: &str = "stopped";
