//! What sinks commit once for the whole job: after their checkpoint, after what subtasks commit of it, and
//! exactly once, whatever fails.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::support::killed::Killed;
use crate::support::{Plan, World, each_seed, eventually, finish, world, world_with};
use flott_checkpoint::ExecutionState;
use flott_cluster::{JobClient, JobStatus};
use flott_plan::{Exchange, JobGraph};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const ROWS: i64 = 600;

fn want() -> Vec<(i64, i64)> {
    let mut want: Vec<_> = (0..ROWS).map(|v| (v % 10, v)).collect();
    want.sort_unstable();
    want
}

fn job(sink: &[(&str, &str)], parallelism: u32, more: &[(&str, &str)]) -> JobGraph {
    let mut plan = Plan::new(&[
        ("execution.checkpointing.interval", "3 ms"),
        ("execution.checkpointing.tolerable-failed-checkpoints", "1000"),
        ("restart-strategy.type", "fixed-delay"),
        ("restart-strategy.fixed-delay.attempts", "1000"),
        ("restart-strategy.fixed-delay.delay", "1 ms"),
        ("table.exec.batch-size", "16"),
    ]);
    plan.configuration.extend(more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    let source =
        plan.source("source", &[("splits", "4"), ("rows", "150"), ("batch", "5"), ("pause", "1")], 2);
    let sink = plan.sink("sink", sink, parallelism);
    plan.connect(source, sink, Exchange::Hash(vec![0]));
    plan.build()
}

#[test]
fn exactly_once_under_failures_at_random_points() {
    let failures: u64 = each_seed(0..30, |seed| {
        let mut random = SmallRng::seed_from_u64(seed);
        let world = world(2, 2);
        let by = if random.random() { "job" } else { "both" };
        let retries = if random.random() { "0" } else { "5" };
        let graph = job(&[("by", by)], random.random_range(1..=3), &[("sink.committer.retries", retries)]);
        let client = world.cluster.submit(&graph).unwrap();
        let faults = ["panic", "snapshot", "commit", "open", "global commit", "half of a global commit"];
        for _ in 0..random.random_range(1..5) {
            if random.random_bool(0.2) {
                world.controls.fail_after.store(random.random_range(1..200), Ordering::SeqCst);
            } else {
                *world.controls.fault.lock() = Some(faults[random.random_range(0..faults.len())]);
            }
            let ended = |info: &flott_cluster::JobInfo| info.status.is_terminal();
            client.wait_until(Duration::from_millis(random.random_range(1..30)), ended);
        }
        finish(&client);
        assert_eq!(world.committed.rows(), want(), "seed {seed}");
        world.controls.failures.load(Ordering::SeqCst)
    })
    .iter()
    .sum();
    assert!(failures > 20, "only {failures} failures: the test does not test");
}

/// The tasks have left, and the job has not ended: its last commit is in progress.
#[test]
fn a_job_ends_with_its_last_commit() {
    for fault in [None, Some("global commit"), Some("half of a global commit")] {
        let world = world(1, 2);
        world.controls.hold_global_commits.store(true, Ordering::SeqCst);
        // Without checkpoints but the last one.
        let graph = job(&[("by", "both")], 2, &[("execution.checkpointing.interval", "0")]);
        let client = world.cluster.submit(&graph).unwrap();
        let left = |info: &flott_cluster::JobInfo| {
            !info.tasks.is_empty() && info.tasks.values().all(|task| *task == ExecutionState::Finished)
        };
        assert!(client.wait_until(Duration::from_secs(30), left), "{:#?}", client.info());
        assert!(eventually(|| world.controls.held_global_commits.load(Ordering::SeqCst) > 0));
        assert_eq!(client.status(), JobStatus::Running);
        let halves = want().into_iter().filter(|(_, v)| v % 2 == 0).collect::<Vec<_>>();
        assert_eq!(world.committed.rows(), halves, "what the subtasks commit");
        *world.controls.fault.lock() = fault;
        // The question that is held was past the first fault already: a second one comes only after a
        // restart.
        if fault == Some("global commit") {
            *world.controls.fault.lock() = Some("half of a global commit");
        }
        world.controls.hold_global_commits.store(false, Ordering::SeqCst);
        finish(&client);
        assert_eq!(world.committed.rows(), want());
        assert_eq!(client.info().checkpoints.restored, u64::from(fault.is_some()));
    }
}

fn started(world: &World, graph: &JobGraph) -> JobClient {
    let client = world.cluster.submit(graph).unwrap();
    let running = |info: &flott_cluster::JobInfo| {
        !info.tasks.is_empty() && info.tasks.values().all(|task| *task == ExecutionState::Running)
    };
    assert!(client.wait_until(Duration::from_secs(30), running), "{:#?}", client.info());
    client
}

fn kept(folder: &Path) -> Vec<(&'static str, String)> {
    let url = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    vec![
        ("execution.checkpointing.interval", "1 h".to_owned()),
        ("execution.checkpointing.dir", url("checkpoints")),
        ("execution.checkpointing.savepoint-dir", url("savepoints")),
    ]
}

fn kept_job(sink: &[(&str, &str)], parallelism: u32, options: &[(&'static str, String)]) -> JobGraph {
    let options: Vec<(&str, &str)> = options.iter().map(|(k, v)| (*k, v.as_str())).collect();
    job(sink, parallelism, &options)
}

/// The JobManager is lost when a checkpoint is durable and nothing of it is committed globally. The next one
/// commits it, at another parallelism.
#[test]
fn what_is_durable_and_not_committed_is_committed_by_the_next_job_manager() {
    for (before, after) in [(1, 3), (3, 1), (2, 2)] {
        let folder = tempfile::tempdir().unwrap();
        let options = kept(folder.path());
        let first = world_with(1, 3, |options| options.storage = Killed::at_end());
        first.controls.hold_global_commits.store(true, Ordering::SeqCst);
        first.controls.pause_at.store(200, Ordering::SeqCst);
        let client = started(&first, &kept_job(&[("by", "both")], before, &options));
        assert!(eventually(|| first.controls.emitted.load(Ordering::SeqCst) >= 200));
        let path = client.trigger_checkpoint(false).unwrap();
        let later = client.trigger_checkpoint(false).unwrap();
        assert_ne!(path, later);
        assert!(first.committed.rows().iter().all(|(_, v)| v % 2 == 0), "the committer is held");
        let World { cluster, committed, controls } = first;
        controls.lose_global_commits.store(true, Ordering::SeqCst);
        drop(cluster);

        let second = world(1, 3);
        *second.committed.parts.lock() = std::mem::take(&mut *committed.parts.lock());
        let mut options = options;
        options.push(("execution.state-recovery.path", later));
        finish(&second.cluster.submit(&kept_job(&[("by", "both")], after, &options)).unwrap());
        assert_eq!(second.committed.rows(), want());
    }
}

#[test]
fn a_stop_waits_for_its_commits_and_a_savepoint_contains_what_is_not_committed() {
    let folder = tempfile::tempdir().unwrap();
    let options = kept(folder.path());
    let first = world(1, 2);
    first.controls.pause_at.store(200, Ordering::SeqCst);
    let client = started(&first, &kept_job(&[("by", "job")], 2, &options));
    assert!(eventually(|| first.controls.emitted.load(Ordering::SeqCst) >= 200));
    // On the side: it commits nothing, and what it holds is committed with the next.
    let beside = client.trigger_savepoint(None).unwrap();
    assert_eq!(first.committed.rows(), []);
    first.controls.hold_global_commits.store(true, Ordering::SeqCst);
    let stop = client.begin_stop_with_savepoint(None, false).unwrap();
    assert!(eventually(|| first.controls.held_global_commits.load(Ordering::SeqCst) > 0));
    assert!(stop.wait_for(Duration::ZERO).is_none(), "its output is not committed");
    first.controls.hold_global_commits.store(false, Ordering::SeqCst);
    stop.wait_for(Duration::from_secs(30)).unwrap().unwrap();
    assert_eq!(client.status(), JobStatus::Finished);
    assert_eq!(first.committed.rows().len() as u64, first.controls.emitted.load(Ordering::SeqCst));

    // A job that continues from the savepoint on the side commits what that took along.
    let second = world(1, 2);
    let mut more = options.clone();
    more.push(("execution.state-recovery.path", beside));
    finish(&second.cluster.submit(&kept_job(&[("by", "job")], 1, &more)).unwrap());
    assert_eq!(second.committed.rows(), want());

    // One whose sink commits nothing for the whole job any more is told.
    let graph = kept_job(&[("by", "subtasks")], 1, &more);
    let told = world(1, 2).cluster.submit(&graph).unwrap().wait().unwrap_err().to_string();
    assert!(told.contains("still to be committed for the whole job"), "{told}");
}

#[test]
fn nothing_waits_at_the_end_of_a_job() {
    let world = world(1, 2);
    let client = world.cluster.submit(&job(&[("by", "job"), ("waits", "true")], 2, &[])).unwrap();
    let told = client.wait().unwrap_err().to_string();
    assert!(told.contains("lets output wait at the end"), "{told}");
    assert_eq!(client.status(), JobStatus::Failed);
}

/// A stop is not the end: what waits is in the savepoint, and the next job goes on with it.
#[test]
fn what_waits_when_a_job_is_stopped_is_left_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let options = kept(folder.path());
    let first = world(1, 2);
    first.controls.pause_at.store(200, Ordering::SeqCst);
    let client = started(&first, &kept_job(&[("by", "job"), ("waits", "true")], 2, &options));
    assert!(eventually(|| first.controls.emitted.load(Ordering::SeqCst) >= 200));
    client.trigger_checkpoint(false).unwrap();
    let savepoint = client.stop_with_savepoint(None, false).unwrap();
    assert_eq!((client.status(), first.committed.rows()), (JobStatus::Finished, vec![]));

    let second = world(1, 3);
    let mut more = options.clone();
    more.push(("execution.state-recovery.path", savepoint));
    finish(&second.cluster.submit(&kept_job(&[("by", "job")], 3, &more)).unwrap());
    assert_eq!(second.committed.rows(), want());

    // With `drain` it would be the end.
    let third = world(1, 2);
    third.controls.pause_at.store(200, Ordering::SeqCst);
    let client = started(&third, &kept_job(&[("by", "job"), ("waits", "true")], 2, &options));
    // Of a job that has emitted nothing, nothing waits.
    assert!(eventually(|| third.controls.emitted.load(Ordering::SeqCst) >= 200));
    let told = client.stop_with_savepoint(None, true).unwrap_err().to_string();
    assert!(told.contains("lets output wait at the end"), "{told}");
}

/// One that hangs does not keep the job from being cancelled, nor its checkpoints from going on.
#[test]
fn a_committer_that_hangs_holds_up_neither_checkpoints_nor_a_cancellation() {
    let world = Arc::new(world(1, 2));
    world.controls.hold_global_commits.store(true, Ordering::SeqCst);
    world.controls.pause_at.store(300, Ordering::SeqCst);
    let client = started(&world, &job(&[("by", "job")], 2, &[]));
    assert!(eventually(|| world.controls.held_global_commits.load(Ordering::SeqCst) > 0));
    let before = client.info().checkpoints.completed;
    assert!(client.wait_until(Duration::from_secs(30), |info| info.checkpoints.completed > before + 3));
    client.cancel();
    assert_eq!(client.wait_for(Duration::from_secs(30)), Some(JobStatus::Canceled));
    world.controls.hold_global_commits.store(false, Ordering::SeqCst);
}

/// What is committed by event time must not wait for a writer whose source has no split.
#[test]
fn a_writer_hears_that_its_source_is_idle() {
    let world = world(1, 3);
    let mut plan = Plan::new(&[]);
    let source = plan.source("source", &[("splits", "2"), ("unbounded", "true")], 3);
    let sink = plan.sink("sink", &[("by", "job")], 3);
    plan.connect(source, sink, Exchange::Forward);
    let client = started(&world, &plan.build());
    // One has no split from the start, the others when theirs are read.
    assert!(eventually(|| world.controls.idle_sinks.load(Ordering::SeqCst) == 3));
    client.cancel();
    assert_eq!(client.wait_for(Duration::from_secs(30)), Some(JobStatus::Canceled));
}
