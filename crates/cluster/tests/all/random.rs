//! Plans of any shape, at any parallelism, with failures: every row arrives as often as there are paths for
//! it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::support::{Plan, each_seed, finish, world};
use flott_plan::{Exchange, NodeId, OperatorSpec};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

const ROWS: i64 = 120;
const SPLITS: i64 = 3;

fn exchange(random: &mut SmallRng) -> Exchange {
    match random.random_range(0..5) {
        0 => Exchange::Hash(vec![0]),
        1 => Exchange::Hash(vec![1, 0]),
        2 => Exchange::Rebalance,
        3 => Exchange::Global,
        _ => Exchange::Forward,
    }
}

/// A plan, and how often each row arrives at its sink.
fn plan(random: &mut SmallRng) -> (Plan, usize) {
    let mut plan = Plan::new(&[
        ("execution.checkpointing.interval", "2 ms"),
        ("execution.checkpointing.tolerable-failed-checkpoints", "1000"),
        ("restart-strategy.type", "fixed-delay"),
        ("restart-strategy.fixed-delay.attempts", "1000"),
        ("restart-strategy.fixed-delay.delay", "1 ms"),
    ]);
    plan.configuration.insert("table.exec.batch-size".to_owned(), random.random_range(1..20).to_string());
    let options = [("splits", "3"), ("rows", "120"), ("batch", "5"), ("pause", "1")];
    let mut nodes: Vec<(NodeId, usize)> = Vec::new();
    for source in 0..random.random_range(1..3) {
        nodes.push((plan.source(&format!("source{source}"), &options, random.random_range(1..4)), 1));
    }
    for at in 0..random.random_range(0..5) {
        let parents = random.random_range(1..3);
        let spec = match parents {
            1 => None,
            _ => Some(OperatorSpec::Union),
        };
        let (uid, parallelism) = (format!("node{at}"), random.random_range(1..4));
        let node = match spec {
            Some(spec) => plan.add(&uid, spec, parallelism),
            None => plan.identity(&uid, parallelism),
        };
        let mut paths = 0;
        for _ in 0..parents {
            let (parent, count) = *nodes.choose(random).unwrap();
            let exchange = exchange(random);
            plan.connect(parent, node, exchange);
            paths += count;
        }
        nodes.push((node, paths));
    }
    // All unread outputs go to the sink.
    let union = plan.add("union", OperatorSpec::Union, random.random_range(1..4));
    let mut paths = 0;
    let open: Vec<_> = nodes
        .iter()
        .filter(|(node, _)| plan.graph.edges.iter().all(|edge| edge.from != *node))
        .copied()
        .collect();
    for (node, count) in open {
        let exchange = exchange(random);
        plan.connect(node, union, exchange);
        paths += count;
    }
    let sink = plan.sink("sink", &[], random.random_range(1..4));
    let exchange = exchange(random);
    plan.connect(union, sink, exchange);
    (plan, paths)
}

#[test]
fn every_row_arrives_as_often_as_there_are_paths() {
    let failures: u64 = each_seed(0..40, |seed| {
        let mut random = SmallRng::seed_from_u64(seed);
        let (mut plan, paths) = plan(&mut random);
        if random.random() {
            let key = "execution.checkpointing.unaligned.enabled";
            plan.configuration.insert(key.to_owned(), "true".to_owned());
            let key = "execution.checkpointing.aligned-checkpoint-timeout";
            plan.configuration.insert(key.to_owned(), format!("{} ms", random.random_range(0..4)));
        }
        let world = world(random.random_range(1..4), 3);
        if random.random_bool(0.7) {
            world.controls.fail_after.store(random.random_range(1..300), Ordering::SeqCst);
        }
        let client = world.cluster.submit(&plan.build()).unwrap();
        if random.random_bool(0.3) {
            client.wait_until(Duration::from_millis(random.random_range(0..30)), |info| {
                info.status.is_terminal()
            });
            *world.controls.fault.lock() = Some("commit");
        }
        finish(&client);
        let mut want: Vec<_> = (0..ROWS * SPLITS).map(|v| (v % 10, v)).collect();
        want.sort_unstable();
        let want: Vec<_> = want.into_iter().flat_map(|row| std::iter::repeat_n(row, paths)).collect();
        assert_eq!(world.committed.rows(), want, "seed {seed}");
        world.controls.failures.load(Ordering::SeqCst)
    })
    .iter()
    .sum();
    assert!(failures > 20, "only {failures} failures: the test does not test");
}
