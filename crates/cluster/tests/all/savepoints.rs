//! Savepoints, stops, and jobs that start from them at another parallelism.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::support::{Plan, World, eventually, finish, world};
use flott_cluster::{JobClient, JobStatus};
use flott_plan::{Exchange, JobGraph};

const SPLITS: i64 = 8;
const ROWS: i64 = 200;

fn job(parallelism: u32, restore: Option<&str>, more: &[(&str, &str)]) -> JobGraph {
    let mut plan =
        Plan::new(&[("execution.checkpointing.interval", "5 ms"), ("table.exec.batch-size", "16")]);
    for (key, value) in
        more.iter().copied().chain(restore.map(|path| ("execution.state-recovery.path", path)))
    {
        plan.configuration.insert(key.to_owned(), value.to_owned());
    }
    let options = [("splits", "8"), ("rows", "200"), ("pause", "1"), ("batch", "3")];
    let source = plan.source("source", &options, parallelism);
    let calc = plan.identity("calc", parallelism);
    let sink = plan.sink("sink", &[], parallelism);
    plan.connect(source, calc, Exchange::Hash(vec![0]));
    plan.connect(calc, sink, Exchange::Forward);
    plan.build()
}

fn want() -> Vec<(i64, i64)> {
    let mut want: Vec<_> = (0..SPLITS * ROWS).map(|v| (v % 10, v)).collect();
    want.sort_unstable();
    want
}

/// Lets the sources emit this many more rows, and then wait.
fn let_run(world: &World, client: &JobClient, rows: u64) {
    let until = world.controls.emitted.load(Ordering::SeqCst) + rows;
    world.controls.pause_at.store(until, Ordering::SeqCst);
    for _ in 0..2_000 {
        if world.controls.emitted.load(Ordering::SeqCst) >= until {
            return;
        }
        client.wait_until(Duration::from_millis(5), |info| info.status.is_terminal());
    }
    panic!("the job stands still: {:#?}", client.info());
}

/// Lets the sources run to their ends.
fn let_finish(world: &World, client: &JobClient) {
    world.controls.pause_at.store(0, Ordering::SeqCst);
    finish(client);
}

#[test]
fn a_stopped_job_continues_at_another_parallelism() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().to_str().unwrap();
    let world = world(2, 2);
    let mut restore: Option<String> = None;
    for parallelism in [1, 2, 4] {
        let client = world.cluster.submit(&job(parallelism, restore.as_deref(), &[])).unwrap();
        let_run(&world, &client, 200);
        let path = client.stop_with_savepoint(Some(target), false).unwrap();
        assert_eq!(client.wait_for(Duration::from_secs(10)), Some(JobStatus::Finished));
        assert!(path.starts_with("file://") && path.contains("/savepoint-"), "{path}");
        // Nothing is lost and nothing doubled so far.
        let mut rows = world.committed.rows();
        let count = rows.len();
        rows.dedup();
        assert_eq!(rows.len(), count);
        assert_eq!(count as u64, world.controls.emitted.load(Ordering::SeqCst));
        restore = Some(path);
    }
    let client = world.cluster.submit(&job(1, restore.as_deref(), &[])).unwrap();
    let_finish(&world, &client);
    assert_eq!(world.committed.rows(), want());
}

#[test]
fn keyed_state_moves_with_its_key_groups() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().to_str();
    let world = world(2, 2);
    let job = |parallelism: u32, restore: Option<&str>| {
        let mut plan = Plan::new(&[("execution.checkpointing.interval", "4 ms")]);
        if let Some(path) = restore {
            plan.configuration.insert("execution.state-recovery.path".to_owned(), path.to_owned());
        }
        let options = [("splits", "4"), ("rows", "400"), ("keys", "53"), ("pause", "1"), ("batch", "3")];
        let source = plan.source("source", &options, 2);
        let count = plan.count("count", parallelism);
        let sink = plan.sink("sink", &[], parallelism);
        plan.connect(source, count, Exchange::Hash(vec![0]));
        plan.connect(count, sink, Exchange::Hash(vec![0]));
        plan.build()
    };
    let mut restore = None;
    for parallelism in [1, 2, 4] {
        let client = world.cluster.submit(&job(parallelism, restore.as_deref())).unwrap();
        let_run(&world, &client, 200);
        restore = Some(client.stop_with_savepoint(target, false).unwrap());
        assert_eq!(client.wait_for(Duration::from_secs(10)), Some(JobStatus::Finished));
    }
    let_finish(&world, &world.cluster.submit(&job(1, restore.as_deref())).unwrap());
    let want: Vec<_> = (0..53).map(|k| (k, (0..1_600).filter(|v| v % 53 == k).count() as i64)).collect();
    assert_eq!(world.committed.rows(), want);
}

#[test]
fn a_savepoint_on_the_side_leaves_the_job_alone() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(1, 2);
    let client = world.cluster.submit(&job(2, None, &[])).unwrap();
    let_run(&world, &client, 100);
    assert!(
        eventually(|| !world.committed.rows().is_empty()),
        "what is published before is not in the savepoint"
    );
    let path = client.trigger_savepoint(folder.path().to_str()).unwrap();
    assert!(folder.path().read_dir().unwrap().count() == 1, "{path}");
    let_finish(&world, &client);
    assert_eq!(world.committed.rows(), want());
    // A second job that starts from it commits what the first one did, under other names.
    let other = crate::support::world(1, 2);
    let client = other.cluster.submit(&job(2, Some(&path), &[])).unwrap();
    finish(&client);
    let rows = other.committed.rows();
    assert!(rows.len() < (SPLITS * ROWS) as usize, "it began from the start");
    let want = want();
    assert!(rows.iter().all(|row| want.binary_search(row).is_ok()));
}

#[test]
fn a_stop_that_drains_ends_the_inputs_first() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(1, 2);
    let client = world.cluster.submit(&job(2, None, &[])).unwrap();
    let_run(&world, &client, 100);
    client.stop_with_savepoint(folder.path().to_str(), true).unwrap();
    assert_eq!(client.wait_for(Duration::from_secs(10)), Some(JobStatus::Finished));
    assert_eq!(world.committed.rows().len() as u64, world.controls.emitted.load(Ordering::SeqCst));
    let metrics = client.metrics();
    assert!(metrics.vertices[1].current_input_watermark() == i64::MAX);
}

#[test]
fn a_retained_checkpoint_is_gone_on_from_by_path_and_as_the_latest() {
    for latest in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let dir = [("execution.checkpointing.dir", folder.path().to_str().unwrap())];
        let world = world(1, 4);
        let client = world.cluster.submit(&job(2, None, &dir)).unwrap();
        let_run(&world, &client, 400);
        assert!(client.wait_until(Duration::from_secs(10), |info| info.checkpoints.completed > 3));
        client.cancel();
        assert_eq!(client.wait_for(Duration::from_secs(10)), Some(JobStatus::Canceled));
        let info = client.info();
        let path = info.checkpoints.last_completed().unwrap().path.clone().unwrap();
        let restore = if latest { "latest" } else { &path };
        let client = world.cluster.submit(&job(4, Some(restore), &dir)).unwrap();
        let_finish(&world, &client);
        assert_eq!(world.committed.rows(), want());
        // A job that has finished leaves nothing behind but what a person has named, and that it has
        // finished.
        let left: Vec<_> =
            folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), if latest { 1 } else { 2 }, "{left:?}");
        assert!(left.iter().any(|name| name == "jobs"), "{left:?}");
    }
}

#[test]
fn state_that_nobody_claims_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(1, 2);
    let client = world.cluster.submit(&job(1, None, &[])).unwrap();
    let_run(&world, &client, 50);
    let path = client.stop_with_savepoint(folder.path().to_str(), false).unwrap();
    let mut graph = job(1, Some(&path), &[]);
    graph.vertices[0].operators[0].node.uid.0 = "another".to_owned();
    let error = world.cluster.submit(&graph).err().unwrap().to_string();
    assert!(error.contains("'source'") && error.contains("ignore-unclaimed-state"), "{error}");
    graph
        .configuration
        .insert("execution.state-recovery.ignore-unclaimed-state".to_owned(), "true".to_owned());
    let client = world.cluster.submit(&graph).unwrap();
    let_finish(&world, &client);
    let error = world.cluster.submit(&job(1, Some("/nowhere"), &[])).err().unwrap().to_string();
    assert!(error.contains("/nowhere"), "{error}");
}

#[test]
fn a_savepoint_of_a_job_that_has_ended_is_refused() {
    let world = world(1, 1);
    let client = world.cluster.submit(&job(1, None, &[])).unwrap();
    client.cancel();
    client.wait_for(Duration::from_secs(10));
    assert!(client.trigger_savepoint(Some("/tmp")).is_err());
    assert!(client.trigger_savepoint(None).unwrap_err().to_string().contains("savepoint-dir"));
}

#[test]
fn an_impossible_checkpoint_folder_is_reported_at_submission() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let world = world(1, 1);
    for (key, dir, why) in [
        ("execution.checkpointing.dir", file.join("checkpoints"), "cannot make the folder"),
        ("state.checkpoints.dir", "hdfs://host/checkpoints".into(), "not built"),
    ] {
        let dir = dir.to_str().unwrap();
        let error = world.cluster.submit(&job(1, None, &[(key, dir)])).err().unwrap().to_string();
        assert!(error.contains(key) && error.contains(dir) && error.contains(why), "{error}");
    }
    assert_eq!((world.cluster.jobs(), world.cluster.slots()), (Vec::new(), (1, 1)));
}
