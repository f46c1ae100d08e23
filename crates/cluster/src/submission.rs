//! How a job begins: submitted by a client, or taken over from an earlier leader of the cluster
//! ([`crate::takeover`]).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use flott_checkpoint::JobStatus;
use flott_checkpoint::alignment::Mode;
use flott_plan::{JobGraph, OperatorSpec, Schema};
use flott_runtime::Failure;
use flott_runtime::options::SAVEPOINT_AT_END;
use flott_storage::block_on;
use flott_types::panics::guard;
use flott_types::{Error, ErrorKind, JobId, Result, Timestamp};
use parking_lot::Mutex;

use crate::archive::ArchivedJob;
use crate::client_messages::JobDescription;
use crate::enumerators::Enumerators;
use crate::global_commits::sinks;
use crate::high_availability::Ended;
use crate::identity::Identity;
use crate::job_manager::{Job, JobManager, JobManagerServices, description};
use crate::job_master::{JobMaster, JobSetup};
use crate::metrics::JobMetrics;
use crate::options::JobOptions;
use crate::restored::Beginning;
use crate::results::{Release, ResultStore};
use crate::status::JobShared;
use crate::storage::{End, Origin, Outcome, Place, Start};
use crate::transport::Mailbox;
use crate::unique;

/// How soon what could not be recorded is tried again, at first and at most.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A job that is to run.
pub(crate) struct Launch {
    /// As clients know it.
    pub(crate) job: JobId,
    /// As it runs under this leader: see [`crate::high_availability`].
    pub(crate) run: JobId,
    /// As it ran under earlier ones; none if it is submitted.
    pub(crate) before: Vec<JobId>,
    /// One of these has held its lease.
    pub(crate) has_run: bool,
}

impl Launch {
    /// How a start of it ends that comes to nothing.
    fn nothing(&self) -> Outcome {
        // The job of an earlier leader is tried again.
        if self.before.is_empty() { Outcome::Failed } else { Outcome::Suspended }
    }
}

impl JobManager {
    /// Runs a job.
    ///
    /// # Errors
    /// If the plan, its configuration, or what it is to be restored from is wrong. What goes wrong later is
    /// the job's failure.
    pub(crate) fn submit(self: &Arc<Self>, graph: &JobGraph) -> Result<JobDescription> {
        let mut graph = graph.clone();
        for (key, value) in &self.services.defaults {
            graph.configuration.entry(key.clone()).or_insert_with(|| value.clone());
        }
        // The job that runs is the one that was serialised.
        let json: Arc<str> = graph.to_json()?.into();
        let job = self.new_job_id();
        let launched = self.launch(json, &Launch { job, run: job, before: Vec::new(), has_run: false });
        if launched.is_err()
            && let Some(registry) = self.services.high_availability.as_ref().filter(|all| all.knows(job))
            && let Err(error) = block_on(registry.forget(job))
        {
            tracing::warn!(%job, %error, "the record of a job that does not run could not be deleted");
        }
        launched
    }

    /// Runs a job.
    ///
    /// # Errors
    /// If it does not run.
    pub(crate) fn launch(self: &Arc<Self>, json: Arc<str>, of: &Launch) -> Result<JobDescription> {
        let Launch { job: public, run: job, before, has_run } = of;
        let (public, job, has_run) = (*public, *job, *has_run);
        let graph = JobGraph::from_json(&json)?;
        if graph.vertices.is_empty() {
            return Err(Error::invalid("the job has no operators"));
        }
        let JobManagerServices { clock, registry, storage, threads, .. } = &self.services;
        let now = clock.now();
        let mut options = JobOptions::parse(&graph.configuration)?;
        if let Some(warning) = &options.warning {
            tracing::warn!(job = graph.name, "{warning}");
        }
        // Options that only operators and connectors read are checked here too, and not only when a task
        // starts.
        graph.configuration.iter().try_for_each(|(key, value)| flott_types::config::check(key, value))?;
        options.task.submitted_at = now;
        if self.services.hosted.is_some() && options.scaling.is_some() {
            return Err(Error::unsupported(
                "the adaptive scheduler ('jobmanager.scheduler', 'scheduler-mode') for a program in a session cluster",
            ));
        }
        let context = options.task.table_context()?;
        let hold = options.savepoint_at_end.is_some();
        let enumerators = Enumerators::new(&graph, registry, &context, hold)?;
        if hold {
            check_savepoint_at_end(&enumerators, &options)?;
        }
        let (two_phase, global) = sinks(&graph, registry, &context)?;
        let collected = collected(&graph)?;
        let identity = Identity::of(&graph);
        if let Some(key) = identity.key.as_ref().filter(|_| before.is_empty()) {
            self.check_key(key)?;
        }
        let registry = self.services.high_availability.as_ref().filter(|_| collected.is_none());
        if let Some(registry) = registry.filter(|_| before.is_empty()) {
            block_on(registry.add(public, &json, now))?;
        }
        let begun = storage.begin(
            &Place { job, configuration: &graph.configuration },
            &Start {
                identity: &identity,
                restore: options.restore_path.as_deref(),
                commits: two_phase,
                allow_older: options.allow_older,
                continues: before,
                has_run,
                leading: registry.map(|registry| registry.leading().as_ref()),
                now,
            },
        )?;
        let beginning = Beginning::new(&graph, &begun);
        let shared = JobShared::new(public, graph.name.clone(), beginning, now, enumerators.all_bounded());
        let mode = graph.configuration.get("execution.runtime-mode");
        shared.update(|info| info.is_batch = mode.is_some_and(|mode| mode.eq_ignore_ascii_case("batch")));
        let shared = Arc::new(shared);
        let succession = begun.succession;
        let (initial, restored_from) = match begun.origin {
            Origin::Snapshot { manifest, url } => (Some(Arc::from(manifest)), Some(url)),
            Origin::Anew | Origin::Nothing { .. } => (None, None),
            Origin::Finished { .. } => {
                self.note_end(public, JobStatus::Finished, None)?;
                return Ok(self.finished_before(&shared, graph, collected));
            }
            Origin::Ended { outcome, .. } => {
                let status = match outcome {
                    Outcome::Canceled => JobStatus::Canceled,
                    Outcome::Failed => JobStatus::Failed,
                    Outcome::Finished | Outcome::Stopped | Outcome::Suspended => JobStatus::Finished,
                };
                self.note_end(public, status, None)?;
                self.as_ended(&shared, graph, status, None);
                return Ok(description(&shared, None, None));
            }
            Origin::Refused { why } => {
                let failure = Some(Failure::new(&Error::invalid(why), now));
                self.note_end(public, JobStatus::Failed, failure.clone())?;
                self.as_ended(&shared, graph, JobStatus::Failed, failure);
                return Ok(description(&shared, None, None));
            }
        };
        if let Some(registry) = registry {
            // From now on it must be found where it is.
            block_on(registry.began(public, succession.is_some()))
                .inspect_err(|_| self.came_to_nothing(job, &graph, of.nothing(), now))?;
        }
        let checkpointing = options.checkpoints.interval.is_some();
        let release = match (checkpointing, options.task.mode) {
            (true, Mode::ExactlyOnce) => Release::OnCheckpoint,
            (true, Mode::AtLeastOnce) => Release::AtOnce,
            (false, _) => Release::AtOnceUnlessRestarted,
        };
        let store = || Arc::new(ResultStore::new(release, &options.task.configuration));
        let results = collected.is_some().then(store);
        let (mailbox, received) = Mailbox::new();
        let mailbox = Arc::new(mailbox);
        let savepoint_dir = options.savepoint_dir.clone();
        let own = mailbox.clone();
        let graph = Arc::new(graph);
        let published = Arc::new(Mutex::new(graph.clone()));
        // What is collected is handed out with checkpoints.
        let at_end = options.checkpoint_at_end || collected.is_some();
        let setup = JobSetup {
            job,
            graph: (*graph).clone(),
            json,
            published: published.clone(),
            submitted_at: now,
            final_checkpoint: two_phase || (checkpointing && at_end),
            options,
            enumerators,
            global,
            key: identity.key,
            initial,
            restored_from,
            succession,
            leading: registry.map(|registry| registry.leading().clone()),
            commits: two_phase,
            clock: clock.clone(),
            storage: storage.clone(),
            results: results.clone(),
            shared: shared.clone(),
            threads: threads.clone(),
            resources: self.resources.clone(),
            own: Arc::new(move |message| {
                own.send(message);
            }),
        };
        let master =
            JobMaster::new(setup).inspect_err(|_| self.came_to_nothing(job, &graph, of.nothing(), now))?;
        if let Some(store) = results {
            self.results.add(job, store);
        }
        let slots = mailbox.clone();
        self.resources.add_job(job, Arc::new(move |message| _ = slots.send(message)));
        let (planned, own_graph) = (graph.clone(), graph);
        let entry = Job { mailbox, shared: shared.clone(), graph: published, last_metrics: None };
        self.remember(job, entry);
        if let Some(hosted) = &self.services.hosted {
            let description = description(&shared, None, savepoint_dir.clone());
            hosted.submitted(ArchivedJob::new(description, &own_graph, JobMetrics::default()));
        }
        let manager = self.clone();
        let name = format!("jobmaster {}", shared.name);
        let watched = shared.clone();
        let clock = clock.clone();
        let spawned = threads.spawn(&name, move || {
            let ran = guard("job master", || {
                master.run(&received, |terminal| manager.ended(job, terminal));
                Ok(())
            });
            if let Err(error) = ran {
                // A defect; but a client that waits must not wait for ever, nor tasks run on.
                manager.came_to_nothing(job, &planned, Outcome::Failed, clock.now());
                manager.resources.remove_job(job);
                if let Some(results) = manager.results.get(job) {
                    results.ended(Err(error.to_string()));
                }
                let failure = Failure::new(&error, clock.now());
                manager.ended(job, Some(&(JobStatus::Failed, Some(failure.clone()))));
                watched.update(|info| {
                    info.status = JobStatus::Failed;
                    info.failure = Some(failure);
                });
            }
            // Nobody waits for that any more.
            manager.archive(job);
        });
        if let Err(error) = spawned {
            // There never was such a job.
            self.jobs.lock().remove(&job);
            self.resources.remove_job(job);
            self.results.remove(job);
            self.came_to_nothing(job, &own_graph, of.nothing(), now);
            return Err(error);
        }
        Ok(description(&shared, collected, savepoint_dir))
    }

    /// A job that has finished at an earlier start, and was to continue from there: there is nothing to do.
    fn finished_before(
        self: &Arc<Self>,
        shared: &Arc<JobShared>,
        graph: JobGraph,
        collected: Option<Schema>,
    ) -> JobDescription {
        if collected.is_some() {
            let store = ResultStore::new(Release::AtOnce, &graph.configuration);
            store.ended(Ok(()));
            self.results.add(shared.job, Arc::new(store));
        }
        self.as_ended(shared, graph, JobStatus::Finished, None);
        description(shared, collected, None)
    }

    /// Remembers a job that is not run.
    pub(crate) fn as_ended(
        &self,
        shared: &Arc<JobShared>,
        graph: JobGraph,
        status: JobStatus,
        failure: Option<Failure>,
    ) {
        let now = self.services.clock.now();
        shared.update(|info| {
            info.failure = failure;
            info.status = status;
            info.timestamps.push((status, now));
        });
        // Nobody reads it: who asks for something is told that the job has ended.
        let mailbox = Arc::new(Mailbox::new().0);
        let (job, graph) = (self.run_of(shared.job), Arc::new(graph));
        let last_metrics = Some(JobMetrics::default());
        if let Some(hosted) = &self.services.hosted {
            let description = description(shared, None, None);
            hosted.ended(ArchivedJob::new(description, &graph, JobMetrics::default()));
        }
        let graph = Arc::new(Mutex::new(graph));
        self.remember(job, Job { mailbox, shared: shared.clone(), graph, last_metrics });
    }

    /// How a job has ended, for the next leader.
    ///
    /// # Errors
    /// If that cannot be recorded, or another one leads.
    fn note_end(&self, job: JobId, status: JobStatus, failure: Option<Failure>) -> Result<()> {
        // One that is suspended goes on.
        let registry = self.services.high_availability.as_ref().filter(|all| all.knows(job));
        let Some(registry) = registry.filter(|_| status != JobStatus::Suspended) else { return Ok(()) };
        block_on(registry.end(job, &Ended::new(status, failure, self.now())))
    }

    /// The same, tried again until it is recorded or another one leads: before that the job does not count as ended,
    /// since the next leader would run it again.
    pub(crate) fn note_end_at_last(&self, job: JobId, status: JobStatus, failure: Option<&Failure>) {
        let mut pause = BETWEEN_ATTEMPTS;
        while let Err(error) = self.note_end(job, status, failure.cloned()) {
            if error.kind() != ErrorKind::External {
                tracing::warn!(%job, %error, "the end of the job is not recorded");
                return;
            }
            tracing::warn!(%job, %error, "the end of the job cannot be recorded for the next leader; it is tried again");
            std::thread::park_timeout(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// A start that has no job master to note its end.
    fn came_to_nothing(&self, job: JobId, graph: &JobGraph, outcome: Outcome, now: Timestamp) {
        let place = Place { job, configuration: &graph.configuration };
        if let Err(error) = self.services.storage.end(&place, &End::new(outcome, now)) {
            tracing::warn!(%job, %error, "the end of the job could not be recorded");
        }
        self.services.storage.release(&place);
    }

    /// One that no other job has.
    pub(crate) fn new_job_id(&self) -> JobId {
        let count = self.submitted.fetch_add(1, Ordering::Relaxed);
        JobId(unique::number(&*self.services.clock, count))
    }
}

/// The columns that the job collects.
/// Whether inputs can be held at their ends.
fn check_savepoint_at_end(sources: &Enumerators, options: &JobOptions) -> Result<()> {
    let why = match sources.all_bounded() {
        false => "an input of the job is unbounded",
        true if options.task.batch => "in batch mode there is no state to go on from",
        true => return Ok(()),
    };
    Err(Error::invalid(format!("'{SAVEPOINT_AT_END}' cannot be used: {why}")))
}

fn collected(graph: &JobGraph) -> Result<Option<Schema>> {
    let operators = graph.vertices.iter().flat_map(|vertex| &vertex.operators);
    let mut collects = operators.filter(|operator| operator.node.spec == OperatorSpec::Collect);
    let schema = collects.next().map(|operator| operator.inputs.first().cloned().unwrap_or_default());
    if collects.next().is_some() {
        return Err(Error::unsupported("a job that collects more than one result"));
    }
    Ok(schema)
}
