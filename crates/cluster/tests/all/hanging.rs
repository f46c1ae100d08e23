//! What a job does while something that it needs does not answer.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::support::storage::{HangingStorage, Step};
use crate::support::{Plan, World, eventually, finish, world, world_with};
use flott_checkpoint::ExecutionState;
use flott_cluster::{JobClient, JobInfo, JobStatus};
use flott_plan::{Exchange, JobGraph};

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
