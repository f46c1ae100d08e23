//! Processes of a cluster, and the commands that have to do with them.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Child;

use crate::support::{Run, ask, command, run_in, signal, wait};

/// A process in the background, which is told to end when it is dropped.
pub struct Process {
    child: Child,
    told: Option<std::thread::JoinHandle<String>>,
}

impl Process {
    /// Starts it, and waits for the lines that begin so. Returns what follows.
    pub fn start(folder: &Path, args: &[&str], says: &[&str]) -> (Self, Vec<String>) {
        let mut child = command(folder, args).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let (mut all, mut found) = (String::new(), Vec::new());
        for say in says {
            found.push(loop {
                let mut line = String::new();
                assert!(lines.read_line(&mut line).unwrap() > 0, "it ended, and did not say {say}:\n{all}");
                if let Some((_, rest)) = line.split_once(say) {
                    break rest.trim().to_owned();
                }
                all += &line;
            });
        }
        let told = std::thread::spawn(move || {
            let mut rest = String::new();
            lines.read_to_string(&mut rest).unwrap();
            rest
        });
        (Process { child, told: Some(told) }, found)
    }

    /// SIGTERM. Returns what it said.
    pub fn end(mut self) -> String {
        signal(&self.child, "TERM");
        self.child.wait().unwrap();
        self.told.take().unwrap().join().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A JobManager and two TaskManagers with two slots each.
struct Cluster {
    rest: String,
    job_manager: Process,
    task_managers: Vec<Process>,
}

impl Cluster {
    fn start(folder: &Path) -> Self {
        Cluster::start_with(folder, &[])
    }

    fn start_with(folder: &Path, options: &[&str]) -> Self {
        let args = [&["jobmanager", "-Djobmanager.rpc.port=0", "-Drest.port=0"], options].concat();
        let (job_manager, told) = Process::start(folder, &args, &["JobManager: ", "REST: "]);
        let port = told[0].rsplit_once(':').unwrap().1;
        let port = format!("-Djobmanager.rpc.port={port}");
        let args = [&["taskmanager", &port, "-Dtaskmanager.numberOfTaskSlots=2"], options].concat();
        let start = |_| Process::start(folder, &args, &["TaskManager: "]).0;
        Cluster { rest: told[1].clone(), job_manager, task_managers: (0..2).map(start).collect() }
    }

    fn sql(&self, folder: &Path, more: &[&str]) -> Run {
        let mut args = vec!["sql", "-q", "--cluster", &self.rest, "-Dparallelism.default=4"];
        args.extend(more);
        run_in(folder, &args)
    }
}

/// Waits until something holds.
pub fn until(mut holds: impl FnMut() -> bool) {
    let clock = flott::types::SystemClock::new();
    while !holds() {
        assert!(flott::types::Clock::nanos(&clock) < 120_000_000_000, "it does not come to hold");
    }
}

/// Numbers 1 to 1000 by their last digits.
pub fn numbers(folder: &Path) {
    let rows: String = (1..=1_000).map(|n| format!("{n},d{}\n", n % 10)).collect();
    std::fs::create_dir(folder.join("in")).unwrap();
    std::fs::write(folder.join("in/numbers.csv"), rows).unwrap();
}

pub const TABLES: &str = "CREATE TABLE numbers (n INT, d STRING) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'csv');
    CREATE TABLE sums (d STRING, c BIGINT, s BIGINT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'csv');
    CREATE TABLE drain (d STRING, n INT) WITH ('connector' = 'blackhole');
    CREATE TABLE endless (n INT, d STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '200', 'fields.d.length' = '1');";

pub fn rows(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let visible = files.filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.'));
    let text: String =
        visible.filter(|path| path.is_file()).map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
    rows.sort();
    rows
}

#[test]
fn scripts_run_on_the_task_managers_of_a_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    numbers(folder);
    let cluster = Cluster::start(folder);
    let insert = "SET 'execution.runtime-mode' = 'batch'; INSERT INTO sums SELECT d, COUNT(*), SUM(n) FROM numbers GROUP BY d;";
    let run = cluster.sql(folder, &["-e", &format!("{TABLES} {insert}")]);
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{run:?}");
    let expected: Vec<String> =
        (0..10).map(|d| format!("d{d},100,{}", 100 * d + 49_500 + if d == 0 { 1_000 } else { 0 })).collect();
    assert_eq!(rows(&folder.join("out")), expected);
    let select = "SELECT d, COUNT(*) AS c FROM numbers GROUP BY d ORDER BY d LIMIT 2;";
    let run = cluster.sql(
        folder,
        &["--output", "csv", "-Dexecution.runtime-mode=batch", "-e", &format!("{TABLES} {select}")],
    );
    assert_eq!((run.code, run.out.as_str()), (0, "d,c\nd0,100\nd1,100\n"), "{run:?}");
    // What goes wrong there is told here.
    let run = cluster.sql(folder, &["-e", &format!("{TABLES} SELECT n / (n - 7) FROM numbers;")]);
    assert!(run.code == 1 && run.err.contains("zero"), "{run:?}");
    // Both have worked: the way of rows from one to the other is a connection.
    let told: Vec<String> = cluster.task_managers.into_iter().map(Process::end).collect();
    assert!(told.iter().any(|told| told.contains("a connection has begun")), "{told:?}");
    cluster.job_manager.end();
}

#[test]
fn processes_with_certificates_work_together() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    numbers(folder);
    let store = |key: &str, file: &str| {
        format!(
            "-Dsecurity.ssl.internal.{key}={}/../../tests/services/tls/{file}",
            env!("CARGO_MANIFEST_DIR")
        )
    };
    let (keys, trusted) = (store("keystore", "broker.pem"), store("truststore", "ca.pem"));
    let cluster = Cluster::start_with(folder, &["-Dsecurity.ssl.internal.enabled=true", &keys, &trusted]);
    let select = "SELECT d, COUNT(*) AS c FROM numbers GROUP BY d ORDER BY d LIMIT 2;";
    let options = ["--output", "csv", "-Dexecution.runtime-mode=batch", "-e"];
    let run = cluster.sql(folder, &[&options[..], &[&format!("{TABLES} {select}")]].concat());
    assert_eq!((run.code, run.out.as_str()), (0, "d,c\nd0,100\nd1,100\n"), "{run:?}");
}

#[test]
fn what_several_processes_cannot_share_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    numbers(folder);
    let cluster = Cluster::start(folder);
    let insert =
        "SET 'execution.checkpointing.interval' = '1 s'; INSERT INTO drain SELECT d, n FROM numbers;";
    let run = cluster.sql(folder, &["-e", &format!("{TABLES} {insert}")]);
    assert!(run.code == 1 && run.err.contains("'execution.checkpointing.dir'"), "{run:?}");
    let run = run_in(folder, &["sql", "--cluster", "http://127.0.0.1:1", "-e", "SELECT 1"]);
    assert!(run.code == 1 && run.err.contains("http://127.0.0.1:1"), "{run:?}");
}

#[test]
fn jobs_are_listed_saved_stopped_and_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let cluster = Cluster::start(folder);
    let on = ["-m", cluster.rest.as_str()];
    let run = run_in(folder, &["list", on[0], on[1]]);
    assert_eq!((run.code, run.out.as_str()), (0, "No running jobs.\nNo scheduled jobs.\n"), "{run:?}");
    let script = |name: &str| {
        let text =
            format!("{TABLES} SET 'pipeline.name' = '{name}'; INSERT INTO drain SELECT d, n FROM endless;");
        std::fs::write(folder.join("job.sql"), text).unwrap();
        let run = run_in(folder, &["run", "--detached", on[0], on[1], "job.sql"]);
        assert_eq!(run.code, 0, "{run:?}");
        let (_, id) = run.err.split_once("Job ID: ").unwrap();
        id.lines().next().unwrap().to_owned()
    };
    let first = script("first");
    let listed = |all: bool| {
        let args = if all { vec!["list", "-a", on[0], on[1]] } else { vec!["list", on[0], on[1]] };
        run_in(folder, &args).out
    };
    until(|| listed(false).contains(&format!(" : {first} : first (RUNNING)\n")));
    // It runs as soon as it is deployed; what is requested then waits until its last task runs.
    let run = run_in(folder, &["savepoint", on[0], on[1], &first, "saved"]);
    let (_, path) = run.out.split_once("Savepoint completed. Path: ").unwrap();
    let path = path.lines().next().unwrap();
    let dispose = ["savepoint", on[0], on[1], "--dispose", path];
    let run = run_in(folder, &dispose);
    assert_eq!((run.code, run.out), (0, format!("Savepoint '{path}' disposed.\n")), "{}", run.err);
    let run = run_in(folder, &dispose);
    assert!(run.code == 1 && run.err.contains("there is no snapshot in"), "{run:?}");
    let run = run_in(folder, &["stop", on[0], on[1], "-p", "saved", &first]);
    let (_, path) = run.out.split_once("Savepoint completed. Path: ").unwrap();
    assert!(listed(true).contains(&format!(" : {first} : first (FINISHED)\n")), "{}", listed(true));
    let run = run_in(folder, &["run", "-d", on[0], on[1], "-s", path.trim(), "job.sql"]);
    assert!(run.code == 0 && run.err.contains("savepoint"), "{run:?}");
    let second = script("second");
    let run = run_in(folder, &["cancel", on[0], on[1], &second]);
    assert_eq!(run.code, 0, "{run:?}");
    until(|| listed(true).contains(&format!(" : {second} : second (CANCELED)\n")));
    let run = run_in(folder, &["cancel", on[0], on[1], "0000"]);
    assert!(run.code == 1 && run.err.contains("there is no job '0000'"), "{run:?}");
}

/// What is asked for over REST, and not with a command.
#[test]
fn a_cluster_is_administered_over_rest() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let Cluster { rest, mut job_manager, task_managers } = Cluster::start(folder);
    let address = rest.strip_prefix("http://").unwrap();
    let told = |path: &str| ask(address, "GET", path, "");
    let slots = "/jobmanager/metrics?get=taskSlotsTotal,numRunningJobs";
    let all = r#"[{"id":"taskSlotsTotal","value":"4"},{"id":"numRunningJobs","value":"0"}]"#;
    until(|| told(slots).ends_with(all));
    assert!(told("/jobs/metrics").ends_with("[]"));
    let script = format!("{TABLES} INSERT INTO drain SELECT d, n FROM endless;");
    std::fs::write(folder.join("job.sql"), script).unwrap();
    let run = run_in(folder, &["run", "--detached", "-m", &rest, "job.sql"]);
    assert_eq!(run.code, 0, "{run:?}");
    let restarts = told("/jobs/metrics?get=numRestarts&agg=max,sum");
    assert!(restarts.ends_with(r#"[{"id":"numRestarts","max":0.0,"sum":0.0}]"#), "{restarts}");

    let answer = ask(address, "POST", "/savepoint-disposal", r#"{"savepoint-path": "nowhere"}"#);
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let (_, id) = answer.split_once(r#""request-id":""#).unwrap();
    let answer = told(&format!("/savepoint-disposal/{}", &id[..32]));
    assert!(answer.contains("COMPLETED") && answer.contains("there is no snapshot in 'nowhere'"), "{answer}");
    let answer = ask(address, "POST", "/savepoint-disposal", "{}");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");

    let answer = ask(address, "DELETE", "/cluster", "");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("{}"), "{answer}");
    assert!(job_manager.child.wait().unwrap().success());
    // They wait for the next one.
    for task_manager in task_managers {
        assert!(task_manager.end().contains("the connection to the JobManager has ended"));
    }
}

#[test]
fn a_cluster_in_the_background_is_started_and_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let places = [("FLOTT_PID_DIR", folder.join("pids")), ("FLOTT_LOG_DIR", folder.join("logs"))];
    let run = |args: &[&str]| {
        let mut command = command(folder, args);
        places.iter().for_each(|(key, value)| _ = command.env(key, value));
        wait(command.spawn().unwrap())
    };
    // Nothing is left behind when an assertion does not hold.
    struct Stopped<F: Fn(&[&str]) -> Run>(F);
    impl<F: Fn(&[&str]) -> Run> Drop for Stopped<F> {
        fn drop(&mut self) {
            (self.0)(&["stop-cluster"]);
        }
    }
    let _stopped = Stopped(&run);
    let start = ["start-cluster", "-n", "2", "-Djobmanager.rpc.port=0", "-Drest.port=0"];
    let started = run(&start);
    assert_eq!(started.code, 0, "{started:?}");
    let rest = started.err.split_once("REST: ").unwrap().1.lines().next().unwrap().to_owned();
    let again = run(&start);
    assert!(again.code == 1 && again.err.contains("stop-cluster"), "{again:?}");
    let query = run_in(folder, &["sql", "-q", "--cluster", &rest, "--output", "csv", "-e", "SELECT 1 AS x"]);
    assert_eq!((query.code, query.out.as_str()), (0, "x\n1\n"), "{query:?}");
    // The JobManager and the first of the TaskManagers are killed, and come again: where they were.
    let (mut gone, mut first_log) = (Vec::new(), String::new());
    for file in std::fs::read_dir(folder.join("pids")).unwrap() {
        let listed = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let first = listed.lines().find_map(|line| line.strip_suffix(" 0")).unwrap();
        let killed = std::process::Command::new("kill").args(["-9", first]).status().unwrap();
        assert!(killed.success());
        gone.push(format!("/proc/{first}/exe"));
    }
    until(|| gone.iter().all(|exe| std::fs::read_link(exe).is_err()));
    let again = run(&["start-cluster", "-n", "1", "-Djobmanager.rpc.port=0", "-Drest.port=0"]);
    assert!(again.code == 0 && again.err.contains("Starting taskmanager 0"), "{again:?}");
    for file in std::fs::read_dir(folder.join("logs")).unwrap() {
        let path = file.unwrap().path();
        if path.to_str().unwrap().ends_with("-taskmanager-0.log") {
            first_log = std::fs::read_to_string(path).unwrap();
        }
    }
    assert_eq!(first_log.matches("TaskManager: ").count(), 2, "{first_log}");
    let rest = again.err.split_once("REST: ").unwrap().1.lines().next().unwrap().to_owned();
    let stopped = run(&["stop-cluster"]);
    assert_eq!(stopped.code, 0, "{stopped:?}");
    assert_eq!(stopped.err.matches("Stopping ").count(), 3, "{stopped:?}");
    let gone = run_in(folder, &["sql", "-q", "--cluster", &rest, "-e", "SELECT 1"]);
    assert_eq!(gone.code, 1, "{gone:?}");
    assert!(run(&["stop-cluster"]).err.contains("No process"));
}

#[test]
fn a_local_cluster_is_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (local, told) = Process::start(folder, &["local", "-Drest.port=0"], &["REST: "]);
    let query =
        run_in(folder, &["sql", "-q", "--cluster", &told[0], "--output", "csv", "-e", "SELECT 1 AS x"]);
    assert_eq!((query.code, query.out.as_str()), (0, "x\n1\n"), "{query:?}");
    local.end();
}
