//! Writes state to files: the asynchronous part of a task's snapshots.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use flott_checkpoint::TaskId;
use flott_checkpoint::manifest::{
    Blob, ChainedSnapshot, Column, FileKind, FileLocation, InFlight, InFlightChannel, KeyedTable,
    OperatorState, StateFile, SubtaskRestore, SubtaskSnapshot, TaskSnapshot,
};
use flott_storage::Folder;
use flott_types::{CheckpointId, Error, FastMap, KeyGroup, KeyGroupRange, OperatorUid, Result};

use super::format::Layout;
use super::new_file::NewFile;
use super::{SHARED, format, merge, reader};
use crate::spill::{SpilledSnapshot, SpilledTable};
use crate::{KeyedDelta, ListState, OperatorSnapshot, Redistribution};

/// A smaller file is stored in the manifest.
const INLINE_BELOW: usize = 20 << 10;
/// Bytes in memory are handed to an upload in parts of this size.
const PART: usize = 1 << 20;
/// Spilled state is written in files of so many parts, each of some megabytes in memory.
const PARTS_OF_A_FILE: usize = 16;
/// Files of a state that does not fit into memory are merged up to this size: all of them are read for it.
const MERGED: u64 = 128 << 20;
/// Or to this part of the memory for state, which holds them unpacked, and a file has about a quarter of it.
const MERGED_OF_BUDGET: u64 = 32;

/// What an operator of a task handed over.
#[derive(Clone, Debug)]
pub struct HandOver {
    /// The operator.
    pub uid: OperatorUid,
    /// Its name for people.
    pub name: String,
    /// The number of key groups.
    pub max_parallelism: u32,
    /// Its state.
    pub snapshot: OperatorSnapshot,
    /// Whether its input had ended and it had emitted its last results.
    pub finished: bool,
    /// What the barrier overtook on its way to the operator.
    pub in_flight: Option<InFlightRows>,
}

/// What a barrier overtook, as bytes.
#[derive(Clone, Debug)]
pub struct InFlightRows {
    /// The channels, as the bytes number them.
    pub channels: Vec<InFlightChannel>,
    /// The elements.
    pub bytes: Vec<u8>,
    /// How many rows there are.
    pub rows: u64,
}

/// Where a snapshot goes.
#[derive(Clone, Debug)]
pub enum Target {
    /// Into the job's folder, on top of what is there already.
    Checkpoint,
    /// Into the job's folder, naming no older file.
    FullCheckpoint,
    /// Into a folder of its own, naming no file outside it.
    Savepoint(Folder),
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// What goes into the manifest.
    pub snapshot: TaskSnapshot,
    /// The bytes that were written, those in the manifest included.
    pub bytes: u64,
    /// The bytes of everything that the snapshot names.
    pub full_bytes: u64,
    /// The files of a state that is too large to be merged hold more that is outdated than what is not: the
    /// next snapshot had better be full.
    pub outgrown: bool,
}

/// Writes the snapshots of one task, in order. Knows the chain of files behind each table.
///
/// The futures encode and compress (which keeps a core busy) and wait for the disk: run them where blocking
/// is allowed.
#[derive(Debug)]
pub struct TaskSnapshotWriter {
    /// The job's folder.
    folder: Folder,
    task: TaskId,
    parallelism: u32,
    tables: FastMap<OperatorUid, Vec<KeyedTable>>,
    full_needed: bool,
    /// Files of a state that does not fit into memory are merged up to this size.
    merged: u64,
    parts_of_a_file: usize,
    layout: Layout,
    /// The number in the next file's name.
    next_file: u64,
}

impl TaskSnapshotWriter {
    /// A writer into a job's folder (see [`JobStorage::folder`](super::JobStorage::folder)). `restored` is
    /// what the task's operators started from, with paths relative to that folder; new snapshots keep naming
    /// its files.
    pub fn new(
        folder: Folder,
        task: TaskId,
        parallelism: u32,
        restored: &[(OperatorUid, SubtaskRestore)],
    ) -> Self {
        let mut tables = FastMap::default();
        for (uid, restored) in restored {
            let chains = restored.keyed.iter().map(|table| KeyedTable {
                name: table.name.clone(),
                columns: table.columns.clone(),
                partition_columns: table.partition_columns,
                key_columns: table.key_columns,
                properties: table.properties.clone(),
                // Clipped for good: a file's other key groups belong to other tasks.
                files: table
                    .files
                    .iter()
                    .map(|slice| StateFile { key_groups: slice.key_groups, ..slice.file.clone() })
                    .collect(),
            });
            tables.insert(uid.clone(), chains.collect());
        }
        TaskSnapshotWriter {
            folder,
            task,
            parallelism,
            tables,
            full_needed: false,
            merged: MERGED,
            parts_of_a_file: PARTS_OF_A_FILE,
            layout: Layout::new(true),
            next_file: 0,
        }
    }

    /// For a task with so many bytes of memory for state: what writing takes is in proportion.
    #[must_use]
    pub fn within(mut self, budget: u64) -> Self {
        self.parts_of_a_file = (budget >> 24).clamp(4, PARTS_OF_A_FILE as u64) as usize;
        self.merging_at_most((budget / MERGED_OF_BUDGET).clamp(1 << 20, MERGED))
    }

    /// Merges files of a state that does not fit into memory up to this size in bytes, instead of 128 MB.
    #[must_use]
    pub fn merging_at_most(mut self, bytes: u64) -> Self {
        self.merged = bytes;
        self
    }

    /// Whether files are compressed, which they are by default: to a quarter of their size, for an eighth of what a
    /// snapshot costs.
    #[must_use]
    pub fn compressing(mut self, compressed: bool) -> Self {
        self.layout = Layout::new(compressed);
        self
    }

    /// Whether the next snapshot must be full, because the last one was lost or went into a savepoint.
    pub fn full_needed(&self) -> bool {
        self.full_needed
    }

    /// Notes that what the operators handed over was lost on its way here.
    pub fn lost(&mut self) {
        self.full_needed = true;
    }

    /// Stores what the operators handed over.
    ///
    /// # Errors
    /// If it cannot be stored, or is not full although [`TaskSnapshotWriter::full_needed`]. What was handed
    /// over is lost then; files of earlier snapshots are untouched.
    pub async fn write(
        &mut self,
        checkpoint: CheckpointId,
        target: &Target,
        operators: Vec<HandOver>,
    ) -> Result<Written> {
        let full = self.full_needed || !matches!(target, Target::Checkpoint);
        // Until it is stored; also if this future is dropped half-way.
        self.full_needed = true;
        let mut written =
            Written { snapshot: TaskSnapshot::default(), bytes: 0, full_bytes: 0, outgrown: false };
        for operator in operators {
            let known = self.tables.get(&operator.uid).filter(|_| !full).cloned().unwrap_or_default();
            let at = |e: Error| e.in_operator(&operator.name);
            let range =
                KeyGroupRange::of_subtask(self.task.subtask, operator.max_parallelism, self.parallelism);
            let mut tables = known;
            let spilled = || operator.snapshot.spilled.iter().flat_map(SpilledSnapshot::tables);
            let not_full =
                |name: &str| at(Error::internal(format!("a full snapshot of state '{name}' was needed")));
            if let Some(table) = spilled().find(|table| full && !table.full) {
                return Err(not_full(&table.name));
            }
            let mut deltas = operator.snapshot.keyed.as_slice();
            while let Some(delta) = deltas.first() {
                let parts = deltas.iter().position(|other| other.name != delta.name).unwrap_or(deltas.len());
                let (parts, others) = deltas.split_at(parts);
                deltas = others;
                if full && !delta.full {
                    return Err(not_full(&delta.name));
                }
                let old = tables.iter().position(|table| table.name == delta.name);
                let old_files = old.map(|at| tables[at].files.clone()).unwrap_or_default();
                let most = match spilled().any(|table| table.name == delta.name) {
                    true => self.merged,
                    false => u64::MAX,
                };
                let files = self
                    .write_table(checkpoint, target, parts, old_files, most, range, &mut written.bytes)
                    .await
                    .map_err(|e| at(e.context(format_args!("state '{}'", delta.name))))?;
                let table = described(delta, files);
                match old {
                    Some(at) => tables[at] = table,
                    None => tables.push(table),
                }
            }
            for spilled in &operator.snapshot.spilled {
                for table in spilled.tables() {
                    let chain = self.append(
                        checkpoint,
                        target,
                        spilled,
                        table,
                        &mut tables,
                        range,
                        &mut written.bytes,
                    );
                    chain.await.map_err(|e| at(e.context(format_args!("state '{}'", table.name))))?;
                    let chain = tables.iter().find(|other| other.name == table.name);
                    written.outgrown |= chain.is_some_and(|chain| merge::outgrown(&chain.files, self.merged));
                }
            }
            if !matches!(target, Target::Savepoint(_)) {
                self.tables.insert(operator.uid.clone(), tables.clone());
            }
            let operator_state: Vec<OperatorState> = operator.snapshot.lists.into_iter().map(list).collect();
            let entries = operator_state.iter().flat_map(|list| &list.entries);
            let entries = entries.map(|entry| entry.len() as u64).sum::<u64>();
            written.bytes += entries;
            let in_flight = match operator.in_flight {
                Some(rows) => {
                    let rows = self.write_in_flight(checkpoint, target, rows, range, &mut written.bytes);
                    Some(rows.await.map_err(|e| at(e.context(format_args!("rows under way"))))?)
                }
                None => None,
            };
            let state = SubtaskSnapshot {
                keyed: tables,
                operator: operator_state,
                finished: operator.finished,
                in_flight,
            };
            written.full_bytes += entries + state.files().map(StateFile::size).sum::<u64>();
            written.snapshot.operators.push(ChainedSnapshot {
                uid: operator.uid,
                name: operator.name,
                max_parallelism: operator.max_parallelism,
                state,
            });
        }
        self.full_needed = matches!(target, Target::Savepoint(_));
        Ok(written)
    }

    /// Appends the rows of a state that are not in memory to its chain, some megabytes at a time.
    #[expect(clippy::too_many_arguments, reason = "what a chain consists of")]
    async fn append(
        &mut self,
        checkpoint: CheckpointId,
        target: &Target,
        spilled: &SpilledSnapshot,
        state: &SpilledTable,
        tables: &mut Vec<KeyedTable>,
        range: KeyGroupRange,
        bytes: &mut u64,
    ) -> Result<()> {
        let mut parts = spilled.parts(state)?;
        let mut ended = false;
        while !ended {
            let mut stored = Vec::new();
            let mut described = None;
            while stored.len() < self.parts_of_a_file && !ended {
                match parts.next()? {
                    Some(part) => {
                        check_groups(std::slice::from_ref(&part), range)?;
                        stored.push(format::stored(&part)?);
                        described.get_or_insert_with(|| self::described(&part, Vec::new()));
                    }
                    None => ended = true,
                }
            }
            let Some(described) = described else { break };
            let at = tables.iter().position(|table| table.name == state.name).unwrap_or(tables.len());
            if at == tables.len() {
                tables.push(described);
            }
            // Rows come in order of their key groups: who reads some of them need not read all files. But a
            // full file covers all groups.
            let (kind, covered) = match tables[at].files.is_empty() {
                true => (FileKind::Full, range),
                false => (FileKind::Delta, covered(&stored, range)),
            };
            let file = self.write_file(checkpoint, target, &stored, kind, covered, bytes).await?;
            tables[at].files.extend(file);
        }
        Ok(())
    }

    /// The chain that results from `files` and the parts of the delta. Merges at most so many bytes of files.
    #[expect(clippy::too_many_arguments, reason = "what a chain consists of")]
    async fn write_table(
        &mut self,
        checkpoint: CheckpointId,
        target: &Target,
        parts: &[KeyedDelta],
        mut files: Vec<StateFile>,
        most: u64,
        range: KeyGroupRange,
        bytes: &mut u64,
    ) -> Result<Vec<StateFile>> {
        check_groups(parts, range)?;
        let stored = parts.iter().map(format::stored).collect::<Result<Vec<_>>>()?;
        let rows: usize = stored.iter().map(RecordBatch::num_rows).sum();
        let key_columns = parts.first().map_or(0, |part| part.key_columns);
        if parts.first().is_some_and(|part| part.full) || files.is_empty() {
            let live = merge::live(stored)?;
            let file = self.write_file(checkpoint, target, &live, FileKind::Full, range, bytes).await?;
            return Ok(file.into_iter().collect());
        }
        if rows == 0 {
            return Ok(files);
        }
        let new = NewFile::encode(&self.folder_of(target), &stored, self.layout).await?;
        let Some(from) = merge::merge_from(&files, new.upload.len(), most) else {
            files.push(self.put(checkpoint, target, new, rows, FileKind::Delta, range, bytes).await?);
            return Ok(files);
        };
        // The delta is merged into one file with older ones.
        new.upload.abandon().await?;
        let mut chain = Vec::with_capacity(files.len() - from + 1);
        for file in &files[from..] {
            chain.push(reader::read_rows(&self.folder, file, file.key_groups.intersection(range)).await?);
        }
        chain.push(stored);
        let mut merged = merge::newest(chain, key_columns)?;
        let kind = if from == 0 { FileKind::Full } else { FileKind::Delta };
        if kind == FileKind::Full {
            merged = merge::live(merged)?;
        }
        let file = self.write_file(checkpoint, target, &merged, kind, range, bytes).await?;
        files.truncate(from);
        files.extend(file);
        Ok(files)
    }

    /// The folder for files, including temporary ones: leftovers are swept there.
    fn folder_of(&self, target: &Target) -> Folder {
        match target {
            Target::Savepoint(folder) => folder.clone(),
            Target::Checkpoint | Target::FullCheckpoint => self.folder.child(SHARED),
        }
    }

    /// Writes rows as a file; no file if there are no rows.
    async fn write_file(
        &mut self,
        checkpoint: CheckpointId,
        target: &Target,
        parts: &[RecordBatch],
        kind: FileKind,
        range: KeyGroupRange,
        bytes: &mut u64,
    ) -> Result<Option<StateFile>> {
        let rows: usize = parts.iter().map(RecordBatch::num_rows).sum();
        if rows == 0 {
            return Ok(None);
        }
        let new = NewFile::encode(&self.folder_of(target), parts, self.layout).await?;
        self.put(checkpoint, target, new, rows, kind, range, bytes).await.map(Some)
    }

    async fn write_in_flight(
        &mut self,
        checkpoint: CheckpointId,
        target: &Target,
        rows: InFlightRows,
        range: KeyGroupRange,
        bytes: &mut u64,
    ) -> Result<InFlight> {
        let mut new = NewFile::new(&self.folder_of(target));
        let failed = |error| Error::internal("bytes in memory cannot be written").with_source(error);
        for part in rows.bytes.chunks(PART) {
            new.write_all(part).map_err(failed)?;
            new.upload.ready().await?;
        }
        let file =
            self.put(checkpoint, target, new, rows.rows as usize, FileKind::Full, range, bytes).await?;
        Ok(InFlight { channels: rows.channels, file })
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of a file")]
    async fn put(
        &mut self,
        checkpoint: CheckpointId,
        target: &Target,
        mut new: NewFile,
        rows: usize,
        kind: FileKind,
        key_groups: KeyGroupRange,
        bytes: &mut u64,
    ) -> Result<StateFile> {
        let (checksum, size) = (new.sum.checksum(), new.upload.len());
        *bytes += size;
        let location = match new.upload.take_below(INLINE_BELOW) {
            Some(bytes) => FileLocation::Inline(Blob::from(bytes)),
            None => {
                let within = match target {
                    Target::Savepoint(_) => String::new(),
                    Target::Checkpoint | Target::FullCheckpoint => format!("{SHARED}/"),
                };
                let TaskId { vertex, subtask } = self.task;
                // An earlier attempt, even one that is still dying, may have taken a name; it is never
                // overwritten.
                let name = loop {
                    let name = format!("{checkpoint}-{vertex}-{subtask}-{}.parquet", self.next_file);
                    self.next_file += 1;
                    if let Some(name) = new.upload.finish(&name).await? {
                        break name;
                    }
                };
                FileLocation::File { path: within + &name, size }
            }
        };
        Ok(StateFile { location, kind, key_groups, rows: rows as u64, unpacked: new.unpacked, checksum })
    }
}

/// The key groups of stored rows, which ascend.
fn covered(stored: &[RecordBatch], all: KeyGroupRange) -> KeyGroupRange {
    let groups = || stored.iter().flat_map(format::key_groups);
    match (groups().min(), groups().max()) {
        (Some(first), Some(last)) => KeyGroupRange { first: *first, last: *last },
        _ => all,
    }
}

/// Each row belongs to the subtask.
fn check_groups(parts: &[KeyedDelta], range: KeyGroupRange) -> Result<()> {
    let groups = parts.iter().flat_map(|part| &part.key_groups);
    match groups.into_iter().find(|group| !range.contains(KeyGroup(**group))) {
        Some(group) => Err(Error::internal(format!("a row has key group {group}, the subtask owns {range}"))),
        None => Ok(()),
    }
}

fn described(delta: &KeyedDelta, files: Vec<StateFile>) -> KeyedTable {
    KeyedTable {
        name: delta.name.clone(),
        columns: columns(&delta.rows.schema()),
        partition_columns: delta.partition_columns as u32,
        key_columns: delta.key_columns as u32,
        properties: Default::default(),
        files,
    }
}

fn columns(schema: &SchemaRef) -> Vec<Column> {
    let column = |field: &arrow::datatypes::FieldRef| Column {
        name: field.name().clone(),
        type_: field.data_type().to_string(),
        nullable: field.is_nullable(),
    };
    schema.fields().iter().map(column).collect()
}

fn list(list: ListState) -> OperatorState {
    use flott_checkpoint::manifest::Redistribution as Stored;
    OperatorState {
        name: list.name,
        redistribution: match list.redistribution {
            Redistribution::Split => Stored::Split,
            Redistribution::Union => Stored::Union,
        },
        entries: list.entries.into_iter().map(|entry| Blob::from(entry.into_bytes())).collect(),
    }
}
