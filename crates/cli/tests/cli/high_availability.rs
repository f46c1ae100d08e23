//! Several JobManagers, of which one leads.

use std::path::Path;

use crate::cluster::{Process, TABLES, numbers, rows, until};
use crate::support::{Run, ask, run_in};

/// The options by which all processes find each other. Nobody waits for the end of a lease: leaders are killed, or
/// told to end. So it is long, and a leader on a busy machine keeps it.
fn options(folder: &Path) -> [String; 3] {
    let storage = folder.join("ha");
    [
        "-Dhigh-availability.type=filesystem".to_owned(),
        format!("-Dhigh-availability.storageDir={}", storage.display()),
        "-Dhigh-availability.filesystem.lease-duration=10 min".to_owned(),
    ]
}

/// Runs a command on whichever JobManager leads.
fn on_leader(folder: &Path, args: &[&str]) -> Run {
    let options = options(folder);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    run_in(folder, &[&args[..1], &options, &args[1..]].concat())
}

fn job_manager(folder: &Path, says: &[&str]) -> (Process, Vec<String>) {
    let options = options(folder);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    Process::start(folder, &[&["jobmanager", "-Drest.port=0"], &options[..]].concat(), says)
}

const LEADS: [&str; 2] = ["REST: http://", "JobManager: "];

fn get(address: &str, path: &str) -> String {
    ask(address, "GET", path, "")
}

#[test]
fn jobs_go_on_when_another_job_manager_leads() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    numbers(folder);
    let (first, told) = job_manager(folder, &LEADS);
    let leader = told[0].clone();
    let (second, told) = job_manager(folder, &LEADS[..1]);
    let standby = told[0].clone();
    let answer = get(&standby, "/jobs/overview");
    assert!(answer.starts_with("HTTP/1.1 307"), "{answer}");
    let (_, port) = leader.rsplit_once(':').unwrap();
    assert!(answer.contains(&format!("location: http://localhost:{port}/jobs/overview")), "{answer}");
    let ha = options(folder);
    let args = ["taskmanager", "-Dtaskmanager.numberOfTaskSlots=4", &ha[0], &ha[1], &ha[2]];
    let (_task_manager, _) = Process::start(folder, &args, &["TaskManager: "]);

    // One job ends, one goes on; a client that asks a standby is sent on.
    let insert = "SET 'execution.runtime-mode' = 'batch'; INSERT INTO sums SELECT d, COUNT(*), SUM(n) FROM numbers GROUP BY d;";
    let standby = format!("http://{standby}");
    let run = run_in(folder, &["sql", "-q", "--cluster", &standby, "-e", &format!("{TABLES} {insert}")]);
    assert_eq!(run.code, 0, "{run:?}");
    let expected = rows(&folder.join("out"));
    assert_eq!(expected.len(), 10);
    let lasting = format!(
        "{TABLES} SET 'pipeline.name' = 'lasting'; SET 'execution.checkpointing.interval' = '50 ms';
        SET 'execution.checkpointing.dir' = '{}'; SET 'execution.checkpointing.savepoint-dir' = '{}';
        INSERT INTO drain SELECT d, n FROM endless;",
        folder.join("checkpoints").display(),
        folder.join("savepoints").display(),
    );
    std::fs::write(folder.join("job.sql"), lasting).unwrap();
    let run = on_leader(folder, &["run", "--detached", "job.sql"]);
    assert_eq!(run.code, 0, "{run:?}");
    let job = run.err.split_once("Job ID: ").unwrap().1.lines().next().unwrap().to_owned();
    let savepoint = on_leader(folder, &["savepoint", &job]);
    assert!(savepoint.out.contains("Savepoint completed."), "{savepoint:?}");

    // The leader is killed. Clients find the next one, where the job has kept its id.
    drop(first);
    let listed = || on_leader(folder, &["list", "-a"]).out;
    until(|| listed().contains(&format!(" : {job} : lasting (RUNNING)\n")));
    assert!(listed().contains("(FINISHED)\n"), "{}", listed());
    let savepoint = on_leader(folder, &["savepoint", &job]);
    assert!(savepoint.out.contains("Savepoint completed."), "{savepoint:?}");
    assert_eq!(rows(&folder.join("out")), expected, "what has finished is not run again");
    let cancelled = on_leader(folder, &["cancel", &job]);
    assert_eq!(cancelled.code, 0, "{cancelled:?}");
    until(|| listed().contains(&format!(" : {job} : lasting (CANCELED)\n")));

    // The next one is told to end; what was cancelled stays so.
    let (_third, _) = job_manager(folder, &LEADS[..1]);
    second.end();
    until(|| listed().contains(&format!(" : {job} : lasting (CANCELED)\n")));
    assert!(!listed().contains("RUNNING"), "{}", listed());
}

#[test]
fn a_kind_of_high_availability_that_there_is_not_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["jobmanager", "taskmanager", "list"] {
        let run = run_in(folder.path(), &[command, "-Dhigh-availability.type=zookeeper"]);
        assert!(run.code != 0 && run.err.contains("high-availability.type"), "{run:?}");
    }
}
