//! Jobs from submission to their end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{Plan, bigint, collect, eventually, finish, world, world_with};
use flott_cluster::{JobStatus, NextRows};
use flott_plan::{Exchange, Expr, Literal, OperatorSpec};
use flott_types::{Clock, SystemClock, Timestamp};

fn rows(count: i64) -> Vec<(i64, i64)> {
    let mut want: Vec<_> = (0..count).map(|v| (v % 10, v)).collect();
    want.sort_unstable();
    want
}

#[test]
fn a_bounded_job_runs_from_source_to_client() {
    let world = world(1, 1);
    let mut plan = Plan::new(&[]);
    let source = plan.source("source", &[("splits", "3"), ("rows", "25")], 1);
    let calc = plan.identity("calc", 1);
    let end = plan.add("collect", OperatorSpec::Collect, 1);
    plan.connect(source, calc, Exchange::Forward);
    plan.connect(calc, end, Exchange::Forward);
    let client = world.cluster.submit(&plan.build()).unwrap();
    assert_eq!(collect(&client.results().unwrap()), rows(75));
    finish(&client);
    let metrics = client.metrics();
    assert_eq!(metrics.vertices.len(), 1);
    assert_eq!(metrics.records_read(), 75);
    let operators = &metrics.vertices[0].tasks[0].1.operators;
    assert_eq!(
        operators.iter().map(|o| (o.num_records_in, o.num_records_out)).collect::<Vec<_>>(),
        [(0, 75), (75, 75), (75, 75)]
    );
    assert!(operators[1..].iter().all(|operator| operator.current_input_watermark == i64::MAX));
}

#[test]
fn every_exchange_delivers_what_it_should() {
    for (exchange, copies) in [
        (Exchange::Forward, 1),
        (Exchange::Hash(vec![0]), 1),
        (Exchange::Rebalance, 1),
        (Exchange::Broadcast, 3),
        (Exchange::Global, 1),
    ] {
        for chaining in ["true", "false"] {
            let world = world(2, 2);
            let mut plan = Plan::new(&[("table.exec.batch-size", "8")]);
            let source = plan.source("source", &[("splits", "4"), ("rows", "50"), ("batch", "7")], 3);
            let calc = plan.identity("calc", 3);
            let sink = plan.sink("sink", &[("direct", "true")], 2);
            plan.connect(source, calc, exchange.clone());
            plan.connect(calc, sink, Exchange::Rebalance);
            let graph = plan
                .graph
                .clone()
                .into_job_graph("test", plan.configuration.clone(), 128, chaining == "true")
                .unwrap();
            let client = world.cluster.submit(&graph).unwrap();
            finish(&client);
            let mut found = world.committed.direct.lock().clone();
            found.sort_unstable();
            let want: Vec<_> =
                rows(200).into_iter().flat_map(|row| std::iter::repeat_n(row, copies)).collect();
            assert_eq!(found, want, "{exchange:?}");
            let metrics = client.metrics();
            let calc = metrics.vertices.iter().find(|vertex| vertex.name.starts_with("calc"));
            if let Some(calc) = calc {
                assert_eq!(calc.num_records_in(), 200 * copies as u64);
                let used = calc.tasks.iter().filter(|(_, task)| task.num_records_in > 0).count();
                // Which readers get splits is not said, and forward follows them.
                let want = if exchange == Exchange::Global { 1..=1 } else { 3..=3 };
                assert!(exchange == Exchange::Forward || want.contains(&used), "{exchange:?}: {used}");
            }
        }
    }
}

#[test]
fn a_diamond_with_one_slow_side_does_not_hang() {
    let world = world(1, 2);
    let mut plan = Plan::new(&[("table.exec.batch-size", "4"), ("execution.checkpointing.interval", "2 ms")]);
    let source = plan.source("source", &[("splits", "2"), ("rows", "2000"), ("batch", "3")], 2);
    let left = plan.identity("left", 2);
    let right = plan.identity("right", 1);
    let union = plan.add("union", OperatorSpec::Union, 2);
    let sink = plan.sink("sink", &[], 1);
    plan.connect(source, left, Exchange::Rebalance);
    plan.connect(source, right, Exchange::Hash(vec![1]));
    plan.connect(left, union, Exchange::Hash(vec![0]));
    plan.connect(right, union, Exchange::Rebalance);
    plan.connect(union, sink, Exchange::Global);
    let client = world.cluster.submit(&plan.build()).unwrap();
    finish(&client);
    let want: Vec<_> = rows(4_000).into_iter().flat_map(|row| [row, row]).collect();
    assert_eq!(world.committed.rows(), want);
    assert!(client.info().checkpoints.completed >= 1);
}

/// A sink that commits needs it all the same.
#[test]
fn a_job_ends_with_a_checkpoint_unless_it_is_told_not_to() {
    for (at_end, direct, taken) in [("true", "true", 1), ("false", "true", 0), ("false", "false", 1)] {
        let world = world(1, 1);
        let mut plan = Plan::new(&[
            ("execution.checkpointing.interval", "1 h"),
            ("execution.checkpointing.checkpoints-after-tasks-finish.enabled", at_end),
        ]);
        let source = plan.source("source", &[("rows", "300")], 1);
        let sink = plan.sink("sink", &[("direct", direct)], 1);
        plan.connect(source, sink, Exchange::Rebalance);
        let client = world.cluster.submit(&plan.build()).unwrap();
        finish(&client);
        assert_eq!(client.info().checkpoints.completed, taken, "{at_end} {direct}");
        let rows =
            if direct == "true" { world.committed.direct.lock().len() } else { world.committed.rows().len() };
        assert_eq!(rows, 300);
    }
}

#[test]
fn constant_rows_are_emitted_once_whatever_the_parallelism() {
    let world = world(1, 2);
    let literal = |value| Expr::literal(Literal::Integer(value), bigint());
    let sum = Expr::call("+", vec![literal(20), literal(2)], bigint());
    let mut plan = Plan::new(&[]);
    let spec = OperatorSpec::Values { rows: vec![vec![literal(1), sum], vec![literal(2), literal(3)]] };
    let values = plan.add("values", spec, 2);
    let end = plan.add("collect", OperatorSpec::Collect, 1);
    plan.connect(values, end, Exchange::Global);
    let client = world.cluster.submit(&plan.build()).unwrap();
    assert_eq!(collect(&client.results().unwrap()), [(1, 22), (2, 3)]);
    finish(&client);
}

#[test]
fn too_few_slots_is_said_and_slots_come_back() {
    let world = world(2, 2);
    let job = |parallelism| {
        let mut plan = Plan::new(&[]);
        let source = plan.source("source", &[], parallelism);
        let sink = plan.sink("sink", &[("direct", "true")], 1);
        plan.connect(source, sink, Exchange::Rebalance);
        plan.build()
    };
    let client = world.cluster.submit(&job(5)).unwrap();
    let error = client.wait().unwrap_err().to_string();
    assert!(error.contains("NoResourceAvailableException") && error.contains("needs 5 slots"), "{error}");
    let client = world.cluster.submit(&job(4)).unwrap();
    finish(&client);
    assert!(eventually(|| world.cluster.slots() == (4, 4)));
}

#[test]
fn a_slow_sink_holds_the_source_back_and_the_queues_stay_small() {
    let world = world(1, 1);
    world.controls.hold_sinks.store(true, Ordering::SeqCst);
    let mut plan = Plan::new(&[("table.exec.batch-size", "10")]);
    let source = plan.source("source", &[("rows", "100000"), ("batch", "10")], 1);
    let sink = plan.sink("sink", &[("direct", "true")], 1);
    plan.connect(source, sink, Exchange::Rebalance);
    let client = world.cluster.submit(&plan.build()).unwrap();
    assert!(eventually(|| world.controls.emitted.load(Ordering::SeqCst) > 0));
    client.wait_until(Duration::from_millis(150), |_| false);
    // 20 rows in the channel, one batch at each end.
    let emitted = world.controls.emitted.load(Ordering::SeqCst);
    assert!(emitted <= 60, "{emitted} rows were emitted although nobody takes them");
    world.controls.hold_sinks.store(false, Ordering::SeqCst);
    finish(&client);
    assert_eq!(world.committed.direct.lock().len(), 100_000);
    let metrics = client.metrics();
    assert!(metrics.vertices[0].tasks[0].1.back_pressured_millis >= 100, "{metrics:#?}");
}

#[test]
fn a_job_can_be_cancelled_in_every_phase() {
    for phase in 0..6 {
        let world = world(1, 2);
        let unbounded = if phase == 4 { "false" } else { "true" };
        let mut plan = Plan::new(&[("execution.checkpointing.interval", "1 ms")]);
        let source =
            plan.source("source", &[("rows", "100000"), ("splits", "2"), ("unbounded", unbounded)], 2);
        let calc = plan.identity("calc", 2);
        let sink = plan.sink("sink", &[], 1);
        plan.connect(source, calc, Exchange::Hash(vec![0]));
        plan.connect(calc, sink, Exchange::Rebalance);
        // Back-pressured, idle, and drained with a final checkpoint that nothing hinders.
        world.controls.hold_sinks.store(phase == 2, Ordering::SeqCst);
        world.controls.hold.store(phase == 3, Ordering::SeqCst);
        let client = world.cluster.submit(&plan.build()).unwrap();
        match phase {
            0 => {}
            1 => assert!(client.wait_until(Duration::from_secs(5), |info| info.status == JobStatus::Running)),
            _ => {
                client.wait_until(Duration::from_millis(40), |info| info.checkpoints.completed > 2);
            }
        }
        client.cancel();
        if phase == 2 {
            // The writer itself does not look; it is the tasks before it that must.
            client.wait_until(Duration::from_millis(20), |_| false);
            world.controls.hold_sinks.store(false, Ordering::SeqCst);
        }
        let end = client.wait_for(Duration::from_secs(10));
        let finished = phase == 4 && end == Some(JobStatus::Finished);
        assert!(finished || end == Some(JobStatus::Canceled), "phase {phase}: {end:?}");
        client.cancel();
        assert!(eventually(|| world.cluster.slots() == (2, 2)));
    }
}

#[test]
fn threads_return_when_the_job_has_ended() {
    let world = world(1, 3);
    // One for the TaskManager, one for the resource manager.
    assert!(world.cluster.threads().wait_until(2, Duration::from_secs(5)));
    for _ in 0..5 {
        let mut plan = Plan::new(&[("execution.checkpointing.interval", "1 ms")]);
        let source = plan.source("source", &[("splits", "7"), ("pause", "1")], 3);
        let sink = plan.sink("sink", &[], 2);
        plan.connect(source, sink, Exchange::Rebalance);
        let client = world.cluster.submit(&plan.build()).unwrap();
        finish(&client);
    }
    assert!(
        world.cluster.threads().wait_until(2, Duration::from_secs(5)),
        "{}",
        world.cluster.threads().running()
    );
    assert_eq!(world.cluster.jobs().len(), 5);
}

#[test]
fn collected_rows_wait_for_their_checkpoint_and_come_once() {
    let world = world(1, 2);
    let mut plan = Plan::new(&[
        ("execution.checkpointing.interval", "5 ms"),
        ("restart-strategy.type", "fixed-delay"),
        ("restart-strategy.fixed-delay.attempts", "100"),
        ("restart-strategy.fixed-delay.delay", "1 ms"),
    ]);
    let source = plan.source("source", &[("splits", "3"), ("rows", "300"), ("pause", "1")], 2);
    let end = plan.add("collect", OperatorSpec::Collect, 1);
    plan.connect(source, end, Exchange::Rebalance);
    world.controls.fail_after.store(250, Ordering::SeqCst);
    let client = world.cluster.submit(&plan.build()).unwrap();
    assert_eq!(collect(&client.results().unwrap()), rows(900));
    assert_eq!(world.controls.failures.load(Ordering::SeqCst), 1);
    finish(&client);
}

#[test]
fn a_result_whose_job_fails_ends_with_the_reason() {
    let world = world(1, 1);
    let mut plan = Plan::new(&[]);
    let source = plan.source("source", &[("rows", "300")], 1);
    let end = plan.add("collect", OperatorSpec::Collect, 1);
    plan.connect(source, end, Exchange::Forward);
    world.controls.fail_after.store(100, Ordering::SeqCst);
    let client = world.cluster.submit(&plan.build()).unwrap();
    let results = client.results().unwrap();
    let error = loop {
        match results.next_rows() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the result looks complete"),
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("source: a fault of the test"), "{error}");
}

/// The machine's clock; while the trap is set, the next look at it by the job master's thread panics.
#[derive(Debug, Default)]
struct Trap {
    clock: SystemClock,
    set: AtomicBool,
}

impl Clock for Trap {
    fn now(&self) -> Timestamp {
        let is_master = std::thread::current().name().is_some_and(|name| name.starts_with("jobmaster"));
        assert!(!(is_master && self.set.swap(false, Ordering::SeqCst)), "the trap is set");
        self.clock.now()
    }

    fn nanos(&self) -> u64 {
        self.clock.nanos()
    }
}

/// A defect in the job master ends the job, and a client that waits for rows is told.
#[test]
fn a_panic_of_the_job_master_ends_the_job_and_its_results() {
    let trap = Arc::new(Trap::default());
    let clock = trap.clone();
    let world = world_with(1, 1, move |options| options.clock = clock);
    let mut plan = Plan::new(&[]);
    let source = plan.source("source", &[("unbounded", "true"), ("rows", "25")], 1);
    let end = plan.add("collect", OperatorSpec::Collect, 1);
    plan.connect(source, end, Exchange::Forward);
    let client = world.cluster.submit(&plan.build()).unwrap();
    let results = client.results().unwrap();
    assert!(matches!(results.next_within(Duration::from_secs(30)), Ok(NextRows::Rows(_))));
    trap.set.store(true, Ordering::SeqCst);
    let error = loop {
        match results.next_within(Duration::from_secs(30)) {
            Ok(NextRows::Rows(_)) => {}
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("the trap is set"), "{error}");
    assert_eq!(client.wait_for(Duration::from_secs(30)), Some(JobStatus::Failed));
}
