//! The workers of programs on a TaskManager: processes that it starts, watches and ends.
//!
//! They have a thread, which fetches the executables piece by piece from the JobManager and keeps the last ones.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::Child;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use flott_runtime::Threads;
use flott_types::{Clock, Error, Result, SystemClock};
use parking_lot::Mutex;
use tempfile::TempDir;

use super::executable::{Process, ended, identity, kill, last_words, start};
use super::link::Link;
use super::messages::{Begin, Executable, Piece, StartWorker, WorkerId, WorkerOrder, WorkerReport};
use crate::inspection::log_beside;

/// How often processes are looked at.
const TICK: Duration = Duration::from_millis(100);
/// How long a worker may take to end that is told to.
const LEAVE: Duration = Duration::from_secs(5);
/// So many executables, and logs of workers that have ended, are kept.
const EXECUTABLES: usize = 4;
const LOGS: usize = 20;

/// Keys that are those of the TaskManager, and not of its programs.
const OF_TASK_MANAGER: [&str; 5] =
    ["fs.azure.", "io.tmp.dirs", "s3.", "security.ssl.internal.", "taskmanager."];
/// And those of the TaskManager alone.
const OF_ITSELF: [&str; 4] = [
    "taskmanager.data.",
    "taskmanager.numberOfTaskSlots",
    "taskmanager.resource-id",
    "taskmanager.registration.",
];

/// What workers of a TaskManager are started with.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// The configuration of the TaskManager.
    pub configuration: BTreeMap<String, String>,
}

/// The way to the thread. Dropping it ends all workers.
pub(crate) struct Workers(Mutex<Sender<Told>>);

enum Told {
    Order(WorkerOrder),
    StopAll,
}

impl Workers {
    /// What they have to say goes to `report`.
    pub fn start(
        options: WorkerOptions,
        report: Arc<dyn Fn(WorkerReport) + Send + Sync>,
        threads: &Threads,
    ) -> Result<Self> {
        let (tell, told) = channel();
        threads.spawn("workers", move || {
            let clock = SystemClock::new();
            let (executables, running, old_logs) = (None, BTreeMap::new(), Vec::new());
            Keeper {
                options,
                report,
                clock,
                executables,
                fetching: BTreeMap::new(),
                running,
                leaving: Vec::new(),
                old_logs,
            }
            .run(&told);
        })?;
        Ok(Workers(Mutex::new(tell)))
    }

    /// What the JobManager says.
    pub fn order(&self, order: WorkerOrder) {
        // The thread ends with this.
        let _ = self.0.lock().send(Told::Order(order));
    }

    /// The session is over.
    pub fn stop_all(&self) {
        // As above.
        let _ = self.0.lock().send(Told::StopAll);
    }
}

struct Keeper {
    options: WorkerOptions,
    report: Arc<dyn Fn(WorkerReport) + Send + Sync>,
    clock: SystemClock,
    /// Where executables are.
    executables: Option<Executables>,
    fetching: BTreeMap<Executable, Fetching>,
    running: BTreeMap<WorkerId, Running>,
    /// Told to end, and until when.
    leaving: Vec<(Running, u64)>,
    old_logs: Vec<PathBuf>,
}

struct Executables {
    folder: TempDir,
    /// The one that was used last is the last.
    known: Vec<Executable>,
}

struct Fetching {
    path: PathBuf,
    file: File,
    at: u64,
    waiting: Vec<StartWorker>,
}

struct Running {
    child: Child,
    link: Link,
    executable: Executable,
    log: PathBuf,
}

impl Keeper {
    fn run(mut self, told: &Receiver<Told>) {
        loop {
            let busy = !self.running.is_empty() || !self.leaving.is_empty();
            let next = match busy {
                true => told.recv_timeout(TICK),
                false => told.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                Ok(Told::Order(WorkerOrder::Start(start))) => self.start(*start),
                Ok(Told::Order(WorkerOrder::Stop(worker))) => self.stop(worker),
                Ok(Told::Order(WorkerOrder::Piece { executable, at, piece })) => {
                    self.received(&executable, at, &piece);
                }
                Ok(Told::StopAll) => self.stop_all(),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.look();
        }
        self.stop_all();
        while !self.leaving.is_empty() {
            std::thread::park_timeout(TICK);
            self.look();
        }
    }

    fn start(&mut self, order: StartWorker) {
        let (worker, executable) = (order.worker, order.executable.clone());
        let started = match self.path_of(&executable) {
            Ok(Some(path)) => self.start_from(&path, order),
            Ok(None) => self.fetch(order),
            Err(error) => Err(error),
        };
        if let Err(error) = started {
            self.has_ended(worker, format!("was not started: {error}"));
        }
    }

    fn start_from(&mut self, path: &std::path::Path, order: StartWorker) -> Result<()> {
        let StartWorker { worker, executable, arguments, mut configuration, job_manager, slots } = order;
        let is = |all: &[&str], key: &str| all.iter().any(|prefix| key.starts_with(prefix));
        configuration.retain(|key, _| !key.starts_with("taskmanager."));
        let own = self.options.configuration.iter();
        let own = own.filter(|(key, _)| is(&OF_TASK_MANAGER, key) && !is(&OF_ITSELF, key));
        configuration.extend(own.map(|(key, value)| (key.clone(), value.clone())));
        let forced = [
            ("program.role", "taskmanager".to_owned()),
            ("jobmanager.rpc.address", job_manager.0),
            ("jobmanager.rpc.port", job_manager.1.to_string()),
            ("taskmanager.numberOfTaskSlots", slots.to_string()),
        ];
        let forced = forced.map(|(key, value)| (key.to_owned(), value)).into();
        let log = log_beside(&format!("worker-{}-{}", worker.program, worker.number));
        let Process { child, link, reader: _, log } =
            start(path, &arguments, log, &Begin { configuration, forced })?;
        tracing::info!(program = %worker.program, worker = worker.number, pid = child.id(), slots, "a worker is started");
        self.running.insert(worker, Running { child, link, executable, log });
        Ok(())
    }

    /// Where an executable is, if it is here.
    fn path_of(&mut self, executable: &Executable) -> Result<Option<PathBuf>> {
        let executables = match &mut self.executables {
            Some(executables) => executables,
            none => {
                let made = tempfile::Builder::new().prefix("flott-executables-").tempdir();
                let folder = made.map_err(|error| {
                    Error::external("there is no folder for executables").with_source(error)
                })?;
                none.insert(Executables { folder, known: Vec::new() })
            }
        };
        let Some(at) = executables.known.iter().position(|known| known == executable) else {
            return Ok(None);
        };
        let last = executables.known.remove(at);
        executables.known.push(last);
        Ok(Some(executables.folder.path().join(&executable.identity)))
    }

    /// Asks for it. What waits for it already is not asked for again.
    fn fetch(&mut self, order: StartWorker) -> Result<()> {
        let Some(executables) = &self.executables else { return Ok(()) };
        let (program, executable) = (order.worker.program, order.executable.clone());
        let is_name = executable.identity.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        if !is_name {
            return Err(Error::external("the executable has a strange name"));
        }
        // Whoever was to send the pieces of an earlier program may be gone: it begins anew.
        let mut waiting = self.fetching.remove(&executable).map(|other| other.waiting).unwrap_or_default();
        waiting.push(order);
        let path = executables.folder.path().join(format!("{}.partial", executable.identity));
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o700).open(&path);
        let file =
            file.map_err(|error| Error::external("the executable cannot be written").with_source(error))?;
        self.fetching.insert(executable.clone(), Fetching { path, file, at: 0, waiting });
        (self.report)(WorkerReport::Wants { program, executable, at: 0 });
        Ok(())
    }

    fn received(&mut self, executable: &Executable, at: u64, Piece(piece): &Piece) {
        let Some(fetching) = self.fetching.get_mut(executable).filter(|fetching| fetching.at == at) else {
            return;
        };
        let written = match piece.is_empty() {
            true => Err(Error::external("the JobManager has it no more")),
            false => fetching
                .file
                .write_all(piece)
                .map_err(|error| Error::external("the executable cannot be written").with_source(error)),
        };
        fetching.at += piece.len() as u64;
        let is_whole = fetching.at >= executable.size;
        if written.is_ok()
            && !is_whole
            && let Some(first) = fetching.waiting.first()
        {
            let (program, at) = (first.worker.program, fetching.at);
            return (self.report)(WorkerReport::Wants { program, executable: executable.clone(), at });
        }
        let Some(Fetching { path, file, waiting, .. }) = self.fetching.remove(executable) else { return };
        drop(file);
        match written.and_then(|()| self.keep(executable, &path)) {
            Ok(()) => waiting.into_iter().for_each(|order| self.start(order)),
            Err(error) => {
                for order in waiting {
                    self.has_ended(order.worker, format!("was not started: {error}"));
                }
            }
        }
    }

    /// It is whole.
    fn keep(&mut self, executable: &Executable, path: &std::path::Path) -> Result<()> {
        let failed = |error| Error::external("the executable cannot be kept").with_source(error);
        let found = identity(&mut File::open(path).map_err(failed)?)?;
        if found != executable.identity {
            return Err(Error::external("the executable was damaged on its way"));
        }
        let Some(executables) = &mut self.executables else { return Ok(()) };
        fs::rename(path, executables.folder.path().join(&executable.identity)).map_err(failed)?;
        executables.known.push(executable.clone());
        while executables.known.len() > EXECUTABLES {
            let is_used =
                |known: &Executable| self.running.values().any(|worker| worker.executable == *known);
            let Some(at) = executables.known.iter().position(|known| known != executable && !is_used(known))
            else {
                break;
            };
            let left = executables.known.remove(at);
            // The folder goes with the process.
            let _ = fs::remove_file(executables.folder.path().join(left.identity));
        }
        Ok(())
    }

    fn stop(&mut self, worker: WorkerId) {
        let mut asked_anew = Vec::new();
        for (executable, fetching) in &mut self.fetching {
            let first = fetching.waiting.first().map(|order| order.worker);
            fetching.waiting.retain(|order| order.worker != worker);
            // The program that was asked for the next piece may be gone. A piece that comes twice counts once.
            if let Some(next) = fetching.waiting.first().filter(|_| first == Some(worker)) {
                let (program, executable) = (next.worker.program, executable.clone());
                asked_anew.push(WorkerReport::Wants { program, executable, at: fetching.at });
            }
        }
        asked_anew.into_iter().for_each(|wants| (self.report)(wants));
        self.fetching.retain(|_, fetching| !fetching.waiting.is_empty());
        if let Some(running) = self.running.remove(&worker) {
            self.let_go(running);
        }
    }

    fn stop_all(&mut self) {
        self.fetching.clear();
        for (_, running) in std::mem::take(&mut self.running) {
            self.let_go(running);
        }
    }

    /// It ends when it learns that nobody speaks to it any more.
    fn let_go(&mut self, running: Running) {
        running.link.close();
        self.leaving.push((running, self.clock.nanos() + LEAVE.as_nanos() as u64));
    }

    /// Looks at the processes.
    fn look(&mut self) {
        let (now, mut logs) = (self.clock.nanos(), Vec::new());
        self.leaving.retain_mut(|(running, until)| {
            if !matches!(running.child.try_wait(), Ok(None)) {
                logs.push(running.log.clone());
                return false;
            }
            if *until <= now {
                // It is waited for as before.
                kill(&running.child);
            }
            true
        });
        let mut ends = Vec::new();
        for (worker, running) in &mut self.running {
            match running.child.try_wait() {
                Ok(None) => {}
                Ok(Some(status)) => ends.push((*worker, ended(status))),
                Err(error) => ends.push((*worker, format!("is lost: {error}"))),
            }
        }
        for (worker, how) in ends {
            let Some(running) = self.running.remove(&worker) else { continue };
            let last = last_words(&running.log, 0);
            tracing::warn!(program = %worker.program, worker = worker.number, how, last, "a worker has ended");
            logs.push(running.log);
            self.has_ended(worker, how);
        }
        self.old_logs.extend(logs);
        while self.old_logs.len() > LOGS {
            // Somebody may have moved it away.
            let _ = fs::remove_file(self.old_logs.remove(0));
        }
    }

    fn has_ended(&self, worker: WorkerId, reason: String) {
        (self.report)(WorkerReport::Ended { worker, reason });
    }
}
