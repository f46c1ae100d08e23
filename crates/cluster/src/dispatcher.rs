//! The JobManager as clients see it: it answers their messages.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::task::{Wake, Waker};
use std::time::Duration;

use flott_runtime::Failure;
use flott_types::{Error, JobId, Result, Timestamp};
use parking_lot::Mutex;

use crate::client_messages::{ClientAnswer, ClientRequest, ClientTrigger, DispatcherGateway};
use crate::job_manager::JobManager;
use crate::job_master::JobMessage;
use crate::programs::{ProgramAnswer, ProgramRequest};
use crate::scaling::Requirements;

/// The maximum number of finished snapshots that are kept until a client asks.
const REMEMBERED: usize = 1_000;

/// Snapshots that clients have begun.
#[derive(Default)]
pub(crate) struct Triggers {
    count: AtomicU64,
    pending: Mutex<BTreeMap<u64, Answered>>,
}

/// Where the answer to one comes.
type Answered = Arc<Mutex<Receiver<Result<String>>>>;

impl Triggers {
    fn add(&self, answered: Receiver<Result<String>>) -> u64 {
        let trigger = self.count.fetch_add(1, Ordering::Relaxed);
        let mut pending = self.pending.lock();
        pending.insert(trigger, Arc::new(Mutex::new(answered)));
        while pending.len() > REMEMBERED {
            pending.pop_first();
        }
        trigger
    }

    fn wait(&self, trigger: u64, timeout: Duration, now: Timestamp) -> ClientAnswer {
        let Some(answered) = self.pending.lock().get(&trigger).cloned() else {
            return ClientAnswer::Unknown;
        };
        let answer = answered.lock().recv_timeout(timeout);
        let answer = match answer {
            Err(RecvTimeoutError::Timeout) => return ClientAnswer::NotYet,
            Err(RecvTimeoutError::Disconnected) => Err(Error::invalid("the job has ended")),
            Ok(answer) => answer,
        };
        self.pending.lock().remove(&trigger);
        ClientAnswer::Snapshot(answer.map_err(|error| Failure::new(&error, now)))
    }
}

/// Wakes a thread that waits at the other end.
struct Wakes(SyncSender<()>);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        // It is awake already, or has gone.
        let _ = self.0.try_send(());
    }
}

/// The way to a JobManager of this process.
pub(crate) struct Dispatcher(pub(crate) Arc<JobManager>);

impl DispatcherGateway for Dispatcher {
    fn call(&self, request: ClientRequest) -> Result<ClientAnswer> {
        let manager = &self.0;
        let request = match &manager.services.programs {
            None => request,
            Some(programs) => match programs.forward(request) {
                Ok(answered) => return answered,
                Err(own) => own,
            },
        };
        Ok(match request {
            ClientRequest::Program(request) => ClientAnswer::Program(manager.program(request)),
            ClientRequest::Submit { graph } => match manager.submit(&graph) {
                Ok(job) => ClientAnswer::Job(Box::new(job)),
                Err(error) => ClientAnswer::Refused(Failure::new(&error, manager.now())),
            },
            ClientRequest::Job { job } => match manager.describe(job) {
                Some(job) => ClientAnswer::Job(Box::new(job)),
                None => ClientAnswer::Unknown,
            },
            ClientRequest::Jobs => ClientAnswer::Jobs(manager.jobs()),
            ClientRequest::TaskManagers => ClientAnswer::TaskManagers(manager.task_managers()),
            ClientRequest::Plan { job } => match manager.graph(job) {
                Some(graph) => ClientAnswer::Plan(Box::new(graph.as_ref().clone())),
                None => ClientAnswer::Unknown,
            },
            ClientRequest::Info { job, seen, timeout_millis } => match manager.shared(job) {
                Some(shared) => {
                    let (version, info) = shared.newer(seen, Duration::from_millis(timeout_millis));
                    ClientAnswer::Info(version, Box::new(info))
                }
                None => ClientAnswer::Unknown,
            },
            ClientRequest::Metrics { job } => ClientAnswer::Metrics(manager.metrics(manager.run_of(job))),
            ClientRequest::Inspect { of, question } => ClientAnswer::Inspected(manager.inspect(of, question)),
            ClientRequest::Require { job, requirements } => manager.require(job, requirements),
            ClientRequest::Cancel { job } => match manager.tell_public(job, JobMessage::Cancel) {
                true => ClientAnswer::Done,
                false => ClientAnswer::Unknown,
            },
            ClientRequest::Fetch { job, from, timeout_millis } => {
                manager.fetch(job, from, Duration::from_millis(timeout_millis))
            }
            ClientRequest::AwaitRows { job, timeout_millis } => {
                manager.await_rows(job, Duration::from_millis(timeout_millis))
            }
            ClientRequest::Abandon { job } => {
                manager.credit(manager.results.abandon(job));
                ClientAnswer::Done
            }
            ClientRequest::Trigger { job, what } => manager.trigger(job, what),
            ClientRequest::DisposeSavepoint { path } => match manager.services.storage.dispose(&path) {
                Ok(()) => ClientAnswer::Done,
                Err(error) => ClientAnswer::Refused(Failure::new(&error, manager.now())),
            },
            ClientRequest::Triggered { trigger, timeout_millis } => {
                manager.triggers().wait(trigger, Duration::from_millis(timeout_millis), manager.now())
            }
        })
    }

    /// The rows that a program collects, it reads itself.
    fn wake_when_collected(&self, job: JobId, reader: Waker) {
        self.0.results.wake_when_readable(job, reader);
    }
}

impl JobManager {
    fn fetch(&self, job: JobId, from: u64, timeout: Duration) -> ClientAnswer {
        let Some(store) = self.results.get(job) else { return ClientAnswer::Unknown };
        let (fetched, credits) = store.fetch(from, timeout);
        self.credit(credits);
        ClientAnswer::Fetched(fetched)
    }

    fn await_rows(&self, job: JobId, timeout: Duration) -> ClientAnswer {
        let (wake, woken) = sync_channel(1);
        let reader = Arc::new(Wakes(wake));
        self.results.wake_when_readable(job, reader.into());
        match woken.recv_timeout(timeout) {
            Ok(()) => ClientAnswer::Done,
            Err(_) => ClientAnswer::NotYet,
        }
    }

    fn program(&self, request: ProgramRequest) -> ProgramAnswer {
        match &self.services.programs {
            Some(programs) => programs.answer(request, self.new_job_id(), &self.resources),
            None => {
                let error = Error::unsupported(
                    "programs on this cluster: it is in one process, or has standby JobManagers, or 'web.submit.enable' is false",
                );
                ProgramAnswer::Refused(Failure::new(&error, self.now()))
            }
        }
    }

    fn require(&self, job: JobId, requirements: Requirements) -> ClientAnswer {
        let (answer, answered) = sync_channel(1);
        if !self.tell_public(job, JobMessage::Require(requirements, answer)) {
            return ClientAnswer::Unknown;
        }
        match answered.recv() {
            Ok(Ok(())) => ClientAnswer::Done,
            Ok(Err(error)) => ClientAnswer::Refused(Failure::new(&error, self.now())),
            Err(_) => ClientAnswer::Unknown,
        }
    }

    fn trigger(&self, job: JobId, what: ClientTrigger) -> ClientAnswer {
        let (answer, answered) = sync_channel(1);
        let answer = Box::new(move |result| {
            // Nobody waits for it any more: so be it.
            let _ = answer.send(result);
        });
        match self.tell_public(job, JobMessage::Request(what.into(), answer)) {
            true => ClientAnswer::Triggered(self.triggers().add(answered)),
            false => ClientAnswer::Unknown,
        }
    }
}
