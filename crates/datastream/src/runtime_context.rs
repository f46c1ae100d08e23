//! What a function may ask when it is opened.

use std::collections::BTreeMap;

use flott_batch::Record;
use flott_operator::{OperatorMetrics, TaskInfo};
use flott_runtime::TaskOptions;
use flott_state::RestoredState;
use flott_types::{Error, JobId, Result};

use crate::state::{Keys, StateColumn, States, ValueState};

/// What a function may ask when it is opened: who it is, its configuration, and the states that it wants.
pub struct RuntimeContext<'a> {
    info: &'a TaskInfo,
    options: &'a TaskOptions,
    metrics: &'a OperatorMetrics,
    restored: &'a mut RestoredState,
    keyed: Option<KeyedScope<'a>>,
}

/// Where keyed state is declared.
pub(crate) struct KeyedScope<'a> {
    pub keys: &'a mut dyn Keys,
    pub states: &'a mut States,
}

impl<'a> RuntimeContext<'a> {
    pub(crate) fn new(
        info: &'a TaskInfo,
        options: &'a TaskOptions,
        metrics: &'a OperatorMetrics,
        restored: &'a mut RestoredState,
        keyed: Option<KeyedScope<'a>>,
    ) -> Self {
        RuntimeContext { info, options, metrics, restored, keyed }
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

    /// The job's configuration: Flink's keys, and whatever the program set beside them.
    pub fn configuration(&self) -> &BTreeMap<String, String> {
        &self.options.configuration
    }

    /// The operator's metrics.
    pub fn metrics(&self) -> &OperatorMetrics {
        self.metrics
    }

    /// Declares a state with one value for each key. Its name is how it is found in a snapshot.
    ///
    /// # Errors
    /// If the function does not run on a keyed stream; if the name is taken; if the snapshot has this state with values that are
    /// not of type `T`.
    pub fn value_state<T: Record>(&mut self, name: &str) -> Result<ValueState<T>> {
        let column = crate::state::ValueColumn::<T>::new(name)?;
        Ok(ValueState::new(self.declare(name, Box::new(column))?))
    }

    /// Declares a keyed state.
    pub(crate) fn declare(&mut self, name: &str, column: Box<dyn StateColumn>) -> Result<u32> {
        let Some(KeyedScope { keys, states }) = &mut self.keyed else {
            return Err(Error::invalid(format!(
                "state '{name}' is keyed state, but the function does not run on a keyed stream; call `key_by` before"
            )));
        };
        states.declare(column, *keys, self.restored)
    }
}
