//! Tasks that were told to leave, and those that do not.
//!
//! A thread cannot be ended from outside. A task in a user's function that never returns is first warned of
//! (`task.cancellation.interval`), then given up (`task.cancellation.timeout`). Flink ends the process of the
//! TaskManager then; here others may live in the same process, so only the slot of the task is lost, until
//! the function returns after all. What the task does later has no effect: its exchanges are closed, its
//! attempt is over, and it looks at its cancellation before anything else.

use std::time::Duration;

use flott_checkpoint::{Attempt, TaskId};
use flott_runtime::{Failure, TaskHandle};
use flott_types::{Error, JobId, Timestamp};

use crate::messages::ToJobManager;

/// How often those that leave are looked at.
const LOOK: i64 = 50;
/// How often those that were given up are.
const LOOK_FOR_RETURN: i64 = 1_000;

/// The tasks that are leaving.
#[derive(Default)]
pub(crate) struct Leaving(Vec<Task>);

struct Task {
    job: JobId,
    attempt: Attempt,
    task: TaskId,
    handle: TaskHandle,
    /// For people.
    name: String,
    /// Of the vertex.
    operators: Vec<String>,
    since: Timestamp,
    warned: Timestamp,
    interval: i64,
    timeout: Option<i64>,
    abandoned: bool,
    /// It was given up in a session that has ended: its slot is in none since.
    of_earlier_session: bool,
}

/// A task that has to end.
pub(crate) struct Leaver {
    pub(crate) job: JobId,
    pub(crate) attempt: Attempt,
    pub(crate) task: TaskId,
    pub(crate) handle: TaskHandle,
    /// For people.
    pub(crate) name: String,
    /// The names of the operators of its vertex.
    pub(crate) operators: Vec<String>,
    /// `task.cancellation.interval`
    pub(crate) interval: i64,
    /// `task.cancellation.timeout`
    pub(crate) timeout: Option<i64>,
}

impl Leaving {
    /// A task was told to leave.
    pub(crate) fn add(&mut self, leaver: Leaver, now: Timestamp) {
        let Leaver { job, attempt, task, handle, name, operators, interval, timeout } = leaver;
        let known = |other: &Task| (other.job, other.attempt, other.task) == (job, attempt, task);
        if handle.has_ended() || self.0.iter().any(known) {
            return;
        }
        let (since, warned, abandoned, of_earlier_session) = (now, now, false, false);
        self.0.push(Task {
            job,
            attempt,
            task,
            handle,
            name,
            operators,
            since,
            warned,
            interval,
            timeout,
            abandoned,
            of_earlier_session,
        });
    }

    /// How many have not left and are not given up.
    pub(crate) fn waited_for(&self) -> usize {
        self.0.iter().filter(|task| !task.abandoned).count()
    }

    /// Those that were given up are of an earlier session from now on.
    pub(crate) fn end_session(&mut self) {
        self.0.iter_mut().for_each(|task| task.of_earlier_session |= task.abandoned);
    }

    /// How many of those there are: each may keep a slot.
    pub(crate) fn of_earlier_sessions(&self) -> u32 {
        let count = self.0.iter().filter(|task| task.of_earlier_session).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// In how long to look again.
    pub(crate) fn look_in(&self) -> Option<Duration> {
        let of = |task: &Task| if task.abandoned { LOOK_FOR_RETURN } else { LOOK };
        self.0.iter().map(of).min().map(|millis| Duration::from_millis(millis as u64))
    }

    /// Looks at them; what the JobManager has to know.
    pub(crate) fn look(&mut self, now: Timestamp) -> Vec<ToJobManager> {
        let mut told = Vec::new();
        self.0.retain_mut(|task| {
            let ended = task.handle.has_ended();
            let Task { job, attempt, task: id, .. } = *task;
            if ended && task.abandoned {
                tracing::warn!(%job, task = task.name, "a task that was given up has ended after all");
                told.push(ToJobManager::Returned { job, attempt, task: id });
            } else if !ended && !task.abandoned {
                let waited = now.saturating_sub(task.since);
                if task.timeout.is_some_and(|timeout| waited >= timeout) {
                    task.abandoned = true;
                    task.handle.abandon();
                    let text = format!(
                        "task '{}' did not end within {waited} ms after it was cancelled \
                         ('task.cancellation.timeout'): {}. Its thread cannot be ended and is left behind; its slot is lost \
                         until it returns",
                        task.name,
                        task.doing()
                    );
                    tracing::error!(%job, "{text}");
                    let failure = Failure::new(&Error::internal(text), now);
                    told.push(ToJobManager::Abandoned { job, attempt, task: id, failure });
                } else if task.interval > 0 && now.saturating_sub(task.warned) >= task.interval {
                    task.warned = now;
                    let doing = task.doing();
                    tracing::warn!(%job, "task '{}' was cancelled {waited} ms ago and has not ended: {doing}", task.name);
                }
            }
            !ended
        });
        told
    }
}

impl Task {
    /// What keeps it.
    fn doing(&self) -> String {
        match self.handle.operator().and_then(|position| self.operators.get(position)) {
            Some(operator) => format!("operator '{operator}' does not return"),
            None => "it waits outside its operators, for a store or a connection".to_owned(),
        }
    }
}
