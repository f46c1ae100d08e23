//! A program as several processes, some of which are killed.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

mod clicks;

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clicks::{PAGES, clicks, pages};

/// Windows of the whole input, and how many clicks that is.
const WINDOWS: usize = 100;
const CLICKS: usize = WINDOWS * 6_000;

/// The processes of a program; those that run are killed at the end.
struct Processes<'a> {
    folder: &'a Path,
    port: u16,
    running: Vec<Child>,
}

impl<'a> Processes<'a> {
    fn new(folder: &'a Path) -> Self {
        // A JobManager that comes back must be where it was.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Processes { folder, port, running: Vec::new() }
    }

    /// Starts one; returns its number.
    fn start(&mut self, program: &str, role: &str, more: &[&str]) -> usize {
        let mut command = Command::new(program);
        command.args(["--role", role, "-D", &format!("jobmanager.rpc.port={}", self.port)]).args(more);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        self.running.push(child.unwrap());
        self.running.len() - 1
    }

    /// Starts one that counts clicks.
    fn count(&mut self, role: &str) -> usize {
        let (output, checkpoints) = (self.folder.join("out"), self.folder.join("checkpoints"));
        let checkpoints = format!("execution.checkpointing.dir={}", checkpoints.display());
        let clicks = CLICKS.to_string();
        let own = ["--output", output.to_str().unwrap(), "--clicks", &clicks, "--rate", "100000"];
        let of_all = ["--parallelism", "2", "--restore", "latest"];
        let often = ["-D", "execution.checkpointing.interval=50 ms", "-D", &checkpoints];
        self.start(env!("CARGO_BIN_EXE_click_count"), role, &[own.as_slice(), &of_all, &often].concat())
    }

    fn kill(&mut self, number: usize) {
        self.running[number].kill().unwrap();
        self.running[number].wait().unwrap();
    }

    /// Waits until a process has ended; how, and what it said.
    fn ends(&mut self, number: usize) -> (Option<i32>, String) {
        until("a process ends", || self.running[number].try_wait().unwrap().is_some());
        let status = self.running[number].wait().unwrap();
        let mut told = String::new();
        std::io::Read::read_to_string(&mut self.running[number].stderr.take().unwrap(), &mut told).unwrap();
        (status.code(), told)
    }

    /// Waits until this many results can be seen.
    fn results(&self, at_least: usize) {
        until("results come", || clicks(&self.folder.join("out")).len() >= at_least);
    }
}

impl Drop for Processes<'_> {
    fn drop(&mut self) {
        for child in &mut self.running {
            // It may have ended.
            _ = child.kill();
            _ = child.wait();
        }
    }
}

fn until(what: &str, mut happens: impl FnMut() -> bool) {
    let seen = (0..2_400).any(|_| {
        std::thread::park_timeout(Duration::from_millis(50));
        happens()
    });
    assert!(seen, "{what}: not within two minutes");
}

#[test]
fn a_program_survives_the_loss_of_any_of_its_processes() {
    let folder = tempfile::tempdir().unwrap();
    let mut processes = Processes::new(folder.path());
    let first = processes.count("jobmanager");
    let lost = processes.count("taskmanager");
    let stays = processes.count("taskmanager");
    processes.results(12);
    processes.kill(lost);
    let late = processes.count("taskmanager");
    let before = clicks(&folder.path().join("out")).len();
    processes.results(before + 12);
    processes.kill(first);
    let second = processes.count("jobmanager");

    for process in [second, stays, late] {
        let (status, told) = processes.ends(process);
        assert_eq!(status, Some(0), "{told}");
    }
    let pages = pages(&folder.path().join("out"));
    assert_eq!(pages.len(), WINDOWS);
    for (window, pages) in &pages {
        assert_eq!(*pages, PAGES, "{window}");
    }
}

#[test]
fn another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut processes = Processes::new(folder.path());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let words = env!("CARGO_BIN_EXE_word_count");
    let more = ["--port", &port, "--parallelism", "1", "-D", "restart-strategy.type=none"];
    let manager = processes.start(words, "jobmanager", &more);
    let other = processes.start(env!("CARGO_BIN_EXE_fraud_detection"), "taskmanager", &["--port", &port]);
    let (status, told) = processes.ends(other);
    assert_eq!(status, Some(1));
    assert!(told.contains("is another executable"), "{told}");
    // Nobody listens at the port that the program reads from.
    let same = processes.start(words, "taskmanager", &more);
    for (process, tells) in [(manager, "Connection refused"), (same, "the program's job has failed")] {
        let (status, told) = processes.ends(process);
        assert_eq!(status, Some(1), "{told}");
        assert!(told.contains(tells), "{told}");
    }
}

#[test]
fn what_several_processes_cannot_do_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut processes = Processes::new(folder.path());
    let standbys =
        ["-D", "high-availability.type=filesystem", "-D", "high-availability.storageDir=/tmp/flott-ha"];
    for role in ["jobmanager", "taskmanager"] {
        let process = processes.start(env!("CARGO_BIN_EXE_word_count"), role, &standbys);
        let (status, told) = processes.ends(process);
        assert_ne!(status, Some(0));
        assert!(told.contains("standby JobManagers"), "{told}");
    }
    let process = processes.start(env!("CARGO_BIN_EXE_word_count"), "worker", &[]);
    let (status, told) = processes.ends(process);
    assert_eq!(status, Some(2));
    assert!(told.contains("alone, jobmanager, taskmanager"), "{told}");
}
