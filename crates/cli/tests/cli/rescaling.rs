//! Jobs that are as parallel as there are slots for, on processes of their own.

use serde_json::{Value, json};

use crate::cluster::{Process, TABLES, until};
use crate::support::{ask, get, run_in};

#[test]
fn a_job_grows_with_its_cluster_and_is_rescaled_over_rest() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let checkpoints = format!("-Dexecution.checkpointing.dir={}", folder.join("checkpoints").display());
    let adaptive = "jobmanager.adaptive-scheduler";
    let args = [
        "jobmanager",
        "-Djobmanager.rpc.port=0",
        "-Drest.port=0",
        "-Djobmanager.scheduler=Adaptive",
        &format!("-D{adaptive}.submission.resource-stabilization-timeout=100 ms"),
        &format!("-D{adaptive}.executing.resource-stabilization-timeout=100 ms"),
        &format!("-D{adaptive}.executing.cooldown-after-rescaling=100 ms"),
        "-Dexecution.checkpointing.interval=100 ms",
        &checkpoints,
    ];
    let (_job_manager, told) = Process::start(folder, &args, &["JobManager: ", "REST: http://"]);
    let port = told[0].rsplit_once(':').unwrap().1;
    let port = format!("-Djobmanager.rpc.port={port}");
    let rest = told[1].as_str();
    let task_manager = || {
        Process::start(
            folder,
            &["taskmanager", &port, "-Dtaskmanager.numberOfTaskSlots=2"],
            &["TaskManager: "],
        )
        .0
    };
    let _first = task_manager();
    let job = format!(
        "{TABLES} SET 'parallelism.default' = '4'; CREATE TABLE counts (d STRING, n BIGINT) WITH ('connector' = 'blackhole');
         INSERT INTO counts SELECT d, COUNT(*) FROM endless GROUP BY d;"
    );
    std::fs::write(folder.join("job.sql"), job).unwrap();
    let run = run_in(folder, &["run", "-d", "-m", &format!("http://{rest}"), "job.sql"]);
    assert_eq!(run.code, 0, "{run:?}");
    let id = run.err.split_once("Job ID: ").unwrap().1.lines().next().unwrap().to_owned();
    let path = format!("/jobs/{id}");
    // The most subtasks that a vertex has, all of them running.
    let runs_with = |parallelism: u64| {
        until(|| {
            let job = get(rest, &path).1;
            let vertices = job["vertices"].as_array().unwrap();
            let running = |vertex: &Value| {
                vertex["status"] == "RUNNING" && vertex["tasks"]["RUNNING"] == vertex["parallelism"]
            };
            job["state"] == "RUNNING"
                && vertices.iter().all(running)
                && vertices.iter().map(|vertex| vertex["parallelism"].as_u64().unwrap()).max()
                    == Some(parallelism)
        });
    };
    runs_with(2);
    assert_eq!(get(rest, &path).1["schedulerType"], "Adaptive");
    let _second = task_manager();
    runs_with(4);

    let bounds =
        |lower: u32, upper: u32| json!({ "parallelism": { "lowerBound": lower, "upperBound": upper } });
    let requirements = format!("{path}/resource-requirements");
    let (status, all) = get(rest, &requirements);
    assert!(status == 200 && all.as_object().unwrap().values().all(|of| *of == bounds(1, 4)), "{all}");
    let put = |body: &Value| {
        let answer = ask(rest, "PUT", &requirements, &body.to_string());
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse::<u16>().unwrap(), body.to_owned())
    };
    let ids: Vec<_> = all.as_object().unwrap().keys().cloned().collect();
    let narrow: Value =
        ids.iter().map(|id| (id.clone(), bounds(1, 1))).collect::<serde_json::Map<_, _>>().into();
    assert_eq!(put(&narrow), (200, "{}".to_owned()));
    runs_with(1);
    until(|| get(rest, "/overview").1["slots-available"] == 3);
    assert_eq!(get(rest, &requirements).1, narrow);
    for (body, why) in [
        (json!({}), "does not specify resource requirements"),
        (json!({ "xyz": bounds(1, 1) }), "no id of a vertex"),
        (json!({ "f".repeat(32): bounds(1, 1) }), "no vertex"),
        (json!({ ids[0].clone(): bounds(2, 1) }), "lowerBound"),
        (json!({ ids[0].clone(): { "parallelism": 3 } }), "expected format"),
    ] {
        let (status, told) = put(&body);
        assert!(status == 400 && told.contains(why), "{status}: {told}");
    }
    assert_eq!(get(rest, &requirements).1, narrow);
}
