//! Runs the operator of windows that a program describes, in any number of parallel instances, without a cluster.

use std::any::Any;
use std::collections::BTreeMap;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use flott_batch::hash::hash_columns;
use flott_batch::{AnyRecords, Batch, Record, Records, WatermarkStatus};
use flott_operator::{Context, Operator, OperatorMetrics, Output, TaskInfo};
use flott_runtime::TaskOptions;
use flott_state::{OperatorSnapshot, Redistribution, RestoredState};
use flott_types::{CheckpointId, JobId, KeyGroup, KeyGroupRange, OperatorUid, Result, SubtaskIndex};
use flott_types::{Timestamp, Watermark};

use crate::graph::OperatorFactory;
use crate::{DataStream, OutputTag, StreamExecutionEnvironment};

const MAX_PARALLELISM: u32 = 16;

/// The operator of windows that a program ends with.
pub(super) struct Harness<T, O> {
    windows: OperatorFactory,
    routes: OperatorFactory,
    instances: Vec<Instance>,
    output: Collected<O>,
    pub metrics: OperatorMetrics,
    now: Timestamp,
    watermark: Watermark,
    tables: BTreeMap<String, Table>,
    lists: BTreeMap<String, Vec<String>>,
    of: std::marker::PhantomData<T>,
}

/// The live rows of a state by their keys, as a checkpoint storage has them.
type Table = BTreeMap<Vec<u8>, (u16, RecordBatch)>;

struct Instance {
    operator: Box<dyn Operator>,
    info: TaskInfo,
    wake_at: Option<Timestamp>,
}

struct Collected<O> {
    values: Vec<(O, Option<Timestamp>)>,
    sides: BTreeMap<String, Vec<Box<dyn AnyRecords>>>,
}

impl<O: Record> Output for Collected<O> {
    fn emit(&mut self, batch: Batch) -> Result<()> {
        let Records { values, timestamps, .. } = batch.into_records::<O>()?;
        for (at, value) in values.into_iter().enumerate() {
            self.values.push((value, timestamps.as_ref().map(|timestamps| timestamps[at])));
        }
        Ok(())
    }

    fn emit_side(&mut self, tag: &str, batch: Batch) -> Result<()> {
        let Batch::Records(records) = batch else { panic!("columns") };
        self.sides.entry(tag.to_owned()).or_default().push(records);
        Ok(())
    }

    fn watermark(&mut self, _: Watermark) -> Result<()> {
        Ok(())
    }

    fn watermark_status(&mut self, _: WatermarkStatus) -> Result<()> {
        Ok(())
    }
}

/// What `Route` has made of a batch.
struct Routed(Option<Box<dyn AnyRecords>>);

impl Output for Routed {
    fn emit(&mut self, batch: Batch) -> Result<()> {
        let Batch::Records(records) = batch else { panic!("columns") };
        self.0 = Some(records);
        Ok(())
    }

    fn watermark(&mut self, _: Watermark) -> Result<()> {
        Ok(())
    }

    fn watermark_status(&mut self, _: WatermarkStatus) -> Result<()> {
        Ok(())
    }
}

fn info(subtask: u32, parallelism: u32) -> TaskInfo {
    TaskInfo {
        job: JobId(0),
        uid: OperatorUid("windows".to_owned()),
        name: "windows".to_owned(),
        subtask: SubtaskIndex(subtask),
        parallelism,
        max_parallelism: MAX_PARALLELISM,
        key_groups: KeyGroupRange::of_subtask(SubtaskIndex(subtask), MAX_PARALLELISM, parallelism),
        attempt: 0,
    }
}

impl<T: Record, O: Record> Harness<T, O> {
    /// With one instance, at time 0.
    pub fn new(program: impl FnOnce(DataStream<T>) -> DataStream<O>) -> Self {
        Harness::try_new(program).unwrap()
    }

    /// As [`Harness::new`]; the error of an operator that does not open.
    pub fn try_new(program: impl FnOnce(DataStream<T>) -> DataStream<O>) -> Result<Self> {
        let stream = program(StreamExecutionEnvironment::new().from_collection(Vec::<T>::new()));
        let graph = &stream.shared.graph;
        let (windows, before) = graph.operator(stream.upstreams[0].node);
        let (routes, _) = graph.operator(before);
        let mut harness = Harness {
            windows,
            routes,
            instances: Vec::new(),
            output: Collected { values: Vec::new(), sides: BTreeMap::new() },
            metrics: OperatorMetrics::default(),
            now: 0,
            watermark: Watermark::MIN,
            tables: BTreeMap::new(),
            lists: BTreeMap::new(),
            of: std::marker::PhantomData,
        };
        harness.start(1)?;
        Ok(harness)
    }

    /// Builds and opens the instances from the last snapshot.
    fn start(&mut self, parallelism: u32) -> Result<()> {
        self.instances.clear();
        for subtask in 0..parallelism {
            let info = info(subtask, parallelism);
            let mut restored = RestoredState { found: !self.tables.is_empty(), ..RestoredState::default() };
            restored.lists.extend(self.lists.clone());
            for (name, table) in &self.tables {
                let mine = table.values().filter(|(group, _)| info.key_groups.contains(KeyGroup(*group)));
                let rows: Vec<&RecordBatch> = mine.map(|(_, row)| row).collect();
                if let Some(first) = rows.first() {
                    let all = concat_batches(&first.schema(), rows.iter().copied()).unwrap();
                    restored.keyed.insert(name.clone(), vec![all]);
                }
            }
            let options = TaskOptions::parse(&BTreeMap::new())?;
            let operator = (self.windows)(&info, &options)?;
            self.instances.push(Instance { operator, info, wake_at: None });
            self.call(subtask as usize, |operator, context| operator.open(restored, context))?;
        }
        Ok(())
    }

    fn call(
        &mut self,
        instance: usize,
        call: impl FnOnce(&mut dyn Operator, &mut Context<'_>) -> Result<()>,
    ) -> Result<()> {
        let Instance { operator, info, wake_at } = &mut self.instances[instance];
        let mut context = Context {
            info,
            now: self.now,
            watermark: self.watermark,
            output: &mut self.output,
            metrics: &self.metrics,
            wake_at,
        };
        call(operator.as_mut(), &mut context)
    }

    fn taken(&mut self) -> Vec<(O, Option<Timestamp>)> {
        std::mem::take(&mut self.output.values)
    }

    /// Records with timestamps; what comes out.
    pub fn push(&mut self, records: impl IntoIterator<Item = (T, Timestamp)>) -> Vec<O> {
        self.push_timed(records).into_iter().map(|(value, _)| value).collect()
    }

    /// Records with timestamps; what comes out, with timestamps.
    pub fn push_timed(
        &mut self,
        records: impl IntoIterator<Item = (T, Timestamp)>,
    ) -> Vec<(O, Option<Timestamp>)> {
        self.try_push(records).unwrap();
        self.taken()
    }

    /// Records with timestamps.
    pub fn try_push(&mut self, records: impl IntoIterator<Item = (T, Timestamp)>) -> Result<()> {
        let (values, timestamps) = records.into_iter().unzip();
        self.feed(Records::with_timestamps(values, timestamps))
    }

    /// Records without timestamps; what comes out.
    pub fn push_untimed(&mut self, values: impl IntoIterator<Item = T>) -> Result<Vec<O>> {
        self.feed(Records::new(values.into_iter().collect()))?;
        Ok(self.taken().into_iter().map(|(value, _)| value).collect())
    }

    fn feed(&mut self, records: Records<T>) -> Result<()> {
        let info = info(0, 1);
        let mut routed = Routed(None);
        let mut context = Context {
            info: &info,
            now: self.now,
            watermark: self.watermark,
            output: &mut routed,
            metrics: &self.metrics,
            wake_at: &mut None,
        };
        let options = TaskOptions::parse(&BTreeMap::new())?;
        (self.routes)(&info, &options)?.process(0, Batch::from(records), &mut context)?;
        let Some(records) = routed.0 else { return Ok(()) };
        let instances = self.instances.len() as u32;
        let owner =
            |hash: &u64| KeyGroup::of_hash(*hash, MAX_PARALLELISM).subtask(MAX_PARALLELISM, instances).0;
        let targets: Vec<u32> = records.routes().unwrap().iter().map(owner).collect();
        for (instance, part) in records.deal(&targets, instances as usize).into_iter().enumerate() {
            if let Some(part) = part {
                self.call(instance, |operator, context| operator.process(0, Batch::Records(part), context))?;
            }
        }
        Ok(())
    }

    /// Event time advances; what comes out.
    pub fn watermark(&mut self, at: Timestamp) -> Vec<O> {
        self.watermark_timed(at).into_iter().map(|(value, _)| value).collect()
    }

    /// Event time advances; what comes out, with timestamps.
    pub fn watermark_timed(&mut self, at: Timestamp) -> Vec<(O, Option<Timestamp>)> {
        self.try_watermark(at).unwrap();
        self.taken()
    }

    /// Event time advances.
    pub fn try_watermark(&mut self, at: Timestamp) -> Result<()> {
        self.watermark = Watermark(at);
        (0..self.instances.len()).try_for_each(|instance| {
            self.call(instance, |operator, context| operator.watermark(Watermark(at), context))
        })
    }

    /// The clock advances to this time, in one step; what comes out.
    pub fn clock(&mut self, now: Timestamp) -> Vec<O> {
        self.now = now;
        for instance in 0..self.instances.len() {
            while self.instances[instance].wake_at.is_some_and(|at| at <= now) {
                self.instances[instance].wake_at = None;
                self.call(instance, |operator, context| operator.processing_time(now, context)).unwrap();
            }
        }
        self.taken().into_iter().map(|(value, _)| value).collect()
    }

    /// The input ends; what comes out.
    pub fn end(&mut self) -> Vec<O> {
        let mut out = self.watermark(Watermark::MAX.0);
        for instance in 0..self.instances.len() {
            self.call(instance, |operator, context| operator.finish(context)).unwrap();
        }
        out.extend(self.taken().into_iter().map(|(value, _)| value));
        out
    }

    /// What has gone to a side output.
    pub fn side<X: Record>(&mut self, tag: &OutputTag<X>) -> Vec<X> {
        let records = self.output.sides.remove(tag.id()).unwrap_or_default();
        let typed = |records: Box<dyn AnyRecords>| -> Vec<X> {
            let any: Box<dyn Any + Send> = records.into_any();
            any.downcast::<Records<X>>().unwrap().values
        };
        records.into_iter().flat_map(typed).collect()
    }

    /// Takes a snapshot; how many rows it wrote.
    pub fn checkpoint(&mut self, full: bool) -> usize {
        let mut rows = 0;
        self.lists.clear();
        for instance in 0..self.instances.len() {
            let snapshot = self.instances[instance].operator.snapshot(CheckpointId(1), full).unwrap();
            rows += snapshot.keyed.iter().map(|delta| delta.rows.num_rows()).sum::<usize>();
            self.apply(instance, snapshot);
        }
        rows
    }

    fn apply(&mut self, instance: usize, snapshot: OperatorSnapshot) {
        let owned = self.instances[instance].info.key_groups;
        for list in snapshot.lists {
            assert_eq!(list.redistribution, Redistribution::Union);
            self.lists.entry(list.name).or_default().extend(list.entries);
        }
        for delta in snapshot.keyed {
            let table = self.tables.entry(delta.name.clone()).or_default();
            if delta.full {
                table.retain(|_, (group, _)| !owned.contains(KeyGroup(*group)));
            }
            let keys = &delta.rows.columns()[..delta.key_columns];
            let mut hashes = Vec::new();
            hash_columns(&keys[..delta.partition_columns], delta.rows.num_rows(), &mut hashes);
            let fields = keys.iter().map(|key| arrow::row::SortField::new(key.data_type().clone())).collect();
            let converter = arrow::row::RowConverter::new(fields).unwrap();
            let encoded = converter.convert_columns(keys).unwrap();
            let mut seen = std::collections::BTreeSet::new();
            for (row, hash) in hashes.iter().enumerate() {
                let group = KeyGroup::of_hash(*hash, MAX_PARALLELISM);
                assert_eq!(delta.key_groups[row], group.0, "the key group of a row of {}", delta.name);
                assert!(owned.contains(group), "a key of another subtask");
                let key = encoded.row(row).as_ref().to_vec();
                assert!(seen.insert(key.clone()), "a key is twice in a snapshot of {}", delta.name);
                if delta.deleted.as_ref().is_some_and(|deleted| deleted.value(row)) {
                    let gone = table.remove(&key);
                    assert!(gone.is_some(), "what was not there was deleted from {}", delta.name);
                } else {
                    let at = UInt32Array::from(vec![row as u32]);
                    table.insert(key, (group.0, take_record_batch(&delta.rows, &at).unwrap()));
                }
            }
        }
    }

    /// Forgets the running instances and starts anew from the last snapshot. The watermark begins anew too.
    pub fn restore(&mut self, parallelism: u32) {
        self.watermark = Watermark::MIN;
        self.start(parallelism).unwrap();
        assert!(self.taken().is_empty());
    }

    /// Takes a snapshot of everything, and starts anew from it.
    pub fn rescale(&mut self, parallelism: u32) {
        self.checkpoint(true);
        self.restore(parallelism);
    }

    /// The columns of a state in the last snapshot.
    pub fn columns(&self, state: &str) -> Vec<String> {
        let row = self.tables[state].values().next().unwrap();
        row.1.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    /// How many rows the last snapshot has of all states.
    pub fn rows(&self) -> usize {
        self.tables.values().map(Table::len).sum()
    }
}
