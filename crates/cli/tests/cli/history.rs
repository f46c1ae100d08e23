//! Jobs that have ended, shown when their cluster is gone.

use serde_json::{Value, json};

use crate::cluster::{Process, TABLES, numbers, until};
use crate::support::{get, run_in};

/// Its answers about a job are those of the JobManager that ran it.
const PATHS: &[&str] = &[
    "/jobs",
    "/jobs/overview",
    "/jobs/{job}",
    "/jobs/{job}/config",
    "/jobs/{job}/exceptions",
    "/jobs/{job}/accumulators",
    "/jobs/{job}/plan",
    "/jobs/{job}/checkpoints",
    "/jobs/{job}/checkpoints/config",
    "/jobs/{job}/execution-result",
    "/jobs/{job}/vertices/{vertex}",
    "/jobs/{job}/vertices/{vertex}/taskmanagers",
    "/jobs/{job}/vertices/{vertex}/metrics",
    "/jobs/{job}/metrics",
    "/applications/overview",
];

#[test]
fn jobs_that_have_ended_are_shown_when_their_cluster_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    numbers(folder);
    let archive = format!("-Djobmanager.archive.fs.dir={}", folder.join("archive").display());
    let (local, told) = Process::start(folder, &["local", "-Drest.port=0", &archive], &["REST: http://"]);
    let rest = told[0].as_str();
    let url = format!("http://{rest}");
    let insert = "INSERT INTO sums SELECT d, COUNT(*), SUM(n) FROM numbers GROUP BY d;";
    let batch = "SET 'execution.runtime-mode' = 'batch'; SET 'pipeline.name' = 'sums';";
    let secret = "SET 'security.ssl.rest.key-password' = 'geheim';";
    let run = run_in(
        folder,
        &["sql", "-q", "--cluster", &url, "-e", &format!("{TABLES} {batch} {secret} {insert}")],
    );
    assert_eq!(run.code, 0, "{run:?}");
    let wrong = "SET 'pipeline.name' = 'wrong'; INSERT INTO drain SELECT d, n / (n - 7) FROM numbers;";
    let run = run_in(folder, &["sql", "-q", "--cluster", &url, "-e", &format!("{TABLES} {wrong}")]);
    assert_eq!(run.code, 1, "{run:?}");
    // One that is canceled is kept, too; one that is suspended has not ended.
    let endless = |name: &str| {
        let job =
            format!("{TABLES} SET 'pipeline.name' = '{name}'; INSERT INTO drain SELECT d, n FROM endless;");
        let run = run_in(folder, &["sql", "--cluster", &url, "--detached", "-e", &job]);
        assert_eq!(run.code, 0, "{run:?}");
        run.err.split_once("Job ID: ").unwrap().1.lines().next().unwrap().to_owned()
    };
    let canceled = endless("canceled");
    endless("suspended");
    assert_eq!(run_in(folder, &["cancel", &canceled, "-m", &url]).code, 0);
    let ended = |answer: &Value| {
        let all = answer["jobs"].as_array().unwrap();
        all.iter()
            .filter(|job| ["FINISHED", "FAILED", "CANCELED"].contains(&job["status"].as_str().unwrap()))
            .count()
    };
    until(|| ended(&get(rest, "/jobs").1) == 3);
    let overview = get(rest, "/jobs/overview").1;
    let of =
        |name: &str| overview["jobs"].as_array().unwrap().iter().find(|job| job["name"] == name).unwrap();
    let sums = of("sums")["jid"].as_str().unwrap().to_owned();
    let vertex = get(rest, &format!("/jobs/{sums}")).1["vertices"][0]["id"].as_str().unwrap().to_owned();
    let at = |path: &str| path.replace("{job}", &sums).replace("{vertex}", &vertex);
    // What time does to an answer is left out, and so is the one that goes on.
    let plain = |mut answer: Value| {
        for key in ["now", "jobs", "applications"] {
            let Some(value) = answer.get_mut(key) else { continue };
            match value.as_array_mut() {
                Some(all) => all.retain(|one| {
                    let state = one.get("status").or_else(|| one.get("state")).unwrap();
                    state != "RUNNING" && state != "SUSPENDED"
                }),
                None => *value = json!(0),
            }
        }
        answer
    };
    let before: Vec<_> = PATHS.iter().map(|path| plain(get(rest, &at(path)).1)).collect();
    local.end();

    let read = |entry: std::io::Result<std::fs::DirEntry>| std::fs::read(entry.unwrap().path()).unwrap();
    let kept: Vec<Vec<u8>> = std::fs::read_dir(folder.join("archive")).unwrap().map(read).collect();
    assert_eq!(kept.len(), 3);
    assert!(kept.iter().all(|bytes| !bytes.windows(6).any(|part| part == b"geheim")));

    let dir = format!("-Dhistoryserver.archive.fs.dir={}", folder.join("archive").display());
    let fast = "-Dhistoryserver.archive.fs.refresh-interval=50 ms";
    let args = ["historyserver", "-Dhistoryserver.web.port=0", &dir, fast];
    let (history, told) = Process::start(folder, &args, &["REST: http://"]);
    let rest = told[0].as_str();
    for (path, before) in PATHS.iter().zip(&before) {
        let (status, answer) = get(rest, &at(path));
        assert_eq!((status, &plain(answer)), (200, before), "{path}");
    }
    let config = get(rest, "/config").1;
    assert_eq!(
        config["features"],
        json!({ "web-submit": false, "web-cancel": false, "web-rescale": false, "web-history": true })
    );
    assert_eq!(get(rest, "/overview").1["jobs-finished"], 1);
    assert_eq!(get(rest, &format!("/jobs/{}", "0".repeat(32))).0, 404);
    let url = format!("http://{rest}");
    let refused =
        run_in(folder, &["sql", "-q", "--cluster", &url, "-e", &format!("{TABLES} {batch} {insert}")]);
    assert!(refused.code == 1 && refused.err.contains("history server"), "{refused:?}");
    // What comes later is found, and what is no archive is passed over.
    std::fs::write(folder.join("archive").join("1".repeat(32)), "no archive").unwrap();
    std::fs::rename(folder.join("archive").join(&canceled), folder.join("elsewhere")).unwrap();
    assert_eq!(get(rest, &format!("/jobs/{canceled}")).0, 200);
    history.end();
    let (history, told) = Process::start(folder, &args, &["REST: http://"]);
    assert_eq!(get(&told[0], "/jobs").1["jobs"].as_array().unwrap().len(), 2);
    std::fs::rename(folder.join("elsewhere"), folder.join("archive").join(&canceled)).unwrap();
    until(|| get(&told[0], &format!("/jobs/{canceled}/status")).1 == json!({ "status": "CANCELED" }));
    history.end();
    // Only the newest stays, also in the folder.
    let most = "-Dhistoryserver.archive.retained-jobs=1";
    let (history, told) = Process::start(folder, &[&args[..], &[most]].concat(), &["REST: http://"]);
    let jobs = get(&told[0], "/jobs").1;
    assert_eq!(jobs, json!({ "jobs": [{ "id": canceled, "status": "CANCELED" }] }));
    let left: Vec<_> =
        std::fs::read_dir(folder.join("archive")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.len() == 2 && left.iter().any(|name| name.to_str() == Some(canceled.as_str())), "{left:?}");
    history.end();
}

#[test]
fn a_history_server_needs_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path(), &["historyserver"]);
    assert!(run.code == 1 && run.err.contains("'historyserver.archive.fs.dir' is missing"), "{run:?}");
    let dir = "-Dhistoryserver.archive.fs.dir=.";
    let run = run_in(folder.path(), &["historyserver", dir, "-Dhistoryserver.archive.retained-jobs=0"]);
    assert!(run.code == 1 && run.err.contains("a number of jobs, or -1 for all"), "{run:?}");
}
