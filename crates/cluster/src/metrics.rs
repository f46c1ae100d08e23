//! The metrics of a job: its vertices, their tasks, the operators within them.

use flott_checkpoint::TaskId;
use flott_operator::MetricValue;
use flott_plan::JobGraph;
use flott_runtime::{OperatorMetricsReport, TaskMetricsReport};
use flott_types::{SubtaskIndex, VertexId};
use serde::{Deserialize, Serialize};

/// The metrics of a job at one moment.
#[derive(Clone, Default, PartialEq, Debug, Serialize, Deserialize)]
pub struct JobMetrics {
    /// In the order of the plan.
    pub vertices: Vec<VertexMetrics>,
}

/// The metrics of a vertex.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct VertexMetrics {
    /// The vertex.
    pub id: VertexId,
    /// Its name.
    pub name: String,
    /// How many subtasks it has.
    pub parallelism: u32,
    /// Those that run, or ran last.
    pub tasks: Vec<(SubtaskIndex, TaskMetricsReport)>,
}

impl JobMetrics {
    pub(crate) fn new(graph: &JobGraph, mut reports: Vec<(TaskId, TaskMetricsReport)>) -> Self {
        reports.sort_by_key(|(task, _)| *task);
        let vertices = graph.vertices.iter().map(|vertex| {
            let own = reports.iter().filter(|(task, _)| task.vertex == vertex.id);
            VertexMetrics {
                id: vertex.id,
                name: vertex.name.clone(),
                parallelism: vertex.parallelism,
                tasks: own.map(|(task, report)| (task.subtask, report.clone())).collect(),
            }
        });
        JobMetrics { vertices: vertices.collect() }
    }

    /// The operators of all tasks.
    pub fn operators(&self) -> impl Iterator<Item = (SubtaskIndex, &OperatorMetricsReport)> {
        let tasks = self.vertices.iter().flat_map(|vertex| &vertex.tasks);
        tasks.flat_map(|(subtask, task)| task.operators.iter().map(|operator| (*subtask, operator)))
    }

    /// A metric that a function of the program has made, for each subtask; of all operators that have one of
    /// that name.
    pub fn user_metric(&self, name: &str) -> Vec<(SubtaskIndex, &MetricValue)> {
        let metrics = self
            .operators()
            .flat_map(|(subtask, operator)| operator.user.iter().map(move |metric| (subtask, metric)));
        metrics.filter(|(_, metric)| metric.name == name).map(|(at, metric)| (at, &metric.value)).collect()
    }

    /// The sum of a counter that a function of the program has made, over subtasks.
    pub fn user_counter(&self, name: &str) -> u64 {
        let count = |value: &MetricValue| match value {
            MetricValue::Counter(count) => *count,
            MetricValue::Meter { count, .. } => *count,
            MetricValue::Gauge(_) | MetricValue::Histogram(_) => 0,
        };
        self.user_metric(name).into_iter().map(|(_, value)| count(value)).sum()
    }

    /// Rows that the sources have read.
    pub fn records_read(&self) -> u64 {
        let sources = self.vertices.iter().filter(|vertex| {
            vertex
                .tasks
                .iter()
                .any(|(_, task)| task.operators.first().is_some_and(|head| head.num_records_in == 0))
        });
        sources
            .flat_map(|vertex| &vertex.tasks)
            .filter_map(|(_, task)| task.operators.first())
            .map(|o| o.num_records_out)
            .sum()
    }
}

impl VertexMetrics {
    /// `numRecordsIn`
    pub fn num_records_in(&self) -> u64 {
        self.tasks.iter().map(|(_, task)| task.num_records_in).sum()
    }

    /// `numRecordsOut`
    pub fn num_records_out(&self) -> u64 {
        self.tasks.iter().map(|(_, task)| task.num_records_out).sum()
    }

    /// `numLateRecordsDropped`
    pub fn num_late_records_dropped(&self) -> u64 {
        let operators = self.tasks.iter().flat_map(|(_, task)| &task.operators);
        operators.map(|operator| operator.num_late_records_dropped).sum()
    }

    /// `currentInputWatermark`: the lowest of the subtasks; `i64::MIN` before the first.
    pub fn current_input_watermark(&self) -> i64 {
        let heads = self.tasks.iter().filter_map(|(_, task)| task.operators.first());
        heads.map(|head| head.current_input_watermark).min().unwrap_or(i64::MIN)
    }
}
