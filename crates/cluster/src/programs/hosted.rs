//! The side of the program: a process that a session cluster has started for it.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use flott_runtime::{Failure, Threads};
use flott_types::{Clock, Error, Result, SystemClock};
use parking_lot::Mutex;
use rustix::process::{getpgrp, getpid};
use rustix::stdio::dup2_stdin;

use super::link::{Link, receive};
use super::messages::{Begin, FromProgram, ToProgram};
use crate::archive::ArchivedJob;
use crate::client_messages::{ClientAnswer, ClientRequest, DispatcherGateway};
use crate::job_manager::JobManager;

/// In the environment of such a process: the number of the process that has started it. A process that the program
/// starts itself has another parent.
pub(super) const SESSION: &str = "FLOTT_SESSION";

/// How long it may take to be told what to do.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long whoever waits for a snapshot waits at a time, in milliseconds.
const WAIT: u64 = 60_000;
/// How long jobs may take to be suspended.
const SHUTDOWN: Duration = Duration::from_secs(8);

/// What a process of a program belongs to that was started by a session cluster.
pub struct Hosted {
    begin: Begin,
    link: Link,
    reader: Mutex<Option<UnixStream>>,
    /// They wait for what comes of snapshots, which the session is told before the process ends.
    outcomes: Threads,
}

impl std::fmt::Debug for Hosted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hosted")
    }
}

/// What this process belongs to, if a session cluster has started it.
///
/// # Errors
/// If it does not say what to do.
pub fn hosted() -> Result<Option<&'static Arc<Hosted>>> {
    static HOSTED: OnceLock<Result<Option<Arc<Hosted>>, String>> = OnceLock::new();
    let hosted = HOSTED.get_or_init(|| begin().map_err(|error| error.to_string()));
    hosted.as_ref().map(Option::as_ref).map_err(|error| Error::external(error.clone()))
}

fn begin() -> Result<Option<Arc<Hosted>>> {
    let named = std::env::var(SESSION).ok().and_then(|parent| parent.parse().ok());
    let Some(parent): Option<u32> = named else { return Ok(None) };
    if parent != std::os::unix::process::parent_id() {
        // A session starts each process as the leader of a group. Alone, it must not run the job once more.
        return match getpgrp() == getpid() {
            true => Err(Error::external("the cluster that has started this program is gone")),
            false => Ok(None),
        };
    }
    let failed = |error| Error::external("the cluster cannot be spoken to").with_source(error);
    let stream = std::io::stdin().as_fd().try_clone_to_owned().map_err(failed)?;
    // What the program starts must not read what the cluster says.
    let nothing = std::fs::File::open("/dev/null").map_err(failed)?;
    dup2_stdin(&nothing).map_err(|error| failed(error.into()))?;
    let (link, mut reader) = Link::new(UnixStream::from(stream))?;
    reader.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    let begin = receive(&mut reader)?;
    let begin = begin.ok_or_else(|| Error::external("the cluster has ended before the program has begun"))?;
    reader.set_read_timeout(None).map_err(failed)?;
    Ok(Some(Arc::new(Hosted { begin, link, reader: Mutex::new(Some(reader)), outcomes: Threads::default() })))
}

impl Hosted {
    /// Keys that the program may override.
    pub fn configuration(&self) -> &BTreeMap<String, String> {
        &self.begin.configuration
    }

    /// Keys that it may not.
    pub fn forced(&self) -> &BTreeMap<String, String> {
        &self.begin.forced
    }

    /// Ends this process when the one is gone that has started it.
    ///
    /// # Errors
    /// If there is no thread for it.
    pub fn ends_with_parent(&self) -> Result<()> {
        let Some(mut reader) = self.reader.lock().take() else { return Ok(()) };
        aside(move || {
            // Nothing is said any more, until the end.
            while matches!(receive::<ToProgram>(&mut reader), Ok(Some(_))) {}
            tracing::warn!("the TaskManager has ended this worker");
            std::process::exit(1);
        })
    }

    /// Answers the clients of the session, as the JobManager of the program. When the session is gone, its jobs are
    /// suspended and the process ends.
    pub fn serve(self: &Arc<Self>, manager: &Arc<JobManager>) -> Result<()> {
        let Some(mut reader) = self.reader.lock().take() else {
            return Err(Error::unsupported("a second JobManager of a program in a session cluster"));
        };
        // Nobody waits for those that answer when the process ends.
        let (hosted, manager, own) = (self.clone(), Arc::downgrade(manager), Threads::default());
        aside(move || {
            loop {
                match receive(&mut reader) {
                    Ok(Some(message)) => hosted.told(message, &manager, &own),
                    Ok(None) => break,
                    Err(error) => {
                        tracing::error!(%error, "the cluster is not understood");
                        break;
                    }
                }
            }
            tracing::warn!("the cluster has ended this program");
            if let Some(manager) = manager.upgrade() {
                manager.shutdown(SHUTDOWN);
            }
            std::process::exit(1);
        })
    }

    fn told(self: &Arc<Self>, message: ToProgram, manager: &Weak<JobManager>, threads: &Threads) {
        let Some(manager) = manager.upgrade() else { return };
        match message {
            ToProgram::Short { reason, hopeless, reach } => manager.resources.short(&reason, hopeless, reach),
            ToProgram::Ask(number, request) => {
                let hosted = self.clone();
                let begins = matches!(*request, ClientRequest::Trigger { .. });
                let threads = if begins { &self.outcomes } else { threads };
                let answers = move || {
                    let dispatcher = manager.dispatcher();
                    let answer = dispatcher.call(*request);
                    let trigger = match &answer {
                        Ok(ClientAnswer::Triggered(trigger)) => Some(*trigger),
                        _ => None,
                    };
                    let answer = answer.map(Box::new);
                    let answer = answer.map_err(|error| Failure::new(&error, SystemClock::new().now()));
                    hosted.link.send(&FromProgram::Answer(number, answer));
                    if let Some(outcome) = trigger.and_then(|trigger| outcome(&*dispatcher, trigger)) {
                        hosted.link.send(&outcome);
                    }
                };
                if let Err(error) = threads.spawn("client", answers) {
                    let failure = Failure::new(&error, SystemClock::new().now());
                    self.link.send(&FromProgram::Answer(number, Err(failure)));
                }
            }
        }
    }

    /// Waits until the session knows what came of all snapshots that clients have begun. Its jobs have ended.
    pub fn settle(&self) {
        if !self.outcomes.wait_until(0, SHUTDOWN) {
            tracing::warn!("the cluster does not hear of all snapshots");
        }
    }

    /// Where TaskManagers find its JobManager.
    pub fn listens(&self, address: String) {
        self.link.send(&FromProgram::Listens(address));
    }

    /// It runs a job.
    pub(crate) fn submitted(&self, job: ArchivedJob) {
        self.link.send(&FromProgram::Submitted(Box::new(job)));
    }

    /// Its job has ended.
    pub(crate) fn ended(&self, job: ArchivedJob) {
        self.link.send(&FromProgram::Ended(Box::new(job)));
    }

    /// Its jobs make use of so many slots.
    pub(crate) fn wants(&self, slots: u32) {
        self.link.send(&FromProgram::Wants(slots));
    }
}

/// Waits for what comes of a snapshot; `None` if nobody knows.
fn outcome(dispatcher: &dyn DispatcherGateway, trigger: u64) -> Option<FromProgram> {
    loop {
        let answer = dispatcher.call(ClientRequest::Triggered { trigger, timeout_millis: WAIT }).ok()?;
        if !matches!(answer, ClientAnswer::NotYet) {
            return Some(FromProgram::Outcome(trigger, Box::new(answer)));
        }
    }
}

/// A thread that nobody waits for when the process ends.
fn aside(work: impl FnOnce() + Send + 'static) -> Result<()> {
    let spawned = std::thread::Builder::new().name("session".to_owned()).spawn(work);
    spawned
        .map(drop)
        .map_err(|error| Error::external("there is no thread for the session").with_source(error))
}
