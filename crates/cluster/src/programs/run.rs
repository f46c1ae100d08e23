//! One program that runs in a session, as clients see it: what its process says of its job, and what they ask it.
//!
//! A thread reads what the process says and passes answers on to the clients that wait; another one looks after the
//! process and its workers ([`super::attending`]).

use std::collections::BTreeMap;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

use flott_checkpoint::JobStatus;
use flott_runtime::{Failure, Threads};
use flott_types::{Clock, Error, JobId, Result};
use parking_lot::{Condvar, Mutex};

use super::TRIGGERS;
use super::attending::{Attending, Setup};
use super::executable::Process;
use super::link::{Link, receive};
use super::messages::{FromProgram, ToProgram, WorkerReport};
use crate::archive::ArchivedJob;
use crate::client_messages::{ClientAnswer, ClientRequest};
use crate::job_master::JobMessage;
use crate::messages::TaskManagerId;

fn gone() -> Error {
    Error::external("the program has ended")
}

/// A program that runs, or has run.
pub(super) struct Program {
    pub id: JobId,
    pub log: PathBuf,
    pub link: Link,
    asks: Mutex<Asks>,
    state: Mutex<State>,
    changed: Condvar,
    tell: Mutex<Sender<Told>>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Asks {
    /// Nobody answers any more.
    closed: bool,
    waiting: BTreeMap<u64, SyncSender<Result<ClientAnswer>>>,
}

#[derive(Default)]
struct State {
    job: Option<Arc<ArchivedJob>>,
    /// The job has ended, and is as it will be.
    is_final: bool,
    /// The process is gone, and why.
    gone: Option<String>,
    /// What came of snapshots that clients have begun.
    outcomes: BTreeMap<u64, ClientAnswer>,
}

/// What its thread is told.
pub(super) enum Told {
    Slots(JobMessage),
    Said(FromProgram),
    Silent,
    Worker(TaskManagerId, WorkerReport),
    Cancelled,
    End,
}

impl Program {
    /// Looks after a process that was started.
    pub fn attend(setup: Setup, process: Process, threads: &Threads) -> Result<Arc<Self>> {
        let Process { mut child, link, reader, log } = process;
        let (tell, told) = channel();
        let program = Arc::new(Program {
            id: setup.id,
            log,
            link,
            asks: Mutex::default(),
            state: Mutex::default(),
            changed: Condvar::new(),
            tell: Mutex::new(tell.clone()),
            clock: setup.clock.clone(),
        });
        let slots = tell.clone();
        setup.resources.add_job(
            setup.id,
            Arc::new(move |message| {
                // It is released when its thread has ended.
                let _ = slots.send(Told::Slots(message));
            }),
        );
        let own = program.clone();
        let reads = threads.spawn("program messages", move || own.read(reader, &tell));
        let kept = program.clone();
        let (id, resources) = (setup.id, setup.resources.clone());
        let attended = reads.and_then(|_| {
            let mut attending = Attending::new(kept, setup);
            threads.spawn("program", move || attending.run(&mut child, &told))
        });
        if let Err(error) = attended {
            // Its other end learns of it.
            program.link.close();
            resources.remove_job(id);
            return Err(error);
        }
        Ok(program)
    }

    /// Waits until it has submitted a job.
    ///
    /// # Errors
    /// If it ends before, or takes too long.
    pub fn await_job(&self, timeout: Duration) -> Result<JobId> {
        let mut state = self.state.lock();
        let waits = |state: &mut State| state.job.is_none() && state.gone.is_none();
        self.changed.wait_while_for(&mut state, waits, timeout);
        match (&state.job, &state.gone) {
            (Some(job), _) => Ok(job.description.job),
            (None, Some(why)) => Err(Error::invalid(why.clone())),
            (None, None) => Err(Error::external(format!(
                "the program has not submitted a job within {} s",
                timeout.as_secs()
            ))),
        }
    }

    /// Its job, and whether that has ended.
    pub fn job(&self) -> Option<(Arc<ArchivedJob>, bool)> {
        let state = self.state.lock();
        state.job.clone().map(|job| (job, state.is_final))
    }

    pub fn is_gone(&self) -> bool {
        self.state.lock().gone.is_some()
    }

    /// Waits until its process is gone.
    pub fn await_end(&self, timeout: Duration) {
        let mut state = self.state.lock();
        self.changed.wait_while_for(&mut state, |state| state.gone.is_none(), timeout);
    }

    /// Passes a client's request on, and waits for the answer.
    pub fn ask(&self, request: ClientRequest, patience: Duration) -> Result<ClientAnswer> {
        static ASKED: AtomicU64 = AtomicU64::new(0);
        let number = ASKED.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = sync_channel(1);
        {
            let mut asks = self.asks.lock();
            if asks.closed {
                return Err(gone());
            }
            asks.waiting.insert(number, answer);
        }
        if matches!(request, ClientRequest::Cancel { .. }) {
            self.tell(Told::Cancelled);
        }
        let sent = self.link.send(&ToProgram::Ask(number, Box::new(request)));
        let answered = match sent {
            true => answered.recv_timeout(patience),
            false => Err(RecvTimeoutError::Disconnected),
        };
        self.asks.lock().waiting.remove(&number);
        match answered {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Disconnected) => Err(gone()),
            Err(RecvTimeoutError::Timeout) => Err(Error::external("the program does not answer")),
        }
    }

    /// What came of a snapshot, if that is known in time.
    pub fn outcome(&self, trigger: u64, timeout: Duration) -> Result<ClientAnswer> {
        let mut state = self.state.lock();
        let waits = |state: &mut State| !state.outcomes.contains_key(&trigger) && state.gone.is_none();
        self.changed.wait_while_for(&mut state, waits, timeout);
        match (state.outcomes.get(&trigger), &state.gone) {
            (Some(outcome), _) => Ok(outcome.clone()),
            (None, None) => Ok(ClientAnswer::NotYet),
            (None, Some(_)) => Err(gone()),
        }
    }

    /// A TaskManager says something of it.
    pub fn worker(&self, task_manager: TaskManagerId, report: WorkerReport) {
        self.tell(Told::Worker(task_manager, report));
    }

    /// It is to end.
    pub fn end(&self) {
        self.tell(Told::End);
    }

    fn tell(&self, told: Told) {
        // It has ended.
        let _ = self.tell.lock().send(told);
    }

    /// Reads what the process says, until it says nothing any more.
    fn read(&self, mut reader: UnixStream, tell: &Sender<Told>) {
        loop {
            match receive(&mut reader) {
                Ok(Some(FromProgram::Answer(number, answer))) => {
                    let waits = self.asks.lock().waiting.remove(&number);
                    let answer = answer.map(|answer| *answer).map_err(|failure| failure.to_error());
                    // Whoever asked waits no longer.
                    if let Some(waits) = waits {
                        let _ = waits.send(answer);
                    }
                }
                Ok(Some(said)) => {
                    // What clients see of it, they see before they hear that it is gone.
                    self.note(&said);
                    _ = tell.send(Told::Said(said));
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(program = %self.id, %error, "a program is not understood");
                    break;
                }
            }
        }
        let mut asks = self.asks.lock();
        (asks.closed, asks.waiting) = (true, BTreeMap::new());
        drop(asks);
        _ = tell.send(Told::Silent);
    }

    fn note(&self, said: &FromProgram) {
        let mut state = self.state.lock();
        match said {
            FromProgram::Submitted(job) if state.job.is_none() => {
                state.job = Some(Arc::new(job.as_ref().clone()));
            }
            FromProgram::Ended(job) => {
                state.job = Some(Arc::new(job.as_ref().clone()));
                state.is_final = true;
            }
            FromProgram::Outcome(trigger, outcome) => {
                state.outcomes.insert(*trigger, outcome.as_ref().clone());
                while state.outcomes.len() > TRIGGERS {
                    state.outcomes.pop_first();
                }
            }
            FromProgram::Submitted(_)
            | FromProgram::Listens(_)
            | FromProgram::Answer(..)
            | FromProgram::Wants(_) => {}
        }
        self.changed.notify_all();
    }

    /// The process is gone: a job that has not ended has, with this status.
    pub fn gone(&self, why: String, status: JobStatus) {
        let now = self.clock.now();
        let mut state = self.state.lock();
        if let Some(job) = state.job.as_mut().map(Arc::make_mut)
            && !job.description.info.status.is_terminal()
        {
            let info = &mut job.description.info;
            (info.status, info.waits_for) = (status, None);
            info.timestamps.push((status, now));
            if status == JobStatus::Failed {
                let failure = Failure::new(&Error::external(why.clone()), now);
                info.failed(failure.clone(), None);
                info.failure = Some(failure);
            }
        }
        (state.is_final, state.gone) = (true, Some(why));
        self.changed.notify_all();
    }
}
