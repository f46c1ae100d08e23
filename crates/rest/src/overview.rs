//! The cluster as a whole: its TaskManagers and its configuration.

use std::sync::atomic::Ordering;

use flott_checkpoint::JobStatus;
use flott_checkpoint::resources::TaskManagerInfo;
use flott_cluster::inspection::Processes;
use flott_types::config::secrets::shown;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::jars;
use crate::processes;
use crate::request::{Answer, Answered, Refusal, Request};
use crate::tasks::task_manager_id;

pub(crate) fn overview(cluster: &Cluster, _: &Request) -> Answered {
    let members = cluster.task_managers()?;
    let jobs = cluster.jobs()?;
    let count = |holds: fn(JobStatus) -> bool| jobs.iter().filter(|(_, _, status)| holds(*status)).count();
    Ok(Answer::Ok(json!({
        "taskmanagers": members.len(),
        "slots-total": members.iter().map(|member| member.slots).sum::<u32>(),
        "slots-available": members.iter().map(|member| member.free).sum::<u32>(),
        "jobs-running": count(|status| !status.is_terminal()),
        "jobs-finished": count(|status| status == JobStatus::Finished),
        "jobs-cancelled": count(|status| status == JobStatus::Canceled),
        "jobs-failed": count(|status| status == JobStatus::Failed),
        "flink-version": env!("CARGO_PKG_VERSION"),
        "flink-commit": "unknown",
    })))
}

pub(crate) fn config(cluster: &Cluster, _: &Request) -> Answered {
    Ok(Answer::Ok(json!({
        "refresh-interval": 3_000,
        "timezone-name": "UTC",
        "timezone-offset": 0,
        "flink-version": env!("CARGO_PKG_VERSION"),
        "flink-revision": "unknown",
        "features": {
            "web-submit": jars::are_taken(cluster),
            "web-cancel": !cluster.is_history,
            "web-rescale": false,
            "web-history": cluster.is_history,
        },
    })))
}

/// The cluster ends: its jobs are suspended.
pub(crate) fn end(cluster: &Cluster, _: &Request) -> Answered {
    let ending = cluster.ending.as_ref().ok_or_else(|| {
        Refusal::conflict(if cluster.is_history {
            "This is a history server: it ends by a signal."
        } else {
            "This JobManager belongs to a program, which ends with its jobs: cancel them."
        })
    })?;
    ending.store(true, Ordering::SeqCst);
    Ok(Answer::Ok(json!({})))
}

pub(crate) fn configuration(cluster: &Cluster, request: &Request) -> Answered {
    if request.path.contains_key("jobid") {
        cluster.info(request.job()?)?;
    }
    let entries =
        cluster.configuration.iter().map(|(key, value)| json!({ "key": key, "value": shown(key, value) }));
    Ok(Answer::Ok(entries.collect()))
}

/// What Flink tells of its JVM, as far as a process without one has it.
pub(crate) fn environment(_: &Cluster, _: &Request) -> Answered {
    let version = format!("Flott {}", env!("CARGO_PKG_VERSION"));
    Ok(Answer::Ok(json!({
        "jvm": { "version": version, "arch": std::env::consts::ARCH, "options": [] },
        "classpath": [],
    })))
}

pub(crate) fn task_managers(cluster: &Cluster, _: &Request) -> Answered {
    let members = cluster.task_managers()?;
    let members: Vec<_> = members.iter().map(member).collect();
    Ok(Answer::Ok(json!({ "taskmanagers": members })))
}

pub(crate) fn task_manager(cluster: &Cluster, request: &Request) -> Answered {
    let id = request.task_manager();
    let members = cluster.task_managers()?;
    let found = members.iter().find(|info| task_manager_id(info.id) == id);
    let info = found.ok_or_else(|| Refusal::not_found(format!("TaskExecutor {id} not found")))?;
    // One that does not answer is told of all the same.
    let usage = processes::usages(cluster, Processes::TaskManager(info.id))?.pop().unwrap_or_default();
    let mut answer = member(info);
    answer["hardware"] = json!({
        "cpuCores": usage.cores,
        "physicalMemory": usage.machine_memory,
        "freeMemory": usage.machine_free,
        "managedMemory": 0,
    });
    answer["allocatedSlots"] = json!([]);
    answer["metrics"] = json!({
        "heapUsed": usage.resident, "heapCommitted": usage.resident_peak, "heapMax": 0,
        "nonHeapUsed": 0, "nonHeapCommitted": 0, "nonHeapMax": 0,
        "directCount": 0, "directUsed": 0, "directMax": 0,
        "mappedCount": 0, "mappedUsed": 0, "mappedMax": 0,
        "nettyShuffleMemorySegmentsAvailable": 0,
        "nettyShuffleMemorySegmentsUsed": 0,
        "nettyShuffleMemorySegmentsTotal": 0,
        "nettyShuffleMemoryAvailable": 0,
        "nettyShuffleMemoryUsed": 0,
        "nettyShuffleMemoryTotal": 0,
        "garbageCollectors": [],
    });
    Ok(Answer::Ok(answer))
}

fn member(info: &TaskManagerInfo) -> Value {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let resource = |slots: u32| {
        json!({
            "cpuCores": f64::from(slots),
            "taskHeapMemory": 0, "taskOffHeapMemory": 0, "managedMemory": 0, "networkMemory": 0,
            "extendedResources": {},
        })
    };
    json!({
        "id": task_manager_id(info.id),
        "path": task_manager_id(info.id),
        "dataPort": 0,
        "jmxPort": -1,
        "timeSinceLastHeartbeat": info.heard_at,
        "slotsNumber": info.slots,
        "freeSlots": info.free,
        "assignedTasks": 0,
        "totalResource": resource(info.slots),
        "freeResource": resource(info.free),
        "hardware": { "cpuCores": cores, "physicalMemory": 0, "freeMemory": 0, "managedMemory": 0 },
        "memoryConfiguration": {
            "frameworkHeap": 0, "taskHeap": 0, "frameworkOffHeap": 0, "taskOffHeap": 0,
            "networkMemory": 0, "managedMemory": 0, "jvmMetaspace": 0, "jvmOverhead": 0,
            "totalFlinkMemory": 0, "totalProcessMemory": 0,
        },
    })
}
