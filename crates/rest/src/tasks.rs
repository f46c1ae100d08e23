//! What is told of tasks in several answers: states, times, rows in and out.

use flott_checkpoint::{ExecutionState, TaskId};
use flott_cluster::TaskManagerId;
use flott_plan::JobVertex;
use flott_runtime::TaskMetricsReport;
use flott_types::{SubtaskIndex, Timestamp};
use serde_json::{Map, Value, json};

use crate::cluster::Job;

/// Every state of a task.
const STATES: [ExecutionState; 9] = [
    ExecutionState::Created,
    ExecutionState::Scheduled,
    ExecutionState::Deploying,
    ExecutionState::Initializing,
    ExecutionState::Running,
    ExecutionState::Canceling,
    ExecutionState::Finished,
    ExecutionState::Canceled,
    ExecutionState::Failed,
];

/// Those whose durations are told: where a task stays for a while before it ends.
const LASTING: [ExecutionState; 5] = [
    ExecutionState::Created,
    ExecutionState::Scheduled,
    ExecutionState::Deploying,
    ExecutionState::Initializing,
    ExecutionState::Running,
];

/// Where all tasks run: TaskManagers are threads of this process.
pub(crate) const ENDPOINT: &str = "localhost";

pub(crate) fn task_manager_id(id: TaskManagerId) -> String {
    format!("taskmanager-{}", id.0)
}

/// A number for each state of a task. Flink has one more that we never enter.
fn each_state(value: impl Fn(ExecutionState) -> i64) -> Map<String, Value> {
    let mut states: Map<_, _> =
        STATES.into_iter().map(|state| (state.to_string(), value(state).into())).collect();
    states.insert("RECONCILING".to_owned(), 0.into());
    states
}

/// How many tasks are in which state.
pub(crate) fn state_counts<'a>(tasks: impl Iterator<Item = &'a Task<'a>> + Clone) -> Map<String, Value> {
    each_state(|state| tasks.clone().filter(|task| task.state == state).count() as i64)
}

/// A task at one moment.
pub(crate) struct Task<'a> {
    pub subtask: SubtaskIndex,
    pub state: ExecutionState,
    pub task_manager: Option<TaskManagerId>,
    entered: &'a [(ExecutionState, Timestamp)],
    now: Timestamp,
}

impl Job {
    /// The tasks of a vertex. Before they are deployed they are only created.
    pub fn tasks(&self, vertex: &JobVertex) -> Vec<Task<'_>> {
        let task = |subtask| {
            let id = TaskId { vertex: vertex.id, subtask: SubtaskIndex(subtask) };
            let execution = self.info.executions.get(&id);
            Task {
                subtask: id.subtask,
                state: self.info.tasks.get(&id).copied().unwrap_or(ExecutionState::Created),
                task_manager: execution.map(|execution| execution.task_manager),
                entered: execution.map_or(&[], |execution| &execution.entered),
                now: self.now,
            }
        };
        (0..vertex.parallelism).map(task).collect()
    }

    /// Counted from 0, as Flink does.
    pub fn attempt(&self) -> u64 {
        u64::from(self.info.attempt.0).saturating_sub(1)
    }
}

impl Task<'_> {
    /// When it was deployed; -1 before.
    pub fn start(&self) -> Timestamp {
        self.entered.first().map_or(-1, |(_, at)| *at)
    }

    /// When it ended; -1 before.
    pub fn end(&self) -> Timestamp {
        self.entered.last().filter(|(state, _)| state.is_terminal()).map_or(-1, |(_, at)| *at)
    }

    pub fn duration(&self) -> Timestamp {
        duration(self.start(), self.end(), self.now)
    }

    /// When it entered which state; 0 if it did not.
    pub fn timestamps(&self) -> Map<String, Value> {
        each_state(|state| {
            self.entered.iter().find(|(entered, _)| *entered == state).map_or(0, |(_, at)| *at)
        })
    }

    /// How long it was in each state that lasts.
    pub fn status_durations(&self) -> Vec<(ExecutionState, i64)> {
        let ends = self.entered.iter().skip(1).map(|(_, at)| *at).chain([self.now]);
        let spans: Vec<_> =
            self.entered.iter().zip(ends).map(|((state, at), end)| (*state, end - at)).collect();
        let total = |state| spans.iter().filter(|(of, _)| *of == state).map(|(_, span)| span).sum();
        LASTING.into_iter().map(|state| (state, total(state))).collect()
    }

    /// How long it ran.
    fn running(&self) -> i64 {
        self.status_durations().last().map_or(0, |(_, span)| *span)
    }
}

/// From a start to an end or until now; -1 before the start.
pub(crate) fn duration(start: Timestamp, end: Timestamp, now: Timestamp) -> i64 {
    match (start, end) {
        (-1, _) => -1,
        (start, -1) => (now - start).max(0),
        (start, end) => end - start,
    }
}

/// The state of a vertex, from those of its tasks, as Flink sums them up.
pub(crate) fn vertex_state(tasks: &[Task<'_>]) -> ExecutionState {
    let any = |state| tasks.iter().any(|task| task.state == state);
    let telling = [
        ExecutionState::Failed,
        ExecutionState::Canceling,
        ExecutionState::Canceled,
        ExecutionState::Initializing,
        ExecutionState::Running,
    ];
    if let Some(state) = telling.into_iter().find(|state| any(*state)) {
        return state;
    }
    match any(ExecutionState::Finished) {
        true if tasks.iter().all(|task| task.state == ExecutionState::Finished) => ExecutionState::Finished,
        true => ExecutionState::Running,
        false => ExecutionState::Created,
    }
}

/// The start of the first task and the end of the last one; -1 for what has not happened.
pub(crate) fn span(tasks: &[Task<'_>]) -> (Timestamp, Timestamp) {
    let start = tasks.iter().map(Task::start).filter(|at| *at >= 0).min().unwrap_or(-1);
    let has_ended = tasks.iter().all(|task| task.state.is_terminal());
    (start, if has_ended { tasks.iter().map(Task::end).max().unwrap_or(-1) } else { -1 })
}

/// What a task read and wrote, and how it spent its time.
#[derive(Clone, Copy, Default)]
pub(crate) struct Io {
    read_records: i64,
    write_records: i64,
    back_pressured: i64,
    idle: i64,
    busy: i64,
}

impl Io {
    pub fn of(task: &Task<'_>, report: Option<&TaskMetricsReport>) -> Self {
        let Some(report) = report else { return Io::default() };
        let (back_pressured, idle) = (report.back_pressured_millis as i64, report.idle_millis as i64);
        Io {
            read_records: report.num_records_in as i64,
            write_records: report.num_records_out as i64,
            back_pressured,
            idle,
            busy: (task.running() - back_pressured - idle).max(0),
        }
    }

    pub fn sum(all: impl Iterator<Item = Io>) -> Self {
        all.fold(Io::default(), |sum, io| Io {
            read_records: sum.read_records + io.read_records,
            write_records: sum.write_records + io.write_records,
            back_pressured: sum.back_pressured + io.back_pressured,
            idle: sum.idle + io.idle,
            busy: sum.busy + io.busy,
        })
    }

    /// Bytes are not counted, which the answer says: they are not complete.
    pub fn json(&self) -> Value {
        json!({
            "read-bytes": 0, "read-bytes-complete": false,
            "write-bytes": 0, "write-bytes-complete": false,
            "read-records": self.read_records, "read-records-complete": true,
            "write-records": self.write_records, "write-records-complete": true,
            "accumulated-backpressured-time": self.back_pressured,
            "accumulated-idle-time": self.idle,
            "accumulated-busy-time": self.busy as f64,
        })
    }

    /// For each number its spread over tasks.
    pub fn aggregated(all: &[Io]) -> Value {
        let spread = |of: fn(&Io) -> i64| spread(all.iter().map(of).collect());
        json!({
            "read-bytes": spread(|_| 0),
            "write-bytes": spread(|_| 0),
            "read-records": spread(|io| io.read_records),
            "write-records": spread(|io| io.write_records),
            "accumulated-backpressured-time": spread(|io| io.back_pressured),
            "accumulated-idle-time": spread(|io| io.idle),
            "accumulated-busy-time": spread(|io| io.busy),
        })
    }
}

/// How long tasks were in each state that lasts, as a spread.
pub(crate) fn aggregated_durations(tasks: &[Task<'_>]) -> Map<String, Value> {
    let all: Vec<_> = tasks.iter().map(Task::status_durations).collect();
    let of = |state| all.iter().flatten().filter(|(of, _)| *of == state).map(|(_, span)| *span).collect();
    LASTING.into_iter().map(|state| (state.to_string(), spread(of(state)))).collect()
}

/// The value below which a share of the sorted values lies, by nearest rank; `None` without values.
pub(crate) fn quantile(sorted: &[i64], share: f64) -> Option<i64> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

fn spread(mut values: Vec<i64>) -> Value {
    values.sort_unstable();
    let sum: i64 = values.iter().sum();
    let at = |share| quantile(&values, share).unwrap_or(0);
    json!({
        "min": values.first().copied().unwrap_or(0),
        "max": values.last().copied().unwrap_or(0),
        "avg": sum.checked_div(values.len() as i64).unwrap_or(0),
        "sum": sum,
        "median": at(0.5), "p25": at(0.25), "p75": at(0.75), "p95": at(0.95),
    })
}
