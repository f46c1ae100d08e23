//! `flott start-cluster` and `flott stop-cluster`: processes in the background of this machine, as Flink's
//! scripts start them.
//!
//! Where they are is in files with one process id a line, in FLOTT_PID_DIR (by default the system's temporary
//! folder, as in Flink): `flott-USER-jobmanager.pid` and `flott-USER-taskmanager.pid`. What they say goes to
//! files in FLOTT_LOG_DIR (by default `log` in the current folder).

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use flott::types::{Clock, SystemClock};
use flott::{Error, Result};

use crate::args::StartArgs;
use crate::client::TICK;
use crate::console::Console;

const JOB_MANAGER: &str = "jobmanager";
const TASK_MANAGER: &str = "taskmanager";
/// How long a process may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a JobManager and TaskManagers.
pub(crate) fn start(args: &StartArgs, console: Console) -> Result<()> {
    let places = Places::new()?;
    if !places.running(JOB_MANAGER).is_empty() {
        return Err(Error::invalid(format!(
            "a JobManager runs already ({}); `flott stop-cluster` ends it",
            places.pids(JOB_MANAGER).display()
        )));
    }
    let mut arguments: Vec<String> = args.process.define.iter().map(|define| format!("-D{define}")).collect();
    if let Some(config) = &args.process.config {
        arguments.extend(["--config".to_owned(), config.display().to_string()]);
    }
    let log = places.start(JOB_MANAGER, 0, &arguments, "REST: ")?;
    console.info(&format!("Starting {JOB_MANAGER}; {}", log.display()));
    let told = fs::read_to_string(&log).unwrap_or_default();
    if let Some(address) = after(&told, "REST: ") {
        console.info(&format!("REST: {address}"));
    }
    // Any free port, perhaps.
    if let Some((_, port)) = after(&told, "JobManager: ").and_then(|address| address.rsplit_once(':')) {
        arguments.push(format!("-Djobmanager.rpc.port={port}"));
    }
    // Those that are there already belong to this JobManager as well, if they were started with its address.
    let running = places.running(TASK_MANAGER).len();
    for number in running..running + args.taskmanagers {
        let log = places.start(TASK_MANAGER, number, &arguments, "TaskManager: ")?;
        console.info(&format!("Starting {TASK_MANAGER} {number}; {}", log.display()));
    }
    Ok(())
}

/// The rest of the line that says this.
fn after<'a>(told: &'a str, says: &str) -> Option<&'a str> {
    told.split_once(says)?.1.lines().next()
}

/// Ends what was started.
pub(crate) fn stop(console: Console) -> Result<()> {
    let places = Places::new()?;
    let mut ended = 0;
    for kind in [TASK_MANAGER, JOB_MANAGER] {
        let running = places.running(kind);
        for pid in &running {
            console.info(&format!("Stopping {kind} (process {pid})"));
            tell(*pid, "TERM");
        }
        let clock = SystemClock::new();
        for pid in running {
            while runs(pid, kind) {
                if Duration::from_nanos(clock.nanos()) > PATIENCE {
                    console.warn(&format!("process {pid} does not end, and is killed"));
                    tell(pid, "KILL");
                    break;
                }
                std::thread::park_timeout(TICK);
            }
            ended += 1;
        }
        match fs::remove_file(places.pids(kind)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(unwritten(&places.pids(kind), error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    if ended == 0 {
        console.info("No process of a cluster runs on this machine.");
    }
    Ok(())
}

/// Where files are.
struct Places {
    pids: PathBuf,
    logs: PathBuf,
    user: String,
}

impl Places {
    fn new() -> Result<Self> {
        let named = |key| std::env::var_os(key).filter(|value| !value.is_empty()).map(PathBuf::from);
        let user = std::env::var("USER").ok().filter(|user| !user.is_empty() && !user.contains('/'));
        let places = Places {
            pids: named("FLOTT_PID_DIR").unwrap_or_else(std::env::temp_dir),
            logs: named("FLOTT_LOG_DIR").unwrap_or_else(|| PathBuf::from("log")),
            user: user.unwrap_or_else(|| "user".to_owned()),
        };
        for folder in [&places.pids, &places.logs] {
            fs::create_dir_all(folder).map_err(|error| unwritten(folder, error))?;
        }
        Ok(places)
    }

    fn pids(&self, kind: &str) -> PathBuf {
        self.pids.join(format!("flott-{}-{kind}.pid", self.user))
    }

    /// The processes of this kind that run.
    fn running(&self, kind: &str) -> Vec<u32> {
        let text = fs::read_to_string(self.pids(kind)).unwrap_or_default();
        text.lines().filter_map(|line| line.trim().parse().ok()).filter(|pid| runs(*pid, kind)).collect()
    }

    /// Starts a process, and waits until it says that it listens. Returns its log.
    fn start(&self, kind: &str, number: usize, arguments: &[String], says: &str) -> Result<PathBuf> {
        let path = self.logs.join(format!("flott-{}-{kind}-{number}.log", self.user));
        let log = File::create(&path).map_err(|error| unwritten(&path, error))?;
        let copy = log.try_clone().map_err(|error| unwritten(&path, error))?;
        let failed = |error| Error::external(format!("cannot start the {kind}")).with_source(error);
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command.arg(kind).args(arguments).stdin(Stdio::null()).stdout(copy).stderr(log);
        // Ctrl-C at the terminal is not meant for it.
        let mut child = command.process_group(0).spawn().map_err(failed)?;
        let pids = self.pids(kind);
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&pids)
            .and_then(|mut file| writeln!(file, "{}", child.id()))
            .map_err(|error| unwritten(&pids, error))?;
        listens(&mut child, kind, &path, says)?;
        Ok(path)
    }
}

fn listens(child: &mut Child, kind: &str, log: &Path, says: &str) -> Result<()> {
    let clock = SystemClock::new();
    loop {
        let told = fs::read_to_string(log).unwrap_or_default();
        if told.contains(says) {
            return Ok(());
        }
        let ended = matches!(child.try_wait(), Ok(Some(_)));
        if ended || Duration::from_nanos(clock.nanos()) > PATIENCE {
            let what = if ended { "has ended" } else { "does not listen" };
            let last = told.lines().last().unwrap_or_default();
            return Err(Error::external(format!("the {kind} {what}: {last} ({})", log.display())));
        }
        std::thread::park_timeout(TICK);
    }
}

/// Whether this process is one of ours: its number may be that of another one by now.
fn runs(pid: u32, kind: &str) -> bool {
    match fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(line) => {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let is_zombie =
                stat.rsplit_once(')').is_some_and(|(_, state)| state.trim_start().starts_with('Z'));
            !is_zombie && line.split(|byte| *byte == 0).any(|argument| argument == kind.as_bytes())
        }
        // Without /proc the number must do.
        Err(_) if !Path::new("/proc/self").exists() => tell(pid, "0"),
        Err(_) => false,
    }
}

/// Sends a signal; says whether there is such a process.
fn tell(pid: u32, signal: &str) -> bool {
    let told =
        Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).stderr(Stdio::null()).status();
    told.is_ok_and(|status| status.success())
}

fn unwritten(path: &Path, error: std::io::Error) -> Error {
    Error::external(format!("cannot write {}", path.display())).with_source(error)
}
