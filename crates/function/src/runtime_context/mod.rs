//! What a function can use when it is opened.

mod declare;

use std::collections::BTreeMap;

use flott_operator::{Counter, MetricGroup, OperatorMetrics, TaskInfo};
use flott_runtime::TaskOptions;
use flott_state::{Index, RestoredState};
use flott_types::JobId;

use crate::state::States;

/// What a function can use when it is opened: its identity, its configuration, and the states that it
/// declares.
pub struct RuntimeContext<'a> {
    pub(crate) info: &'a TaskInfo,
    options: &'a TaskOptions,
    metrics: &'a OperatorMetrics,
    pub(crate) restored: &'a mut RestoredState,
    pub(crate) keyed: Option<KeyedScope<'a>>,
    /// Where operator state is declared by a function that does not run on a keyed stream.
    pub(crate) own: Option<&'a mut States>,
}

/// Where keyed state is declared.
pub struct KeyedScope<'a> {
    /// Where keys have their slots.
    pub keys: &'a mut dyn Index,
    /// The columns over these slots.
    pub states: &'a mut States,
}

impl<'a> RuntimeContext<'a> {
    #[doc(hidden)]
    pub fn new(
        info: &'a TaskInfo,
        options: &'a TaskOptions,
        metrics: &'a OperatorMetrics,
        restored: &'a mut RestoredState,
        keyed: Option<KeyedScope<'a>>,
    ) -> Self {
        RuntimeContext { info, options, metrics, restored, keyed, own: None }
    }

    /// For a function that does not run on a keyed stream: its operator state is here.
    #[doc(hidden)]
    pub fn with_states(mut self, states: &'a mut States) -> Self {
        self.own = Some(states);
        self
    }

    /// Whether the job starts from a snapshot that contains this operator (`isRestored` in Flink).
    pub fn is_restored(&self) -> bool {
        self.restored.found
    }

    /// The job.
    pub fn job_id(&self) -> JobId {
        self.info.job
    }

    /// The operator's name.
    pub fn task_name(&self) -> &str {
        &self.info.name
    }

    /// Which of the operator's subtasks this is, from 0.
    pub fn subtask_index(&self) -> u32 {
        self.info.subtask.0
    }

    /// How many subtasks the operator has.
    pub fn parallelism(&self) -> u32 {
        self.info.parallelism
    }

    /// The number of key groups.
    pub fn max_parallelism(&self) -> u32 {
        self.info.max_parallelism
    }

    /// How often the job was restarted before, from 0.
    pub fn attempt_number(&self) -> u32 {
        self.info.attempt
    }

    /// The job's configuration: Flink's keys, and the program's own parameters.
    pub fn configuration(&self) -> &BTreeMap<String, String> {
        &self.options.configuration
    }

    /// Where the function creates its own metrics; `JobClient::metrics` shows them in the operator's report.
    pub fn metric_group(&self) -> &MetricGroup {
        &self.metrics.user
    }

    /// `numLateRecordsDropped` of the operator.
    #[doc(hidden)]
    pub fn late_records(&self) -> Counter {
        self.metrics.num_late_records_dropped.clone()
    }

    pub(crate) fn operator_metrics(&self) -> &OperatorMetrics {
        self.metrics
    }
}
