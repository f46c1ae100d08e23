//! Drives one subtask of an operator in tests: records and watermarks in, text out; snapshots, and what is restored from them.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use flott_batch::{Batch, Record, Records, WatermarkStatus};
use flott_operator::{Backlog, Context, Operator, OperatorMetrics, Output, TaskInfo};
use flott_runtime::TaskOptions;
use flott_state::{KeyedDelta, Redistribution, RestoredState};
use flott_types::{
    CheckpointId, FastMap, JobId, KeyGroup, KeyGroupRange, OperatorUid, Result, SubtaskIndex, Timestamp,
    Waker, Watermark,
};
use parking_lot::{Condvar, Mutex};

use crate::Key;
use crate::codec::key_hash;

/// A wait that takes so long has failed.
const LONG: Duration = Duration::from_secs(30);

type Side = fn(Batch) -> Vec<String>;

/// What came out: `value@timestamp`, `tag:value@timestamp`, `W10`, `Idle`.
struct Texts {
    main: Side,
    sides: FastMap<String, Side>,
    texts: Vec<String>,
}

fn texts<T: Record + Debug>(batch: Batch) -> Vec<String> {
    let records = batch.into_records::<T>().unwrap();
    let timestamp = |at| records.timestamp(at).map_or(String::new(), |timestamp| format!("@{timestamp}"));
    let text = |(at, value)| format!("{value:?}{}", timestamp(at));
    records.values.iter().enumerate().map(text).collect()
}

impl Output for Texts {
    fn emit(&mut self, batch: Batch) -> Result<()> {
        self.texts.extend((self.main)(batch));
        Ok(())
    }

    fn emit_side(&mut self, tag: &str, batch: Batch) -> Result<()> {
        let values = self.sides[tag](batch).into_iter();
        self.texts.extend(values.map(|value| format!("{tag}:{value}")));
        Ok(())
    }

    fn watermark(&mut self, watermark: Watermark) -> Result<()> {
        self.texts.push(format!("W{}", watermark.0));
        Ok(())
    }

    fn watermark_status(&mut self, status: WatermarkStatus) -> Result<()> {
        self.texts.push(format!("{status:?}"));
        Ok(())
    }
}

/// What snapshots hold, of all subtasks.
#[derive(Clone, Default)]
pub(crate) struct Stored {
    tables: BTreeMap<String, BTreeMap<String, (u16, RecordBatch)>>,
    lists: BTreeMap<String, Vec<String>>,
    /// How many keyed rows the last snapshot brought, deletions included.
    pub changes: usize,
}

impl Stored {
    fn apply(&mut self, delta: &KeyedDelta) {
        let table = self.tables.entry(delta.name.clone()).or_default();
        if delta.full {
            table.clear();
        }
        let keys: Vec<usize> = (0..delta.key_columns).collect();
        for row in 0..delta.rows.num_rows() {
            let values = delta.rows.slice(row, 1);
            let key = format!("{:?}", values.project(&keys).unwrap().columns());
            self.changes += 1;
            match delta.deleted.as_ref().is_some_and(|deleted| deleted.value(row)) {
                true => table.remove(&key),
                false => table.insert(key, (delta.key_groups[row], values)),
            };
        }
    }

    /// How many rows there are of a keyed state.
    pub fn rows(&self, name: &str) -> usize {
        self.tables.get(name).map_or(0, BTreeMap::len)
    }

    /// Entries of an operator state as another version has written them.
    pub fn set_list(&mut self, name: &str, entries: &[&str]) {
        self.lists.insert(name.to_owned(), entries.iter().map(|entry| (*entry).to_owned()).collect());
    }

    /// The entries of an operator state.
    pub fn list(&self, name: &str) -> &[String] {
        self.lists.get(name).map_or(&[], Vec::as_slice)
    }

    fn of(&self, key_groups: KeyGroupRange) -> RestoredState {
        let mut restored = RestoredState { found: !self.tables.is_empty(), ..RestoredState::default() };
        restored.lists.extend(self.lists.clone());
        for (name, table) in &self.tables {
            let mine = table.values().filter(|(group, _)| key_groups.contains(KeyGroup(*group)));
            let rows: Vec<RecordBatch> = mine.map(|(_, row)| row.clone()).collect();
            if let Some(first) = rows.first() {
                let all = concat_batches(&first.schema(), &rows).unwrap();
                restored.keyed.insert(name.clone(), vec![all]);
            }
        }
        restored
    }
}

#[derive(Default)]
struct Woken {
    woken: Mutex<bool>,
    changed: Condvar,
}

/// One subtask.
pub(crate) struct Harness {
    operator: Box<dyn Operator>,
    info: TaskInfo,
    output: Texts,
    metrics: OperatorMetrics,
    wake_at: Option<Timestamp>,
    woken: Arc<Woken>,
    waker: Waker,
    checkpoint: u64,
    pub now: Timestamp,
    pub watermark: Watermark,
}

pub(crate) const MAX_PARALLELISM: u32 = 128;

pub(crate) fn options() -> Arc<TaskOptions> {
    Arc::new(TaskOptions::parse(&BTreeMap::new()).unwrap())
}

impl Harness {
    /// A subtask of an operator that puts out values of type `O`, opened with its part of what is stored.
    pub fn restored<O: Record + Debug>(
        operator: impl Operator + 'static,
        stored: &Stored,
        subtask: u32,
        parallelism: u32,
    ) -> Self {
        let subtask = SubtaskIndex(subtask);
        let key_groups = KeyGroupRange::of_subtask(subtask, MAX_PARALLELISM, parallelism);
        let woken = Arc::new(Woken::default());
        let wake = woken.clone();
        let mut harness = Harness {
            operator: Box::new(operator),
            info: TaskInfo {
                job: JobId(0),
                uid: OperatorUid("test".to_owned()),
                name: "test".to_owned(),
                subtask,
                parallelism,
                max_parallelism: MAX_PARALLELISM,
                key_groups,
                attempt: 0,
            },
            output: Texts { main: texts::<O>, sides: FastMap::default(), texts: Vec::new() },
            metrics: OperatorMetrics::default(),
            wake_at: None,
            woken,
            waker: Waker::new(move || {
                *wake.woken.lock() = true;
                wake.changed.notify_all();
            }),
            checkpoint: 0,
            now: 0,
            watermark: Watermark::MIN,
        };
        let state = stored.of(key_groups);
        harness.call(|operator, context| operator.open(state, context)).unwrap();
        harness
    }

    /// There is a side output of this name with values of type `X`.
    pub fn side<X: Record + Debug>(mut self, tag: &str) -> Self {
        self.output.sides.insert(tag.to_owned(), texts::<X>);
        self
    }

    fn call(
        &mut self,
        call: impl FnOnce(&mut dyn Operator, &mut Context<'_>) -> Result<()>,
    ) -> Result<Vec<String>> {
        let mut context = Context {
            info: &self.info,
            now: self.now,
            watermark: self.watermark,
            output: &mut self.output,
            metrics: &self.metrics,
            wake_at: &mut self.wake_at,
            waker: &self.waker,
        };
        call(&mut *self.operator, &mut context)?;
        Ok(self.taken())
    }

    /// What came out and was not looked at.
    pub fn taken(&mut self) -> Vec<String> {
        std::mem::take(&mut self.output.texts)
    }

    /// Records of an input; what comes out.
    pub fn push<T: Record>(&mut self, input: usize, values: impl IntoIterator<Item = T>) -> Vec<String> {
        let batch = Records::new(values.into_iter().collect()).into();
        self.call(|operator, context| operator.process(input, batch, context)).unwrap()
    }

    /// Records with timestamps and keys.
    pub fn push_keyed<K: Key, T: Record>(
        &mut self,
        input: usize,
        key: impl Fn(&T) -> K,
        records: impl IntoIterator<Item = (T, Timestamp)>,
    ) -> Result<Vec<String>> {
        let (values, timestamps): (Vec<T>, Vec<_>) = records.into_iter().unzip();
        let routes = values.iter().map(|value| key_hash(&key(value))).collect::<Result<_>>()?;
        let batch = Records { values, timestamps: Some(timestamps), routes: Some(routes) }.into();
        self.call(|operator, context| operator.process(input, batch, context))
    }

    /// Event time advances; what comes out.
    pub fn watermark(&mut self, at: Timestamp) -> Vec<String> {
        self.watermark = Watermark(at);
        self.call(|operator, context| operator.watermark(Watermark(at), context)).unwrap()
    }

    /// The clock shows this; what comes out.
    pub fn clock(&mut self, at: Timestamp) -> Result<Vec<String>> {
        self.now = at;
        let mut out = Vec::new();
        while self.wake_at.is_some_and(|wake_at| wake_at <= at) {
            self.wake_at = None;
            out.extend(self.call(|operator, context| operator.processing_time(at, context))?);
        }
        Ok(out)
    }

    /// Waits until the operator has woken its task, and calls it; what comes out.
    pub fn wait_woken(&mut self) -> Result<Vec<String>> {
        {
            let mut woken = self.woken.woken.lock();
            let asleep = |woken: &mut bool| !*woken;
            assert!(!self.woken.changed.wait_while_for(&mut woken, asleep, LONG).timed_out(), "never woken");
            *woken = false;
        }
        self.call(|operator, context| operator.woken(context))
    }

    pub fn backlog(&self) -> Backlog {
        self.operator.backlog()
    }

    /// A barrier comes: what changed is stored. What comes out before it.
    pub fn snapshot(&mut self, stored: &mut Stored) -> Vec<String> {
        let out = self.call(|operator, context| operator.prepare_barrier(context)).unwrap();
        self.checkpoint += 1;
        let snapshot = self.operator.snapshot(CheckpointId(self.checkpoint), false).unwrap();
        stored.changes = 0;
        snapshot.keyed.iter().for_each(|delta| stored.apply(delta));
        for list in snapshot.lists {
            let entries = stored.lists.entry(list.name).or_default();
            // Each subtask's own entries are whole in each snapshot; of a union the first subtask speaks for all.
            if list.redistribution == Redistribution::Split || self.info.subtask == SubtaskIndex(0) {
                *entries = list.entries;
            }
        }
        out
    }

    /// The inputs have ended; what comes out.
    pub fn finish(&mut self) -> Vec<String> {
        self.call(|operator, context| operator.finish(context)).unwrap()
    }

    pub fn close(mut self) {
        self.operator.close();
    }
}
