//! When checkpoints are triggered, and when they time out.

use flott_types::{FastMap, Timestamp};

use super::api::{Action, Request};
use super::machine::{Cause, Coordinator};
use super::pending::{Pending, Phase};
use crate::{Barrier, CheckpointKind, RequestId};

impl<S> Coordinator<S> {
    pub(super) fn request(
        &mut self,
        request: RequestId,
        what: Request,
        now: Timestamp,
        out: &mut Vec<Action<S>>,
    ) {
        let stopping = self.pending.values().any(|p| p.barrier.kind.is_last());
        let refused = match (&mut self.run, what) {
            (None, _) => "the job is not running",
            (Some(run), _) if run.finishing || run.drained.is_some() || stopping => "the job is finishing",
            (Some(run), _) if run.draining_stop.is_some() => "the job is already being stopped",
            (Some(_), Request::Checkpoint { full }) => {
                self.queue.push_back((request, full));
                return;
            }
            (Some(_), Request::Savepoint { target }) => {
                self.trigger(CheckpointKind::Savepoint, Some(target), Some(request), now, out);
                return;
            }
            (Some(_), Request::StopWithSavepoint { target, drain: false }) => {
                self.trigger(CheckpointKind::Suspend, Some(target), Some(request), now, out);
                return;
            }
            (Some(run), Request::StopWithSavepoint { target, drain: true }) => {
                run.draining_stop = Some((request, target));
                // A checkpoint with some tasks drained is one that the job must not be recovered from,
                // because its sources would then go on. So there is none until the savepoint, or until it has
                // failed.
                self.abort_collecting(|_| true, "the job is being stopped", now, out);
                for (request, _) in self.queue.drain(..) {
                    let reason = "the job is being stopped".to_owned();
                    out.push(Action::RequestFailed { request, reason });
                }
                out.push(Action::DrainSources);
                return;
            }
        };
        out.push(Action::RequestFailed { request, reason: refused.to_owned() });
    }

    /// When the next checkpoint is to be triggered, if none of those in progress ends before.
    pub(super) fn next_trigger(&self) -> Option<Timestamp> {
        let run = self.run.as_ref().filter(|r| !r.finishing)?;
        if self.pending.values().any(|p| p.barrier.kind.is_last()) {
            return None;
        }
        if let Some(not_before) = run.drained {
            return Some(not_before);
        }
        if run.draining_stop.is_some() {
            return None;
        }
        if self.pending.values().filter(|p| !p.barrier.kind.is_savepoint()).count()
            >= self.config.max_concurrent.max(1)
        {
            return None;
        }
        if !self.queue.is_empty() {
            return Some(Timestamp::MIN);
        }
        run.next_periodic.map(|at| at.max(self.pause_until))
    }

    pub(super) fn trigger_due(&mut self, now: Timestamp, out: &mut Vec<Action<S>>) {
        while self.next_trigger().is_some_and(|at| at <= now) {
            let Some(run) = &mut self.run else { return };
            if run.drained.is_some() {
                match run.draining_stop.take() {
                    Some((request, target)) => {
                        self.trigger(CheckpointKind::Terminate, Some(target), Some(request), now, out);
                    }
                    None => self.trigger(CheckpointKind::Final, None, None, now, out),
                }
                continue;
            }
            let queued = self.queue.pop_front();
            // A requested checkpoint replaces the periodic one that would have followed.
            run.next_periodic = self.config.interval.map(|interval| now.saturating_add(interval.max(1)));
            let full = self.full_needed || queued.is_some_and(|(_, full)| full);
            let kind = if full { CheckpointKind::FullCheckpoint } else { CheckpointKind::Checkpoint };
            self.trigger(kind, None, queued.map(|(request, _)| request), now, out);
        }
    }

    pub(super) fn trigger(
        &mut self,
        kind: CheckpointKind,
        target: Option<String>,
        request: Option<RequestId>,
        now: Timestamp,
        out: &mut Vec<Action<S>>,
    ) {
        let Some(run) = &self.run else { return };
        let drained = run.ends_at_once || matches!(kind, CheckpointKind::Terminate | CheckpointKind::Final);
        let checkpoint = self.next_id;
        self.next_id = checkpoint.next();
        let overtakes_after = self.config.overtakes_after.filter(|_| kind.may_overtake());
        let barrier = Barrier { checkpoint, created_at: now, kind, overtakes_after };
        let deadline = now.saturating_add(self.config.timeout);
        let phase = Phase::Collecting { deadline, acks: FastMap::default() };
        let pending =
            Pending { attempt: run.attempt, barrier, target: target.clone(), request, drained, phase };
        self.pending.insert(checkpoint, pending);
        out.push(Action::Trigger { barrier, target });
    }

    pub(super) fn expire(&mut self, now: Timestamp, out: &mut Vec<Action<S>>) {
        while let Some((id, late)) =
            self.pending.iter().find(|(_, p)| p.deadline().is_some_and(|deadline| deadline <= now))
        {
            let (id, tasks) = (*id, self.run.as_ref().map_or(&[][..], |r| &r.tasks));
            let reason = format!("it timed out after {} ms; {}", self.config.timeout, late.missing(tasks));
            self.abort(id, Cause::Failed(reason), now, out);
        }
    }
}
