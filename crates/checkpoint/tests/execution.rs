//! The life of a job, event by event, as text.

use flott_checkpoint::coordinator::RestorePoint;
use flott_checkpoint::execution::{Action, Event, Execution, ExecutionState, Failure, JobStatus, Scaling};
use flott_checkpoint::restart::Strategy;
use flott_checkpoint::{Attempt, TaskId};
use flott_types::{CheckpointId, SubtaskIndex, VertexId};

fn show(action: &Action) -> String {
    match action {
        Action::StatusChanged(status) => status.to_string(),
        Action::RequestRestorePoint => "restore?".to_owned(),
        Action::RequestSlots => "slots?".to_owned(),
        Action::Resize { wished: true } => "as wished".to_owned(),
        Action::Resize { wished: false } => "as there are".to_owned(),
        Action::WithdrawSlots => "no slots".to_owned(),
        Action::Deploy { attempt, restore, .. } => {
            format!("deploy {attempt} from {:?}", restore.as_ref().map(|r| r.checkpoint.0))
        }
        Action::AttemptRunning { attempt, .. } => format!("running {attempt}"),
        Action::AttemptStopping { attempt, .. } => format!("stopping {attempt}"),
        Action::CancelTasks { attempt } => format!("cancel {attempt}"),
        Action::AllDrained { attempt } => format!("drained {attempt}"),
        Action::FinishTasks { attempt, checkpoint } => format!("finish {attempt} with {checkpoint}"),
        Action::ScheduleRestart { at, reason } => format!("restart at {at}: {reason}"),
        Action::JobTerminal { status, reason } => match reason {
            Some(reason) => format!("end {status}: {reason}"),
            None => format!("end {status}"),
        },
    }
}

/// `slot.request.timeout`
const SLOTS: i64 = 50;

struct Job {
    execution: Execution,
    now: i64,
}

impl Job {
    /// Two tasks; deployed, not running yet.
    fn deployed(strategy: Strategy) -> Self {
        let tasks = (0..2).map(task).collect();
        let mut job = Job { execution: Execution::new(tasks, strategy, Attempt(0), SLOTS, 1), now: 0 };
        assert_eq!(job.step(Event::Start), "CREATED, restore?");
        assert_eq!(job.step(Event::RestorePoint(None)), "slots?");
        assert_eq!(job.step(Event::SlotsGranted), "RUNNING, deploy 1 from None");
        job
    }

    fn running(strategy: Strategy) -> Self {
        let mut job = Self::deployed(strategy);
        assert_eq!(job.task(1, 0, ExecutionState::Running), "");
        assert_eq!(job.task(1, 1, ExecutionState::Running), "running 1");
        job
    }

    fn step(&mut self, event: Event) -> String {
        self.execution.step(event, self.now).iter().map(show).collect::<Vec<_>>().join(", ")
    }

    fn task(&mut self, attempt: u32, index: u32, state: ExecutionState) -> String {
        let failure = (state == ExecutionState::Failed)
            .then(|| Failure { reason: "no disk".to_owned(), retryable: true });
        self.step(Event::Task { attempt: Attempt(attempt), task: task(index), state, failure })
    }

    fn at(&mut self, now: i64) -> &mut Self {
        self.now = now;
        self
    }
}

fn task(index: u32) -> TaskId {
    TaskId { vertex: VertexId(index), subtask: SubtaskIndex(0) }
}

fn twice() -> Strategy {
    Strategy::FixedDelay { attempts: 2, delay: 10 }
}

#[test]
fn a_bounded_job_drains_takes_its_last_checkpoint_and_finishes() {
    let mut job = Job::running(Strategy::None);
    let drained = |index| Event::Drained { attempt: Attempt(1), task: task(index) };
    assert_eq!(job.step(drained(1)), "");
    assert_eq!(job.step(drained(0)), "drained 1");
    assert_eq!(job.step(drained(0)), "");
    assert_eq!(job.step(Event::LastCheckpointCompleted(CheckpointId(3))), "finish 1 with 3");
    assert_eq!(job.task(1, 0, ExecutionState::Finished), "");
    assert_eq!(job.task(1, 1, ExecutionState::Finished), "FINISHED, end FINISHED");
    assert_eq!(job.step(Event::Cancel), "");
}

/// The tasks have left; the job has not ended before what the job master commits is committed, and begins
/// again when that fails.
#[test]
fn a_job_that_commits_ends_with_its_last_commit() {
    let mut job = Job::running(twice());
    job.execution = job.execution.that_commits(true);
    let committed = Event::Committed { attempt: Attempt(1) };
    assert_eq!(job.step(committed.clone()), "", "of a checkpoint before the last");
    assert_eq!(job.step(Event::LastCheckpointCompleted(CheckpointId(3))), "finish 1 with 3");
    job.task(1, 0, ExecutionState::Finished);
    assert_eq!(job.task(1, 1, ExecutionState::Finished), "");
    let of_another = Event::Committed { attempt: Attempt(0) };
    assert_eq!(job.step(of_another), "");
    let mut fails = Job { execution: job.execution.clone(), now: 0 };
    assert_eq!(job.step(committed), "FINISHED, end FINISHED");
    let failure = Failure { reason: "no catalog".to_owned(), retryable: true };
    let told = fails.step(Event::Fail(failure));
    assert!(told.starts_with("RESTARTING, restart at") && told.ends_with("no catalog, stopping 1"), "{told}");
}

#[test]
fn tasks_that_drain_before_all_are_running_do_not_drain_the_job_too_early() {
    let mut job = Job::deployed(Strategy::None);
    for index in [0, 1] {
        assert_eq!(job.step(Event::Drained { attempt: Attempt(1), task: task(index) }), "");
    }
    assert_eq!(job.task(1, 0, ExecutionState::Running), "");
    assert_eq!(job.task(1, 1, ExecutionState::Running), "running 1, drained 1");
}

#[test]
fn the_next_attempt_waits_for_the_end_of_the_last_and_for_its_time() {
    let mut job = Job::running(twice());
    job.at(100);
    assert_eq!(
        job.task(1, 0, ExecutionState::Failed),
        "RESTARTING, restart at 110: no disk, stopping 1, cancel 1"
    );
    assert_eq!(job.execution.next_deadline(), None);
    assert_eq!(job.at(120).step(Event::Tick), "");
    assert_eq!(job.task(1, 1, ExecutionState::Canceled), "restore?");
    let point = Some(RestorePoint::checkpoint(CheckpointId(7)));
    assert_eq!(job.step(Event::RestorePoint(point)), "slots?");
    assert_eq!(job.step(Event::SlotsGranted), "RUNNING, deploy 2 from Some(7)");
    // What comes from the last attempt is of no interest.
    assert_eq!(job.task(1, 1, ExecutionState::Failed), "");
    assert_eq!(job.step(Event::RestorePoint(None)), "");
}

#[test]
fn the_delay_is_waited_for() {
    let mut job = Job::running(twice());
    job.task(1, 0, ExecutionState::Failed);
    assert_eq!(job.task(1, 1, ExecutionState::Failed), "");
    assert_eq!(job.execution.next_deadline(), Some(10));
    assert_eq!(job.at(9).step(Event::Tick), "");
    assert_eq!(job.at(10).step(Event::Tick), "restore?");
    assert_eq!(job.execution.next_deadline(), None);
}

#[test]
fn a_failure_is_final_without_a_strategy_and_when_it_cannot_be_retried() {
    let mut job = Job::running(Strategy::None);
    assert_eq!(job.task(1, 0, ExecutionState::Failed), "FAILING, stopping 1, cancel 1");
    assert_eq!(
        job.task(1, 1, ExecutionState::Canceled),
        "FAILED, end FAILED: no disk (not restarted: there is no restart strategy ('restart-strategy.type: none'))"
    );
    let mut job = Job::running(twice());
    let failure = Failure { reason: "no such column".into(), retryable: false };
    assert_eq!(job.step(Event::Fail(failure)), "FAILING, stopping 1, cancel 1");
    job.task(1, 0, ExecutionState::Canceled);
    let end = "FAILED, end FAILED: no such column";
    assert_eq!(job.task(1, 1, ExecutionState::Canceled), end);
}

#[test]
fn a_damaged_restore_point_counts_as_a_failure_of_the_attempt() {
    let mut job = Job::running(twice());
    job.task(1, 0, ExecutionState::Failed);
    job.task(1, 1, ExecutionState::Failed);
    assert_eq!(job.at(10).step(Event::Tick), "restore?");
    let failure = || Failure { reason: "'a' is damaged".into(), retryable: true };
    assert_eq!(job.step(Event::Fail(failure())), "restart at 20: 'a' is damaged, stopping 1");
    assert_eq!(job.step(Event::Fail(failure())), "");
    assert_eq!(job.at(20).step(Event::Tick), "restore?");
    assert!(
        job.step(Event::Fail(failure()))
            .starts_with("FAILING, stopping 1, FAILED, end FAILED: 'a' is damaged")
    );
}

#[test]
fn a_task_that_finishes_untold_has_failed() {
    let mut job = Job::running(twice());
    assert_eq!(
        job.task(1, 0, ExecutionState::Finished),
        "RESTARTING, restart at 10: task 0/0 finished before the last checkpoint of the job was complete, \
         stopping 1, cancel 1"
    );
}

#[test]
fn a_failure_after_the_last_checkpoint_restarts_the_whole_region() {
    let mut job = Job::running(twice());
    job.step(Event::LastCheckpointCompleted(CheckpointId(3)));
    assert_eq!(job.task(1, 0, ExecutionState::Finished), "");
    assert_eq!(job.task(1, 1, ExecutionState::Failed), "RESTARTING, restart at 10: no disk, stopping 1");
    assert_eq!(job.at(10).step(Event::Tick), "restore?");
}

#[test]
fn cancelling_waits_for_the_tasks_and_is_not_stopped_by_their_failures() {
    let mut job = Job::running(twice());
    assert_eq!(job.step(Event::Cancel), "CANCELLING, stopping 1, cancel 1");
    assert_eq!(job.task(1, 0, ExecutionState::Failed), "");
    assert_eq!(job.step(Event::Cancel), "");
    assert_eq!(job.task(1, 1, ExecutionState::Canceled), "CANCELED, end CANCELED: the job was cancelled");
}

#[test]
fn a_job_that_waits_for_a_restart_is_cancelled_at_once() {
    let mut job = Job::running(twice());
    job.task(1, 0, ExecutionState::Failed);
    job.task(1, 1, ExecutionState::Canceled);
    assert_eq!(
        job.step(Event::Cancel),
        "CANCELLING, stopping 1, CANCELED, end CANCELED: the job was cancelled"
    );
    assert_eq!(job.at(50).step(Event::Tick), "");
}

#[test]
fn a_suspended_job_ends_here_but_not_for_good() {
    let mut job = Job::running(twice());
    assert_eq!(job.step(Event::Suspend), "SUSPENDED, stopping 1, cancel 1");
    job.task(1, 0, ExecutionState::Canceled);
    assert_eq!(job.task(1, 1, ExecutionState::Canceled), "end SUSPENDED: the JobManager goes away");
    assert!(job.execution.status().is_terminal() && !job.execution.status().is_globally_terminal());
}

#[test]
fn reports_that_were_overtaken_change_nothing() {
    let mut job = Job::deployed(Strategy::None);
    assert_eq!(job.task(1, 0, ExecutionState::Running), "");
    assert_eq!(job.task(1, 0, ExecutionState::Initializing), "");
    assert_eq!(job.execution.region().state(task(0)), Some(ExecutionState::Running));
    assert_eq!(job.task(1, 1, ExecutionState::Running), "running 1");
    assert_eq!(job.execution.status(), JobStatus::Running);
}

fn missing(hopeless: bool) -> Event {
    Event::SlotsMissing { reason: "two slots are missing".to_owned(), hopeless, enough: false }
}

#[test]
fn a_job_waits_for_its_slots_a_bounded_time_and_says_what_is_missing() {
    let tasks = (0..2).map(task).collect();
    let mut job = Job { execution: Execution::new(tasks, twice(), Attempt(0), SLOTS, 1), now: 0 };
    job.step(Event::Start);
    assert_eq!(job.step(Event::RestorePoint(None)), "slots?");
    assert_eq!(job.step(missing(false)), "");
    assert_eq!((job.execution.status(), job.execution.next_deadline()), (JobStatus::Created, Some(50)));
    assert_eq!(job.at(49).step(Event::Tick), "");
    let reason = "two slots are missing; the job has waited for 50 ms ('slot.request.timeout')";
    let told = format!("RESTARTING, restart at 60: {reason}, no slots, stopping 0");
    assert_eq!(job.at(50).step(Event::Tick), told);
    // A grant that was in progress comes too late.
    assert_eq!(job.step(Event::SlotsGranted), "");
    assert_eq!(job.at(60).step(Event::Tick), "restore?");
    assert_eq!(job.step(Event::SlotsGranted), "");
    assert_eq!(job.step(Event::RestorePoint(None)), "slots?");
    assert_eq!(job.step(Event::SlotsGranted), "RUNNING, deploy 1 from None");
}

#[test]
fn what_will_never_be_is_not_waited_for() {
    let tasks = (0..2).map(task).collect();
    let mut job = Job { execution: Execution::new(tasks, twice(), Attempt(0), SLOTS, 1), now: 0 };
    job.step(Event::Start);
    job.step(Event::RestorePoint(None));
    let end = "FAILING, no slots, stopping 0, FAILED, end FAILED: two slots are missing";
    assert_eq!(job.step(missing(true)), end);
    // Of a job that has run its slots may come back.
    let mut job = Job::running(twice());
    job.task(1, 0, ExecutionState::Failed);
    job.task(1, 1, ExecutionState::Failed);
    assert_eq!(job.at(10).step(Event::Tick), "restore?");
    job.step(Event::RestorePoint(None));
    assert_eq!(job.step(missing(true)), "");
    assert_eq!(job.at(30).step(Event::SlotsGranted), "RUNNING, deploy 2 from None");
}

#[test]
fn a_job_that_waits_for_slots_is_cancelled_at_once() {
    let tasks = (0..2).map(task).collect();
    let mut job = Job { execution: Execution::new(tasks, twice(), Attempt(0), SLOTS, 1), now: 0 };
    job.step(Event::Start);
    job.step(Event::RestorePoint(None));
    let end = "CANCELLING, no slots, stopping 0, CANCELED, end CANCELED: the job was cancelled";
    assert_eq!(job.step(Event::Cancel), end);
}

#[test]
fn tasks_are_lost_with_their_task_manager() {
    let lost = |attempt, index| Event::TaskManagerLost {
        attempt: Attempt(attempt),
        tasks: vec![task(index)],
        reason: "TaskManager 1 is lost".to_owned(),
    };
    let mut job = Job::running(twice());
    let told = "RESTARTING, restart at 10: TaskManager 1 is lost, stopping 1, cancel 1";
    assert_eq!(job.step(lost(1, 0)), told);
    // A task that does not answer the cancellation is waited for until it is lost.
    assert_eq!(job.at(10).step(Event::Tick), "");
    assert_eq!(job.step(lost(1, 1)), "restore?");
    job.step(Event::RestorePoint(None));
    assert_eq!(job.step(Event::SlotsGranted), "RUNNING, deploy 2 from None");
    // What was lost before is no loss to this attempt.
    assert_eq!(job.step(lost(1, 0)), "");
}

/// Two tasks are wished.
fn that_scales() -> Job {
    let scaling = Scaling { settle: 20, settle_running: 10, cooldown: 100 };
    let tasks = (0..2).map(task).collect();
    let execution = Execution::new(tasks, twice(), Attempt(0), SLOTS, 1).that_scales(Some(scaling));
    let mut job = Job { execution, now: 0 };
    assert_eq!(job.step(Event::Start), "CREATED, restore?");
    assert_eq!(job.step(Event::RestorePoint(None)), "slots?");
    job
}

fn short(enough: bool) -> Event {
    Event::SlotsMissing { reason: "one is missing".to_owned(), hopeless: true, enough }
}

#[test]
fn a_job_that_scales_starts_with_what_there_is_when_it_has_waited() {
    let mut job = that_scales();
    // What the cluster will never have, another job may give back; so also this is waited for.
    assert_eq!(job.at(5).step(short(false)), "");
    assert_eq!(job.execution.next_deadline(), Some(50));
    assert_eq!(job.at(10).step(short(true)), "");
    // That it is told again changes nothing; that it is not enough any more does.
    assert_eq!(job.at(15).step(short(true)), "");
    assert_eq!(job.execution.next_deadline(), Some(30));
    assert_eq!(job.at(16).step(short(false)), "");
    assert_eq!(job.at(17).step(short(true)), "");
    assert_eq!(job.at(36).step(Event::Tick), "");
    assert_eq!(job.at(37).step(Event::Tick), "as there are");
    // A grant of what it wished comes too late.
    assert_eq!(job.step(Event::SlotsGranted), "");
    assert_eq!(job.step(Event::Resized(vec![task(0)])), "restore?");
    assert_eq!(job.step(Event::RestorePoint(None)), "slots?");
    assert_eq!(job.step(Event::SlotsGranted), "RUNNING, deploy 1 from None");
    assert_eq!(job.task(1, 0, ExecutionState::Running), "running 1");
}

#[test]
fn a_job_that_scales_fails_when_there_is_never_enough() {
    let mut job = that_scales();
    job.at(5).step(short(false));
    let told = job.at(50).step(Event::Tick);
    assert!(
        told.starts_with("RESTARTING, restart at 60: one is missing; the job has waited for 50 ms"),
        "{told}"
    );
    // It wishes all again.
    assert_eq!(job.at(60).step(Event::Tick), "as wished");
}

#[test]
fn a_job_grows_with_a_checkpoint_and_not_too_soon() {
    let mut job = that_scales();
    job.at(10).step(short(true));
    job.at(30).step(Event::Tick);
    job.step(Event::Resized(vec![task(0)]));
    job.step(Event::RestorePoint(None));
    job.step(Event::SlotsGranted);
    job.task(1, 0, ExecutionState::Running);
    // Slots that come and go are no reason.
    assert_eq!(job.at(40).step(Event::CouldGrow(true)), "");
    assert_eq!(job.execution.next_deadline(), Some(130));
    assert_eq!(job.step(Event::CouldGrow(false)), "");
    assert_eq!(job.execution.next_deadline(), None);
    assert_eq!(job.at(125).step(Event::CouldGrow(true)), "");
    assert_eq!(job.at(130).step(Event::CheckpointCompleted), "");
    assert_eq!(job.at(135).step(Event::Tick), "");
    // Time alone does not stop it.
    assert_eq!((job.execution.status(), job.execution.next_deadline()), (JobStatus::Running, None));
    let stopping = "RESTARTING, stopping 1, cancel 1";
    assert_eq!(job.at(150).step(Event::CheckpointCompleted), stopping);
    assert_eq!(job.task(1, 0, ExecutionState::Canceled), "as there are");
    assert_eq!(job.step(Event::Resized(vec![task(0), task(1)])), "restore?");
    assert_eq!(job.step(Event::RestorePoint(None)), "slots?");
    assert_eq!(job.step(Event::SlotsGranted), "RUNNING, deploy 2 from None");
}

#[test]
fn what_a_user_wishes_is_done_with_the_next_checkpoint_or_while_it_waits() {
    let mut job = that_scales();
    assert_eq!(job.step(Event::Rescale), "as wished");
    assert_eq!(job.step(Event::Resized(vec![task(0)])), "restore?");
    job.step(Event::RestorePoint(None));
    job.step(Event::SlotsGranted);
    assert_eq!(job.step(Event::Rescale), "");
    // Before all of it runs, there is nothing to stop.
    assert_eq!(job.step(Event::CheckpointCompleted), "");
    job.task(1, 0, ExecutionState::Running);
    assert_eq!(job.step(Event::CheckpointCompleted), "RESTARTING, stopping 1, cancel 1");
    // It is no failure: the restarts that are allowed are left.
    assert_eq!(job.execution.failure(), None);
}
