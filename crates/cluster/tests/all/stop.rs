//! Stops with a savepoint: when they are answered, and what becomes of those that do not come through.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::support::{Plan, World, eventually, finish, world, world_with};
use flott_checkpoint::ExecutionState;
use flott_checkpoint::manifest::Manifest;
use flott_cluster::{JobClient, JobInfo, JobStatus};
use flott_plan::{Exchange, JobGraph, OperatorSpec};
use flott_types::clock::ManualClock;

const ROWS: i64 = 600;

fn job(folder: &Path, more: &[(&str, &str)]) -> JobGraph {
    let mut plan = Plan::new(&[
        ("execution.checkpointing.interval", "1 h"),
        ("execution.checkpointing.dir", folder.to_str().unwrap()),
        ("execution.checkpointing.savepoint-dir", folder.join("savepoints").to_str().unwrap()),
        ("restart-strategy.type", "fixed-delay"),
        ("restart-strategy.fixed-delay.attempts", "3"),
        ("restart-strategy.fixed-delay.delay", "1 ms"),
    ]);
    plan.configuration.extend(more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    let source = plan.source("source", &[("splits", "4"), ("rows", "150"), ("batch", "5")], 2);
    let sink = plan.sink("sink", &[], 2);
    plan.connect(source, sink, Exchange::Hash(vec![0]));
    plan.build()
}

/// A job that has emitted a part of its rows, and waits.
fn half_way(world: &World, folder: &Path, name: &str) -> JobClient {
    world.controls.pause_at.store(200, Ordering::SeqCst);
    let client = world.cluster.submit(&job(folder, &[("pipeline.name", name)])).unwrap();
    assert!(eventually(|| world.controls.emitted.load(Ordering::SeqCst) >= 200), "{:#?}", client.info());
    // A job that is not deployed yet has no tasks.
    let running = |info: &JobInfo| {
        !info.tasks.is_empty() && info.tasks.values().all(|task| *task == ExecutionState::Running)
    };
    assert!(client.wait_until(Duration::from_secs(30), running), "{:#?}", client.info());
    client
}

fn want() -> Vec<(i64, i64)> {
    let mut want: Vec<_> = (0..ROWS).map(|v| (v % 10, v)).collect();
    want.sort_unstable();
    want
}

#[test]
fn a_stop_is_answered_when_the_job_has_ended() {
    for drain in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let world = world(1, 2);
        let client = half_way(&world, folder.path(), "job");
        client.stop_with_savepoint(None, drain).unwrap();
        assert_eq!(client.status(), JobStatus::Finished);
        assert_eq!(world.cluster.slots(), (2, 2));
        assert_eq!(world.committed.rows().len() as u64, world.controls.emitted.load(Ordering::SeqCst));
    }
}

#[test]
fn a_stop_whose_commit_fails_is_an_error_and_the_job_continues_from_its_savepoint() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(1, 2);
    let client = half_way(&world, folder.path(), "job");
    *world.controls.fault.lock() = Some("commit");
    let error = client.stop_with_savepoint(None, false).unwrap_err().to_string();
    assert!(error.contains("StopWithSavepointStoppingException"), "{error}");
    assert!(
        error.contains("/savepoints/savepoint-") && error.contains("a fault of the test: commit"),
        "{error}"
    );
    world.controls.pause_at.store(0, Ordering::SeqCst);
    finish(&client);
    let checkpoints = client.info().checkpoints;
    assert_eq!((checkpoints.restored, checkpoints.restored_from.map(|id| id.0)), (1, Some(1)));
    assert_eq!(world.committed.rows(), want());
}

#[test]
fn a_refused_request_leaves_a_stop_in_progress_alone() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(1, 2);
    let client = half_way(&world, folder.path(), "job");
    // The sinks have not come to the barrier yet.
    world.controls.hold_sinks.store(true, Ordering::SeqCst);
    world.controls.pause_at.store(400, Ordering::SeqCst);
    assert!(eventually(|| world.controls.emitted.load(Ordering::SeqCst) >= 240), "{:#?}", client.info());
    let path = std::thread::scope(|scope| {
        let stop = scope.spawn(|| client.stop_with_savepoint(None, false));
        assert!(eventually(|| client.info().checkpoints.in_progress == 1), "{:#?}", client.info());
        let refused = client.stop_with_savepoint(None, false).unwrap_err().to_string();
        assert!(refused.contains("the job is finishing"), "{refused}");
        world.controls.hold_sinks.store(false, Ordering::SeqCst);
        stop.join().unwrap().unwrap()
    });
    // What the job stopped with is its newest state: a new start continues from there.
    let latest = [("execution.state-recovery.path", "latest"), ("pipeline.name", "job")];
    let latest = job(folder.path(), &latest);
    world.controls.pause_at.store(0, Ordering::SeqCst);
    let other = world.cluster.submit(&latest).unwrap();
    finish(&other);
    assert!(other.info().checkpoints.restored_from.is_some(), "it did not go on from {path}");
    assert_eq!(world.controls.emitted.load(Ordering::SeqCst), ROWS as u64);
}

#[test]
fn savepoints_of_two_jobs_at_one_moment_lie_in_two_folders() {
    let folder = tempfile::tempdir().unwrap();
    let world = world_with(1, 4, |options| options.clock = Arc::new(ManualClock::new(7)));
    let clients = ["one", "other"].map(|name| half_way(&world, folder.path(), name));
    let paths: BTreeSet<_> = clients.iter().map(|client| client.trigger_savepoint(None).unwrap()).collect();
    assert_eq!(paths.len(), 2, "{paths:?}");
    for client in clients {
        client.cancel();
        assert_eq!(client.wait_for(Duration::from_secs(30)), Some(JobStatus::Canceled));
    }
}

/// A job that stops with a savepoint when it has read everything.
fn until_the_end(folder: &Path) -> JobGraph {
    let savepoints = folder.join("savepoints");
    job(folder, &[("execution.savepoint-at-end", savepoints.to_str().unwrap())])
}

#[test]
fn a_job_whose_inputs_have_been_read_stops_with_a_savepoint_and_no_operator_has_finished() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(1, 2);
    let client = world.cluster.submit(&until_the_end(folder.path())).unwrap();
    finish(&client);
    assert_eq!(world.committed.rows(), want());
    let info = client.info();
    let last = info.checkpoints.history.front().expect("a savepoint");
    assert!(last.kind.is_savepoint() && last.kind.is_last(), "{last:?}");
    let metadata = Path::new(last.path.as_deref().unwrap().trim_start_matches("file://")).join("_metadata");
    let manifest = Manifest::from_json(&std::fs::read(metadata).unwrap()).unwrap();
    assert!(!manifest.drained);
    assert!(
        manifest.operators.iter().flat_map(|operator| &operator.subtasks).all(|subtask| !subtask.finished)
    );
}

#[test]
fn a_savepoint_at_the_end_that_cannot_be_written_fails_the_job() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("savepoints"), "a file where the folder should be").unwrap();
    let world = world(1, 2);
    let client = world.cluster.submit(&until_the_end(folder.path())).unwrap();
    let error = client.wait().unwrap_err().to_string();
    assert!(error.contains("execution.savepoint-at-end"), "{error}");
}

#[test]
fn what_cannot_be_held_at_the_end_of_its_inputs_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(1, 2);
    let mut endless = until_the_end(folder.path());
    for operator in endless.vertices.iter_mut().flat_map(|vertex| &mut vertex.operators) {
        if let OperatorSpec::Source(spec) = &mut operator.node.spec {
            spec.table.options.insert("unbounded".to_owned(), "true".to_owned());
        }
    }
    let mut batch = until_the_end(folder.path());
    batch.configuration.insert("execution.runtime-mode".to_owned(), "BATCH".to_owned());
    for (graph, why) in [(endless, "unbounded"), (batch, "batch mode")] {
        let error = world.cluster.submit(&graph).err().unwrap().to_string();
        assert!(error.contains("execution.savepoint-at-end") && error.contains(why), "{error}");
    }
}
