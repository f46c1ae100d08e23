//! What sinks commit once for the job: the driver of the machine, and the committer.

use std::collections::BTreeMap;

use flott_checkpoint::commit::{CommitOutcome, CommitRequest, CommitRetries, GlobalCommits};
use flott_checkpoint::coordinator::CompletedSnapshot;
use flott_checkpoint::{ExecutionState, TaskId, execution};
use flott_types::{CheckpointId, Error, SubtaskIndex};
use rand::Rng;

use crate::job::Job;
use crate::jobmanager::{Input, Message};
use crate::task::{Handle, State};
use crate::weather::Mutation;
use crate::world::World;

/// What a manifest holds, by vertex.
pub type Uncommitted = BTreeMap<u32, Vec<CommitRequest<Handle>>>;

const RETRIES: CommitRetries = CommitRetries { most: 4, first: 3, longest: 30 };

/// Those of one JobManager.
#[derive(Debug)]
pub struct Globals {
    sinks: BTreeMap<u32, GlobalCommits<Handle>>,
    /// Counts the beginnings.
    round: u64,
    /// The last checkpoint of the attempt, while its commits are awaited.
    pub last: Option<CheckpointId>,
}

impl Globals {
    pub fn new(job: &Job) -> Self {
        let commits = |vertex: u32| GlobalCommits::new(RETRIES, job.vertices[vertex as usize].1);
        let sinks = job.global_sinks().map(|vertex| (vertex, commits(vertex))).collect();
        Globals { sinks, round: 0, last: None }
    }

    pub fn next_time(&self) -> Option<i64> {
        self.sinks.values().filter_map(GlobalCommits::next_time).min()
    }

    pub fn running(&mut self) {
        self.sinks.values_mut().for_each(GlobalCommits::running);
    }

    pub fn complete(&mut self, checkpoint: CheckpointId, mutation: Mutation) {
        for commits in self.sinks.values_mut() {
            commits.complete(checkpoint);
            if mutation == Mutation::GlobalFirst {
                (0..crate::job::WIDEST)
                    .for_each(|subtask| commits.confirmed(SubtaskIndex(subtask), checkpoint));
            }
        }
    }

    pub fn confirmed(&mut self, task: TaskId, checkpoint: CheckpointId) {
        if let Some(commits) = self.sinks.get_mut(&task.vertex.0) {
            commits.confirmed(task.subtask, checkpoint);
        }
    }

    pub fn answered(
        &mut self,
        vertex: u32,
        round: u64,
        answer: Result<Vec<CommitOutcome>, Error>,
        now: i64,
    ) -> Result<(), Error> {
        match self.sinks.get_mut(&vertex).filter(|_| round == self.round) {
            Some(commits) => commits.answered(answer, now).map(drop),
            None => Ok(()),
        }
    }
}

impl World {
    /// What the manifest must hold of what was handed over.
    pub fn acknowledged(&mut self, snapshot: &CompletedSnapshot<State>) -> Uncommitted {
        let mut all = Uncommitted::new();
        for (vertex, commits) in &mut self.jm.global.sinks {
            let of = |(task, _): &&(TaskId, State)| task.vertex.0 == *vertex;
            let handed_over = snapshot.snapshots.iter().filter(of).flat_map(|(_, state)| &state.handed_over);
            let requests = handed_over.map(|handle| CommitRequest::new(handle.checkpoint, *handle));
            all.insert(*vertex, commits.acknowledged(snapshot.checkpoint, requests));
        }
        if self.mutation == Mutation::GlobalForgotten { Uncommitted::new() } else { all }
    }

    pub fn restart_commits(&mut self, restored: Option<CheckpointId>, mut commits: Uncommitted) {
        self.jm.global.round += 1;
        self.jm.global.last = None;
        for (vertex, sink) in &mut self.jm.global.sinks {
            sink.restart(restored, commits.remove(vertex).unwrap_or_default());
        }
    }

    /// A task that has finished has committed its own.
    pub fn leaves(&mut self, event: &execution::Event) {
        if let execution::Event::Task { attempt, task, state: ExecutionState::Finished, .. } = event
            && *attempt == self.jm.execution.region().attempt()
            && let Some(last) = self.jm.global.last
        {
            self.jm.global.confirmed(*task, last);
        }
    }

    /// Asks the committers.
    pub fn commit_due(&mut self) {
        let (leader, round) = (self.jm.leader, self.jm.global.round);
        for (vertex, sink) in &mut self.jm.global.sinks {
            let requests = sink.take_due(self.now);
            if !requests.is_empty() {
                self.messages.push(Message::Commit { leader, vertex: *vertex, round, requests });
            }
        }
    }

    /// Whether the job may end.
    pub fn commits_end(&mut self) -> Option<Input> {
        let globals = &mut self.jm.global;
        let last = globals.last?;
        if globals.sinks.is_empty() || !globals.sinks.values().all(|sink| sink.is_settled(last)) {
            return None;
        }
        globals.last = None;
        let attempt = self.jm.execution.region().attempt();
        Some(Input::Execution(execution::Event::Committed { attempt }))
    }

    /// The committer at work: all of it, or half of it and nobody hears of it.
    pub fn commit_globally(
        &mut self,
        leader: u64,
        vertex: u32,
        round: u64,
        requests: &[CommitRequest<Handle>],
    ) -> Result<(), String> {
        let fails = self.chance(self.weather.commit_failure);
        let some = if fails { self.rng.random_range(0..=requests.len()) } else { requests.len() };
        self.stats.halves += u32::from(fails && some > 0);
        let mut outcomes = Vec::new();
        for request in requests.iter().take(some) {
            if self.chance(self.weather.commit_failure) {
                self.stats.uncommitted += 1;
                let after = self.rng.random_bool(0.5).then(|| self.rng.random_range(0..20));
                outcomes.push(CommitOutcome::Retry { after, reason: "busy".into() });
                continue;
            }
            let current = leader == self.jm.leader && round == self.jm.global.round;
            let there = self.sink.commit_globally(request.committable)?;
            if !there && current {
                return Err(format!("{:?} is gone", request.committable));
            }
            self.stats.global += u32::from(there);
            self.stats.global_restored += u32::from(there && request.restored);
            outcomes.push(CommitOutcome::Committed);
        }
        let answer = if fails { Err(Error::external("no catalog")) } else { Ok(outcomes) };
        self.messages.push(Message::CommitAnswer { leader, vertex, round, answer });
        Ok(())
    }

    /// A JobManager is gone, and perhaps what its committers were about to do.
    pub fn lose_commits(&mut self, leader: u64) {
        for at in (0..self.messages.len()).rev() {
            let lost = matches!(&self.messages[at], Message::Commit { leader: of, .. } if *of == leader);
            if lost && self.rng.random_bool(0.7) {
                self.messages.swap_remove(at);
            }
        }
    }
}
