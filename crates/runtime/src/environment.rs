//! What a TaskManager gives its tasks.

use std::sync::Arc;

use flott_checkpoint::{Attempt, TaskId};
use flott_connector::Registry;
use flott_operator::{Operator, TaskInfo};
use flott_operators::BuildContext;
use flott_plan::ChainedNode;
use flott_types::{Clock, JobId, Result};

use crate::connect::Connector;
use crate::{Results, SnapshotStorage, TaskOptions, TaskReport, Threads};

/// Makes the operators of a plan; all but sources, constant rows, sinks and collectors, which are the runtime's own.
pub trait OperatorFactory: Send + Sync {
    /// The operator of one subtask.
    ///
    /// # Errors
    /// If the plan asks for what cannot be built.
    fn build(&self, node: &ChainedNode, info: &TaskInfo, options: &TaskOptions) -> Result<Box<dyn Operator>>;
}

/// The operators of `flott_operators`.
#[derive(Clone, Copy, Default, Debug)]
pub struct SqlOperators;

/// What an operator of this job knows of it.
pub(crate) fn build_context(info: &TaskInfo, options: &TaskOptions) -> Result<BuildContext> {
    let mut seed = u64::from(info.subtask.0) ^ options.query_time as u64;
    for byte in info.uid.0.bytes() {
        seed = (seed ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    Ok(BuildContext {
        time_zone: options.time_zone()?,
        query_time: options.query_time,
        streaming: !options.batch,
        seed,
        max_parallelism: info.max_parallelism,
        ..BuildContext::default()
    })
}

impl OperatorFactory for SqlOperators {
    fn build(&self, node: &ChainedNode, info: &TaskInfo, options: &TaskOptions) -> Result<Box<dyn Operator>> {
        flott_operators::build(node, &build_context(info, options)?)
    }
}

/// Where tasks report to.
pub trait Reports: Send + Sync {
    /// Takes a report. Reports of one task arrive in order.
    fn report(&self, job: JobId, attempt: Attempt, task: TaskId, report: TaskReport);
}

/// What a TaskManager gives its tasks.
#[derive(Clone)]
pub struct TaskEnvironment {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Sources and sinks.
    pub registry: Arc<Registry>,
    /// Everything else.
    pub operators: Arc<dyn OperatorFactory>,
    /// The channels between tasks.
    pub connector: Arc<dyn Connector>,
    /// The snapshots.
    pub storage: Arc<dyn SnapshotStorage>,
    /// Collected rows.
    pub results: Arc<dyn Results>,
    /// The JobManager.
    pub reports: Arc<dyn Reports>,
    /// The threads.
    pub threads: Threads,
}
