//! What is told of one vertex and its tasks.

use std::collections::BTreeMap;

use flott_operator::AccumulatorReport;
use flott_plan::JobVertex;
use flott_runtime::TaskMetricsReport;
use serde_json::{Value, json};

use crate::cluster::{Cluster, Job, vertex_id};
use crate::request::{Answer, Answered, Refusal, Request};
use crate::tasks::{self, ENDPOINT, Io, Task, duration, task_manager_id};

/// A vertex that was asked for, with the metrics of its tasks.
struct Vertex {
    job: Job,
    vertex: JobVertex,
    reports: BTreeMap<u32, TaskMetricsReport>,
}

impl Vertex {
    fn of(cluster: &Cluster, request: &Request) -> Answered<Self> {
        let job = cluster.job(request)?;
        let vertex = job.vertex(request)?.clone();
        let metrics = cluster.vertex_metrics(job.id, &vertex)?;
        let reports = metrics.tasks.into_iter().map(|(subtask, report)| (subtask.0, report)).collect();
        Ok(Vertex { job, vertex, reports })
    }

    fn tasks(&self) -> Vec<Task<'_>> {
        self.job.tasks(&self.vertex)
    }

    fn report(&self, task: &Task<'_>) -> Option<&TaskMetricsReport> {
        self.reports.get(&task.subtask.0)
    }

    fn io(&self, task: &Task<'_>) -> Io {
        Io::of(task, self.report(task))
    }

    fn task(&self, task: &Task<'_>) -> Value {
        let durations = task.status_durations();
        let durations: BTreeMap<_, _> =
            durations.iter().map(|(state, span)| (state.to_string(), *span)).collect();
        json!({
            "subtask": task.subtask.0,
            "status": task.state.to_string(),
            "attempt": self.job.attempt(),
            "endpoint": ENDPOINT,
            "start-time": task.start(),
            "start_time": task.start(),
            "end-time": task.end(),
            "duration": task.duration(),
            "metrics": self.io(task).json(),
            "taskmanager-id": task.task_manager.map_or("(unassigned)".to_owned(), task_manager_id),
            "status-duration": durations,
        })
    }

    fn aggregated(&self, tasks: &[Task<'_>]) -> Value {
        let io: Vec<_> = tasks.iter().map(|task| self.io(task)).collect();
        json!({ "metrics": Io::aggregated(&io), "status-duration": tasks::aggregated_durations(tasks) })
    }
}

pub(crate) fn vertex(cluster: &Cluster, request: &Request) -> Answered {
    let of = Vertex::of(cluster, request)?;
    let tasks = of.tasks();
    Ok(Answer::Ok(json!({
        "id": vertex_id(of.vertex.id),
        "name": of.vertex.name,
        "parallelism": of.vertex.parallelism,
        "maxParallelism": of.vertex.max_parallelism,
        "now": of.job.now,
        "subtasks": tasks.iter().map(|task| of.task(task)).collect::<Vec<_>>(),
        "aggregated": of.aggregated(&tasks),
    })))
}

pub(crate) fn subtask(cluster: &Cluster, request: &Request) -> Answered {
    let of = Vertex::of(cluster, request)?;
    let subtask = request.subtask()?;
    match of.tasks().iter().find(|task| task.subtask == subtask) {
        Some(task) => Ok(Answer::Ok(of.task(task))),
        None => {
            Err(Refusal::not_found(format!("Invalid subtask index for vertex {}", vertex_id(of.vertex.id))))
        }
    }
}

pub(crate) fn attempt(cluster: &Cluster, request: &Request) -> Answered {
    let attempt = request.attempt()?;
    let current = cluster.job(request)?.attempt();
    if attempt != current {
        return Err(Refusal::not_found(format!(
            "Attempt {attempt} is not known: only the current one is, {current}"
        )));
    }
    subtask(cluster, request)
}

pub(crate) fn times(cluster: &Cluster, request: &Request) -> Answered {
    let of = Vertex::of(cluster, request)?;
    let tasks = of.tasks();
    let subtasks = tasks.iter().map(|task| {
        json!({
            "subtask": task.subtask.0,
            "endpoint": ENDPOINT,
            "duration": task.duration(),
            "timestamps": task.timestamps(),
        })
    });
    Ok(Answer::Ok(json!({
        "id": vertex_id(of.vertex.id),
        "name": of.vertex.name,
        "now": of.job.now,
        "subtasks": subtasks.collect::<Vec<_>>(),
    })))
}

pub(crate) fn task_managers(cluster: &Cluster, request: &Request) -> Answered {
    let of = Vertex::of(cluster, request)?;
    let mut homes: BTreeMap<_, Vec<Task<'_>>> = BTreeMap::new();
    for task in of.tasks() {
        homes.entry(task.task_manager).or_default().push(task);
    }
    let homes = homes.iter().map(|(home, tasks)| {
        let (start, end) = tasks::span(tasks);
        json!({
            "endpoint": ENDPOINT,
            "taskmanager-id": home.map_or("(unassigned)".to_owned(), task_manager_id),
            "status": tasks::vertex_state(tasks).to_string(),
            "start-time": start,
            "end-time": end,
            "duration": duration(start, end, of.job.now),
            "metrics": Io::sum(tasks.iter().map(|task| of.io(task))).json(),
            "status-counts": tasks::state_counts(tasks.iter()),
            "aggregated": of.aggregated(tasks),
        })
    });
    Ok(Answer::Ok(json!({
        "id": vertex_id(of.vertex.id),
        "name": of.vertex.name,
        "now": of.job.now,
        "taskmanagers": homes.collect::<Vec<_>>(),
    })))
}

pub(crate) fn watermarks(cluster: &Cluster, request: &Request) -> Answered {
    let of = Vertex::of(cluster, request)?;
    let watermarks = of.reports.iter().filter_map(|(subtask, report)| {
        let head = report.operators.first()?;
        Some(json!({
            "id": format!("{subtask}.currentInputWatermark"),
            "value": head.current_input_watermark.to_string(),
        }))
    });
    Ok(Answer::Ok(watermarks.collect()))
}

pub(crate) fn back_pressure(cluster: &Cluster, request: &Request) -> Answered {
    let of = Vertex::of(cluster, request)?;
    let share = |millis: f64| (millis / 1_000.0 * 1_000.0).round().clamp(0.0, 1_000.0) / 1_000.0;
    let mut highest: f64 = 0.0;
    let subtasks = of.reports.iter().map(|(subtask, report)| {
        let ratio = share(report.rates.back_pressured_millis);
        highest = highest.max(ratio);
        json!({
            "subtask": subtask,
            "backpressureLevel": level(ratio),
            "backpressure-level": level(ratio),
            "ratio": ratio,
            "idleRatio": share(report.rates.idle_millis),
            "busyRatio": share(report.rates.busy_millis),
        })
    });
    let subtasks: Vec<_> = subtasks.collect();
    Ok(Answer::Ok(json!({
        "status": "ok",
        "backpressureLevel": level(highest),
        "backpressure-level": level(highest),
        "end-timestamp": of.job.now,
        "subtasks": subtasks,
    })))
}

/// Flink's words for how much of its time a task waits for receivers.
fn level(ratio: f64) -> &'static str {
    match ratio {
        ..=0.1 => "ok",
        ..=0.5 => "low",
        _ => "high",
    }
}

pub(crate) fn accumulators(cluster: &Cluster, request: &Request) -> Answered {
    let of = Vertex::of(cluster, request)?;
    let all: Vec<_> = of.reports.values().flat_map(accumulators_of).collect();
    Ok(Answer::Ok(json!({ "id": vertex_id(of.vertex.id), "user-accumulators": all })))
}

pub(crate) fn subtask_accumulators(cluster: &Cluster, request: &Request) -> Answered {
    let of = Vertex::of(cluster, request)?;
    let tasks = of.tasks();
    let subtasks = tasks.iter().map(|task| {
        let all: Vec<_> = of.report(task).into_iter().flat_map(accumulators_of).collect();
        json!({
            "subtask": task.subtask.0,
            "attempt": of.job.attempt(),
            "endpoint": ENDPOINT,
            "user-accumulators": all,
        })
    });
    Ok(Answer::Ok(json!({
        "id": vertex_id(of.vertex.id),
        "parallelism": of.vertex.parallelism,
        "subtasks": subtasks.collect::<Vec<_>>(),
    })))
}

fn accumulators_of(report: &TaskMetricsReport) -> impl Iterator<Item = Value> + '_ {
    report.operators.iter().flat_map(|operator| &operator.accumulators).map(accumulator)
}

pub(crate) fn accumulator(report: &AccumulatorReport) -> Value {
    let value = match &report.value {
        Ok(value) | Err(value) => value,
    };
    json!({ "name": report.name, "type": report.kind, "value": value })
}
