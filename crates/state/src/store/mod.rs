//! The snapshot store: what operators hand over as files, and files as what they restore.
//!
//! ```text
//! <state.checkpoints.dir>/<job id>/chk-<n>/_metadata     a completed checkpoint's manifest
//! <state.checkpoints.dir>/<job id>/shared/<file>         immutable files that checkpoints share
//! <folder>/savepoint-<short job id>-<random>/            a savepoint: _metadata and all its files
//! <state.checkpoints.dir>/jobs/<job key>/                the starts of a job: who runs it, from where, and how that ended
//! ```
//!
//! - **A checkpoint exists when its `_metadata` does.** Files are on disk before the manifest that names them
//!   is written, and are deleted after the last manifest that names them. So an interruption leaves garbage
//!   at worst.
//! - **Files are immutable and never overwritten.** Each delta becomes a file at the end of its table's
//!   chain; chains are merged by size, away from the task's thread. Anything smaller than 20 KB is stored in
//!   the manifest itself, so a checkpoint of a small job is one object.
//! - **A reader trusts nothing**: size and checksum of each file are compared with the manifest, and an error
//!   names what is wrong. This reads a file as a whole; of its rows only the row groups of the reader's key
//!   groups are decoded.
//! - **A job has a key, and each start of it an id.** The [register](JobRegister) of the starts is stored
//!   under the key; whoever runs the job holds its [`Lease`], and nobody else writes, commits or deletes.
//! - Jobs do not share folders; a job that starts from another's snapshot names that job's files by URL.
//!
//! The functions are `async` for the sake of object stores, and block while they encode, compress and sync to
//! a local disk; no runtime is needed to drive them.

mod format;
mod job;
mod latest;
mod lease;
mod locate;
mod merge;
mod new_file;
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
pub use reader::{read_in_flight, read_state};
pub use records::{Began, Claim, End, Ends, Epoch, Meaning, Origin, Outcome, Owner};
pub use register::{JobRegister, Start};
pub use snapshot::{Found, Snapshot};
pub use writer::{HandOver, InFlightRows, Target, TaskSnapshotWriter, Written};

/// The manifest's name, the same as Flink's.
const METADATA: &str = "_metadata";
/// The folder of the files that a job's checkpoints share.
const SHARED: &str = "shared";
/// The file in a job's folder that names the newest checkpoint.
const NEWEST: &str = "newest";
/// The file in a job's folder with the note of [`JobStorage::note_stop`].
const STOPPED: &str = "stopped";
