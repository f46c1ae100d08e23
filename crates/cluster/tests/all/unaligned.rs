//! Barriers overtake what waits in full queues, and nothing of it is lost or doubled.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::support::{Plan, World, eventually, finish, world, world_with};
use flott_checkpoint::ExecutionState;
use flott_cluster::{JobClient, JobInfo};
use flott_plan::{Exchange, JobGraph};
use flott_runtime::piped::PipedExchanges;

const ROWS: u64 = 20_000;

/// How wide the job is: the operator in the middle, and the sink.
#[derive(Clone, Copy)]
struct Widths(u32, u32);

/// source -> (hash) middle -> (`last`) sink
fn job(folder: &Path, widths: Widths, last: &Exchange, more: &[(&str, &str)]) -> JobGraph {
    let Widths(middle_width, sink_width) = widths;
    let mut plan = Plan::new(&[
        ("execution.checkpointing.interval", "1 h"),
        ("execution.checkpointing.dir", folder.to_str().unwrap()),
        ("execution.checkpointing.savepoint-dir", folder.join("savepoints").to_str().unwrap()),
        ("execution.checkpointing.unaligned.enabled", "true"),
        ("execution.checkpointing.tolerable-failed-checkpoints", "100"),
        ("pipeline.name", "unaligned"),
        ("restart-strategy.type", "fixed-delay"),
        ("restart-strategy.fixed-delay.attempts", "3"),
        ("restart-strategy.fixed-delay.delay", "1 ms"),
        // The queues hold rows for some seconds.
        ("table.exec.batch-size", "512"),
    ]);
    plan.configuration.extend(more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    let source = plan.source("source", &[("splits", "4"), ("rows", "5000"), ("batch", "64")], 2);
    let middle = plan.identity("middle", middle_width);
    let sink = plan.sink("sink", &[], sink_width);
    plan.connect(source, middle, Exchange::Hash(vec![0]));
    plan.connect(middle, sink, last.clone());
    plan.build()
}

fn want() -> Vec<(i64, i64)> {
    let mut want: Vec<_> = (0..ROWS as i64).map(|v| (v % 10, v)).collect();
    want.sort_unstable();
    want
}

fn emitted(world: &World) -> u64 {
    world.controls.emitted.load(Ordering::SeqCst)
}

fn written(world: &World) -> u64 {
    world.controls.written.load(Ordering::SeqCst)
}

/// A job whose sink takes a row in five milliseconds, when its queues are full.
fn under_pressure(world: &World, graph: &JobGraph) -> JobClient {
    world.controls.millis_per_row.store(5, Ordering::SeqCst);
    let client = world.cluster.submit(graph).unwrap();
    let running = |info: &JobInfo| {
        !info.tasks.is_empty() && info.tasks.values().all(|task| *task == ExecutionState::Running)
    };
    assert!(client.wait_until(Duration::from_secs(30), running), "{:#?}", client.info());
    // The sources have long been able to read everything, and do not.
    let mut before = emitted(world);
    let mut still = 0;
    assert!(eventually(|| {
        let now = emitted(world);
        still = if now == before && written(world) > 0 { still + 1 } else { 0 };
        before = now;
        still > 100
    }));
    assert!(emitted(world) < ROWS, "the queues hold everything: there is no pressure");
    client
}

/// Takes a checkpoint, and says how many rows were under way before, and were written meanwhile.
fn checkpoint(world: &World, client: &JobClient) -> (u64, u64) {
    let before = written(world);
    let under_way = emitted(world) - before;
    client.trigger_checkpoint(false).unwrap();
    (under_way, written(world) - before)
}

fn fail_and_finish(world: &World, client: &JobClient) {
    world.controls.fail_after.store(1, Ordering::SeqCst);
    world.controls.millis_per_row.store(0, Ordering::SeqCst);
    finish(client);
    assert!(client.info().checkpoints.restored > 0, "{:#?}", client.info());
    assert!(world.committed.rows() == want(), "{} rows of {ROWS}", world.committed.rows().len());
}

#[test]
fn a_checkpoint_does_not_wait_for_full_queues_and_is_restored_with_what_was_in_them() {
    for last in [Exchange::Hash(vec![0]), Exchange::Rebalance, Exchange::Global] {
        let folder = tempfile::tempdir().unwrap();
        let world = world(2, 2);
        let client = under_pressure(&world, &job(folder.path(), Widths(2, 1), &last, &[]));
        let (under_way, meanwhile) = checkpoint(&world, &client);
        assert!(meanwhile < under_way / 2, "{meanwhile} of {under_way} rows were written meanwhile");
        let history = client.info().checkpoints.history;
        let tasks = || history.iter().flat_map(|record| record.tasks.values());
        assert!(tasks().any(|task| task.unaligned && task.persisted > 0), "{history:#?}");
        assert!(tasks().all(|task| task.full_size >= task.size), "{history:#?}");
        fail_and_finish(&world, &client);
    }
}

#[test]
fn aligned_it_would_wait() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(2, 2);
    let more = [("execution.checkpointing.unaligned.enabled", "false"), ("table.exec.batch-size", "64")];
    let client = under_pressure(&world, &job(folder.path(), Widths(2, 1), &Exchange::Rebalance, &more));
    world.controls.millis_per_row.store(1, Ordering::SeqCst);
    let (under_way, meanwhile) = checkpoint(&world, &client);
    assert!(meanwhile > under_way / 2, "{meanwhile} of {under_way} rows were written meanwhile");
    fail_and_finish(&world, &client);
}

#[test]
fn a_barrier_overtakes_what_waits_for_credit() {
    let folder = tempfile::tempdir().unwrap();
    let world = world_with(2, 2, |options| {
        options.exchanges = Arc::new(PipedExchanges::new(16_000, options.threads.clone()));
    });
    let client = under_pressure(&world, &job(folder.path(), Widths(2, 1), &Exchange::Rebalance, &[]));
    let (under_way, meanwhile) = checkpoint(&world, &client);
    assert!(meanwhile < under_way / 2, "{meanwhile} of {under_way} rows were written meanwhile");
    fail_and_finish(&world, &client);
}

#[test]
fn it_is_aligned_in_time_or_overtakes_after_the_timeout() {
    for (timeout, overtakes) in [("1 ms", true), ("1 h", false)] {
        let folder = tempfile::tempdir().unwrap();
        let world = world(2, 2);
        // Where it is aligned, that lasts.
        let batch = if overtakes { "512" } else { "64" };
        let more = [
            ("execution.checkpointing.aligned-checkpoint-timeout", timeout),
            ("table.exec.batch-size", batch),
        ];
        let graph = job(folder.path(), Widths(2, 1), &Exchange::Rebalance, &more);
        let client = under_pressure(&world, &graph);
        if !overtakes {
            world.controls.millis_per_row.store(1, Ordering::SeqCst);
        }
        let (under_way, meanwhile) = checkpoint(&world, &client);
        assert_eq!(meanwhile < under_way / 2, overtakes, "{meanwhile} of {under_way} rows");
        let history = client.info().checkpoints.history;
        let unaligned = history.iter().flat_map(|record| record.tasks.values()).any(|task| task.unaligned);
        assert_eq!(unaligned, overtakes);
        fail_and_finish(&world, &client);
    }
}

#[test]
fn rows_under_way_are_spread_anew_at_another_parallelism() {
    for (last, then) in [
        (Exchange::Hash(vec![0]), Widths(3, 2)),
        (Exchange::Hash(vec![0]), Widths(1, 1)),
        (Exchange::Rebalance, Widths(3, 4)),
        (Exchange::Global, Widths(1, 2)),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let world = world(4, 2);
        let first = under_pressure(&world, &job(folder.path(), Widths(2, 2), &last, &[]));
        checkpoint(&world, &first);
        first.cancel();
        assert!(first.wait_for(Duration::from_secs(30)).is_some());
        world.controls.millis_per_row.store(0, Ordering::SeqCst);
        let latest = [("execution.state-recovery.path", "latest")];
        let client = world.cluster.submit(&job(folder.path(), then, &last, &latest)).unwrap();
        finish(&client);
        assert!(client.info().checkpoints.restored > 0);
        assert!(world.committed.rows() == want(), "{} rows of {ROWS}", world.committed.rows().len());
    }
}

#[test]
fn a_job_without_the_stream_in_which_rows_were_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(2, 2);
    let first = under_pressure(&world, &job(folder.path(), Widths(2, 1), &Exchange::Rebalance, &[]));
    checkpoint(&world, &first);
    first.cancel();
    assert!(first.wait_for(Duration::from_secs(30)).is_some());
    let latest = [("execution.state-recovery.path", "latest")];
    // The last stream has become one in which nothing is overtaken.
    let graph = job(folder.path(), Widths(2, 1), &Exchange::Broadcast, &latest);
    let refused = match world.cluster.submit(&graph) {
        Ok(client) => client.wait().unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    assert!(refused.contains("was not aligned") && refused.contains("uid 'middle'"), "{refused}");
}

#[test]
fn a_savepoint_under_pressure_is_aligned_and_holds_nothing_that_was_under_way() {
    for drain in [None, Some(false), Some(true)] {
        let folder = tempfile::tempdir().unwrap();
        let world = world(2, 2);
        let client = under_pressure(&world, &job(folder.path(), Widths(2, 1), &Exchange::Rebalance, &[]));
        // One that is not aligned before it, which is not in its way.
        checkpoint(&world, &client);
        // What is read stays as it is, so that the job does not end before the savepoint.
        world.controls.pause_at.store(emitted(&world), Ordering::SeqCst);
        world.controls.millis_per_row.store(0, Ordering::SeqCst);
        let path = match drain {
            None => client.trigger_savepoint(None).unwrap(),
            Some(drain) => client.stop_with_savepoint(None, drain).unwrap(),
        };
        if drain.is_none() {
            world.controls.pause_at.store(0, Ordering::SeqCst);
            finish(&client);
        }
        let all = emitted(&world);
        let before = world.committed.rows().len() as u64;
        assert_eq!(before, all, "what was read before the savepoint is written with it");
        if drain.is_some() {
            world.controls.pause_at.store(0, Ordering::SeqCst);
            let latest = [("execution.state-recovery.path", path.as_str())];
            // Another last stream, which only a savepoint allows.
            let graph = job(folder.path(), Widths(2, 2), &Exchange::Forward, &latest);
            finish(&world.cluster.submit(&graph).unwrap());
        }
        assert!(world.committed.rows() == want(), "{} rows of {ROWS}", world.committed.rows().len());
    }
}
