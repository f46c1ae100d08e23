//! Programs of the DataStream API on a session cluster ([decision 25](https://github.com/flott/flott/blob/main/docs/decisions/0025-programs-in-a-session.md)).
//!
//! A program's code is in no plan, so whoever runs a part of its job is a process of its executable:
//!
//! ```text
//!   client ──ProgramRequest──> JobManager of the session ──starts──> program: JobManager of its job
//!                                 │        <── a pair of sockets ──>    ▲
//!                     WorkerOrder │                                     │ as in any cluster
//!                                 ▼                                     ▼
//!                             TaskManager ───────starts──────> program: worker, with the slots that it was given
//! ```
//!
//! - [`artifacts`](self) keep executables that clients have uploaded; a [`Program`] is one of them that runs.
//! - The session's JobManager gives the program slots, as to a job of its own, and has its TaskManagers start a worker in
//!   each place. Workers register with the program's JobManager; tasks, rows and checkpoints are their business alone.
//! - What clients ask of the job is passed on to the program's process, over the sockets by which it was started
//!   ([`link`]). When it has ended, the session answers from what it has left.
//! - Whoever is gone, the others notice: the sockets end with the process. So no worker outlives its TaskManager, no
//!   program its session, and slots are given back however a program ends.

mod artifacts;
mod attending;
mod executable;
mod hosted;
mod link;
mod messages;
mod run;
mod workers;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flott_checkpoint::JobStatus;
use flott_runtime::{Failure, Threads};
use flott_types::{Clock, Error, JobId, Result};
use parking_lot::Mutex;

pub use executable::identity;
pub use hosted::{Hosted, hosted};
pub use messages::{
    Artifact, Begin, Executable, Piece, ProgramAnswer, ProgramRequest, RunProgram, StartWorker, WorkerId,
    WorkerOrder, WorkerReport,
};
pub use workers::WorkerOptions;
pub(crate) use workers::Workers;

use self::artifacts::Artifacts;
use self::attending::Setup;
use self::run::Program;
use crate::client_messages::{ClientAnswer, ClientRequest};
use crate::inspection::log_beside;
use crate::messages::TaskManagerId;
use crate::resource_manager::ResourceManager;

/// How long a program may take until it has submitted its job.
const SUBMISSION: Duration = Duration::from_secs(240);
/// So many programs that have ended are remembered.
const REMEMBERED: usize = 100;
/// So many snapshots that clients have begun.
const TRIGGERS: usize = 1_000;
/// Their numbers are larger than those of the session's own jobs.
const FIRST_TRIGGER: u64 = 1 << 62;
/// The longest that a client waits for an answer, besides what it allows itself, which is no longer than an hour.
const PATIENCE: Duration = Duration::from_secs(60);
const LONGEST_WAIT: u64 = 3_600_000;
/// The same for whoever asks all programs.
const SOON: Duration = Duration::from_secs(2);
/// How long programs may take to leave when the session ends.
const LEAVE: Duration = Duration::from_secs(15);

/// Keys of the session that are no matter of its programs: its servers, its scheduler, its own listening.
const OF_SESSION: [&str; 13] = [
    "high-availability",
    "historyserver.",
    "jobmanager.adaptive-scheduler.",
    "jobmanager.rpc.port",
    "jobmanager.scheduler",
    "metrics.",
    "program.",
    "resourcemanager.",
    "rest.",
    "scheduler-mode",
    "security.ssl.rest.",
    "taskmanager.numberOfTaskSlots",
    "web.",
];

/// The programs of a session, in its JobManager.
pub struct Programs {
    artifacts: Artifacts,
    /// The configuration of the session.
    configuration: BTreeMap<String, String>,
    running: Mutex<VecDeque<Arc<Program>>>,
    triggers: Mutex<BTreeMap<u64, (Arc<Program>, u64)>>,
    count: AtomicU64,
    clock: Arc<dyn Clock>,
    threads: Threads,
}

impl std::fmt::Debug for Programs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Programs")
    }
}

impl Programs {
    /// None run yet. `None` if the configuration wants none (`web.submit.enable`).
    ///
    /// # Errors
    /// If the folder of artifacts (`web.upload.dir`) cannot be written.
    pub fn open(
        configuration: &BTreeMap<String, String>,
        clock: Arc<dyn Clock>,
        threads: Threads,
    ) -> Result<Option<Self>> {
        if !flott_runtime::options::Reader(configuration).flag("web.submit.enable", true)? {
            return Ok(None);
        }
        let folder =
            configuration.get("web.upload.dir").map(|path| path.trim()).filter(|path| !path.is_empty());
        Ok(Some(Programs {
            artifacts: Artifacts::open(folder)?,
            configuration: configuration.clone(),
            running: Mutex::default(),
            triggers: Mutex::default(),
            count: AtomicU64::new(FIRST_TRIGGER),
            clock,
            threads,
        }))
    }

    /// Does what a client asks.
    pub(crate) fn answer(
        &self,
        request: ProgramRequest,
        id: JobId,
        resources: &Arc<ResourceManager>,
    ) -> ProgramAnswer {
        let answered = match request {
            ProgramRequest::Upload { upload, name, at, piece, is_last } => {
                self.artifacts.receive((&upload, &name), at, &piece, is_last, &*self.clock)
            }
            ProgramRequest::List => self.artifacts.list().map(ProgramAnswer::Artifacts),
            ProgramRequest::Delete { id } => self.artifacts.delete(&id).map(|was_there| match was_there {
                true => ProgramAnswer::Deleted,
                false => ProgramAnswer::Unknown,
            }),
            ProgramRequest::Run(run) => self.run(run, id, resources),
        };
        answered.unwrap_or_else(|error| ProgramAnswer::Refused(Failure::new(&error, self.clock.now())))
    }

    fn run(&self, run: RunProgram, id: JobId, resources: &Arc<ResourceManager>) -> Result<ProgramAnswer> {
        let RunProgram { id: artifact, arguments, configuration: own } = run;
        let Some((artifact, path, mut file)) = self.artifacts.get(&artifact)? else {
            return Ok(ProgramAnswer::Unknown);
        };
        let of_session = |key: &str| OF_SESSION.iter().any(|prefix| key.starts_with(prefix));
        for (key, value) in &own {
            flott_types::config::check(key, value)?;
            if of_session(key) {
                return Err(Error::unsupported(format!("'{key}' for a program in a session cluster")));
            }
        }
        let mut configuration = self.configuration.clone();
        configuration.retain(|key, _| !of_session(key));
        configuration.extend(own);
        let identity = identity(&mut file)?;
        let forced = [("program.role", "jobmanager"), ("jobmanager.rpc.port", "0")];
        let forced = forced.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let begin = Begin { configuration: configuration.clone(), forced };
        let log = log_beside(&format!("program-{id}"));
        let log_from = std::fs::metadata(&log).map_or(0, |about| about.len());
        let process = executable::start(&path, &arguments, log, &begin)?;
        tracing::info!(program = %id, artifact = artifact.id, pid = process.child.id(), "a program is run");
        let setup = Setup {
            id,
            name: artifact.name,
            file,
            executable: Executable { identity, size: artifact.size },
            arguments,
            configuration,
            clock: self.clock.clone(),
            resources: resources.clone(),
            log_from,
        };
        let program = Program::attend(setup, process, &self.threads)?;
        self.remember(program.clone());
        match program.await_job(SUBMISSION) {
            Ok(job) => Ok(ProgramAnswer::Runs(job)),
            Err(error) => {
                program.end();
                Err(error)
            }
        }
    }

    /// Forgets the oldest of those that have ended when there are many.
    fn remember(&self, program: Arc<Program>) {
        let mut running = self.running.lock();
        running.push_back(program);
        while running.len() > REMEMBERED
            && let Some(oldest) = running.iter().position(|program| program.is_gone())
            && let Some(forgotten) = running.remove(oldest)
        {
            // Somebody may have moved it away.
            let _ = std::fs::remove_file(&forgotten.log);
        }
    }

    /// The jobs, with when they began.
    pub(crate) fn jobs(&self) -> Vec<(i64, (JobId, String, JobStatus))> {
        let programs: Vec<_> = self.running.lock().iter().cloned().collect();
        let job_of = |program: Arc<Program>| {
            let (job, is_final) = program.job()?;
            let of = &job.description;
            let info = ClientRequest::Info { job: of.job, seen: 0, timeout_millis: 0 };
            let status = match is_final {
                true => of.info.status,
                false => match program.ask(info, SOON) {
                    Ok(ClientAnswer::Info(_, info)) => info.status,
                    Ok(_) | Err(_) => {
                        program.job().map_or(of.info.status, |(job, _)| job.description.info.status)
                    }
                },
            };
            Some((job.span().0, (of.job, of.name.clone(), status)))
        };
        programs.into_iter().filter_map(job_of).collect()
    }

    /// Answers what is asked of the job of a program; gives back what is not.
    pub(crate) fn forward(&self, request: ClientRequest) -> Result<Result<ClientAnswer>, ClientRequest> {
        if let ClientRequest::Triggered { trigger, timeout_millis } = request {
            let known = self.triggers.lock().get(&trigger).cloned();
            let Some((program, trigger)) = known else { return Err(request) };
            return Ok(program.outcome(trigger, Duration::from_millis(timeout_millis.min(LONGEST_WAIT))));
        }
        let Some((job, patience)) = request.about() else { return Err(request) };
        let is_of = |program: &Arc<Program>| program.job().is_some_and(|(of, _)| of.description.job == job);
        let found = self.running.lock().iter().find(|program| is_of(program)).cloned();
        let Some(program) = found else { return Err(request) };
        let archived = |request: &ClientRequest| {
            let (job, is_final) = program.job()?;
            is_final.then(|| job.answer(request))
        };
        if let Some(answer) = archived(&request)
            // What it has collected is there as long as its process is.
            && (program.is_gone() || !request.is_of_rows())
        {
            return Ok(Ok(answer));
        }
        let answered = program.ask(request.clone(), PATIENCE.saturating_add(patience));
        Ok(match answered {
            Ok(ClientAnswer::Triggered(trigger)) => {
                Ok(ClientAnswer::Triggered(self.triggered(&program, trigger)))
            }
            // It may have ended meanwhile.
            Err(error) => archived(&request).ok_or(error),
            answered => answered,
        })
    }

    fn triggered(&self, program: &Arc<Program>, trigger: u64) -> u64 {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let mut triggers = self.triggers.lock();
        triggers.insert(number, (program.clone(), trigger));
        while triggers.len() > TRIGGERS {
            triggers.pop_first();
        }
        number
    }

    /// A TaskManager says something of a worker.
    pub(crate) fn worker(&self, from: TaskManagerId, report: WorkerReport) {
        let of = match &report {
            WorkerReport::Wants { program, .. } => *program,
            WorkerReport::Ended { worker, .. } => worker.program,
        };
        let program = self.running.lock().iter().find(|program| program.id == of).cloned();
        if let Some(program) = program {
            program.worker(from, report);
        }
    }

    /// Ends all of them, and waits for that.
    pub(crate) fn end(&self) {
        let programs: Vec<_> = self.running.lock().iter().cloned().collect();
        programs.iter().for_each(|program| program.end());
        programs.iter().for_each(|program| program.await_end(LEAVE));
    }
}
