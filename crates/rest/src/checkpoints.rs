//! What is told of checkpoints.

use flott_checkpoint::CheckpointKind;
use flott_checkpoint::alignment::Mode;
use flott_checkpoint::coordinator::Retention;
use flott_cluster::{CheckpointRecord, CheckpointStatus, checkpointing};
use flott_plan::JobVertex;
use flott_runtime::SnapshotMetrics;
use flott_types::SubtaskIndex;
use serde_json::{Map, Value, json};

use crate::cluster::{Cluster, Job, vertex_id};
use crate::request::{Answer, Answered, Refusal, Request};
use crate::tasks::quantile;

pub(crate) fn statistics(cluster: &Cluster, request: &Request) -> Answered {
    let job = cluster.job(request)?;
    let all = &job.info.checkpoints;
    let completed = || all.history.iter().filter(|record| record.status == CheckpointStatus::Completed);
    let summary = |of: fn(&CheckpointRecord) -> i64| summary(completed().map(of).collect());
    let latest = |holds: &dyn Fn(&CheckpointRecord) -> bool| {
        all.history.iter().find(|record| holds(record)).map(|record| statistic(&job, record, false))
    };
    let is_completed = |record: &CheckpointRecord| record.status == CheckpointStatus::Completed;
    Ok(Answer::Ok(json!({
        "counts": {
            "restored": all.restored,
            "total": all.completed + all.failed + all.in_progress,
            "in_progress": all.in_progress,
            "completed": all.completed,
            "failed": all.failed,
        },
        "summary": {
            "checkpointed_size": summary(|record| record.size as i64),
            "state_size": summary(|record| sum(record, |task| task.full_size)),
            "end_to_end_duration": summary(|record| record.duration_millis),
            "alignment_buffered": summary(|_| 0),
            "processed_data": summary(|record| sum(record, |task| task.processed)),
            "persisted_data": summary(|record| sum(record, |task| task.persisted)),
        },
        "latest": {
            "completed": latest(&|record| is_completed(record) && !is_savepoint(record.kind)),
            "savepoint": latest(&|record| is_completed(record) && is_savepoint(record.kind)),
            "failed": latest(&|record| record.status == CheckpointStatus::Failed),
            "restored": restored(&job),
        },
        "history": all.history.iter().map(|record| statistic(&job, record, false)).collect::<Vec<_>>(),
    })))
}

/// What the current attempt started from.
fn restored(job: &Job) -> Option<Value> {
    let id = job.info.checkpoints.restored_from?;
    let record = job.info.checkpoints.history.iter().find(|record| record.id == id);
    let deployed = job.info.executions.values().filter_map(|execution| execution.entered.first());
    Some(json!({
        "id": id.0,
        "restore_timestamp": deployed.map(|(_, at)| *at).min().unwrap_or(0),
        "is_savepoint": record.is_some_and(|record| is_savepoint(record.kind)),
        "external_path": record.and_then(|record| record.path.clone()),
    }))
}

fn is_savepoint(kind: CheckpointKind) -> bool {
    match kind {
        CheckpointKind::Savepoint | CheckpointKind::Suspend | CheckpointKind::Terminate => true,
        CheckpointKind::Checkpoint | CheckpointKind::FullCheckpoint | CheckpointKind::Final => false,
    }
}

/// Over the tasks that have acknowledged.
fn sum(record: &CheckpointRecord, of: fn(&SnapshotMetrics) -> u64) -> i64 {
    record.tasks.values().map(of).sum::<u64>() as i64
}

/// Flink's word for the kind. One task that did not align is enough.
fn kind(record: &CheckpointRecord) -> &'static str {
    match record.kind {
        CheckpointKind::Savepoint => "SAVEPOINT",
        CheckpointKind::Suspend | CheckpointKind::Terminate => "SYNC_SAVEPOINT",
        _ if record.tasks.values().any(|task| task.unaligned) => "UNALIGNED_CHECKPOINT",
        CheckpointKind::Checkpoint | CheckpointKind::FullCheckpoint | CheckpointKind::Final => "CHECKPOINT",
    }
}

fn status(record: &CheckpointRecord) -> (&'static str, &'static str) {
    match record.status {
        CheckpointStatus::InProgress => ("in_progress", "IN_PROGRESS"),
        CheckpointStatus::Completed => ("completed", "COMPLETED"),
        CheckpointStatus::Failed => ("failed", "FAILED"),
    }
}

fn statistic(job: &Job, record: &CheckpointRecord, with_tasks: bool) -> Value {
    let (class, status) = status(record);
    let tasks: Map<String, Value> = match with_tasks {
        true => {
            let of = |vertex: &JobVertex| (vertex_id(vertex.id), Value::Object(of_vertex(record, vertex)));
            job.graph.vertices.iter().map(of).collect()
        }
        false => Map::new(),
    };
    let mut answer = json!({
        "className": class,
        "id": record.id.0,
        "status": status,
        "is_savepoint": is_savepoint(record.kind),
        "savepointFormat": is_savepoint(record.kind).then_some("CANONICAL"),
        "trigger_timestamp": record.triggered_at,
        "latest_ack_timestamp": record.latest_ack_at,
        "checkpointed_size": record.size,
        "state_size": sum(record, |task| task.full_size),
        "end_to_end_duration": record.duration_millis,
        "alignment_buffered": 0,
        "processed_data": sum(record, |task| task.processed),
        "persisted_data": sum(record, |task| task.persisted),
        "num_subtasks": job.info.tasks.len(),
        "num_acknowledged_subtasks": record.tasks.len(),
        "checkpoint_type": kind(record),
        "tasks": tasks,
    });
    match record.status {
        CheckpointStatus::Completed => {
            answer["external_path"] =
                json!(record.path.as_deref().unwrap_or("<checkpoint-not-externally-addressable>"));
            answer["discarded"] = json!(false);
        }
        CheckpointStatus::Failed => {
            answer["failure_timestamp"] = json!(record.latest_ack_at);
            answer["failure_message"] = Value::Null;
        }
        CheckpointStatus::InProgress => {}
    }
    answer
}

/// The tasks of a vertex that have acknowledged.
fn acknowledged<'a>(
    record: &'a CheckpointRecord,
    vertex: &'a JobVertex,
) -> impl Iterator<Item = (SubtaskIndex, &'a SnapshotMetrics)> + Clone + 'a {
    let own = record.tasks.iter().filter(|(task, _)| task.vertex == vertex.id);
    own.map(|(task, metrics)| (task.subtask, metrics))
}

/// How long a task took: from the trigger to its acknowledgement, in milliseconds.
fn end_to_end(metrics: &SnapshotMetrics) -> i64 {
    metrics.start_delay_millis + sync(metrics) + metrics.async_millis
}

fn sync(metrics: &SnapshotMetrics) -> i64 {
    (metrics.sync_micros / 1_000) as i64
}

fn of_vertex(record: &CheckpointRecord, vertex: &JobVertex) -> Map<String, Value> {
    let tasks = acknowledged(record, vertex);
    let sum = |of: fn(&SnapshotMetrics) -> u64| -> u64 { tasks.clone().map(|(_, task)| of(task)).sum() };
    let (size, full) = (sum(|task| task.size), sum(|task| task.full_size));
    let (processed, persisted) = (sum(|task| task.processed), sum(|task| task.persisted));
    let longest = tasks.clone().map(|(_, metrics)| end_to_end(metrics)).max().unwrap_or(0);
    let entries = [
        ("id", json!(record.id.0)),
        ("status", json!(status(record).1)),
        ("latest_ack_timestamp", json!(record.triggered_at + longest)),
        ("checkpointed_size", json!(size)),
        ("state_size", json!(full)),
        ("end_to_end_duration", json!(longest)),
        ("alignment_buffered", json!(0)),
        ("processed_data", json!(processed)),
        ("persisted_data", json!(persisted)),
        ("num_subtasks", json!(vertex.parallelism)),
        ("num_acknowledged_subtasks", json!(tasks.count())),
    ];
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The checkpoint that a request names.
fn find<'a>(job: &'a Job, request: &Request) -> Answered<&'a CheckpointRecord> {
    let id = request.checkpoint()?;
    let found = job.info.checkpoints.history.iter().find(|record| record.id == id);
    found.ok_or_else(|| {
        Refusal::not_found(format!("Could not find checkpointing statistics for checkpoint {id}."))
    })
}

pub(crate) fn details(cluster: &Cluster, request: &Request) -> Answered {
    let job = cluster.job(request)?;
    let record = find(&job, request)?;
    Ok(Answer::Ok(statistic(&job, record, true)))
}

pub(crate) fn subtasks(cluster: &Cluster, request: &Request) -> Answered {
    let job = cluster.job(request)?;
    let record = find(&job, request)?;
    let vertex = job.vertex(request)?;
    let tasks = acknowledged(record, vertex);
    let over =
        |of: fn(&SnapshotMetrics) -> i64| summary(tasks.clone().map(|(_, metrics)| of(metrics)).collect());
    let mut answer = of_vertex(record, vertex);
    answer.insert(
        "summary".to_owned(),
        json!({
            "checkpointed_size": over(|task| task.size as i64),
            "state_size": over(|task| task.full_size as i64),
            "end_to_end_duration": over(end_to_end),
            "checkpoint_duration": { "sync": over(sync), "async": over(|task| task.async_millis) },
            "alignment": {
                "buffered": over(|_| 0),
                "processed": over(|task| task.processed as i64),
                "persisted": over(|task| task.persisted as i64),
                "duration": over(|task| task.alignment_millis),
            },
            "start_delay": over(|task| task.start_delay_millis),
        }),
    );
    let all = (0..vertex.parallelism).map(SubtaskIndex).map(|subtask| {
        match tasks.clone().find(|(of, _)| *of == subtask) {
            Some((_, metrics)) => completed(record, subtask, metrics),
            None => json!({ "className": "pending", "index": subtask.0, "status": "pending_or_failed" }),
        }
    });
    answer.insert("subtasks".to_owned(), all.collect());
    Ok(Answer::Ok(answer.into()))
}

fn completed(record: &CheckpointRecord, subtask: SubtaskIndex, metrics: &SnapshotMetrics) -> Value {
    json!({
        "className": "completed",
        "index": subtask.0,
        "status": "completed",
        "ack_timestamp": record.triggered_at + end_to_end(metrics),
        "end_to_end_duration": end_to_end(metrics),
        "checkpointed_size": metrics.size,
        "state_size": metrics.full_size,
        "checkpoint": { "sync": sync(metrics), "async": metrics.async_millis },
        "alignment": {
            "buffered": 0, "processed": metrics.processed, "persisted": metrics.persisted,
            "duration": metrics.alignment_millis,
        },
        "start_delay": metrics.start_delay_millis,
        "unaligned_checkpoint": metrics.unaligned,
        "aborted": false,
    })
}

/// The spread of some values. Without any, quantiles are "NaN", as Flink writes it.
fn summary(mut values: Vec<i64>) -> Value {
    values.sort_unstable();
    let sum: i64 = values.iter().sum();
    let at = |share| quantile(&values, share).map_or(json!("NaN"), |value| json!(value as f64));
    json!({
        "min": values.first().copied().unwrap_or(0),
        "max": values.last().copied().unwrap_or(0),
        "avg": sum.checked_div(values.len() as i64).unwrap_or(0),
        "p50": at(0.5), "p90": at(0.9), "p95": at(0.95), "p99": at(0.99), "p999": at(0.999),
    })
}

pub(crate) fn config(cluster: &Cluster, request: &Request) -> Answered {
    let job = cluster.job(request)?;
    let options = checkpointing(&job.graph.configuration)?;
    let has_folder = job.graph.configuration.contains_key("execution.checkpointing.dir");
    Ok(Answer::Ok(json!({
        "mode": match options.mode {
            Mode::ExactlyOnce => "exactly_once",
            Mode::AtLeastOnce => "at_least_once",
        },
        // Flink's way to say that there is none.
        "interval": options.interval.unwrap_or(i64::MAX),
        "timeout": options.timeout,
        "min_pause": options.min_pause,
        "max_concurrent": options.max_concurrent,
        "externalization": {
            "enabled": options.retention != Retention::NoExternalized,
            "delete_on_cancellation": options.retention != Retention::RetainOnCancellation,
        },
        "state_backend": "HashMapStateBackend",
        "checkpoint_storage": if has_folder { "FileSystemCheckpointStorage" } else { "JobManagerCheckpointStorage" },
        "unaligned_checkpoints": options.overtakes_after.is_some(),
        "aligned_checkpoint_timeout": options.overtakes_after.unwrap_or(0),
        "tolerable_failed_checkpoints": options.tolerable_failures,
        "checkpoints_after_tasks_finish": true,
        "state_changelog_enabled": false,
        "changelog_periodic_materialization_interval": 0,
        "changelog_storage": "memory",
    })))
}
