//! What a job does while something that it needs does not answer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::support::storage::{HangingStorage, Step};
use crate::support::{Plan, World, eventually, finish, world, world_with};
use flott_checkpoint::ExecutionState;
use flott_cluster::{JobClient, JobInfo, JobStatus};
use flott_plan::{Exchange, JobGraph};
use flott_runtime::Threads;

const LONG: Duration = Duration::from_secs(60);

fn job() -> JobGraph {
    let mut plan = Plan::new(&[
        ("execution.checkpointing.interval", "1 h"),
        ("restart-strategy.type", "fixed-delay"),
        ("restart-strategy.fixed-delay.attempts", "3"),
        ("restart-strategy.fixed-delay.delay", "1 ms"),
    ]);
    let source = plan.source("source", &[("splits", "2"), ("rows", "50")], 2);
    let sink = plan.sink("sink", &[], 1);
    plan.connect(source, sink, Exchange::Rebalance);
    plan.build()
}

fn is_running(info: &JobInfo) -> bool {
    !info.tasks.is_empty() && info.tasks.values().all(|task| *task == ExecutionState::Running)
}

/// source -> sink, of one subtask each, that gives up on tasks soon.
fn impatient(more: &[(&str, &str)]) -> JobGraph {
    let mut plan = Plan::new(&[
        ("task.cancellation.timeout", "100 ms"),
        ("task.cancellation.interval", "20 ms"),
        ("execution.checkpointing.interval", "1 h"),
    ]);
    plan.configuration.extend(more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    let source = plan.source("source", &[("rows", "50")], 1);
    let sink = plan.sink("deaf sink", &[], 1);
    plan.connect(source, sink, Exchange::Rebalance);
    plan.build()
}

/// A job whose sink hangs in a function of the user.
fn with_deaf_sink(more: &[(&str, &str)]) -> (World, JobClient) {
    let world = world(1, 2);
    world.controls.hold_sinks.store(true, Ordering::SeqCst);
    world.controls.pause_at.store(20, Ordering::SeqCst);
    let client = world.cluster.submit(&impatient(more)).unwrap();
    assert!(eventually(|| world.controls.held_sinks.load(Ordering::SeqCst) > 0), "{:#?}", client.info());
    (world, client)
}

/// A job that runs and waits, on a storage that can be told to hang.
fn with_storage() -> (World, Arc<HangingStorage>, JobClient) {
    let storage = Arc::new(HangingStorage::default());
    let of_cluster = storage.clone();
    let world = world_with(1, 4, move |options| options.storage = of_cluster);
    world.controls.hold.store(true, Ordering::SeqCst);
    let client = world.cluster.submit(&job()).unwrap();
    assert!(client.wait_until(LONG, is_running), "{:#?}", client.info());
    (world, storage, client)
}

fn cancels(client: &JobClient) {
    client.cancel();
    assert_eq!(client.wait_for(LONG), Some(JobStatus::Canceled), "{:#?}", client.info());
}

#[test]
fn a_job_is_cancelled_while_a_manifest_is_not_written() {
    for step in [Step::Write, Step::Upload, Step::Folder] {
        let (world, storage, client) = with_storage();
        storage.hang(step);
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            let request = scope.spawn(|| match step {
                Step::Folder => client.trigger_savepoint(folder.path().to_str()),
                _ => client.trigger_checkpoint(false),
            });
            assert!(eventually(|| storage.hangs()), "{step:?}: {:#?}", client.info());
            cancels(&client);
            assert!(request.join().unwrap().is_err());
        });
        // Its slots are free, its thread is given up, and another job runs.
        assert_eq!(world.cluster.slots(), (4, 4));
        assert_eq!(world.cluster.threads().abandoned(), 1, "{step:?}");
        storage.release();
        world.controls.hold.store(false, Ordering::SeqCst);
        finish(&world.cluster.submit(&job()).unwrap());
        assert!(eventually(|| world.cluster.threads().abandoned() == 0));
    }
}

#[test]
fn a_job_is_cancelled_while_its_checkpoint_is_not_read() {
    let (world, storage, client) = with_storage();
    client.trigger_checkpoint(false).unwrap();
    storage.hang(Step::Read);
    world.controls.fail_after.store(1, Ordering::SeqCst);
    world.controls.hold.store(false, Ordering::SeqCst);
    assert!(eventually(|| storage.hangs()), "{:#?}", client.info());
    cancels(&client);
    storage.release();
}

#[test]
fn a_job_is_cancelled_while_its_splits_are_looked_for() {
    let world = world(1, 2);
    world.controls.hold_enumerators.store(true, Ordering::SeqCst);
    let client = world.cluster.submit(&job()).unwrap();
    assert!(client.wait_until(LONG, is_running), "{:#?}", client.info());
    cancels(&client);
    world.controls.hold_enumerators.store(false, Ordering::SeqCst);
}

#[test]
fn a_cluster_is_dropped_while_its_store_hangs() {
    let (world, storage, client) = with_storage();
    storage.hang(Step::Write);
    std::thread::scope(|scope| {
        let request = scope.spawn(|| client.trigger_checkpoint(false));
        assert!(eventually(|| storage.hangs()), "{:#?}", client.info());
        let threads = world.cluster.threads().clone();
        drop(world);
        assert_eq!((threads.running(), threads.abandoned()), (0, 1));
        assert!(request.join().unwrap().is_err());
    });
    storage.release();
}

#[test]
fn a_function_that_never_returns_costs_its_slot_and_not_the_end_of_its_job() {
    let (world, client) = with_deaf_sink(&[]);
    cancels(&client);
    let info = client.info();
    let told = &info.exceptions.front().unwrap().failure.message;
    assert!(told.starts_with("task 'deaf sink (1/1)' did not end within"), "{told}");
    assert!(told.contains("operator 'deaf sink' does not return"), "{told}");
    assert_eq!((world.cluster.slots(), world.cluster.threads().abandoned()), ((1, 1), 1));
    // When it returns after all, the slot is there again, and nothing was written.
    world.controls.hold_sinks.store(false, Ordering::SeqCst);
    assert!(eventually(|| world.cluster.slots() == (2, 2)));
    assert_eq!(world.cluster.threads().abandoned(), 0);
    assert_eq!(world.committed.rows(), []);
}

#[test]
fn a_job_is_restarted_in_another_slot_than_that_of_a_task_that_does_not_end() {
    let (world, client) = with_deaf_sink(&[
        ("restart-strategy.type", "fixed-delay"),
        ("restart-strategy.fixed-delay.attempts", "100"),
        ("restart-strategy.fixed-delay.delay", "1 ms"),
    ]);
    // The source fails; the sink of the next attempt hangs too.
    *world.controls.fault.lock() = Some("panic");
    world.controls.pause_at.store(0, Ordering::SeqCst);
    assert!(eventually(|| world.controls.held_sinks.load(Ordering::SeqCst) > 1), "{:#?}", client.info());
    assert_eq!((world.cluster.slots(), world.cluster.threads().abandoned()), ((1, 0), 1));
    world.controls.hold_sinks.store(false, Ordering::SeqCst);
    finish(&client);
    assert_eq!(
        world.committed.rows(),
        (0..50).map(|v| (v % 10, v)).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    );
    assert!(eventually(|| world.cluster.slots() == (2, 2)));
}

#[test]
fn a_submission_that_gets_no_thread_leaves_nothing_behind() {
    // Of the cluster: the resource manager and the TaskManager. Of the job: two that write and read, and its
    // master, for which there is none.
    let world = world_with(1, 2, |options| options.threads = Threads::limited(4));
    let refused = world.cluster.submit(&job()).err().unwrap().to_string();
    assert!(refused.contains("jobmaster"), "{refused}");
    assert_eq!(world.cluster.slots(), (2, 2));
    assert_eq!(world.cluster.jobs(), []);
    assert!(world.cluster.threads().wait_until(2, LONG));
}
