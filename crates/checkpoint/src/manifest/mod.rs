//! The manifest: the contents of one checkpoint or savepoint. Plain versioned data, written as JSON.
//!
//! A snapshot is complete when, and only when, its manifest is durable; files that are in no manifest are
//! orphans. The manifest names every operator by its uid, and for each of its subtasks the keyed tables with
//! their files, and the operator state itself. Small files are embedded (see [`FileLocation::Inline`]), so
//! that a checkpoint of a small job is one object.
//!
//! Rules that readers and writers share:
//!
//! - **Files are immutable and ordered, oldest first, newest last.** A row of a later file replaces the row
//!   with the same key of an earlier one. A [`FileKind::Full`] file replaces everything before it within its
//!   key groups; a [`FileKind::Delta`] contains changes (upserts and deletions).
//! - **A subtask's entry covers only the key groups that the subtask owned.** After a scale-up, two
//!   subtasks refer to the same older file, and each writes deltas for its own half. A reader therefore clips
//!   each file to the range of the subtask that refers to it; [`Manifest::restore`] does so.
//! - Operator (non-keyed) state is a list of opaque entries per name, redistributed on restore by its
//!   [`Redistribution`].
//! - A manifest carries its own checksum ([`seal`]), as well as those of the files: a flipped bit could move
//!   a source's position.
//! - **Whether an operator has finished** is stored per subtask ([`SubtaskSnapshot::finished`]). At the
//!   same parallelism each subtask finds its own; an operator whose subtasks had all finished has finished at
//!   any parallelism. If only some had, it has not finished at another parallelism, and the restore is
//!   refused if it has keyed state, because only a part of it was emitted.
//! - The format is versioned as a whole ([`Manifest::VERSION`]). A field that an older reader must not
//!   overlook needs a new version; unknown fields are refused, because silently ignored state is lost data.
//!
//! Why JSON: a manifest is small (it contains names and paths, not rows), and people read it when something
//! went wrong.

mod blob;
mod codec;
mod in_flight;
mod redistribute;
mod restore;
mod seal;
mod validate;

use std::collections::BTreeMap;

use flott_types::{CheckpointId, JobId, JobKey, KeyGroupRange, OperatorUid, SubtaskIndex, Timestamp};
use serde::{Deserialize, Serialize};

pub use blob::{Blob, Checksum, Summing};
pub use in_flight::{
    InFlight, InFlightChannel, InFlightShare, InputEdge, InputStream, Replayed, Spread, StreamShape,
};
pub use redistribute::redistribute;
pub use restore::{FileSlice, SubtaskRestore, TableRestore};
pub use seal::{seal, unseal};

/// The content of one snapshot.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`Manifest::VERSION`]; 1 of an older one, without checksum and key.
    pub version: u32,
    /// The id of the checkpoint. Ids increase over the life of a job, savepoints and restores included.
    pub checkpoint: CheckpointId,
    /// The job that wrote it.
    pub job: JobId,
    /// Which job that is, whatever its id at this start. `None` in version 1, and of a job that nobody
    /// continues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<JobKey>,
    /// Whether the engine or the user owns it.
    pub kind: ManifestKind,
    /// When it was triggered.
    pub created_at: Timestamp,
    /// The version of Flott that wrote it.
    pub flott_version: String,
    /// The path of the snapshot that the job's run began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_from: Option<String>,
    /// All inputs had ended, by themselves or by a stop with `drain`. When the job recovers from it by
    /// itself, its sources stay at their end; a user who starts from it goes on reading at the positions.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drained: bool,
    /// Of a program: its outline as JSON, so that one that continues from here can be told what has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// Every operator that has state or had a chance to have some, in no particular order.
    pub operators: Vec<OperatorSnapshot>,
}

/// Who owns a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManifestKind {
    /// Made, shared with later ones and deleted by the engine.
    Checkpoint,
    /// Made on request, self-contained (names no file outside its own folder), deleted by the user only.
    Savepoint,
}

/// The state of one operator over all its subtasks.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorSnapshot {
    /// The name by which the state is found again.
    pub uid: OperatorUid,
    /// The name shown to people.
    pub name: String,
    /// The number of subtasks that wrote it.
    pub parallelism: u32,
    /// The number of key groups; fixed for the life of the state.
    pub max_parallelism: u32,
    /// Of a source: what its enumerator knows (splits not handed out yet).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enumerator: Option<Blob>,
    /// Of a sink: what is not known to be committed of that which its global committer commits, each a
    /// [`CommitRequest`](crate::commit::CommitRequest) in JSON. Builds that do not know the field refuse the
    /// manifest that has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<Blob>,
    /// One entry for each subtask, in order.
    pub subtasks: Vec<SubtaskSnapshot>,
}

/// The state of one subtask of one operator.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubtaskSnapshot {
    /// Keyed state: one table for each named state, timers included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keyed: Vec<KeyedTable>,
    /// Operator (non-keyed) state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operator: Vec<OperatorState>,
    /// The inputs had ended and the operator had finished: it is not to finish again, see [`crate::life`].
    /// Builds that do not know the field refuse the manifest that has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub finished: bool,
    /// Of the head of a chain: what the barrier overtook. Builds that do not know the field refuse the
    /// manifest that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<InFlight>,
}

impl SubtaskSnapshot {
    /// Every file that it names.
    pub fn files(&self) -> impl Iterator<Item = &StateFile> {
        let in_flight = self.in_flight.iter().map(|in_flight| &in_flight.file);
        self.keyed.iter().flat_map(|table| &table.files).chain(in_flight)
    }

    /// Every file that it names.
    pub fn files_mut(&mut self) -> impl Iterator<Item = &mut StateFile> {
        let in_flight = self.in_flight.iter_mut().map(|in_flight| &mut in_flight.file);
        self.keyed.iter_mut().flat_map(|table| &mut table.files).chain(in_flight)
    }
}

/// One named keyed state of one subtask.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyedTable {
    /// The state's name, unique within its operator.
    pub name: String,
    /// The columns of the newest file. An older file may lack some; they are resolved by name.
    pub columns: Vec<Column>,
    /// How many leading columns are the stream's key: they decide the key group.
    pub partition_columns: u32,
    /// How many leading columns identify a row (the stream's key, then a map's key, a window, a timer's time
    /// ...). At least `partition_columns`.
    pub key_columns: u32,
    /// What else its store wants to find again (kind of state, TTL ...).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
    /// The files, oldest first.
    pub files: Vec<StateFile>,
}

/// A column of a table of keyed state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The name.
    pub name: String,
    /// The type, in the notation of the store that wrote it.
    #[serde(rename = "type")]
    pub type_: String,
    /// Whether it may hold nulls.
    pub nullable: bool,
}

/// One immutable file of keyed state.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateFile {
    /// Where the bytes are.
    pub location: FileLocation,
    /// Its relation to the files before it.
    pub kind: FileKind,
    /// The key groups that it covers (rows lie within; it need not have rows in each).
    pub key_groups: KeyGroupRange,
    /// How many rows it holds.
    pub rows: u64,
    /// How many bytes the rows are as columns in memory; `None` if it was written before this was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpacked: Option<u64>,
    /// XXH3 of the bytes.
    pub checksum: Checksum,
}

/// Where the bytes of a file are.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileLocation {
    /// In the manifest, when small.
    Inline(Blob),
    /// A separate object.
    #[serde(rename = "file")]
    File {
        /// With `/` between the parts, relative to the folder given with the manifest (the job's checkpoint
        /// folder, or the savepoint's own). A file of another job's folder, which a claimed snapshot may
        /// name, has its whole URL.
        path: String,
        /// In bytes.
        size: u64,
    },
}

/// The relation of a file to the files before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// Everything that there is in its key groups: replaces what came before.
    Full,
    /// What changed since the file before it.
    Delta,
}

/// One named list of operator (non-keyed) state of one subtask.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorState {
    /// The state's name, unique within its operator.
    pub name: String,
    /// How the entries are distributed on restore.
    pub redistribution: Redistribution,
    /// The entries, opaque to everybody but the operator.
    pub entries: Vec<Blob>,
}

/// How the entries of operator state are distributed to the subtasks on restore.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Redistribution {
    /// Each entry goes to one subtask (Flink's `ListState`).
    Split,
    /// Each subtask gets all entries of all subtasks (Flink's `UnionListState`).
    Union,
    /// Each subtask holds the same entries, and gets one copy of them (Flink's `BroadcastState`).
    Broadcast,
}

/// What one task (a chain of operators) hands in when it acknowledges a checkpoint: the usual `S` of
/// [`crate::coordinator::Coordinator`].
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSnapshot {
    /// The operators of the chain, those without state included.
    pub operators: Vec<ChainedSnapshot>,
}

/// The part of one operator of a chain in a [`TaskSnapshot`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainedSnapshot {
    /// The name by which the state is found again.
    pub uid: OperatorUid,
    /// The name shown to people.
    pub name: String,
    /// The number of key groups.
    pub max_parallelism: u32,
    /// The state.
    pub state: SubtaskSnapshot,
}

impl Manifest {
    /// The version that this build writes.
    pub const VERSION: u32 = 2;
    /// The version before checksums.
    pub(crate) const WITHOUT_CHECKSUM: u32 = 1;

    /// A manifest without operators.
    pub fn new(job: JobId, checkpoint: CheckpointId, kind: ManifestKind, created_at: Timestamp) -> Self {
        Manifest {
            version: Self::VERSION,
            checkpoint,
            job,
            key: None,
            kind,
            created_at,
            flott_version: env!("CARGO_PKG_VERSION").to_owned(),
            restored_from: None,
            drained: false,
            program: None,
            operators: Vec::new(),
        }
    }

    /// Whether it was written when jobs had no keys, so that it may be any job's.
    pub fn is_without_key(&self) -> bool {
        self.version == Self::WITHOUT_CHECKSUM
    }

    /// Enters what one task acknowledged. Every subtask of a vertex is to be entered once;
    /// [`Manifest::validate`] sees to it that none was forgotten.
    pub fn add_task(&mut self, subtask: SubtaskIndex, parallelism: u32, snapshot: TaskSnapshot) {
        for part in snapshot.operators {
            let operator = match self.operators.iter_mut().position(|o| o.uid == part.uid) {
                Some(at) => &mut self.operators[at],
                None => {
                    self.operators.push(OperatorSnapshot {
                        uid: part.uid,
                        name: part.name,
                        parallelism,
                        max_parallelism: part.max_parallelism,
                        enumerator: None,
                        commits: Vec::new(),
                        subtasks: vec![SubtaskSnapshot::default(); parallelism as usize],
                    });
                    let last = self.operators.len() - 1;
                    &mut self.operators[last]
                }
            };
            if operator.subtasks.len() <= subtask.index() {
                operator.subtasks.resize(subtask.index() + 1, SubtaskSnapshot::default());
            }
            operator.subtasks[subtask.index()] = part.state;
        }
    }

    /// The state of an operator.
    pub fn operator(&self, uid: &OperatorUid) -> Option<&OperatorSnapshot> {
        self.operators.iter().find(|o| o.uid == *uid)
    }

    /// Every file that the manifest names, with repetitions.
    pub fn files(&self) -> impl Iterator<Item = &StateFile> {
        self.operators.iter().flat_map(|o| &o.subtasks).flat_map(SubtaskSnapshot::files)
    }
}

/// How much more bytes rows are in memory than in a compressed file, as a rule.
const COMPRESSED: u64 = 3;

impl StateFile {
    /// How many bytes the rows are as columns in memory; an estimate if that was not recorded.
    pub fn unpacked(&self) -> u64 {
        self.unpacked.unwrap_or_else(|| self.size().saturating_mul(COMPRESSED))
    }

    /// The path, unless the bytes are in the manifest.
    pub fn path(&self) -> Option<&str> {
        match &self.location {
            FileLocation::Inline(_) => None,
            FileLocation::File { path, .. } => Some(path),
        }
    }

    /// The same file under another path. What is in the manifest has none.
    #[must_use]
    pub fn named(&self, path: &str) -> Self {
        let location = match &self.location {
            FileLocation::Inline(bytes) => FileLocation::Inline(bytes.clone()),
            FileLocation::File { size, .. } => FileLocation::File { path: path.to_owned(), size: *size },
        };
        StateFile { location, ..self.clone() }
    }

    /// The size in bytes.
    pub fn size(&self) -> u64 {
        match &self.location {
            FileLocation::Inline(bytes) => bytes.len() as u64,
            FileLocation::File { size, .. } => *size,
        }
    }
}
