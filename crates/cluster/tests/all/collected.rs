//! Rows that a client collects: sent by tasks and fetched by the client as messages, once, and no more than the client can take.

use std::sync::atomic::Ordering;
use std::time::Duration;

use flott_checkpoint::ExecutionState;
use flott_cluster::{JobClient, JobInfo, JobStatus, Liveness, TaskManagerId};
use flott_plan::{Exchange, JobGraph, OperatorSpec};

use crate::support::{Plan, collect, eventually, finish, world, world_with};

fn job(source: &[(&str, &str)], parallelism: u32, more: &[(&str, &str)]) -> JobGraph {
    let mut plan = Plan::new(more);
    let source = plan.source("source", source, parallelism);
    let calc = plan.identity("calc", parallelism);
    let end = plan.add("collect", OperatorSpec::Collect, parallelism);
    plan.connect(source, calc, Exchange::Hash(vec![0]));
    plan.connect(calc, end, Exchange::Rebalance);
    plan.build()
}

fn rows(count: i64) -> Vec<(i64, i64)> {
    let mut rows: Vec<_> = (0..count).map(|v| (v % 10, v)).collect();
    rows.sort_unstable();
    rows
}

/// The client reads nothing for a while: tasks stop sending after a bounded number of rows, and all of them come when it reads.
#[test]
fn tasks_wait_for_a_client_that_is_behind() {
    const ROWS: i64 = 900_000;
    let world = world(1, 1);
    let source = [("rows", "900000"), ("batch", "3000")];
    let client = world.cluster.submit(&job(&source, 1, &[])).unwrap();
    let results = client.results().unwrap();
    let emitted = || world.controls.emitted.load(Ordering::SeqCst);
    assert!(eventually(|| emitted() > 100_000));
    // It stands still.
    let mut last = 0;
    let mut still = 0;
    assert!(eventually(|| {
        let now = emitted();
        still = if now == last { still + 1 } else { 0 };
        last = now;
        still > 200
    }));
    assert!((100_000..700_000).contains(&last), "{last} rows were sent and not read");
    assert_eq!(collect(&results), rows(ROWS));
    finish(&client);
}

/// A client that goes away holds nobody up.
#[test]
fn a_job_that_nobody_reads_runs_to_its_end() {
    let world = world(1, 1);
    let source = [("rows", "900000"), ("batch", "3000")];
    let client = world.cluster.submit(&job(&source, 1, &[])).unwrap();
    drop(client.results());
    finish(&client);
    let client = world.cluster.submit(&job(&source, 1, &[])).unwrap();
    let job = client.job_id();
    // Nor one that has never asked.
    drop(client);
    let client = world.cluster.client(job).unwrap();
    assert!(client.results().is_none());
    finish(&client);
}

/// Waits until all tasks run, or have run: a job of little work may be through before anybody looks.
fn runs_or_has_ended(client: &JobClient) {
    let runs = |info: &JobInfo| {
        let tasks = || info.tasks.values().all(|task| *task == ExecutionState::Running);
        info.status.is_terminal() || (info.status == JobStatus::Running && tasks())
    };
    assert!(client.wait_until(Duration::from_secs(30), runs), "{:#?}", client.info());
}

/// Rows are lost on their way with the TaskManager that sent them, and its tasks live on for a while; they come once all the same.
#[test]
fn rows_come_once_when_messages_are_lost() {
    let world = world_with(2, 2, |options| {
        options.liveness = Liveness {
            heartbeat_interval: 50,
            heartbeat_timeout: 300,
            start_up_time: 3_600_000,
            ..Liveness::default()
        };
    });
    let configuration = [
        ("execution.checkpointing.interval", "5 ms"),
        ("execution.checkpointing.tolerable-failed-checkpoints", "1000"),
        ("restart-strategy.type", "fixed-delay"),
        ("restart-strategy.fixed-delay.attempts", "1000"),
        ("restart-strategy.fixed-delay.delay", "1 ms"),
    ];
    let source = [("splits", "4"), ("rows", "500"), ("batch", "5"), ("pause", "1")];
    // The first loss hits a job that has all of its work before it; the second may come too late.
    world.controls.hold.store(true, Ordering::SeqCst);
    let client = world.cluster.submit(&job(&source, 4, &configuration)).unwrap();
    let results = client.results().unwrap();
    let rows_read = std::thread::scope(|scope| {
        let reader = scope.spawn(|| collect(&results));
        for lost in [1, 0] {
            runs_or_has_ended(&client);
            world.controls.hold.store(false, Ordering::SeqCst);
            let (attempt, completed) = (client.info().attempt, client.info().checkpoints.completed);
            client.wait_until(Duration::from_secs(5), |info| {
                info.checkpoints.completed > completed + 2 || info.status.is_terminal()
            });
            world.cluster.disconnect(TaskManagerId(lost));
            client.wait_until(Duration::from_millis(40), |info| info.attempt > attempt);
            world.cluster.reconnect(TaskManagerId(lost));
            client.wait_until(Duration::from_secs(10), |info| {
                info.attempt > attempt || info.status.is_terminal()
            });
        }
        reader.join()
    });
    assert_eq!(rows_read.unwrap(), rows(2_000));
    finish(&client);
    assert!(client.info().attempt.0 > 1, "nothing was lost: the test does not test");
}
