//! Failures at chosen points.

use std::sync::Arc;

use flott_batch::codec::RecordsReader;
use flott_batch::{Batch, WatermarkStatus};
use flott_connector::GeneratorFactory;
use flott_operator::{Backlog, Committing, Context, Operator, SnapshotLater, TaskInfo};
use flott_plan::{ChainedNode, JobGraph, Schema, TableSpec, WatermarkSpec};
use flott_runtime::{ConstantRows, Constraint, OperatorFactory, Outside, TaskOptions};
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Error, Result, Timestamp, Watermark};
use parking_lot::Mutex;

/// A failure that happens once, in the operator with a given name or uid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    operator: String,
    point: Point,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Point {
    /// This many records are left before it.
    Record(u64),
    Open,
    Barrier,
    Checkpoint,
    Finish,
    Finished,
}

impl Fault {
    /// Before the operator processes its `n`th record from now, counted from 1 across all its subtasks.
    pub fn at_record(operator: &str, n: u64) -> Self {
        Fault { operator: operator.to_owned(), point: Point::Record(n.max(1)) }
    }

    /// When the operator opens the next time; this makes a recovery fail.
    pub fn at_open(operator: &str) -> Self {
        Fault { operator: operator.to_owned(), point: Point::Open }
    }

    /// When the operator's state is requested the next time; this makes the checkpoint fail.
    pub fn at_barrier(operator: &str) -> Self {
        Fault { operator: operator.to_owned(), point: Point::Barrier }
    }

    /// When the operator is next notified that a checkpoint has completed.
    pub fn after_checkpoint(operator: &str) -> Self {
        Fault { operator: operator.to_owned(), point: Point::Checkpoint }
    }

    /// When all inputs of the operator have ended, before it emits what it holds back until then.
    pub fn at_finish(operator: &str) -> Self {
        Fault { operator: operator.to_owned(), point: Point::Finish }
    }

    /// When the operator has emitted that.
    pub fn after_finish(operator: &str) -> Self {
        Fault { operator: operator.to_owned(), point: Point::Finished }
    }
}

/// The failures planned for a cluster. Clones share them.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Fault>>>);

impl Faults {
    /// Makes an operator fail once at a chosen point.
    pub fn add(&self, fault: Fault) {
        self.0.lock().push(fault);
    }

    /// Those that have not happened.
    pub fn pending(&self) -> Vec<Fault> {
        self.0.lock().clone()
    }

    /// Cancels those that have not happened.
    pub fn clear(&self) {
        self.0.lock().clear();
    }

    /// Wraps a factory so that its operators fail at the chosen points: for a cluster that is assembled by
    /// hand.
    pub fn around(&self, operators: Arc<dyn OperatorFactory>) -> Arc<dyn OperatorFactory> {
        Arc::new(FaultyOperators { operators, faults: self.clone() })
    }

    /// The operator is about to process this many records; returns after how many of them it fails.
    fn records(&self, info: &TaskInfo, count: u64) -> Option<u64> {
        let mut faults = self.0.lock();
        for at in 0..faults.len() {
            if let (true, Point::Record(left)) = (is_of(&faults[at], info), &mut faults[at].point) {
                if *left <= count {
                    let before = *left - 1;
                    faults.remove(at);
                    return Some(before);
                }
                *left -= count;
            }
        }
        None
    }

    /// Fails if a failure is planned for this point.
    fn pass(&self, info: &TaskInfo, point: Point) -> Result<()> {
        let mut faults = self.0.lock();
        match faults.iter().position(|fault| fault.point == point && is_of(fault, info)) {
            Some(at) => {
                let fault = faults.remove(at);
                Err(injected(&fault.operator))
            }
            None => Ok(()),
        }
    }
}

fn is_of(fault: &Fault, info: &TaskInfo) -> bool {
    fault.operator == info.name || fault.operator == info.uid.0
}

fn injected(operator: &str) -> Error {
    Error::external(format!("the test lets '{operator}' fail"))
}

/// Creates operators that fail at the chosen points.
struct FaultyOperators {
    operators: Arc<dyn OperatorFactory>,
    faults: Faults,
}

impl OperatorFactory for FaultyOperators {
    fn build(
        &self,
        node: &ChainedNode,
        info: &TaskInfo,
        options: &TaskOptions,
        outside: &Outside,
    ) -> Result<Box<dyn Operator>> {
        let inner = self.operators.build(node, info, options, outside)?;
        Ok(Box::new(Faulty { inner, info: info.clone(), faults: self.faults.clone() }))
    }

    fn constant_rows(
        &self,
        node: &ChainedNode,
        info: &TaskInfo,
        options: &TaskOptions,
    ) -> Result<ConstantRows> {
        self.operators.constant_rows(node, info, options)
    }

    fn watermarks(
        &self,
        spec: &WatermarkSpec,
        schema: &Schema,
        info: &TaskInfo,
        options: &TaskOptions,
    ) -> Result<GeneratorFactory> {
        self.operators.watermarks(spec, schema, info, options)
    }

    fn check(&self, plan: &JobGraph) -> Result<()> {
        self.operators.check(plan)
    }

    fn records(&self, node: &ChainedNode, tag: Option<&str>) -> Result<Option<RecordsReader>> {
        self.operators.records(node, tag)
    }

    fn constraint(&self, table: &TableSpec, options: &TaskOptions) -> Result<Option<Box<dyn Constraint>>> {
        self.operators.constraint(table, options)
    }
}

struct Faulty {
    inner: Box<dyn Operator>,
    info: TaskInfo,
    faults: Faults,
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl Operator for Faulty {
    fn open(&mut self, restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.faults.pass(&self.info, Point::Open)?;
        self.inner.open(restored, context)
    }

    fn process(&mut self, input: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let Some(before) = self.faults.records(&self.info, batch.num_rows() as u64) else {
            return self.inner.process(input, batch, context);
        };
        // The records before it take effect.
        let first = match batch {
            _ if before == 0 => None,
            Batch::Changes(changes) => Some(Batch::Changes(changes.compact()?.slice(0, before as usize))),
            Batch::Records(records) => {
                let targets: Vec<u32> = (0..records.len() as u64).map(|at| u32::from(at >= before)).collect();
                records.deal(&targets, 2).into_iter().next().flatten().map(Batch::Records)
            }
        };
        if let Some(first) = first {
            self.inner.process(input, first, context)?;
        }
        Err(injected(&self.info.name))
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        self.inner.watermark(watermark, context)
    }

    fn watermark_status(&mut self, status: WatermarkStatus, context: &mut Context<'_>) -> Result<()> {
        self.inner.watermark_status(status, context)
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.inner.processing_time(now, context)
    }

    fn woken(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.inner.woken(context)
    }

    fn restores_in_parts(&self) -> bool {
        self.inner.restores_in_parts()
    }

    fn backlog(&self) -> Backlog {
        self.inner.backlog()
    }

    fn prepare_barrier(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.inner.prepare_barrier(context)
    }

    fn snapshot(&mut self, checkpoint: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        self.faults.pass(&self.info, Point::Barrier)?;
        self.inner.snapshot(checkpoint, full)
    }

    fn snapshot_later(&mut self) -> Option<SnapshotLater> {
        self.inner.snapshot_later()
    }

    fn committing(&self) -> Committing {
        self.inner.committing()
    }

    fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.faults.pass(&self.info, Point::Checkpoint)?;
        self.inner.checkpoint_complete(checkpoint)
    }

    fn checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.inner.checkpoint_aborted(checkpoint)
    }

    fn input_dry(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.inner.input_dry(context)
    }

    fn end_input(&mut self, input: usize, context: &mut Context<'_>) -> Result<()> {
        self.inner.end_input(input, context)
    }

    fn finish(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.faults.pass(&self.info, Point::Finish)?;
        self.inner.finish(context)?;
        self.faults.pass(&self.info, Point::Finished)
    }

    fn close(&mut self) {
        self.inner.close();
    }
}
