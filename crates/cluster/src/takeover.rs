//! Jobs that earlier leaders of the cluster have left: see [`crate::high_availability`].
//!
//! A job that is found counts as initializing until it runs here. Each attempt to run it has a thread of its own, so
//! that one whose storage hangs holds up no other, nor the announcement of the leader. What goes wrong is tried
//! again for as long as this process leads: most of it passes, and what does not is for people to decide, who see why
//! and may cancel the job. Only these end it for good:
//!
//! - its earlier runs had ended, and that could not be recorded;
//! - another start has its key by now;
//! - it had never begun, and would have been refused.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use flott_checkpoint::JobStatus;
use flott_plan::{JobGraph, PLAN_VERSION};
use flott_runtime::Failure;
use flott_storage::block_on;
use flott_types::panics::caught;
use flott_types::{Error, ErrorKind, JobId, JobKey, Result};
use parking_lot::Mutex;

use crate::high_availability::{Ended, Entry, JobRegistry};
use crate::identity::Identity;
use crate::job_manager::{Job, JobManager};
use crate::job_master::JobMessage;
use crate::restored::{BeganFrom, Beginning};
use crate::status::JobShared;
use crate::submission::Launch;
use crate::transport::Mailbox;

/// The jobs that do not run here yet.
#[derive(Default)]
pub(crate) struct Takeovers {
    jobs: BTreeMap<JobId, Arc<Pending>>,
    /// The JobManager goes away.
    closed: bool,
}

/// One of them.
struct Pending {
    job: JobId,
    mailbox: Arc<Mailbox<JobMessage>>,
    /// What is wanted of it meanwhile.
    received: Mutex<Receiver<JobMessage>>,
    shared: Arc<JobShared>,
    graph: Arc<JobGraph>,
    /// An earlier leader has held its lease.
    leased: bool,
    /// An attempt is in progress.
    busy: AtomicBool,
    /// It is to be cancelled.
    cancelled: AtomicBool,
}

impl Pending {
    /// The job as clients see it.
    fn entry(&self) -> Job {
        let (mailbox, shared) = (self.mailbox.clone(), self.shared.clone());
        let graph = Arc::new(Mutex::new(self.graph.clone()));
        Job { mailbox, shared, graph, last_metrics: Some(crate::metrics::JobMetrics::default()) }
    }

    /// Whether it is to be cancelled. Whoever wants anything else of it hears that it is too early.
    fn is_cancelled(&self) -> bool {
        for message in self.received.lock().try_iter() {
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "the rest comes from the job's own parts, which it has not"
            )]
            match message {
                JobMessage::Cancel => self.cancelled.store(true, Ordering::SeqCst),
                JobMessage::Request(_, answer) => answer(Err(Error::external(
                    "the job has not been taken over from the JobManager that led before; try it again later",
                ))),
                _ => {}
            }
        }
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Shows why it does not run.
    fn failed(&self, error: &Error, now: i64) {
        let failure = Failure::new(error, now);
        let told = |info: &crate::status::JobInfo| {
            info.exceptions.front().is_some_and(|last| last.failure.message == failure.message)
        };
        if told(&self.shared.lock()) {
            tracing::debug!(job = %self.job, %error, "the job of an earlier leader does not run yet");
            return;
        }
        tracing::warn!(job = %self.job, %error, "the job of an earlier leader does not run yet; it is tried again");
        self.shared.update(|info| info.failed(failure, None));
    }
}

impl JobManager {
    /// Takes over the jobs of earlier leaders, if it leads a cluster: those that it does not know yet, and those that
    /// could not be run before. To be called again and again. Returns when the jobs are known, and does not wait
    /// until they run.
    ///
    /// # Errors
    /// If they cannot be listed.
    pub fn take_over(self: &Arc<Self>) -> Result<()> {
        let Some(registry) = &self.services.high_availability else { return Ok(()) };
        for (job, entry) in block_on(registry.unknown())? {
            match entry {
                Ok(Entry { graph, ended: Some(ended), .. }) => self.remember_ended(job, &graph, &ended),
                Ok(Entry { graph, leased, .. }) => _ = self.expect(job, &graph, leased),
                Err(error) => self.expect(job, "", false).failed(&error, self.now()),
            }
        }
        let waiting: Vec<_> = {
            let takeovers = self.takeovers.lock();
            let idle = |pending: &&Arc<Pending>| !pending.busy.swap(true, Ordering::SeqCst);
            takeovers.jobs.values().filter(idle).cloned().collect()
        };
        for pending in waiting {
            let (manager, own) = (self.clone(), pending.clone());
            let name = format!("takeover {}", pending.shared.name);
            let spawned = self.services.threads.spawn(&name, move || manager.attempt(&own));
            if let Err(error) = spawned {
                pending.failed(&error, self.now());
                pending.busy.store(false, Ordering::SeqCst);
            }
        }
        Ok(())
    }

    /// Refuses a job that is submitted with the key of one that is about to go on here.
    pub(crate) fn check_key(&self, key: &JobKey) -> Result<()> {
        let takeovers = self.takeovers.lock();
        let same = |pending: &&Arc<Pending>| {
            pending.leased && Identity::of(&pending.graph).key.as_ref() == Some(key)
        };
        match takeovers.jobs.values().find(same) {
            Some(pending) => Err(Error::invalid(format!(
                "job '{key}' is already running: it is about to be taken over from the JobManager that led before, as job {}. End that one \
                 first; or, if this is another job, give it a name of its own with 'pipeline.name' or 'pipeline.job-key'",
                pending.job
            ))),
            None => Ok(()),
        }
    }

    /// No job is taken over from now on.
    pub(crate) fn close_takeovers(&self) {
        let mut takeovers = self.takeovers.lock();
        takeovers.closed = true;
        for pending in std::mem::take(&mut takeovers.jobs).into_values() {
            pending.shared.update(|info| info.status = JobStatus::Suspended);
        }
    }

    /// A job that is to run here.
    fn expect(&self, job: JobId, json: &str, leased: bool) -> Arc<Pending> {
        let (graph, now) = (Arc::new(shown(job, json)), self.now());
        let beginning = Beginning { from: BeganFrom::Nothing, warnings: Vec::new() };
        let shared = Arc::new(JobShared::new(job, graph.name.clone(), beginning, now, false));
        let (mailbox, received) = Mailbox::new();
        let pending = Arc::new(Pending {
            job,
            mailbox: Arc::new(mailbox),
            received: Mutex::new(received),
            shared,
            graph,
            leased,
            busy: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
        });
        self.remember(job, pending.entry());
        self.takeovers.lock().jobs.insert(job, pending.clone());
        pending
    }

    fn attempt(self: &Arc<Self>, pending: &Pending) {
        let job = pending.job;
        match caught(|| self.go_on(pending)) {
            Ok(()) => {
                self.takeovers.lock().jobs.remove(&job);
                // Who waits for news looks at what runs now.
                pending.shared.update(|_| {});
                // First all: what is in its place may be itself, when the JobManager goes away.
                let messages: Vec<_> = pending.received.lock().try_iter().collect();
                for message in messages {
                    // It may have ended by now.
                    self.tell_public(job, message);
                }
            }
            Err(error) => {
                // It may have been replaced by a run that came to nothing.
                let mut jobs = self.jobs.lock();
                self.aliases.lock().remove(&job);
                jobs.entry(job).or_insert_with(|| pending.entry());
                drop(jobs);
                pending.failed(&error, self.now());
            }
        }
        pending.busy.store(false, Ordering::SeqCst);
    }

    /// Runs a job, or finds that it is not to run.
    fn go_on(self: &Arc<Self>, pending: &Pending) -> Result<()> {
        let job = pending.job;
        let Some(registry) = &self.services.high_availability else { return Ok(()) };
        let cancelled = pending.is_cancelled();
        let entry = match (block_on(registry.entry(job)), cancelled) {
            (Ok(Some(Entry { graph, ended: Some(ended), .. })), _) => {
                self.remember_ended(job, &graph, &ended);
                return Ok(());
            }
            (Ok(None), _) => {
                self.jobs.lock().remove(&job);
                return Ok(());
            }
            // Also if it cannot be read: that is how to get rid of it.
            (Ok(Some(_)) | Err(_), true) => {
                return self.end_here(registry, pending, JobStatus::Canceled, None);
            }
            (Ok(Some(entry)), false) => entry,
            (Err(error), false) => return Err(error),
        };
        let Entry { job, graph, runs, accepted, leased, .. } = entry;
        let run = block_on(registry.begin(job, self.new_job_id()))?;
        if self.takeovers.lock().closed {
            return Ok(());
        }
        tracing::info!(%job, %run, "the job of an earlier leader goes on");
        match self.launch(graph.as_str().into(), &Launch { job, run, before: runs, has_run: leased }) {
            Ok(_) => Ok(()),
            // It would have been refused, and its client has never heard of it.
            Err(error)
                if !accepted && matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Unsupported) =>
            {
                self.end_here(registry, pending, JobStatus::Failed, Some(Failure::new(&error, self.now())))
            }
            Err(error) => Err(error),
        }
    }

    /// It has ended without having run here.
    fn end_here(
        &self,
        registry: &JobRegistry,
        pending: &Pending,
        status: JobStatus,
        failure: Option<Failure>,
    ) -> Result<()> {
        let ended = Ended::new(status, failure, self.now());
        // An end counts for the last run.
        block_on(registry.begin(pending.job, self.new_job_id()))?;
        block_on(registry.end(pending.job, &ended))?;
        self.as_ended(&pending.shared, (*pending.graph).clone(), ended.status, ended.failure);
        Ok(())
    }

    /// A job that ended under an earlier leader.
    fn remember_ended(&self, job: JobId, json: &str, ended: &Ended) {
        let graph = shown(job, json);
        let Ended { status, failure, at, .. } = ended;
        let beginning = Beginning { from: BeganFrom::Finished { at: *at }, warnings: Vec::new() };
        let shared = Arc::new(JobShared::new(job, graph.name.clone(), beginning, *at, false));
        self.as_ended(&shared, graph, *status, failure.clone());
    }
}

/// A plan to be shown; if it cannot be read, because it is damaged or of another version, as much as is known of it.
fn shown(job: JobId, json: &str) -> JobGraph {
    JobGraph::from_json(json).unwrap_or_else(|_| {
        let name = serde_json::from_str::<serde_json::Value>(json).ok();
        let name = name.and_then(|plan| Some(plan.get("name")?.as_str()?.to_owned()));
        JobGraph {
            version: PLAN_VERSION,
            name: name.unwrap_or_else(|| format!("job {job}")),
            vertices: Vec::new(),
            edges: Vec::new(),
            configuration: BTreeMap::new(),
            outline: None,
        }
    })
}
