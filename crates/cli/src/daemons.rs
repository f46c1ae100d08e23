//! `flott start-cluster` and `flott stop-cluster`: processes in the background of this machine, as Flink's
//! scripts start them.
//!
//! Where they are is in files with a process id and the number of the process on each line, in FLOTT_PID_DIR (by default the system's temporary
//! folder, as in Flink): `flott-USER-jobmanager.pid` and `flott-USER-taskmanager.pid`. What they say goes to
//! files in FLOTT_LOG_DIR (by default `log` in the current folder).

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
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
    let (log, told) = places.start(JOB_MANAGER, 0, &arguments, "REST: ")?;
    console.info(&format!("Starting {JOB_MANAGER}; {}", log.display()));
    if let Some(address) = after(&told, "REST: ") {
        console.info(&format!("REST: {address}"));
    }
    // Any free port, perhaps.
    if let Some((_, port)) = after(&told, "JobManager: ").and_then(|address| address.rsplit_once(':')) {
        arguments.push(format!("-Djobmanager.rpc.port={port}"));
    }
    // Those that are there already belong to this JobManager as well, if they were started with its address.
    for number in places.free_numbers(TASK_MANAGER).take(args.taskmanagers) {
        let (log, _) = places.start(TASK_MANAGER, number, &arguments, "TaskManager: ")?;
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
        let pids = text.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok());
        pids.filter(|pid| runs(*pid, kind)).collect()
    }

    /// Those that no process of this kind has, the smallest first.
    fn free_numbers(&self, kind: &str) -> impl Iterator<Item = usize> {
        let text = fs::read_to_string(self.pids(kind)).unwrap_or_default();
        let of_running = text.lines().filter_map(|line| {
            let (pid, number) = line.trim().split_once(' ')?;
            let (pid, number): (u32, usize) = (pid.parse().ok()?, number.parse().ok()?);
            runs(pid, kind).then_some(number)
        });
        let taken: Vec<usize> = of_running.collect();
        (0..).filter(move |number| !taken.contains(number))
    }

    /// Starts a process, and waits until it says that it listens. Returns its log and what it has said.
    fn start(
        &self,
        kind: &str,
        number: usize,
        arguments: &[String],
        says: &str,
    ) -> Result<(PathBuf, String)> {
        let path = self.logs.join(format!("flott-{}-{kind}-{number}.log", self.user));
        let unwritable = |error| unwritten(&path, error);
        // What the one before it said may tell why it has ended.
        let log = OpenOptions::new().create(true).append(true).open(&path).map_err(unwritable)?;
        let from = log.metadata().map_err(unwritable)?.len();
        let copy = log.try_clone().map_err(unwritable)?;
        let pids = self.pids(kind);
        // Before the process: one that is not listed could not be stopped.
        let list = OpenOptions::new().create(true).append(true).open(&pids);
        let mut list = list.map_err(|error| unwritten(&pids, error))?;
        let failed = |error| Error::external(format!("cannot start the {kind}")).with_source(error);
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command.arg(kind).args(arguments).stdin(Stdio::null()).stdout(copy).stderr(log);
        // Ctrl-C at the terminal is not meant for it.
        let mut child = command.process_group(0).spawn().map_err(failed)?;
        if let Err(error) = writeln!(list, "{} {number}", child.id()) {
            // It may have ended by itself.
            let _ = child.kill();
            return Err(unwritten(&pids, error));
        }
        let told = listens(&mut child, kind, (&path, from), says)?;
        Ok((path, told))
    }
}

fn listens(child: &mut Child, kind: &str, (log, from): (&Path, u64), says: &str) -> Result<String> {
    let clock = SystemClock::new();
    loop {
        // Before it is read: what it has said by then is its last word.
        let ended = matches!(child.try_wait(), Ok(Some(_)));
        let told = said(log, from).unwrap_or_default();
        if told.split_once(says).is_some_and(|(_, rest)| rest.contains('\n')) {
            return Ok(told);
        }
        if ended || Duration::from_nanos(clock.nanos()) > PATIENCE {
            let what = if ended { "has ended" } else { "does not listen" };
            let last = told.lines().last().unwrap_or_default();
            return Err(Error::external(format!("the {kind} {what}: {last} ({})", log.display())));
        }
        std::thread::park_timeout(TICK);
    }
}

/// A log from here on.
fn said(log: &Path, from: u64) -> std::io::Result<String> {
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(from))?;
    let mut told = Vec::new();
    file.read_to_end(&mut told)?;
    Ok(String::from_utf8_lossy(&told).into_owned())
}

/// Whether this process is one of ours: its number may be that of another one by now.
fn runs(pid: u32, kind: &str) -> bool {
    match fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(line) => {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let is_zombie =
                stat.rsplit_once(')').is_some_and(|(_, state)| state.trim_start().starts_with('Z'));
            !is_zombie
                && program_of(&format!("/proc/{pid}/exe")) == program_of("/proc/self/exe")
                && line.split(|byte| *byte == 0).any(|argument| argument == kind.as_bytes())
        }
        // Without /proc the number must do.
        Err(_) if !Path::new("/proc/self").exists() => tell(pid, "0"),
        Err(_) => false,
    }
}

/// The name of the program that a process runs, which may have been replaced since.
fn program_of(link: &str) -> Option<String> {
    let program = fs::read_link(link).ok()?;
    let name = program.file_name()?.to_string_lossy().into_owned();
    Some(name.trim_end_matches(" (deleted)").to_owned())
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
