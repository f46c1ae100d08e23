//! The coordinator, event by event, as text. A snapshot is a number here.

use flott_checkpoint::coordinator::{
    Action, Config, Coordinator, DeclineReason, Event, Request, RestorePoint, Retention,
};
use flott_checkpoint::{Attempt, CheckpointKind, JobStatus, RequestId, TaskId};
use flott_types::{CheckpointId, SubtaskIndex, VertexId};

fn show(action: &Action<u32>) -> String {
    match action {
        Action::Trigger { barrier, .. } => match barrier.kind {
            CheckpointKind::Checkpoint => format!("trigger {}", barrier.checkpoint),
            kind => format!("trigger {} {kind:?}", barrier.checkpoint),
        },
        Action::WriteManifest(snapshot) => {
            let parts: Vec<_> = snapshot.snapshots.iter().map(|(task, s)| format!("{task}={s}")).collect();
            let target = snapshot.target.as_ref().map(|t| format!(" to {t}")).unwrap_or_default();
            format!("write {}{target} [{}]", snapshot.checkpoint, parts.join(" "))
        }
        Action::NotifyComplete(id) => format!("complete {id}"),
        Action::NotifyAborted(id) => format!("aborted {id}"),
        Action::Discard(id) => format!("discard {id}"),
        Action::FailJob(reason) => format!("fail: {reason}"),
        Action::RequestDone { request, checkpoint, target } => {
            format!("request {} done: {checkpoint} {}", request.0, target.as_deref().unwrap_or("-"))
        }
        Action::RequestFailed { request, reason } => format!("request {} failed: {reason}", request.0),
        Action::DrainSources => "drain".to_owned(),
        Action::Restore(point) => match point {
            None => "restore nothing".to_owned(),
            Some(RestorePoint { checkpoint, savepoint, drained }) => {
                let from = savepoint.as_ref().map(|s| format!(" {s}")).unwrap_or_default();
                format!("restore {checkpoint}{from}{}", if *drained { " drained" } else { "" })
            }
        },
        Action::Finish(id) => format!("finish with {id}"),
    }
}

struct Job {
    coordinator: Coordinator<u32>,
    now: i64,
    attempt: Attempt,
    requests: u64,
}

fn task(index: u32) -> TaskId {
    TaskId { vertex: VertexId(index), subtask: SubtaskIndex(0) }
}

fn config() -> Config {
    Config { interval: Some(100), timeout: 50, tolerable_failures: 1, ..Config::default() }
}

impl Job {
    /// Two tasks, running since time 0.
    fn new(config: Config) -> Self {
        let coordinator = Coordinator::new(config, CheckpointId(1), []);
        let mut job = Job { coordinator, now: 0, attempt: Attempt(0), requests: 0 };
        assert_eq!(job.started(), "");
        job
    }

    fn started(&mut self) -> String {
        self.attempt = self.attempt.next();
        self.step(Event::JobStarted { attempt: self.attempt, tasks: vec![task(0), task(1)] })
    }

    fn step(&mut self, event: Event<u32>) -> String {
        self.coordinator.step(event, self.now).iter().map(show).collect::<Vec<_>>().join(", ")
    }

    fn tick(&mut self, now: i64) -> String {
        self.now = now;
        self.step(Event::Tick)
    }

    fn ack(&mut self, index: u32, checkpoint: u64) -> String {
        let (attempt, checkpoint) = (self.attempt, CheckpointId(checkpoint));
        self.step(Event::Ack { attempt, task: task(index), checkpoint, snapshot: index * 10 })
    }

    fn decline(&mut self, checkpoint: u64, reason: DeclineReason) -> String {
        let (attempt, checkpoint) = (self.attempt, CheckpointId(checkpoint));
        self.step(Event::Decline { attempt, task: task(0), checkpoint, reason })
    }

    fn stored(&mut self, checkpoint: u64) -> String {
        self.step(Event::StoreCompleted(CheckpointId(checkpoint)))
    }

    /// From the acknowledgements to the durable manifest; what follows from the last.
    fn complete(&mut self, checkpoint: u64) -> String {
        self.ack(0, checkpoint);
        self.ack(1, checkpoint);
        self.stored(checkpoint)
    }

    fn stopping(&mut self) -> String {
        self.step(Event::JobStopping { attempt: self.attempt, reason: "no disk".to_owned() })
    }

    fn request(&mut self, what: Request) -> String {
        self.requests += 1;
        self.step(Event::Request { request: RequestId(self.requests), what })
    }

    fn drained(&mut self) -> String {
        self.step(Event::AllTasksDrained { attempt: self.attempt })
    }
}

fn savepoint() -> Request {
    Request::Savepoint { target: "sp".to_owned() }
}

fn stop(drain: bool) -> Request {
    Request::StopWithSavepoint { target: "sp".to_owned(), drain }
}

#[test]
fn tasks_hear_of_completion_when_the_manifest_is_durable() {
    let mut job = Job::new(config());
    assert_eq!(job.coordinator.next_deadline(), Some(100));
    assert_eq!(job.tick(99), "");
    assert_eq!(job.tick(100), "trigger 1");
    assert_eq!(job.coordinator.next_deadline(), Some(150)); // its timeout
    assert_eq!(job.ack(1, 1), "");
    assert_eq!(job.ack(0, 1), "write 1 [0/0=0 1/0=10]");
    assert_eq!(job.tick(1_000), "");
    assert_eq!(job.stored(1), "complete 1, trigger 2");
    assert_eq!(job.complete(2), "complete 2, discard 1");
}

#[test]
fn what_is_doubled_unknown_or_from_another_attempt_changes_nothing() {
    let mut job = Job::new(config());
    job.tick(100);
    assert_eq!(job.ack(0, 1), "");
    assert_eq!(job.ack(0, 1), "");
    assert_eq!(job.ack(7, 1), "");
    assert_eq!(job.ack(1, 9), "");
    assert_eq!(job.stored(1), "");
    let foreign = Event::Ack { attempt: Attempt(9), task: task(1), checkpoint: CheckpointId(1), snapshot: 0 };
    assert_eq!(job.step(foreign), "");
    assert_eq!(job.ack(1, 1), "write 1 [0/0=0 1/0=10]");
    assert_eq!(job.ack(1, 1), "");
    assert_eq!(job.decline(1, DeclineReason::Failed("late".into())), "");
    assert_eq!(job.stored(1), "complete 1");
    assert_eq!(job.stored(1), "");
    assert_eq!(job.step(Event::AllTasksDrained { attempt: Attempt(9) }), "");
    assert_eq!(job.step(Event::JobStopping { attempt: Attempt(9), reason: String::new() }), "");
    assert_eq!(job.step(Event::JobStarted { attempt: Attempt(1), tasks: vec![] }), "");
}

#[test]
fn failures_in_a_row_are_tolerated_up_to_a_number() {
    let mut job = Job::new(config());
    job.tick(100);
    assert_eq!(job.decline(1, DeclineReason::Failed("no disk".into())), "aborted 1");
    assert_eq!(job.tick(200), "trigger 2");
    job.complete(2);
    assert_eq!(job.tick(300), "trigger 3");
    assert_eq!(job.tick(350), "aborted 3");
    assert_eq!(job.tick(400), "trigger 4");
    // Overtaken: not a failure.
    assert_eq!(job.decline(4, DeclineReason::Superseded), "aborted 4");
    assert_eq!(job.tick(500), "trigger 5");
    job.ack(0, 5);
    job.ack(1, 5);
    assert_eq!(
        job.step(Event::StoreFailed { checkpoint: CheckpointId(5), reason: "503".into() }),
        "aborted 5, fail: checkpoint 5 failed: its manifest could not be written: 503 (1 failures in a row are tolerated)"
    );
    assert_eq!(job.tick(9_000), "");
    assert_eq!(job.coordinator.next_deadline(), None);
}

#[test]
fn a_timeout_says_who_is_missing() {
    let mut job = Job::new(Config { tolerable_failures: 0, ..config() });
    job.tick(100);
    job.ack(0, 1);
    assert_eq!(
        job.tick(150),
        "aborted 1, fail: checkpoint 1 failed: it timed out after 50 ms; 1 of 2 tasks have not acknowledged: 1/0 \
         (0 failures in a row are tolerated)"
    );
}

#[test]
fn the_pause_counts_from_the_end_of_the_last_one() {
    let mut job = Job::new(Config { min_pause: 80, timeout: 1_000, ..config() });
    job.tick(100);
    job.now = 150;
    assert_eq!(job.complete(1), "complete 1");
    assert_eq!(job.coordinator.next_deadline(), Some(230));
    assert_eq!(job.tick(229), "");
    assert_eq!(job.tick(230), "trigger 2");
}

#[test]
fn several_at_a_time_subsume_each_other() {
    let mut job = Job::new(Config { max_concurrent: 3, timeout: 1_000, retained: 2, ..config() });
    for (now, id) in [(100, 1), (200, 2), (300, 3)] {
        assert_eq!(job.tick(now), format!("trigger {id}"));
    }
    assert_eq!(job.tick(400), "");
    job.ack(0, 1);
    job.ack(1, 1); // being written
    job.ack(0, 2);
    assert_eq!(job.complete(3), "complete 3, aborted 2, trigger 4");
    // Overtaken while it was written: nobody is notified, and nobody goes back to it.
    assert_eq!(job.stored(1), "discard 1");
    assert_eq!(job.coordinator.latest(), Some(RestorePoint::checkpoint(CheckpointId(3))));
}

#[test]
fn a_recovery_waits_for_the_manifest_that_is_being_written() {
    let mut job = Job::new(config());
    job.tick(100);
    job.ack(0, 1);
    job.ack(1, 1);
    assert_eq!(job.stopping(), "");
    assert_eq!(job.step(Event::RestoreRequested), "");
    assert_eq!(job.stored(1), "restore 1");
    assert_eq!(job.started(), "");
    job.tick(200);
    assert_eq!(job.stopping(), "aborted 2");
    assert_eq!(job.step(Event::RestoreRequested), "restore 1");
    // Damaged, and none before it.
    assert_eq!(job.step(Event::Unusable(CheckpointId(1))), "");
    assert_eq!(job.step(Event::RestoreRequested), "restore nothing");
}

#[test]
fn a_new_jobmanager_continues_above_every_id() {
    let points = [4, 6].map(|id| RestorePoint::checkpoint(CheckpointId(id)));
    let coordinator = Coordinator::new(config(), CheckpointId(9), points.clone());
    let mut job = Job { coordinator, now: 0, attempt: Attempt(5), requests: 0 };
    assert_eq!(job.step(Event::RestoreRequested), "restore 6");
    job.started();
    assert_eq!(job.tick(100), "trigger 9");
    assert_eq!(job.complete(9), "complete 9, discard 4, discard 6");
    let too_low = Coordinator::<u32>::new(config(), CheckpointId(1), points);
    assert_eq!(too_low.next_id(), CheckpointId(7));
}

#[test]
fn a_savepoint_on_the_side_commits_nothing_and_is_not_recovered_from() {
    let mut job = Job::new(config());
    job.tick(100);
    job.complete(1);
    assert_eq!(job.request(savepoint()), "trigger 2 Savepoint");
    job.ack(0, 2);
    assert_eq!(job.ack(1, 2), "write 2 to sp [0/0=0 1/0=10]");
    assert_eq!(job.stored(2), "request 1 done: 2 sp");
    assert_eq!(job.coordinator.latest(), Some(RestorePoint::checkpoint(CheckpointId(1))));
    assert_eq!(job.tick(200), "trigger 3");
    assert_eq!(job.complete(3), "complete 3, discard 1");
    // Its failure fails nothing else.
    job.request(savepoint());
    let failed = job.decline(4, DeclineReason::Failed("no disk".into()));
    assert_eq!(failed, "aborted 4, request 2 failed: task 0/0 declined: no disk");
    job.stopping();
    assert_eq!(job.request(savepoint()), "request 3 failed: the job is not running");
}

#[test]
fn a_checkpoint_on_request_waits_for_its_turn() {
    let mut job = Job::new(config());
    job.tick(100);
    assert_eq!(job.request(Request::Checkpoint { full: true }), "");
    assert_eq!(job.complete(1), "complete 1, trigger 2 FullCheckpoint");
    assert_eq!(job.complete(2), "request 1 done: 2 -, complete 2, discard 1");
    assert_eq!(job.coordinator.next_deadline(), Some(200));
}

#[test]
fn full_checkpoints_are_taken_until_one_is_complete() {
    let mut job = Job::new(Config { first_is_full: true, ..config() });
    assert_eq!(job.tick(100), "trigger 1 FullCheckpoint");
    job.decline(1, DeclineReason::Superseded);
    assert_eq!(job.tick(200), "trigger 2 FullCheckpoint");
    job.complete(2);
    assert_eq!(job.tick(300), "trigger 3");
}

#[test]
fn the_final_checkpoint_replaces_those_in_progress_and_is_retried() {
    let mut job = Job::new(config());
    job.tick(100);
    assert_eq!(job.drained(), "aborted 1, trigger 2 Final");
    assert_eq!(job.drained(), "");
    assert_eq!(job.decline(2, DeclineReason::Failed("no disk".into())), "aborted 2");
    assert_eq!(job.coordinator.next_deadline(), Some(1_100));
    assert_eq!(job.tick(1_100), "trigger 3 Final");
    assert_eq!(job.complete(3), "complete 3, finish with 3");
    assert_eq!(job.coordinator.next_deadline(), None);
    assert_eq!(job.request(stop(false)), "request 1 failed: the job is finishing");
    assert_eq!(job.step(Event::JobTerminal(JobStatus::Finished)), "discard 3");
}

/// Failures of the final checkpoint count like those of any other, and so does what became of the one before
/// it.
#[test]
fn a_final_checkpoint_that_always_fails_fails_the_job() {
    let mut job = Job::new(config());
    assert_eq!(job.drained(), "trigger 1 Final");
    assert_eq!(job.tick(50), "aborted 1");
    assert_eq!(job.tick(1_050), "trigger 2 Final");
    job.ack(0, 2);
    job.ack(1, 2);
    assert_eq!(
        job.step(Event::StoreFailed { checkpoint: CheckpointId(2), reason: "503".into() }),
        "aborted 2, fail: checkpoint 2 failed: its manifest could not be written: 503 (1 failures in a row are tolerated)"
    );
    assert_eq!(job.coordinator.next_deadline(), None);
}

#[test]
fn a_job_without_periodic_checkpoints_takes_the_final_one() {
    let mut job = Job::new(Config::default());
    assert_eq!(job.coordinator.next_deadline(), None);
    assert_eq!(job.drained(), "trigger 1 Final");
    assert_eq!(job.complete(1), "complete 1, finish with 1");
}

#[test]
fn stop_with_savepoint_ends_the_job_or_lets_it_continue() {
    let mut job = Job::new(config());
    assert_eq!(job.request(stop(false)), "trigger 1 Suspend");
    assert_eq!(job.tick(20), "");
    assert_eq!(
        job.tick(50),
        "aborted 1, request 1 failed: it timed out after 50 ms; 2 of 2 tasks have not \
                              acknowledged: 0/0, 1/0"
    );
    assert_eq!(job.tick(100), "trigger 2");
    job.complete(2);
    assert_eq!(job.request(stop(false)), "trigger 3 Suspend");
    assert_eq!(job.tick(149), "");
    // The answer comes with the end of the job: until then the stop may still fail.
    assert_eq!(job.complete(3), "complete 3, finish with 3");
    // If the job fails before it has finished, it must not fall behind what was committed with the savepoint.
    let failed = job.stopping();
    assert!(
        failed.starts_with("request 2 failed: StopWithSavepointStoppingException: the savepoint 'sp'"),
        "{failed}"
    );
    assert!(failed.contains("no disk"), "{failed}");
    assert_eq!(job.step(Event::RestoreRequested), "restore 3 sp");
    job.now = 200;
    job.started();
    assert_eq!(job.tick(300), "trigger 4 FullCheckpoint");
    assert_eq!(job.complete(4), "complete 4, discard 2");
    assert_eq!(job.step(Event::Unusable(CheckpointId(4))), "");
    job.stopping();
    assert_eq!(job.step(Event::RestoreRequested), "restore nothing");
}

#[test]
fn stop_with_drain_takes_its_savepoint_when_all_has_drained() {
    let mut job = Job::new(config());
    job.tick(100);
    assert_eq!(job.request(stop(true)), "aborted 1, drain");
    assert_eq!(job.request(savepoint()), "request 2 failed: the job is already being stopped");
    assert_eq!(job.tick(5_000), "");
    assert_eq!(job.drained(), "trigger 2 Terminate");
    assert_eq!(job.complete(2), "complete 2, finish with 2");
    let mut ended = Job::new(config());
    ended.request(stop(true));
    ended.drained();
    ended.complete(1);
    assert_eq!(ended.request(stop(false)), "request 2 failed: the job is finishing");
    assert_eq!(ended.step(Event::JobTerminal(JobStatus::Finished)), "request 1 done: 1 sp");
    job.stopping();
    assert_eq!(job.step(Event::RestoreRequested), "restore 2 sp drained");
    // Checkpoints of the attempt that begins at the end are of the same kind.
    job.started();
    job.drained();
    job.complete(3);
    job.stopping();
    assert_eq!(job.step(Event::RestoreRequested), "restore 3 drained");
}

#[test]
fn a_drain_cannot_be_taken_back() {
    let mut job = Job::new(config());
    job.request(stop(true));
    job.drained();
    let failed = job.decline(1, DeclineReason::Failed("no disk".into()));
    let reason = "task 0/0 declined: no disk";
    assert_eq!(failed, format!("aborted 1, request 1 failed: {reason}, fail: checkpoint 1 failed: {reason}"));
}

#[test]
fn a_savepoint_that_outlives_its_attempt_says_so() {
    let mut job = Job::new(config());
    job.request(stop(false));
    job.ack(0, 1);
    job.ack(1, 1);
    job.stopping();
    let failed = job.stored(1);
    assert!(failed.contains("the savepoint 'sp' is complete, but the job did not end with it"), "{failed}");
    assert_eq!(job.step(Event::RestoreRequested), "restore 1 sp");
}

#[test]
fn retention_decides_what_is_left_of_an_ended_job() {
    let left = |retention, status| {
        let mut job = Job::new(Config { retention, retained: 2, ..config() });
        for (now, id) in [(100, 1), (200, 2)] {
            job.tick(now);
            job.complete(id);
        }
        job.step(Event::JobTerminal(status)).is_empty()
    };
    use JobStatus::{Canceled, Failed, Finished, Suspended};
    let kept = |retention| [Finished, Canceled, Failed, Suspended].map(|status| left(retention, status));
    assert_eq!(kept(Retention::NoExternalized), [false, false, false, true]);
    assert_eq!(kept(Retention::DeleteOnCancellation), [false, false, true, true]);
    assert_eq!(kept(Retention::RetainOnCancellation), [false, true, true, true]);
}

#[test]
fn what_lands_after_the_end_of_the_job_is_discarded_too() {
    let mut job = Job::new(config());
    job.tick(100);
    job.ack(0, 1);
    job.ack(1, 1);
    assert_eq!(job.step(Event::JobTerminal(JobStatus::Canceled)), "");
    assert!(job.coordinator.is_writing());
    assert_eq!(job.stored(1), "discard 1");
    assert!(!job.coordinator.is_writing());
}

#[test]
fn progress_is_told() {
    let mut job = Job::new(config());
    job.tick(100);
    job.ack(0, 1);
    let progress: Vec<_> =
        job.coordinator.in_progress().map(|(b, missing)| (b.checkpoint.0, missing)).collect();
    assert_eq!(progress, [(1, 1)]);
}
