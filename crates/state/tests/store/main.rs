//! The snapshot store from outside: tables in, files on a disk, tables out.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod chain;
mod damage;
mod golden;
mod housekeeping;
mod starts;
mod types;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type};
use flott_batch::hash::hash_columns;
use flott_checkpoint::TaskId;
use flott_checkpoint::manifest::{Manifest, ManifestKind, SubtaskRestore};
use flott_state::store::{
    CheckpointStorage, HandOver, JobStorage, Snapshot, Target, TaskSnapshotWriter, read_state,
};
use flott_state::{
    KeyedTable, ListState, NO_SLOT, OperatorSnapshot, PrimitiveColumn, Redistribution, RestoredState,
    StringColumn,
};
use flott_storage::block_on;
use flott_types::{CheckpointId, Error, JobId, KeyGroup, OperatorUid, Result, SubtaskIndex, VertexId};
use tempfile::TempDir;

const JOB: JobId = JobId(0x1234_5678_9abc);
const MAX_PARALLELISM: u32 = 16;

fn uid() -> OperatorUid {
    OperatorUid("count by key".to_owned())
}

/// A folder for checkpoints that is gone after the test.
fn storage() -> (TempDir, CheckpointStorage) {
    let dir = tempfile::tempdir().unwrap();
    let storage = CheckpointStorage::open(dir.path().join("checkpoints").to_str().unwrap()).unwrap();
    (dir, storage)
}

type Values = (PrimitiveColumn<Int64Type>, StringColumn);
type Content = BTreeMap<i64, (i64, Option<String>)>;

/// One vertex with one stateful operator: a map from numbers to a number and a text, over several subtasks.
struct Vertex {
    tables: Vec<KeyedTable<Values>>,
    writers: Vec<TaskSnapshotWriter>,
    job: JobStorage,
    model: Content,
}

fn table() -> KeyedTable<Values> {
    let key = Arc::new(Field::new("key", DataType::Int64, true));
    let values = (PrimitiveColumn::new("count", 0), StringColumn::new("text"));
    KeyedTable::new("aggregate", &[key], 1, MAX_PARALLELISM, values).unwrap()
}

fn key(key: i64) -> Vec<ArrayRef> {
    vec![Arc::new(Int64Array::from(vec![key]))]
}

impl Vertex {
    fn new(job: JobStorage, parallelism: u32) -> Self {
        let task = |subtask| TaskId { vertex: VertexId(3), subtask: SubtaskIndex(subtask) };
        let writer = |subtask| TaskSnapshotWriter::new(job.folder().clone(), task(subtask), parallelism, &[]);
        Vertex {
            tables: (0..parallelism).map(|_| table()).collect(),
            writers: (0..parallelism).map(writer).collect(),
            job,
            model: Content::new(),
        }
    }

    /// The state of a snapshot at a parallelism; the model is what was found.
    fn restored(job: JobStorage, snapshot: &Snapshot, parallelism: u32) -> Result<Self> {
        let manifest = snapshot.manifest_for(job.folder());
        let mut vertex = Vertex::new(job, parallelism);
        for subtask in (0..parallelism).map(SubtaskIndex) {
            let state = manifest.restore(&uid(), subtask, parallelism, MAX_PARALLELISM)?.unwrap_or_default();
            let mut restored = block_on(read_state(vertex.job.folder(), &state))?;
            vertex.tables[subtask.index()].restore(&mut restored)?;
            let task = TaskId { vertex: VertexId(3), subtask };
            let states: [(OperatorUid, SubtaskRestore); 1] = [(uid(), state)];
            vertex.writers[subtask.index()] =
                TaskSnapshotWriter::new(vertex.job.folder().clone(), task, parallelism, &states);
        }
        vertex.model = vertex.content();
        Ok(vertex)
    }

    fn table_of(&mut self, number: i64) -> &mut KeyedTable<Values> {
        let mut hashes = Vec::new();
        hash_columns(&key(number), 1, &mut hashes);
        let parallelism = self.tables.len() as u32;
        let subtask = KeyGroup::of_hash(hashes[0], MAX_PARALLELISM).subtask(MAX_PARALLELISM, parallelism);
        &mut self.tables[subtask.index()]
    }

    fn set(&mut self, number: i64, count: i64, text: Option<&str>) {
        let table = self.table_of(number);
        let mut slots = Vec::new();
        table.intern(&key(number), 1, &mut slots, |_, _| ()).unwrap();
        table.values_mut().0.set(slots[0], Some(count));
        table.values_mut().1.set(slots[0], text);
        table.mark(slots[0]);
        self.model.insert(number, (count, text.map(str::to_owned)));
    }

    fn remove(&mut self, number: i64) {
        let table = self.table_of(number);
        let mut slots = Vec::new();
        table.lookup(&key(number), 1, &mut slots).unwrap();
        if slots[0] != NO_SLOT {
            table.remove(slots[0]);
        }
        self.model.remove(&number);
    }

    fn content(&self) -> Content {
        let mut content = Content::new();
        for table in &self.tables {
            let slots: Vec<u32> = table.live().collect();
            let keys = table.keys_of(&slots).unwrap();
            for (row, slot) in slots.iter().enumerate() {
                let text = table.values().1.get(*slot).map(|text| String::from_utf8(text.to_vec()).unwrap());
                let value = (table.values().0.get(*slot).unwrap(), text);
                let old = content.insert(keys[0].as_primitive::<Int64Type>().value(row), value);
                assert!(old.is_none(), "two subtasks have the same key");
            }
        }
        content
    }

    /// The snapshot of all subtasks as a manifest; nothing is complete yet. Also the bytes written.
    fn snapshot(&mut self, id: u64, target: &Target) -> Result<(Manifest, u64)> {
        let kind = match target {
            Target::Savepoint(_) => ManifestKind::Savepoint,
            _ => ManifestKind::Checkpoint,
        };
        let mut manifest = Manifest::new(JOB, CheckpointId(id), kind, id as i64 * 1000);
        let (parallelism, mut bytes, mut failed) = (self.tables.len() as u32, 0, None);
        for (subtask, (table, writer)) in
            (0..).map(SubtaskIndex).zip(self.tables.iter_mut().zip(&mut self.writers))
        {
            let full = writer.full_needed() || !matches!(target, Target::Checkpoint);
            let lists = vec![ListState {
                name: "positions".to_owned(),
                redistribution: Redistribution::Split,
                entries: vec![format!("v1:{id}/{subtask}")],
            }];
            let keyed = table.snapshot(full)?;
            let operator = HandOver {
                uid: uid(),
                name: "Count".to_owned(),
                max_parallelism: MAX_PARALLELISM,
                snapshot: OperatorSnapshot { keyed, lists, ..OperatorSnapshot::default() },
                finished: false,
                in_flight: None,
            };
            match block_on(writer.write(CheckpointId(id), target, vec![operator])) {
                Ok(written) => {
                    bytes += written.bytes;
                    manifest.add_task(subtask, parallelism, written.snapshot);
                }
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok((manifest, bytes)), Err)
    }

    /// A completed checkpoint; returns the bytes written.
    fn checkpoint(&mut self, id: u64) -> u64 {
        let (manifest, bytes) = self.snapshot(id, &Target::Checkpoint).unwrap();
        block_on(self.job.complete(&manifest)).unwrap();
        bytes
    }
}

fn texts(columns: &[ArrayRef]) -> &StringArray {
    columns[0].as_string()
}

fn restore(snapshot: &Snapshot) -> Result<RestoredState, Error> {
    block_on(snapshot.restore(&uid(), SubtaskIndex(0), 1, MAX_PARALLELISM))
}

/// A text that does not compress; the same forever, because snapshots that are kept hold some.
fn noise(seed: u64, len: usize) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + ((state >> 33) % 94) as u8)
    };
    (0..len).map(|_| next()).collect()
}

/// The files of a job, relative to its folder.
fn files_of(job: &JobStorage) -> Vec<String> {
    fn walk(dir: &std::path::Path, prefix: &str, files: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                walk(&entry.path(), &format!("{name}/"), files);
            } else if name != "newest" {
                files.push(name);
            }
        }
    }
    let mut files = Vec::new();
    walk(&path_of(job), "", &mut files);
    files.sort();
    files
}

fn path_of(job: &JobStorage) -> std::path::PathBuf {
    job.folder().url().strip_prefix("file://").unwrap().into()
}
