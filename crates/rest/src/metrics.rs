//! Metrics under Flink's names. Without `?get=` the names are told, with it the values.

use std::collections::BTreeMap;

use flott_checkpoint::JobStatus;
use flott_cluster::{CheckpointStatus, JobInfo};
use flott_operator::MetricValue;
use flott_runtime::{OperatorMetricsReport, TaskMetricsReport};
use flott_types::{JobId, Timestamp};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::request::{Answer, Answered, Refusal, Request};

/// Metrics by name, as text.
pub(crate) type Metrics = BTreeMap<String, String>;

pub(crate) fn job(cluster: &Cluster, request: &Request) -> Answered {
    let info = cluster.info(request.job()?)?;
    Ok(named(request, &of_job(&info, cluster.clock.now())))
}

pub(crate) fn vertex(cluster: &Cluster, request: &Request) -> Answered {
    let all = of_vertex(cluster, request)?.into_iter().flat_map(|(subtask, metrics)| {
        metrics.into_iter().map(move |(name, value)| (format!("{subtask}.{name}"), value))
    });
    Ok(named(request, &all.collect()))
}

pub(crate) fn subtask(cluster: &Cluster, request: &Request) -> Answered {
    let subtask = request.subtask()?;
    let of = of_vertex(cluster, request)?.remove(&subtask.0).unwrap_or_default();
    Ok(named(request, &of))
}

/// Numbers put together over subtasks.
pub(crate) fn subtasks(cluster: &Cluster, request: &Request) -> Answered {
    let mut all = of_vertex(cluster, request)?;
    if let Some(wanted) = request.list("subtasks") {
        all.retain(|subtask, _| wanted.contains(&subtask.to_string().as_str()));
    }
    put_together(request, all.values())
}

/// Numbers put together over jobs.
pub(crate) fn jobs(cluster: &Cluster, request: &Request) -> Answered {
    let wanted = request.list("jobs");
    let is_wanted = |id: &JobId| wanted.as_ref().is_none_or(|all| all.contains(&id.to_string().as_str()));
    let now = cluster.clock.now();
    let ids = cluster.jobs()?.into_iter().map(|(id, ..)| id).filter(is_wanted);
    // One that is forgotten in between is left out.
    let all: Vec<Metrics> =
        ids.filter_map(|id| cluster.info(id).ok()).map(|info| of_job(&info, now)).collect();
    put_together(request, all.iter())
}

/// What the JobManager has to give, and to whom.
pub(crate) fn of_slots(cluster: &Cluster) -> Answered<Metrics> {
    let (members, jobs) = (cluster.task_managers()?, cluster.jobs()?);
    let running = jobs.iter().filter(|(_, _, status)| !status.is_globally_terminal()).count();
    let total: u32 = members.iter().map(|member| member.slots).sum();
    let free: u32 = members.iter().map(|member| member.free).sum();
    let all = [
        ("numRegisteredTaskManagers", members.len().to_string()),
        ("numRunningJobs", running.to_string()),
        ("taskSlotsAvailable", free.to_string()),
        ("taskSlotsTotal", total.to_string()),
    ];
    Ok(all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The names of numbers, or what they come to together.
pub(crate) fn put_together<'a>(request: &Request, all: impl Iterator<Item = &'a Metrics>) -> Answered {
    let mut numbers: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (name, value) in all.flatten() {
        if let Ok(number) = value.parse() {
            numbers.entry(name).or_default().push(number);
        }
    }
    let Some(wanted) = request.list("get") else {
        return Ok(Answer::Ok(numbers.keys().map(|name| json!({ "id": name })).collect()));
    };
    const KINDS: [&str; 5] = ["min", "max", "avg", "sum", "skew"];
    let kinds = request.list("agg").unwrap_or_else(|| KINDS.to_vec());
    if let Some(unknown) = kinds.iter().find(|kind| !KINDS.contains(kind)) {
        return Err(Refusal::bad(format!(
            "Bad request, could not parse parameters: Cannot resolve query parameter (agg) from value \"{unknown}\"."
        )));
    }
    let answers = wanted.iter().filter_map(|name| {
        let values = numbers.get(name)?;
        let mut answer = json!({ "id": name });
        for kind in &kinds {
            answer[*kind] = json!(aggregate(kind, values));
        }
        Some(answer)
    });
    Ok(Answer::Ok(answers.collect()))
}

fn aggregate(kind: &str, values: &[f64]) -> f64 {
    let sum: f64 = values.iter().sum();
    let average = sum / values.len() as f64;
    match kind {
        "min" => values.iter().copied().fold(f64::INFINITY, f64::min),
        "max" => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "sum" => sum,
        "avg" => average,
        // Flink's: how far the values are from their average, in percent of it.
        _ if average == 0.0 => 0.0,
        _ => {
            let distance =
                values.iter().map(|value| (value - average).abs()).sum::<f64>() / values.len() as f64;
            (distance / average * 100.0).clamp(0.0, 100.0)
        }
    }
}

/// The names, or the values of those that were asked for.
pub(crate) fn named(request: &Request, metrics: &Metrics) -> Answer {
    let Some(wanted) = request.list("get") else {
        return Answer::Ok(metrics.keys().map(|name| json!({ "id": name })).collect());
    };
    let value = |name: &&str| Some(json!({ "id": name, "value": metrics.get(*name)? }));
    Answer::Ok(wanted.iter().filter_map(value).collect::<Vec<Value>>().into())
}

pub(crate) fn of_job(info: &JobInfo, now: Timestamp) -> Metrics {
    let all = &info.checkpoints;
    let completed = all.history.iter().find(|record| record.status == CheckpointStatus::Completed);
    let number = |of: Option<i64>| of.unwrap_or(-1).to_string();
    let in_state = |status: JobStatus| {
        let ends = info.timestamps.iter().skip(1).map(|(_, at)| *at).chain([now]);
        let spans = info.timestamps.iter().zip(ends);
        let total: i64 = spans.filter(|((of, _), _)| *of == status).map(|((_, at), end)| end - at).sum();
        total.to_string()
    };
    let running_since = info.timestamps.last().filter(|(status, _)| *status == JobStatus::Running);
    let restarts = u64::from(info.attempt.0).saturating_sub(1);
    [
        ("uptime", running_since.map_or(0, |(_, at)| now - at).to_string()),
        ("runningTime", in_state(JobStatus::Running)),
        ("restartingTime", in_state(JobStatus::Restarting)),
        ("cancellingTime", in_state(JobStatus::Cancelling)),
        ("failingTime", in_state(JobStatus::Failing)),
        ("createdTime", in_state(JobStatus::Created)),
        ("initializingTime", in_state(JobStatus::Initializing)),
        ("downtime", in_state(JobStatus::Restarting)),
        ("numRestarts", restarts.to_string()),
        ("totalNumberOfCheckpoints", (all.completed + all.failed + all.in_progress).to_string()),
        ("numberOfCompletedCheckpoints", all.completed.to_string()),
        ("numberOfFailedCheckpoints", all.failed.to_string()),
        ("numberOfInProgressCheckpoints", all.in_progress.to_string()),
        ("lastCompletedCheckpointId", number(completed.map(|record| record.id.0 as i64))),
        ("lastCheckpointDuration", number(completed.map(|record| record.duration_millis))),
        ("lastCheckpointSize", number(completed.map(|record| record.size as i64))),
        ("lastCheckpointFullSize", number(completed.map(|record| record.size as i64))),
        (
            "lastCheckpointCompletedTimestamp",
            number(completed.map(|record| record.triggered_at + record.duration_millis)),
        ),
        (
            "lastCheckpointExternalPath",
            completed.and_then(|record| record.path.clone()).unwrap_or_else(|| "n/a".to_owned()),
        ),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// The metrics of each subtask of the vertex that a request names.
fn of_vertex(cluster: &Cluster, request: &Request) -> Answered<BTreeMap<u32, Metrics>> {
    let job = cluster.job(request)?;
    let metrics = cluster.vertex_metrics(job.id, job.vertex(request)?)?;
    Ok(metrics.tasks.iter().map(|(subtask, report)| (subtask.0, of_task(report))).collect())
}

fn of_task(report: &TaskMetricsReport) -> Metrics {
    let mut all = own_of_task(report);
    for operator in &report.operators {
        let scope = scope(&operator.name);
        all.extend(of_operator(operator).into_iter().map(|(name, value)| (format!("{scope}.{name}"), value)));
    }
    all
}

/// Those of the task itself, without its operators'.
pub(crate) fn own_of_task(report: &TaskMetricsReport) -> Metrics {
    let rates = &report.rates;
    let mut all: Metrics = [
        ("numRecordsIn", report.num_records_in.to_string()),
        ("numRecordsOut", report.num_records_out.to_string()),
        ("numRecordsInPerSecond", rates.records_in.to_string()),
        ("numRecordsOutPerSecond", rates.records_out.to_string()),
        ("busyTimeMsPerSecond", rates.busy_millis.to_string()),
        ("idleTimeMsPerSecond", rates.idle_millis.to_string()),
        ("backPressuredTimeMsPerSecond", rates.back_pressured_millis.to_string()),
        ("accumulateIdleTimeMs", report.idle_millis.to_string()),
        ("accumulateBackPressuredTimeMs", report.back_pressured_millis.to_string()),
        ("isBackPressured", (rates.back_pressured_millis > 100.0).to_string()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    if let Some(head) = report.operators.first() {
        all.insert("currentInputWatermark".to_owned(), head.current_input_watermark.to_string());
    }
    for split in &report.splits {
        let scope = format!("split.{}", split.split);
        all.insert(format!("{scope}.watermark.currentWatermark"), split.current_watermark.to_string());
    }
    all
}

/// Those of an operator.
pub(crate) fn of_operator(operator: &OperatorMetricsReport) -> Metrics {
    let mut all: Metrics = [
        ("numRecordsIn", operator.num_records_in.to_string()),
        ("numRecordsOut", operator.num_records_out.to_string()),
        ("numLateRecordsDropped", operator.num_late_records_dropped.to_string()),
        ("numRecordsInErrors", operator.num_records_in_errors.to_string()),
        ("numRecordsOutErrors", operator.num_records_out_errors.to_string()),
        ("currentInputWatermark", operator.current_input_watermark.to_string()),
        ("currentOutputWatermark", operator.current_output_watermark.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    for metric in &operator.user {
        add_user_metric(&mut all, &metric.name, &metric.value);
    }
    all
}

fn add_user_metric(all: &mut Metrics, name: &str, value: &MetricValue) {
    let mut add = |suffix: &str, value: String| {
        all.insert(format!("{name}{suffix}"), value);
    };
    match value {
        MetricValue::Counter(count) => add("", count.to_string()),
        MetricValue::Gauge(value) => add("", value.to_string()),
        MetricValue::Meter { count, rate } => {
            add("_count", count.to_string());
            add("_rate", rate.to_string());
        }
        MetricValue::Histogram(spread) => {
            add("_count", spread.count.to_string());
            add("_min", spread.min.to_string());
            add("_max", spread.max.to_string());
            add("_mean", spread.mean.to_string());
            add("_stddev", spread.stddev.to_string());
            add("_median", spread.p50.to_string());
            add("_p75", spread.p75.to_string());
            add("_p95", spread.p95.to_string());
            add("_p99", spread.p99.to_string());
        }
    }
}

/// An operator's name as part of a metric's: what would be taken for a separator is not in it.
fn scope(name: &str) -> String {
    name.replace([' ', '.', ',', ':', '?', '&', '='], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skew_is_how_far_values_are_from_their_average() {
        assert_eq!(aggregate("skew", &[120.0, 120.0]), 0.0);
        assert_eq!(aggregate("skew", &[0.0, 100.0]), 100.0);
        assert_eq!(aggregate("skew", &[0.0, 0.0]), 0.0);
    }
}
