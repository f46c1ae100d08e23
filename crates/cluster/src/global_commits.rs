//! The JobManager's side of sinks that commit something once for the whole job: a [`GlobalCommits`] and a
//! committer for each.
//!
//! What is to be committed comes with the acknowledgements of snapshots, and is in manifests until it is
//! committed. Committers may wait for the outside, so each has a thread of its own, from the first commit on;
//! the answer is a message to the job master, which also keeps the time of what is tried again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flott_checkpoint::TaskId;
use flott_checkpoint::commit::GlobalCommits;
use flott_checkpoint::manifest::Manifest;
use flott_connector::{
    CommitOutcome, CommitRequest, CommitRetries, Committable, Committer, GlobalCommitterContext,
    MadeCommitter, Registry, Sink, TableContext,
};
use flott_plan::{JobGraph, OperatorSpec};
use flott_runtime::{GLOBAL_COMMITTABLES, Threads};
use flott_types::panics::guard;
use flott_types::{CheckpointId, Clock, Error, JobId, OperatorUid, Result, Succession, Timestamp, VertexId};

use crate::job_master::JobMessage;
use crate::worker::Worker;

/// How long a job that ends waits for a commit that is in progress.
const COMMITTER_ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// What each global committer had not committed, by the uid of its sink.
pub(crate) type Uncommitted = BTreeMap<OperatorUid, Vec<CommitRequest>>;

/// A sink with a global committer.
pub(crate) struct GlobalSink {
    pub(crate) vertex: VertexId,
    pub(crate) uid: OperatorUid,
    pub(crate) name: String,
    pub(crate) parallelism: u32,
    pub(crate) sink: Arc<dyn Sink>,
}

/// Those of one job.
pub(crate) struct GlobalSinks {
    all: Vec<Committing>,
    /// Counts the beginnings: who was asked before has nothing to answer.
    round: u64,
    services: Services,
}

/// The environment of committers.
pub(crate) struct Services {
    pub(crate) job: JobId,
    pub(crate) succession: Option<Succession>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) threads: Threads,
    /// Refuses what only who runs the job may do.
    pub(crate) may_commit: Arc<dyn Fn() -> Result<()> + Send + Sync>,
    /// To the job master.
    pub(crate) own: Arc<dyn Fn(JobMessage) + Send + Sync>,
}

type Make = Box<dyn FnMut() -> Result<Box<dyn Committer>> + Send>;

struct Committing {
    sink: GlobalSink,
    commits: GlobalCommits<Committable>,
    worker: Option<Worker<MadeCommitter<Make>>>,
}

/// Whether there is something to commit, and the sinks that commit something once for the job. A sink that cannot write where it is told to is
/// told here, once.
pub(crate) fn sinks(
    graph: &JobGraph,
    registry: &Registry,
    context: &TableContext,
) -> Result<(bool, Vec<GlobalSink>)> {
    let (mut two_phase, mut global) = (false, Vec::new());
    for vertex in &graph.vertices {
        for operator in &vertex.operators {
            let OperatorSpec::Sink(spec) = &operator.node.spec else { continue };
            let name = operator.node.name.clone();
            let sink = guard(&name, || {
                let sink = registry.sink(spec, context)?;
                sink.check()?;
                Ok(sink)
            })?;
            two_phase |= sink.is_two_phase() || sink.commits_globally();
            if sink.commits_globally() {
                let (uid, parallelism) = (operator.node.uid.clone(), vertex.parallelism);
                global.push(GlobalSink { vertex: vertex.id, uid, name, parallelism, sink });
            }
        }
    }
    Ok((two_phase, global))
}

impl GlobalSinks {
    pub(crate) fn new(sinks: Vec<GlobalSink>, retries: CommitRetries, services: Services) -> Self {
        let committing = |sink: GlobalSink| Committing {
            commits: GlobalCommits::new(retries, sink.parallelism),
            sink,
            worker: None,
        };
        GlobalSinks { all: sinks.into_iter().map(committing).collect(), round: 0, services }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The sinks.
    pub(crate) fn uids(&self) -> Vec<OperatorUid> {
        self.all.iter().map(|one| one.sink.uid.clone()).collect()
    }

    /// The job starts again, from a checkpoint that holds this.
    pub(crate) fn restart(&mut self, restored: Option<CheckpointId>, mut uncommitted: Uncommitted) {
        self.round += 1;
        for Committing { sink, commits, .. } in &mut self.all {
            commits.restart(restored, uncommitted.remove(&sink.uid).unwrap_or_default());
        }
    }

    /// All tasks run.
    pub(crate) fn running(&mut self) {
        self.all.iter_mut().for_each(|one| one.commits.running());
    }

    /// Puts into a manifest what it must hold, in place of what tasks have handed over.
    ///
    /// # Errors
    /// If that cannot be read.
    pub(crate) fn enter(&mut self, manifest: &mut Manifest) -> Result<()> {
        let checkpoint = manifest.checkpoint;
        for Committing { sink, commits, .. } in &mut self.all {
            let entered = manifest.operators.iter_mut().find(|operator| operator.uid == sink.uid);
            let Some(operator) = entered else { continue };
            let mut handed_over = Vec::new();
            for subtask in &mut operator.subtasks {
                let lists = subtask.operator.extract_if(.., |state| state.name == GLOBAL_COMMITTABLES);
                for entry in lists.flat_map(|list| list.entries) {
                    handed_over.push(read(&entry)?);
                }
            }
            let held = commits.acknowledged(checkpoint, handed_over);
            let entry = |request: &CommitRequest| {
                let json = serde_json::to_vec(request).map_err(|error| {
                    Error::internal("a commit cannot be written into a manifest").with_source(error)
                });
                Ok(json?.into())
            };
            operator.commits = held.iter().map(entry).collect::<Result<_>>()?;
        }
        Ok(())
    }

    /// A checkpoint with which sinks commit is durable.
    pub(crate) fn complete(&mut self, checkpoint: CheckpointId) {
        self.all.iter_mut().for_each(|one| one.commits.complete(checkpoint));
    }

    /// A subtask has committed its own.
    pub(crate) fn confirmed(&mut self, task: TaskId, uid: &OperatorUid, checkpoint: CheckpointId) {
        let of = |one: &&mut Committing| one.sink.uid == *uid && one.sink.vertex == task.vertex;
        if let Some(one) = self.all.iter_mut().find(of) {
            one.commits.confirmed(task.subtask, checkpoint);
        }
    }

    /// A task has finished, which it does when it has committed all that the last checkpoint holds of its
    /// own.
    pub(crate) fn left(&mut self, task: TaskId, last: CheckpointId) {
        for one in self.all.iter_mut().filter(|one| one.sink.vertex == task.vertex) {
            one.commits.confirmed(task.subtask, last);
        }
    }

    /// Asks what is due; says how many answers will come.
    ///
    /// # Errors
    /// If there is no thread for a committer.
    pub(crate) fn go_on(&mut self, now: Timestamp) -> Result<usize> {
        let mut asked = 0;
        for (at, one) in self.all.iter_mut().enumerate() {
            let requests = one.commits.take_due(now);
            if requests.is_empty() {
                continue;
            }
            let worker = match &one.worker {
                Some(worker) => worker,
                None => one.worker.insert(one.sink.start(&self.services)?),
            };
            let (own, round) = (self.services.own.clone(), self.round);
            let may_commit = self.services.may_commit.clone();
            worker.run(move |committer| {
                // Right before, whenever the thread comes to it: the process may have been frozen since the
                // checkpoint was completed.
                let answer = guard("global committer", || {
                    may_commit()?;
                    committer.commit(&requests)
                });
                own(JobMessage::Committed(at, round, answer));
            });
            asked += 1;
        }
        Ok(asked)
    }

    /// A committer has answered.
    ///
    /// # Errors
    /// If something can never be committed, or was tried too often.
    pub(crate) fn answered(
        &mut self,
        at: usize,
        round: u64,
        answer: Result<Vec<CommitOutcome>>,
        now: Timestamp,
    ) -> Result<()> {
        let Some(one) = self.all.get_mut(at).filter(|_| round == self.round) else { return Ok(()) };
        if let Err(error) = &answer {
            tracing::warn!(job = %self.services.job, sink = one.sink.name, %error, "a global commit failed");
        }
        let answered =
            one.commits.answered(answer, now).map_err(|error| error.in_operator(&one.sink.name))?;
        tracing::debug!(job = %self.services.job, sink = one.sink.name, ?answered, "global commits");
        Ok(())
    }

    /// When there is something to ask.
    pub(crate) fn next_time(&self) -> Option<Timestamp> {
        self.all.iter().filter_map(|one| one.commits.next_time()).min()
    }

    /// Whether all that a checkpoint holds is committed, or waits.
    pub(crate) fn are_settled(&self, checkpoint: CheckpointId) -> bool {
        self.all.iter().all(|one| one.commits.is_settled(checkpoint))
    }

    /// The sink whose committer lets something wait.
    pub(crate) fn waiting(&self) -> Option<&str> {
        self.all.iter().find(|one| one.commits.waiting() > 0).map(|one| one.sink.name.as_str())
    }

    /// Waits for the commits that are in progress, but not long: what they do later, the next start will find
    /// done.
    pub(crate) fn close(&mut self) {
        for Committing { sink, worker, .. } in &mut self.all {
            let Some(finishing) = worker.take().map(Worker::finish) else { continue };
            if !finishing.wait_for(COMMITTER_ANSWERS_WITHIN) {
                tracing::warn!(
                    "{}: the global committer does not answer; the job ends without it",
                    sink.name
                );
                finishing.abandon();
            }
        }
    }
}

impl GlobalSink {
    fn start(&self, services: &Services) -> Result<Worker<MadeCommitter<Make>>> {
        let sink = self.sink.clone();
        let context = GlobalCommitterContext {
            job: services.job,
            succession: services.succession,
            parallelism: self.parallelism,
            clock: services.clock.clone(),
        };
        let make: Make = Box::new(move || sink.global_committer(context.clone()));
        Worker::start(&format!("{} global commits", self.name), &services.threads, MadeCommitter::new(make))
    }
}

/// What global committers of this job have not committed, as a manifest holds it.
///
/// # Errors
/// If it cannot be read, or the job has no such committer.
pub(crate) fn uncommitted(
    manifest: &Manifest,
    graph: &JobGraph,
    global: &[OperatorUid],
) -> Result<Uncommitted> {
    let mut all = Uncommitted::new();
    for operator in graph.vertices.iter().flat_map(|vertex| &vertex.operators) {
        let (uid, name) = (&operator.node.uid, &operator.node.name);
        let Some(held) = manifest.operator(uid).filter(|held| !held.commits.is_empty()) else { continue };
        if !matches!(operator.node.spec, OperatorSpec::Sink(_)) || !global.contains(uid) {
            return Err(Error::state(
                "the snapshot holds output that is still to be committed for the whole job, and the sink commits nothing so: start the \
                 job with the sink's options as they were, and stop it with a savepoint when that is committed",
            )
            .in_operator(name));
        }
        let requests = held.commits.iter().map(|entry| read(entry)).collect::<Result<_>>();
        all.insert(uid.clone(), requests.map_err(|error| error.in_operator(name))?);
    }
    Ok(all)
}

fn read(entry: &[u8]) -> Result<CommitRequest> {
    serde_json::from_slice(entry)
        .map_err(|error| Error::state("what is to be committed cannot be read").with_source(error))
}
