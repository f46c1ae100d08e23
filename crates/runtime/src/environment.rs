//! What a TaskManager provides to its tasks.

use std::sync::Arc;

use arrow::array::RecordBatch;
use flott_batch::Batch;
use flott_batch::codec::RecordsReader;
use flott_checkpoint::{Attempt, TaskId};
use flott_connector::{GeneratorFactory, Registry, TableContext};
use flott_operator::{Counter, Operator, TaskInfo};
use flott_plan::{ChainedNode, JobGraph, Schema, TableSpec, WatermarkSpec};
use flott_state::spill::StateMemory;
use flott_types::clock::ManualClock;
use flott_types::{Clock, Configuration, JobId, Result};

use crate::connect::Exchanges;
use crate::{Results, SnapshotStorage, TaskOptions, TaskReport, Threads};

/// Computes constant rows, once the source has its turn.
pub type ConstantRows = Box<dyn Fn() -> Result<RecordBatch> + Send>;

/// What operators may use of what is outside of the job.
#[derive(Clone)]
pub struct Outside {
    /// The connectors.
    pub registry: Arc<Registry>,
    /// What they may ask.
    pub tables: TableContext,
    /// Time, for what is asked outside.
    pub clock: Arc<dyn Clock>,
    /// The memory for state.
    pub memory: Arc<StateMemory>,
}

impl Outside {
    /// Where there is nothing outside, and time stands still.
    pub fn nothing() -> Self {
        let tables =
            TableContext { batch: false, zone: "UTC".to_owned(), configuration: Configuration::default() };
        Outside {
            registry: Arc::default(),
            tables,
            clock: Arc::new(ManualClock::new(0)),
            memory: Arc::default(),
        }
    }
}

/// Holds rows against what a table demands of them.
pub trait Constraint: Send {
    /// The rows that may be written; those that are dropped are counted.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::Data`] if a row may not be written and is not to be dropped.
    fn enforce(&self, batch: Batch, dropped: &Counter) -> Result<Batch>;
}

/// Makes what a plan says of computing. The task runs it and knows nothing of it: what is the runtime's own are sources, sinks
/// and collectors, and what is to be computed in them comes from here too.
pub trait OperatorFactory: Send + Sync {
    /// The operator of one subtask.
    ///
    /// # Errors
    /// If the plan asks for what cannot be built.
    fn build(
        &self,
        node: &ChainedNode,
        info: &TaskInfo,
        options: &TaskOptions,
        outside: &Outside,
    ) -> Result<Box<dyn Operator>>;

    /// The rows of a node that has constant rows.
    ///
    /// # Errors
    /// If the plan asks for what cannot be built.
    fn constant_rows(
        &self,
        node: &ChainedNode,
        info: &TaskInfo,
        options: &TaskOptions,
    ) -> Result<ConstantRows>;

    /// How the watermarks of a source come out of its rows, where they are the table's.
    ///
    /// # Errors
    /// If the plan asks for what cannot be built.
    fn watermarks(
        &self,
        spec: &WatermarkSpec,
        schema: &Schema,
        info: &TaskInfo,
        options: &TaskOptions,
    ) -> Result<GeneratorFactory>;

    /// Whether this process has what the plan was made from. Asked once, before any of its tasks starts.
    ///
    /// # Errors
    /// What differs, if it has something else.
    fn check(&self, plan: &JobGraph) -> Result<()>;

    /// How the records are read from bytes that this node sends, or sends to this side output; `None` if it sends columns.
    ///
    /// # Errors
    /// If the plan asks for what cannot be built.
    fn records(&self, node: &ChainedNode, tag: Option<&str>) -> Result<Option<RecordsReader>>;

    /// What a table demands of the rows that are written to it, if anything.
    ///
    /// # Errors
    /// If the plan or the configuration asks for what cannot be built.
    fn constraint(&self, table: &TableSpec, options: &TaskOptions) -> Result<Option<Box<dyn Constraint>>>;
}

/// Where tasks report to.
pub trait Reports: Send + Sync {
    /// Takes a report. Reports of one task arrive in order.
    fn report(&self, job: JobId, attempt: Attempt, task: TaskId, report: TaskReport);
}

/// What a TaskManager provides to its tasks.
#[derive(Clone)]
pub struct TaskEnvironment {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Sources and sinks.
    pub registry: Arc<Registry>,
    /// What computes.
    pub operators: Arc<dyn OperatorFactory>,
    /// The channels between tasks.
    pub exchanges: Arc<dyn Exchanges>,
    /// The snapshots.
    pub storage: Arc<dyn SnapshotStorage>,
    /// Collected rows.
    pub results: Arc<dyn Results>,
    /// The JobManager.
    pub reports: Arc<dyn Reports>,
    /// The threads.
    pub threads: Threads,
    /// The memory for state: all tasks share it.
    pub memory: Arc<StateMemory>,
}
