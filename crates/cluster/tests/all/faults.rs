//! Exactly once, whatever fails: what is committed is what an undisturbed run commits.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::support::{Plan, World, each_seed, finish, world, world_with};
use flott_plan::Exchange;
use flott_runtime::piped::PipedExchanges;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const CHECKPOINTS: &[(&str, &str)] = &[
    ("execution.checkpointing.interval", "3 ms"),
    ("restart-strategy.type", "fixed-delay"),
    ("restart-strategy.fixed-delay.attempts", "1000"),
    ("restart-strategy.fixed-delay.delay", "1 ms"),
    ("table.exec.batch-size", "16"),
    ("execution.checkpointing.tolerable-failed-checkpoints", "1000"),
];

fn want(rows: i64) -> Vec<(i64, i64)> {
    let mut want: Vec<_> = (0..rows).map(|v| (v % 10, v)).collect();
    want.sort_unstable();
    want
}

/// source -> (hash) calc -> (rebalance) sink, and source -> (broadcast-free diamond) the same sink through
/// another calc.
fn plan() -> Plan {
    let mut plan = Plan::new(CHECKPOINTS);
    let source = plan.source("source", &[("splits", "5"), ("rows", "200"), ("pause", "1")], 2);
    let left = plan.identity("left", 3);
    let right = plan.identity("right", 2);
    let sink = plan.sink("sink", &[], 2);
    plan.connect(source, left, Exchange::Hash(vec![0]));
    plan.connect(left, right, Exchange::Rebalance);
    plan.connect(right, sink, Exchange::Forward);
    plan
}

/// Barriers that overtake, at once or after a time, in some of the runs.
fn overtaking(plan: &mut Plan, random: &mut SmallRng) {
    if random.random_bool(0.6) {
        let after = format!("{} ms", random.random_range(0..3));
        let more = [
            ("execution.checkpointing.unaligned.enabled", "true"),
            ("execution.checkpointing.aligned-checkpoint-timeout", &*after),
        ];
        plan.configuration.extend(more.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }
}

fn run(world: &World, seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut plan = plan();
    overtaking(&mut plan, &mut random);
    let client = world.cluster.submit(&plan.build()).unwrap();
    let faults = ["panic", "snapshot", "commit", "open"];
    let rounds = random.random_range(1..4);
    for _ in 0..rounds {
        if random.random_bool(0.5) {
            world.controls.fail_after.store(random.random_range(1..400), Ordering::SeqCst);
        } else {
            *world.controls.fault.lock() = Some(faults[random.random_range(0..faults.len())]);
        }
        client
            .wait_until(Duration::from_millis(random.random_range(1..30)), |info| info.status.is_terminal());
    }
    finish(&client);
    assert_eq!(world.committed.rows(), want(1_000), "seed {seed}");
}

#[test]
fn exactly_once_under_failures_at_random_points() {
    let failures: u64 = each_seed(0..30, |seed| {
        let world = world(2, 2);
        run(&world, seed);
        world.controls.failures.load(Ordering::SeqCst)
    })
    .iter()
    .sum();
    assert!(failures > 20, "only {failures} failures: the test does not test");
}

/// As between processes: whatever crosses between two tasks is written as bytes and read again, through
/// channels that are soon full.
#[test]
fn exactly_once_when_every_exchange_goes_through_bytes() {
    each_seed(100..110, |seed| {
        let world = world_with(2, 2, |options| {
            options.exchanges =
                Arc::new(PipedExchanges::new(1 + 700 * seed as usize % 5, options.threads.clone()));
        });
        run(&world, seed);
    });
}

#[test]
fn at_least_once_loses_nothing() {
    each_seed(0..10, |seed| {
        let world = world(2, 2);
        let mut plan = plan();
        plan.configuration.insert("execution.checkpointing.mode".to_owned(), "AT_LEAST_ONCE".to_owned());
        world.controls.fail_after.store(50 + 90 * seed as i64, Ordering::SeqCst);
        finish(&world.cluster.submit(&plan.build()).unwrap());
        let mut rows = world.committed.rows();
        rows.dedup();
        assert_eq!(rows, want(1_000), "seed {seed}");
    });
}

#[test]
fn keyed_state_survives_failures() {
    each_seed(0..10, |seed| {
        let world = world(2, 2);
        let mut plan = Plan::new(CHECKPOINTS);
        let source =
            plan.source("source", &[("splits", "4"), ("rows", "150"), ("keys", "37"), ("pause", "1")], 2);
        let count = plan.count("count", 3);
        let sink = plan.sink("sink", &[], 2);
        plan.connect(source, count, Exchange::Hash(vec![0]));
        plan.connect(count, sink, Exchange::Hash(vec![0]));
        overtaking(&mut plan, &mut SmallRng::seed_from_u64(seed));
        world.controls.fail_after.store(50 + 50 * seed as i64, Ordering::SeqCst);
        finish(&world.cluster.submit(&plan.build()).unwrap());
        let want: Vec<_> = (0..37).map(|k| (k, (0..600).filter(|v| v % 37 == k).count() as i64)).collect();
        assert_eq!(world.committed.rows(), want, "seed {seed}");
        assert_eq!(world.controls.failures.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_damaged_checkpoint_is_skipped_for_the_previous_one() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(1, 2);
    let mut plan = Plan::new(CHECKPOINTS);
    let more = [
        ("execution.checkpointing.num-retained", "3"),
        ("execution.checkpointing.interval", "1 h"),
        ("execution.checkpointing.dir", folder.path().to_str().unwrap()),
        ("execution.state-recovery.allow-older-checkpoint", "true"),
    ];
    plan.configuration.extend(more.map(|(k, v)| (k.to_owned(), v.to_owned())));
    let source = plan.source("source", &[("splits", "3"), ("rows", "200"), ("pause", "1")], 2);
    let sink = plan.sink("sink", &[], 1);
    plan.connect(source, sink, Exchange::Rebalance);
    // It must not end before the test has its checkpoints.
    world.controls.pause_at.store(60, Ordering::SeqCst);
    let client = world.cluster.submit(&plan.build()).unwrap();
    assert!(client.wait_until(Duration::from_secs(10), |info| {
        !info.tasks.is_empty()
            && info.tasks.values().all(|state| *state == flott_checkpoint::ExecutionState::Running)
    }));
    let first = client.trigger_checkpoint(false).unwrap();
    let second = client.trigger_checkpoint(false).unwrap();
    let path = |url: &str| std::path::Path::new(url.strip_prefix("file://").unwrap()).join("_metadata");
    assert!(path(&first).exists());
    std::fs::write(path(&second), "{").unwrap();
    world.controls.fail_after.store(1, Ordering::SeqCst);
    world.controls.pause_at.store(0, Ordering::SeqCst);
    finish(&client);
    assert_eq!(world.controls.failures.load(Ordering::SeqCst), 1);
    let restored = client.info().checkpoints.restored_from.unwrap();
    assert!(first.ends_with(&format!("chk-{restored}")), "restored from {restored}, not from {first}");
    // What the damaged one had committed is committed again: that is the price of the damage.
    let mut rows = world.committed.rows();
    rows.dedup();
    assert_eq!(rows, want(600));
}

#[test]
fn a_job_without_a_restart_strategy_fails_and_says_why() {
    let world = world(1, 1);
    let mut plan = Plan::new(&[]);
    let source = plan.source("orders", &[("rows", "100")], 1);
    let sink = plan.sink("sink", &[], 1);
    plan.connect(source, sink, Exchange::Forward);
    *world.controls.fault.lock() = Some("panic");
    let client = world.cluster.submit(&plan.build()).unwrap();
    let error = client.wait().unwrap_err().to_string();
    assert!(error.contains("orders: panicked: a panic of the test"), "{error}");
    assert_eq!(client.status(), flott_cluster::JobStatus::Failed);
    assert_eq!(client.info().exceptions.len(), 1);
    assert_eq!(world.committed.rows(), []);
}

/// What is put out at the end is put out once, in a stream and in a batch: for each key, for no key at all,
/// and in order.
#[test]
fn a_commit_that_fails_after_the_last_checkpoint_duplicates_nothing() {
    for mode in ["streaming", "batch"] {
        let world = world(1, 4);
        let mut plan = Plan::new(CHECKPOINTS);
        plan.configuration.insert("execution.runtime-mode".to_owned(), mode.to_owned());
        plan.configuration.remove("execution.checkpointing.interval");
        let source = plan.source("source", &[("splits", "2"), ("rows", "60"), ("keys", "7")], 2);
        let counts = plan.count("counts", 2);
        let none = plan.nothing("none", 1);
        let total = plan.total("total", 1);
        let first = plan.first("first", 3);
        plan.connect(source, counts, Exchange::Hash(vec![0]));
        plan.connect(source, none, Exchange::Rebalance);
        plan.connect(none, total, Exchange::Global);
        plan.connect(counts, first, Exchange::Global);
        for (name, of) in [("of counts", counts), ("of nothing", total), ("of first", first)] {
            let sink = plan.sink(name, &[], 1);
            plan.connect(of, sink, Exchange::Global);
        }
        *world.controls.fault.lock() = Some("commit");
        let client = world.cluster.submit(&plan.build()).unwrap();
        finish(&client);
        assert_eq!(world.controls.failures.load(Ordering::SeqCst), 1);
        assert_eq!(client.info().checkpoints.restored, 1);
        let counts: Vec<_> = (0..7).map(|k| (k, (0..120).filter(|v| v % 7 == k).count() as i64)).collect();
        let mut want = [&counts[..], &counts[..3], if mode == "batch" { &[(0, 0)] } else { &[] }].concat();
        want.sort_unstable();
        assert_eq!(world.committed.rows(), want, "{mode}");
    }
}
