//! Runs the operator of windows that a program describes, in any number of parallel instances, without a
//! cluster.

use std::any::Any;
use std::collections::BTreeMap;

use flott_batch::{AnyRecords, Batch, Record, Records, WatermarkStatus};
use flott_operator::testing::{Stored, Subtasks, task_info};
use flott_operator::{OperatorMetrics, Output};
use flott_runtime::TaskOptions;
use flott_types::{KeyGroup, Result, Timestamp, Watermark};

use crate::environment::StreamExecutionEnvironment;
use crate::program::MakeOperator;
use crate::stream::DataStream;
use flott_function::output::OutputTag;

const MAX_PARALLELISM: u32 = 16;

/// The operator of windows that a program ends with.
pub(super) struct Harness<T, O> {
    windows: MakeOperator,
    routes: MakeOperator,
    subtasks: Subtasks<Collected<O>>,
    pub metrics: OperatorMetrics,
    stored: Stored,
    of: std::marker::PhantomData<T>,
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

/// A batch as routed by `Route`.
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
        let subtasks = Subtasks::new(Collected { values: Vec::new(), sides: BTreeMap::new() });
        let metrics = subtasks.metrics.clone();
        let (stored, of) = (Stored::default(), std::marker::PhantomData);
        let mut harness = Harness { windows, routes, subtasks, metrics, stored, of };
        harness.start(1)?;
        Ok(harness)
    }

    /// Builds and opens the instances from the last snapshot.
    fn start(&mut self, parallelism: u32) -> Result<()> {
        self.subtasks.clear();
        for subtask in 0..parallelism {
            let info = task_info(subtask, parallelism, MAX_PARALLELISM);
            let operator = (self.windows)(&info, &TaskOptions::parse(&BTreeMap::new())?)?;
            self.subtasks.open(info, operator, &self.stored)?;
        }
        Ok(())
    }

    fn taken(&mut self) -> Vec<(O, Option<Timestamp>)> {
        std::mem::take(&mut self.subtasks.output.values)
    }

    /// Pushes records with timestamps; returns the output.
    pub fn push(&mut self, records: impl IntoIterator<Item = (T, Timestamp)>) -> Vec<O> {
        self.push_timed(records).into_iter().map(|(value, _)| value).collect()
    }

    /// Pushes records with timestamps; returns the output with timestamps.
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

    /// Pushes records without timestamps; returns the output.
    pub fn push_untimed(&mut self, values: impl IntoIterator<Item = T>) -> Result<Vec<O>> {
        self.feed(Records::new(values.into_iter().collect()))?;
        Ok(self.taken().into_iter().map(|(value, _)| value).collect())
    }

    fn feed(&mut self, records: Records<T>) -> Result<()> {
        let info = task_info(0, 1, MAX_PARALLELISM);
        let mut routing = Subtasks::new(Routed(None));
        let operator = (self.routes)(&info, &TaskOptions::parse(&BTreeMap::new())?)?;
        routing.open(info, operator, &Stored::default())?;
        routing.process(0, 0, Batch::from(records))?;
        let Some(records) = routing.output.0 else { return Ok(()) };
        let instances = self.subtasks.len() as u32;
        let owner =
            |hash: &u64| KeyGroup::of_hash(*hash, MAX_PARALLELISM).subtask(MAX_PARALLELISM, instances).0;
        let targets: Vec<u32> = records.routes().unwrap().iter().map(owner).collect();
        for (instance, part) in records.deal(&targets, instances as usize).into_iter().enumerate() {
            if let Some(part) = part {
                self.subtasks.process(instance, 0, Batch::Records(part))?;
            }
        }
        Ok(())
    }

    /// Advances event time; returns the output.
    pub fn watermark(&mut self, at: Timestamp) -> Vec<O> {
        self.watermark_timed(at).into_iter().map(|(value, _)| value).collect()
    }

    /// Advances event time; returns the output with timestamps.
    pub fn watermark_timed(&mut self, at: Timestamp) -> Vec<(O, Option<Timestamp>)> {
        self.try_watermark(at).unwrap();
        self.taken()
    }

    /// Event time advances.
    pub fn try_watermark(&mut self, at: Timestamp) -> Result<()> {
        self.subtasks.watermark(at)
    }

    /// Advances the clock to this time, in one step; returns the output.
    pub fn clock(&mut self, now: Timestamp) -> Vec<O> {
        self.subtasks.clock(now).unwrap();
        self.taken().into_iter().map(|(value, _)| value).collect()
    }

    /// Ends the input; returns the output.
    pub fn end(&mut self) -> Vec<O> {
        let mut out = self.watermark(Watermark::MAX.0);
        self.subtasks.finish().unwrap();
        out.extend(self.taken().into_iter().map(|(value, _)| value));
        out
    }

    /// The side output so far.
    pub fn side<X: Record>(&mut self, tag: &OutputTag<X>) -> Vec<X> {
        let records = self.subtasks.output.sides.remove(tag.id()).unwrap_or_default();
        let typed = |records: Box<dyn AnyRecords>| -> Vec<X> {
            let any: Box<dyn Any + Send> = records.into_any();
            any.downcast::<Records<X>>().unwrap().values
        };
        records.into_iter().flat_map(typed).collect()
    }

    /// Takes a snapshot; returns how many rows it wrote.
    pub fn checkpoint(&mut self, full: bool) -> usize {
        self.subtasks.checkpoint(&mut self.stored, full).unwrap()
    }

    /// Forgets the running instances and starts again from the last snapshot. The watermark starts over too.
    pub fn restore(&mut self, parallelism: u32) {
        self.start(parallelism).unwrap();
        assert!(self.taken().is_empty());
    }

    /// Takes a snapshot of everything, and starts again from it.
    pub fn rescale(&mut self, parallelism: u32) {
        self.checkpoint(true);
        self.restore(parallelism);
    }

    /// The columns of a state in the last snapshot.
    pub fn columns(&self, state: &str) -> Vec<String> {
        let rows = self.stored.table(state).unwrap().unwrap();
        rows.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    /// How many rows the last snapshot has of all states.
    pub fn rows(&self) -> usize {
        self.stored.tables().map(|name| self.stored.rows(name)).sum()
    }
}
