//! The state machine. `step` handles the event, then everything that has become due.

use std::collections::{BTreeMap, VecDeque};

use flott_types::{CheckpointId, Timestamp};

use super::api::{Action, CompletedSnapshot, Config, DeclineReason, Event, RestorePoint};
use super::pending::{Pending, Phase};
use crate::{Attempt, Barrier, CheckpointKind, JobStatus, RequestId, TaskId};

/// How long to wait before the final checkpoint is tried again, unless the minimal pause is longer.
const FINAL_RETRY_MILLIS: i64 = 1_000;

/// The coordinator of one job, over all its attempts.
pub struct Coordinator<S> {
    pub(super) config: Config,
    pub(super) next_id: CheckpointId,
    pub(super) run: Option<Run>,
    last_attempt: Attempt,
    pub(super) pending: BTreeMap<CheckpointId, Pending<S>>,
    /// What the job can be recovered from.
    completed: BTreeMap<CheckpointId, RestorePoint>,
    /// Checkpoints on request that wait for their turn.
    pub(super) queue: VecDeque<(RequestId, bool)>,
    failures: u32,
    /// No periodic checkpoint is triggered before this.
    pub(super) pause_until: Timestamp,
    pub(super) full_needed: bool,
    restore_wanted: bool,
    /// The next attempt is restored from a point at which the inputs had ended.
    restored_drained: bool,
    terminal: Option<JobStatus>,
}

/// The running attempt.
pub(super) struct Run {
    pub(super) attempt: Attempt,
    pub(super) tasks: Vec<TaskId>,
    pub(super) next_periodic: Option<Timestamp>,
    /// All tasks have drained; not before this is the final checkpoint taken.
    pub(super) drained: Option<Timestamp>,
    /// A stop with savepoint that drains first.
    pub(super) draining_stop: Option<(RequestId, String)>,
    /// Its sources were at their end from the start.
    pub(super) ends_at_once: bool,
    /// The last checkpoint is complete: nothing more to do.
    pub(super) finishing: bool,
    /// Who is notified when the job has finished with this savepoint.
    stop: Option<Stop>,
}

/// A stop whose savepoint is complete. The job has not ended yet.
struct Stop {
    request: RequestId,
    checkpoint: CheckpointId,
    target: String,
}

impl Stop {
    fn done<S>(self) -> Action<S> {
        let Stop { request, checkpoint, target } = self;
        Action::RequestDone { request, checkpoint, target: Some(target) }
    }

    fn failed<S>(self, why: &str) -> Action<S> {
        let Stop { request, target, .. } = self;
        let reason = format!(
            "StopWithSavepointStoppingException: the savepoint '{target}' is complete, but the job did not end with it: \
             {why}. The output that belongs to it may not be committed. If the job is restarted it continues from this \
             savepoint, and no other job may be started from it; if not, start one from it, which commits that output"
        );
        Action::RequestFailed { request, reason }
    }
}

/// Why a checkpoint was aborted, as far as it counts.
pub(super) enum Cause {
    /// Counts as a failure.
    Failed(String),
    /// Does not.
    Dropped(String),
}

impl<S> Coordinator<S> {
    /// The coordinator of a job that can be recovered from these points: its completed checkpoints, and the
    /// savepoint of a stop that did not come through. `next_id` must be above every id that was ever begun.
    pub fn new(
        config: Config,
        next_id: CheckpointId,
        completed: impl IntoIterator<Item = RestorePoint>,
    ) -> Self {
        let completed: BTreeMap<_, _> = completed.into_iter().map(|p| (p.checkpoint, p)).collect();
        let lowest = completed.last_key_value().map_or(CheckpointId(1), |(id, _)| id.next());
        Coordinator {
            full_needed: config.first_is_full,
            config,
            next_id: next_id.max(lowest),
            run: None,
            last_attempt: Attempt::default(),
            pending: BTreeMap::new(),
            completed,
            queue: VecDeque::new(),
            failures: 0,
            pause_until: Timestamp::MIN,
            restore_wanted: false,
            restored_drained: false,
            terminal: None,
        }
    }

    /// The checkpoint that a recovery would begin from.
    pub fn latest(&self) -> Option<RestorePoint> {
        self.completed.last_key_value().map(|(_, point)| point.clone())
    }

    /// The next id that will be used; to be kept where the next JobManager finds it.
    pub fn next_id(&self) -> CheckpointId {
        self.next_id
    }

    /// The checkpoints in progress: id, kind, acknowledgements still missing (0: the manifest is being
    /// written).
    pub fn in_progress(&self) -> impl Iterator<Item = (Barrier, usize)> {
        let tasks = self.run.as_ref().map_or(0, |r| r.tasks.len());
        self.pending.values().map(move |p| match &p.phase {
            Phase::Collecting { acks, .. } => (p.barrier, tasks - acks.len()),
            Phase::Writing => (p.barrier, 0),
        })
    }

    /// Whether a manifest is being written. After [`Event::JobTerminal`] the driver goes on until none is:
    /// one that lands late may have to be discarded.
    pub fn is_writing(&self) -> bool {
        self.pending.values().any(|p| !p.collecting())
    }

    /// When the driver has to send [`Event::Tick`], if nothing else happens before.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let timeout = self.pending.values().filter_map(Pending::deadline).min();
        [timeout, self.next_trigger()].into_iter().flatten().min()
    }

    /// The machine.
    pub fn step(&mut self, event: Event<S>, now: Timestamp) -> Vec<Action<S>> {
        let mut actions = Vec::new();
        let out = &mut actions;
        match event {
            Event::Tick => {}
            Event::JobStarted { attempt, tasks } => self.started(attempt, tasks, now, out),
            Event::JobStopping { attempt, reason } => {
                if self.run.as_ref().is_some_and(|r| r.attempt == attempt) {
                    self.stop(&reason, now, out);
                }
            }
            Event::RestoreRequested => self.restore_wanted = true,
            Event::Unusable(checkpoint) => {
                self.completed.remove(&checkpoint);
            }
            Event::Ack { attempt, task, checkpoint, snapshot } => {
                self.ack(attempt, task, checkpoint, snapshot, out);
            }
            Event::Decline { attempt, task, checkpoint, reason } => {
                let known = self.pending.get(&checkpoint);
                if known.is_some_and(|p| p.attempt == attempt && p.collecting()) {
                    let cause = match reason {
                        DeclineReason::Superseded => Cause::Dropped(format!("task {task} has skipped it")),
                        DeclineReason::Failed(why) => Cause::Failed(format!("task {task} declined: {why}")),
                    };
                    self.abort(checkpoint, cause, now, out);
                }
            }
            Event::StoreCompleted(checkpoint) => self.stored(checkpoint, now, out),
            Event::StoreFailed { checkpoint, reason } => {
                if self.pending.get(&checkpoint).is_some_and(|p| !p.collecting()) {
                    let reason = format!("its manifest could not be written: {reason}");
                    self.abort(checkpoint, Cause::Failed(reason), now, out);
                }
            }
            Event::AllTasksDrained { attempt } => self.drained(attempt, now, out),
            Event::Request { request, what } => self.request(request, what, now, out),
            Event::JobTerminal(status) => {
                if status == JobStatus::Finished
                    && let Some(stop) = self.run.as_mut().and_then(|run| run.stop.take())
                {
                    out.push(stop.done());
                }
                self.stop("the job has ended", now, out);
                self.terminal = Some(status);
                self.discard_by_retention(out);
            }
        }
        self.expire(now, out);
        self.trigger_due(now, out);
        if self.restore_wanted && !self.is_writing() {
            self.restore_wanted = false;
            let point = self.latest();
            self.restored_drained = point.as_ref().is_some_and(|p| p.drained);
            self.full_needed |= point.as_ref().is_some_and(|p| p.savepoint.is_some());
            out.push(Action::Restore(point));
        }
        actions
    }

    fn started(&mut self, attempt: Attempt, tasks: Vec<TaskId>, now: Timestamp, out: &mut Vec<Action<S>>) {
        if attempt <= self.last_attempt {
            return;
        }
        self.stop("the job was restarted", now, out);
        self.last_attempt = attempt;
        self.failures = 0;
        self.run = Some(Run {
            attempt,
            tasks,
            next_periodic: self.config.interval.map(|interval| now.saturating_add(interval)),
            drained: None,
            draining_stop: None,
            ends_at_once: self.restored_drained,
            finishing: false,
            stop: None,
        });
    }

    /// The attempt takes no further checkpoint. Writes in progress continue.
    fn stop(&mut self, reason: &str, now: Timestamp, out: &mut Vec<Action<S>>) {
        let mut run = self.run.take();
        self.abort_collecting(|_| true, reason, now, out);
        if let Some(stop) = run.as_mut().and_then(|run| run.stop.take()) {
            out.push(stop.failed(reason));
        }
        let draining = run.and_then(|run| run.draining_stop).map(|(request, _)| request);
        for request in self.queue.drain(..).map(|(request, _)| request).chain(draining) {
            out.push(Action::RequestFailed { request, reason: reason.to_owned() });
        }
    }

    fn ack(
        &mut self,
        attempt: Attempt,
        task: TaskId,
        checkpoint: CheckpointId,
        snapshot: S,
        out: &mut Vec<Action<S>>,
    ) {
        let Some(run) = self.run.as_ref().filter(|r| r.attempt == attempt) else {
            return;
        };
        let Some(pending) = self.pending.get_mut(&checkpoint).filter(|p| p.attempt == attempt) else {
            return;
        };
        if let Some(snapshots) = pending.ack(task, snapshot, &run.tasks) {
            out.push(Action::WriteManifest(CompletedSnapshot {
                checkpoint,
                kind: pending.barrier.kind,
                created_at: pending.barrier.created_at,
                target: pending.target.clone(),
                drained: pending.drained,
                snapshots,
            }));
        }
    }

    fn stored(&mut self, checkpoint: CheckpointId, now: Timestamp, out: &mut Vec<Action<S>>) {
        if self.pending.get(&checkpoint).is_none_or(Pending::collecting) {
            return;
        }
        let Some(Pending { attempt, barrier, target, request, drained, .. }) =
            self.pending.remove(&checkpoint)
        else {
            return;
        };
        let run = self.run.as_mut().filter(|run| run.attempt == attempt);
        let running = run.is_some();
        let is_last = barrier.kind.is_last();
        match (request, &target) {
            (Some(request), Some(target)) if is_last => {
                let stop = Stop { request, checkpoint, target: target.clone() };
                match run {
                    Some(run) => run.stop = Some(stop),
                    None => out.push(stop.failed("it failed before")),
                }
            }
            (Some(request), target) => {
                out.push(Action::RequestDone { request, checkpoint, target: target.clone() });
            }
            (None, _) => {}
        }
        if !barrier.kind.commits() {
            return;
        }
        self.pause_until = now.saturating_add(self.config.min_pause);
        if self.completed.last_key_value().is_some_and(|(latest, _)| *latest > checkpoint) {
            // Overtaken by a later one while it was written.
            if target.is_none() {
                out.push(Action::Discard(checkpoint));
            }
            return;
        }
        self.failures = 0;
        // Only a checkpoint of our own has files that the next may share.
        self.full_needed &= target.is_some();
        self.completed.insert(checkpoint, RestorePoint { checkpoint, savepoint: target, drained });
        if running {
            out.push(Action::NotifyComplete(checkpoint));
        }
        let subsumed = format!("checkpoint {checkpoint} has completed");
        self.abort_collecting(
            |p| p.barrier.checkpoint < checkpoint && p.barrier.kind.commits(),
            &subsumed,
            now,
            out,
        );
        self.prune(out);
        if is_last && running {
            self.abort_collecting(|_| true, "the job is finishing", now, out);
            if let Some(run) = &mut self.run {
                run.finishing = true;
            }
            out.push(Action::Finish(checkpoint));
        }
        self.discard_by_retention(out);
    }

    /// Drops what is older than the retained checkpoints. The savepoint of a stop is not counted and not
    /// deleted, only forgotten when nothing would fall back to it.
    fn prune(&mut self, out: &mut Vec<Action<S>>) {
        let own: Vec<_> =
            self.completed.iter().filter(|(_, point)| point.savepoint.is_none()).map(|(id, _)| *id).collect();
        let surplus = own.len().saturating_sub(self.config.retained.max(1));
        for id in &own[..surplus] {
            self.completed.remove(id);
            out.push(Action::Discard(*id));
        }
        if let Some(oldest) = own.get(surplus) {
            self.completed = self.completed.split_off(oldest);
        }
    }

    fn discard_by_retention(&mut self, out: &mut Vec<Action<S>>) {
        if self.terminal.is_some_and(|status| self.config.retention.discards(status)) {
            let own = self.completed.extract_if(.., |_, point| point.savepoint.is_none());
            out.extend(own.map(|(id, _)| Action::Discard(id)));
        }
    }

    fn drained(&mut self, attempt: Attempt, now: Timestamp, out: &mut Vec<Action<S>>) {
        let Some(run) = self.run.as_mut().filter(|r| r.attempt == attempt && r.drained.is_none()) else {
            return;
        };
        run.drained = Some(now);
        for (request, _) in self.queue.drain(..) {
            out.push(Action::RequestFailed { request, reason: "the job is finishing".to_owned() });
        }
        // The final checkpoint says all that they would say.
        self.abort_collecting(
            |p| p.barrier.kind.commits() && !p.barrier.kind.is_last(),
            "the job is finishing",
            now,
            out,
        );
    }

    pub(super) fn abort_collecting(
        &mut self,
        which: impl Fn(&Pending<S>) -> bool,
        reason: &str,
        now: Timestamp,
        out: &mut Vec<Action<S>>,
    ) {
        let ids: Vec<_> =
            self.pending.iter().filter(|(_, p)| p.collecting() && which(p)).map(|(id, _)| *id).collect();
        for id in ids {
            self.abort(id, Cause::Dropped(reason.to_owned()), now, out);
        }
    }

    pub(super) fn abort(
        &mut self,
        checkpoint: CheckpointId,
        cause: Cause,
        now: Timestamp,
        out: &mut Vec<Action<S>>,
    ) {
        let Some(Pending { attempt, barrier, request, .. }) = self.pending.remove(&checkpoint) else {
            return;
        };
        out.push(Action::NotifyAborted(checkpoint));
        let (reason, failed) = match cause {
            Cause::Failed(reason) => (reason, true),
            Cause::Dropped(reason) => (reason, false),
        };
        if let Some(request) = request {
            out.push(Action::RequestFailed { request, reason: reason.clone() });
        }
        if barrier.kind != CheckpointKind::Savepoint {
            self.pause_until = now.saturating_add(self.config.min_pause);
        }
        let Some(run) = self.run.as_mut().filter(|r| r.attempt == attempt) else {
            return;
        };
        if let (CheckpointKind::Final, Some(not_before)) = (barrier.kind, &mut run.drained) {
            *not_before = now.saturating_add(self.config.min_pause.max(FINAL_RETRY_MILLIS));
        }
        let text = format!("checkpoint {checkpoint} failed: {reason}");
        if barrier.kind == CheckpointKind::Terminate {
            // What has been drained cannot be undone, other than by starting again from before.
            out.push(Action::FailJob(text.clone()));
            self.stop(&text, now, out);
        } else if failed && !barrier.kind.is_savepoint() {
            self.failures += 1;
            if self.failures > self.config.tolerable_failures {
                self.failures = 0;
                let tolerated = self.config.tolerable_failures;
                out.push(Action::FailJob(format!("{text} ({tolerated} failures in a row are tolerated)")));
                self.stop(&text, now, out);
            }
        }
    }
}
