//! The process of a program's JobManager, and its workers, as the session looks after them.
//!
//! One thread holds the slots of the program, has workers started in them and started again when they end, and notices
//! when the process has ended. However it ends, its workers are stopped and its slots are free.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::Child;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use flott_checkpoint::JobStatus;
use flott_checkpoint::resources::Event;
use flott_runtime::options::Reader;
use flott_types::{Clock, JobId};

use super::executable::{ended, kill, last_words};
use super::messages::{
    Executable, FromProgram, Piece, StartWorker, ToProgram, WorkerId, WorkerOrder, WorkerReport,
};
use super::run::{Program, Told};
use crate::job_master::JobMessage;
use crate::messages::{TaskManagerId, ToTaskManager, Work};
use crate::resource_manager::{GrantedSlot, ResourceManager};

/// How often the process is looked at.
const TICK: Duration = Duration::from_millis(250);
/// How long a process may go on that says nothing any more, or that is told to end.
const LEAVE: Duration = Duration::from_secs(12);
/// How soon a worker that has ended is started again, at first and at most.
const AGAIN: Duration = Duration::from_millis(250);
const LATEST_AGAIN: Duration = Duration::from_secs(30);
/// One that ran for so long has not ended at once.
const RAN: Duration = Duration::from_secs(60);
/// `task.cancellation.timeout`, and how much longer a cancelled program may take.
const CANCELLATION: i64 = 180_000;
const GRACE: i64 = 30_000;
/// How much of an executable is sent at once.
const PIECE: u64 = 1 << 20;

/// What a program is run with.
pub(super) struct Setup {
    pub id: JobId,
    pub name: String,
    /// Its file, which may be deleted meanwhile.
    pub file: File,
    pub executable: Executable,
    pub arguments: Vec<String>,
    pub configuration: BTreeMap<String, String>,
    pub clock: Arc<dyn Clock>,
    pub resources: Arc<ResourceManager>,
    /// Where its log ended before.
    pub log_from: u64,
}

/// Its thread.
pub(super) struct Attending {
    program: Arc<Program>,
    setup: Setup,
    job_manager: Option<(String, u16)>,
    wanted: u32,
    slots: Vec<Option<GrantedSlot>>,
    workers: BTreeMap<TaskManagerId, Running>,
    started: u64,
    /// It is ended when the clock says so.
    kill_at: Option<(u64, &'static str)>,
    was_cancelled: bool,
    is_silent: bool,
}

struct Running {
    number: u64,
    slots: u32,
    way: GrantedSlot,
    since: u64,
    /// It has ended, and is started again then.
    again_at: Option<u64>,
    pause: Duration,
}

impl Attending {
    pub fn new(program: Arc<Program>, setup: Setup) -> Self {
        Attending {
            program,
            setup,
            job_manager: None,
            wanted: 0,
            slots: Vec::new(),
            workers: BTreeMap::new(),
            started: 0,
            kill_at: None,
            was_cancelled: false,
            is_silent: false,
        }
    }

    /// Until it has ended.
    pub fn run(&mut self, child: &mut Child, told: &Receiver<Told>) {
        let status = loop {
            match told.recv_timeout(TICK) {
                Ok(told) => self.told(told),
                Err(RecvTimeoutError::Timeout) => {}
                // The program itself has a way to it.
                Err(RecvTimeoutError::Disconnected) => break child.wait(),
            }
            self.start_again();
            match child.try_wait() {
                Ok(None) => {}
                Ok(Some(status)) => break Ok(status),
                Err(error) => break Err(error),
            }
            if let Some((at, why)) = self.kill_at
                && self.setup.clock.nanos() >= at
            {
                tracing::warn!(program = self.setup.name, why, "the process of a program is killed");
                self.kill_at = None;
                kill(child);
            }
        };
        // What it has said last comes before.
        let clock = &self.setup.clock;
        let until = clock.nanos() + LEAVE.as_nanos() as u64;
        while !self.is_silent && clock.nanos() < until {
            if let Ok(Told::Silent) = told.recv_timeout(TICK) {
                self.is_silent = true;
            }
        }
        self.program.link.close();
        self.wants(0);
        self.setup.resources.remove_job(self.setup.id);
        let how = status.map_or_else(|error| format!("is lost: {error}"), ended);
        tracing::info!(program = self.setup.name, how, "a program's process has ended");
        let mut why = format!("the program {how}");
        if self.program.job().is_none() {
            why =
                format!("{why} before it ran a job: {}", last_words(&self.program.log, self.setup.log_from));
        }
        let status = if self.was_cancelled { JobStatus::Canceled } else { JobStatus::Failed };
        self.program.gone(why, status);
    }

    fn told(&mut self, told: Told) {
        match told {
            Told::Slots(message) => self.slots(message),
            Told::Said(FromProgram::Listens(address)) => {
                self.job_manager = address
                    .rsplit_once(':')
                    .and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
            }
            Told::Said(FromProgram::Wants(slots)) => self.wants(slots),
            Told::Said(FromProgram::Ended(_)) if self.was_cancelled => {
                self.kill_in(GRACE, "it does not end after its job was cancelled");
            }
            Told::Said(
                FromProgram::Submitted(_)
                | FromProgram::Ended(_)
                | FromProgram::Answer(..)
                | FromProgram::Outcome(..),
            ) => {}
            Told::Silent => {
                self.is_silent = true;
                self.kill_in(LEAVE.as_millis() as i64, "it does not speak any more");
            }
            Told::Worker(from, WorkerReport::Wants { executable, at, .. }) => {
                self.send_piece(from, executable, at)
            }
            Told::Worker(from, WorkerReport::Ended { worker, reason }) => {
                self.worker_ended(from, worker, &reason)
            }
            Told::Cancelled => {
                self.was_cancelled = true;
                let job = self.program.job();
                let configuration = job.as_ref().map(|(job, _)| &job.graph.configuration);
                let read = configuration.map(|all| Reader(all).duration("task.cancellation.timeout"));
                let timeout = read.and_then(|read| read.ok().flatten()).unwrap_or(CANCELLATION);
                if timeout > 0 && self.kill_at.is_none() {
                    self.kill_in(timeout.saturating_add(GRACE), "its job is not cancelled in time");
                }
            }
            Told::End => {
                self.program.link.close();
                self.kill_in(LEAVE.as_millis() as i64, "the cluster ends");
            }
        }
    }

    fn kill_in(&mut self, millis: i64, why: &'static str) {
        let at = self.setup.clock.nanos() + Duration::from_millis(millis.unsigned_abs()).as_nanos() as u64;
        self.kill_at = Some((at, why));
    }

    /// The job makes use of so many slots.
    fn wants(&mut self, slots: u32) {
        self.wanted = slots;
        if slots == 0 {
            self.slots.clear();
            self.place();
            self.setup.resources.tell(Event::Release { job: self.setup.id });
        } else {
            self.request();
        }
    }

    fn request(&self) {
        let (job, name) = (self.setup.id, self.setup.name.clone());
        self.setup.resources.tell(Event::Request { job, name, needed: self.wanted });
    }

    fn slots(&mut self, message: JobMessage) {
        match message {
            // One that was under way when they were released.
            JobMessage::Granted(_) if self.wanted == 0 => {}
            JobMessage::Granted(slots) => {
                self.slots = slots.into_iter().map(Some).collect();
                self.place();
            }
            JobMessage::Short { reason, hopeless, reach } => {
                self.program.link.send(&ToProgram::Short { reason, hopeless, reach });
            }
            JobMessage::Lost { slots, reason } => {
                tracing::warn!(program = self.setup.name, reason, "slots of a program are lost");
                for slot in slots {
                    let lost = self.slots.get_mut(slot as usize).and_then(Option::take);
                    // It stops its workers by itself.
                    lost.map(|lost| self.workers.remove(&lost.slot.task_manager));
                }
                if self.wanted > 0 {
                    self.request();
                }
            }
            // Of job masters alone.
            JobMessage::Report(..)
            | JobMessage::Abandoned(..)
            | JobMessage::Offered(_)
            | JobMessage::Require(..)
            | JobMessage::Cancel
            | JobMessage::Request(..)
            | JobMessage::NoSavepointAtEnd(..)
            | JobMessage::Stored(..)
            | JobMessage::Deposed(_)
            | JobMessage::Placed(..)
            | JobMessage::Prepared(..)
            | JobMessage::Sources(..)
            | JobMessage::SourcesWoken
            | JobMessage::Enumerated(..)
            | JobMessage::Committed(..)
            | JobMessage::Uncollected(_)
            | JobMessage::Suspend
            | JobMessage::Look(_) => {}
        }
    }

    /// Has workers in the slots, and none elsewhere.
    fn place(&mut self) {
        let mut places: BTreeMap<TaskManagerId, (u32, GrantedSlot)> = BTreeMap::new();
        for slot in self.slots.iter().flatten() {
            places.entry(slot.slot.task_manager).or_insert_with(|| (0, slot.clone())).0 += 1;
        }
        let stays = |id: &TaskManagerId, worker: &Running| {
            places.get(id).is_some_and(|(slots, way)| {
                (*slots, way.slot.session) == (worker.slots, worker.way.slot.session)
            })
        };
        let left: Vec<_> = self.workers.extract_if(.., |id, worker| !stays(id, worker)).collect();
        for (_, Running { number, way, .. }) in left {
            let worker = WorkerId { program: self.setup.id, number };
            self.order(&way, WorkerOrder::Stop(worker));
        }
        for (id, (slots, way)) in places {
            if !self.workers.contains_key(&id) {
                self.start_worker(id, slots, way, AGAIN);
            }
        }
    }

    fn start_worker(&mut self, id: TaskManagerId, slots: u32, way: GrantedSlot, pause: Duration) {
        let Some(job_manager) = self.job_manager.clone() else {
            tracing::error!(program = self.setup.name, "a program wants slots before it listens");
            return;
        };
        self.started += 1;
        let number = self.started;
        let order = WorkerOrder::Start(Box::new(StartWorker {
            worker: WorkerId { program: self.setup.id, number },
            executable: self.setup.executable.clone(),
            arguments: self.setup.arguments.clone(),
            configuration: self.setup.configuration.clone(),
            job_manager,
            slots,
        }));
        self.order(&way, order);
        let since = self.setup.clock.nanos();
        self.workers.insert(id, Running { number, slots, way, since, again_at: None, pause });
    }

    fn order(&self, to: &GrantedSlot, order: WorkerOrder) {
        if !to.gateway.send(ToTaskManager::Work(to.slot.session, Work::Worker(order))) {
            self.setup.resources.unreachable(to.slot);
        }
    }

    fn worker_ended(&mut self, from: TaskManagerId, ended: WorkerId, reason: &str) {
        let now = self.setup.clock.nanos();
        let Some(worker) = self.workers.get_mut(&from).filter(|worker| worker.number == ended.number) else {
            return;
        };
        tracing::warn!(program = self.setup.name, task_manager = from.0, reason, "a worker has ended");
        if Duration::from_nanos(now.saturating_sub(worker.since)) > RAN {
            worker.pause = AGAIN;
        }
        worker.again_at = Some(now + worker.pause.as_nanos() as u64);
        let reason = format!("the worker on TaskManager {} {reason}; it is started again", from.0);
        self.program.link.send(&ToProgram::Short { reason, hopeless: false, reach: 0 });
    }

    fn start_again(&mut self) {
        let now = self.setup.clock.nanos();
        let is_due = |worker: &Running| worker.again_at.is_some_and(|at| at <= now);
        let due: Vec<_> = self.workers.extract_if(.., |_, worker| is_due(worker)).collect();
        for (id, Running { slots, way, pause, .. }) in due {
            self.start_worker(id, slots, way, (pause * 2).min(LATEST_AGAIN));
        }
    }

    /// A TaskManager has not got all of the executable.
    fn send_piece(&self, to: TaskManagerId, executable: Executable, at: u64) {
        let Some(worker) = self.workers.get(&to) else { return };
        let left = self.setup.executable.size.saturating_sub(at).min(PIECE);
        let mut piece = vec![0; usize::try_from(left).unwrap_or_default()];
        if let Err(error) = self.setup.file.read_exact_at(&mut piece, at) {
            tracing::warn!(program = self.setup.name, %error, "the executable cannot be read");
            piece.clear();
        }
        self.order(&worker.way, WorkerOrder::Piece { executable, at, piece: Piece(piece) });
    }
}
