//! What the processes of a cluster tell of themselves, each in its own name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cluster::until;
use crate::support::{Run, ask, command, wait};

/// What `flott start-cluster` has started; it is stopped in the end.
struct Started {
    folder: PathBuf,
    rest: String,
}

impl Started {
    fn new(folder: &Path) -> Self {
        let mut started = Started { folder: folder.to_owned(), rest: String::new() };
        let run = started.run(&["start-cluster", "-n", "2", "-Djobmanager.rpc.port=0", "-Drest.port=0"]);
        assert_eq!(run.code, 0, "{run:?}");
        let rest = run.err.split_once("REST: http://").unwrap().1;
        started.rest = rest.lines().next().unwrap().to_owned();
        until(|| started.get("/overview")["taskmanagers"] == 2);
        started
    }

    fn run(&self, args: &[&str]) -> Run {
        let mut command = command(&self.folder, args);
        command.env("FLOTT_PID_DIR", self.folder.join("pids")).env("FLOTT_LOG_DIR", self.folder.join("logs"));
        wait(command.spawn().unwrap())
    }

    /// The status, the kind and the body of an answer.
    fn ask(&self, path: &str) -> (u16, String, String) {
        let answer = ask(&self.rest, "GET", path, "");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let kind = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), kind.to_owned(), body.to_owned())
    }

    fn get(&self, path: &str) -> Value {
        let (status, _, body) = self.ask(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    fn text(&self, path: &str) -> String {
        let (status, kind, body) = self.ask(path);
        assert_eq!((status, kind.as_str()), (200, "text/plain; charset=UTF-8"), "{path}: {body}");
        body
    }

    fn values(&self, path: &str) -> BTreeMap<String, f64> {
        let all = self.get(path);
        let entry = |entry: &Value| {
            let value = entry["value"].as_str().unwrap().parse().unwrap();
            (entry["id"].as_str().unwrap().to_owned(), value)
        };
        all.as_array().unwrap().iter().map(entry).collect()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.run(&["stop-cluster"]);
    }
}

#[test]
fn each_process_tells_its_own_log_threads_and_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Started::new(folder.path());
    let members = cluster.get("/taskmanagers");
    let ids: Vec<_> =
        members["taskmanagers"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    // A file of somebody else in the same folder is none of theirs; one that was moved away is.
    let logs = folder.path().join("logs");
    std::fs::write(logs.join("secret.log"), "secret").unwrap();
    let mut names = Vec::new();
    for id in &ids {
        let listed = cluster.get(&format!("/taskmanagers/{id}/logs"));
        let [file] = listed["logs"].as_array().unwrap().as_slice() else { panic!("{listed}") };
        let name = file["name"].as_str().unwrap();
        let written = std::fs::read_to_string(logs.join(name)).unwrap();
        assert!(written.contains("TaskManager: "), "{written}");
        for path in ["log".to_owned(), "stdout".to_owned(), format!("logs/{name}")] {
            let told = cluster.text(&format!("/taskmanagers/{id}/{path}"));
            assert!(told.starts_with(&written[..written.len().min(100)]), "{path}: {told}");
        }
        std::fs::write(logs.join(format!("{name}.1")), "moved away").unwrap();
        assert_eq!(cluster.text(&format!("/taskmanagers/{id}/logs/{name}.1")), "moved away");
        for other in ["secret.log", "..%2Flogs%2Fsecret.log"] {
            let path = format!("/taskmanagers/{id}/logs/{other}");
            assert_eq!(cluster.ask(&path).0, 404, "{path}");
        }
        names.push(name.to_owned());

        let threads = cluster.get(&format!("/taskmanagers/{id}/thread-dump"));
        let threads = threads["threadInfos"].as_array().unwrap();
        let number = id.strip_prefix("taskmanager-").unwrap();
        let own = threads.iter().find(|one| one["threadName"] == format!("taskmanager-{number}")).unwrap();
        let told = own["stringifiedThreadInfo"].as_str().unwrap();
        assert!(told.starts_with(&format!("\"{id}\" Id=")) && told.contains("\tcpu "), "{told}");

        let path = format!("/taskmanagers/{id}/metrics");
        assert!(cluster.get(&path).as_array().unwrap().iter().all(|one| one.get("value").is_none()));
        let values = cluster.values(&format!("{path}?get=Status.JVM.CPU.Time,Status.JVM.Memory.Heap.Used"));
        assert!(values.len() == 2 && values.values().all(|value| *value > 0.0), "{values:?}");
        let detail = cluster.get(&format!("/taskmanagers/{id}"));
        assert!(detail["hardware"]["physicalMemory"].as_u64() > Some(0), "{detail}");
    }
    assert_ne!(names[0], names[1]);
    let together = "/taskmanagers/metrics?get=Status.JVM.Threads.Count&agg=min,sum";
    let all = cluster.get(together);
    assert!(all[0]["sum"].as_f64() >= all[0]["min"].as_f64().map(|least| 2.0 * least), "{all}");
    let one = cluster.get(&format!("{together}&taskmanagers={}", ids[0]));
    assert_eq!(one[0]["sum"], one[0]["min"], "{one}");

    assert!(cluster.text("/jobmanager/log").contains("JobManager: "));
    assert!(cluster.text("/jobmanager/stdout").contains("JobManager: "));
    let threads = cluster.get("/jobmanager/thread-dump").to_string();
    assert!(threads.contains("\"threadName\":\"resourcemanager\""), "{threads}");
    let values = cluster.values("/jobmanager/metrics?get=Status.JVM.Threads.Count,taskSlotsTotal");
    assert!(values["taskSlotsTotal"] >= 2.0 && values["Status.JVM.Threads.Count"] > 1.0, "{values:?}");
    // One that is not there has no metrics, as in Flink, and no log.
    assert_eq!(cluster.get("/taskmanagers/nothing/metrics"), serde_json::json!([]));
    for what in ["log", "logs", "stdout", "thread-dump"] {
        assert_eq!(cluster.ask(&format!("/taskmanagers/nothing/{what}")).0, 404, "{what}");
    }
}
