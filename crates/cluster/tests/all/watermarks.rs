//! Watermarks that the source generates for each split by itself.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use flott_cluster::{JobClient, JobMetrics};
use flott_plan::{
    AggregateCall, AggregatePhase, Exchange, Expr, Node, NodeId, OperatorSpec, Schema, SourceSpec,
    WatermarkSpec, WindowKind, WindowSpec,
};
use flott_types::{OperatorUid, TypeKind};

use crate::support::timed::{schema, second};
use crate::support::{Plan, each_seed, eventually, finish, table, world};

const WINDOW: i64 = 10;

fn add(plan: &mut Plan, uid: &str, spec: OperatorSpec, schema: Schema) -> NodeId {
    let (uid, name) = (OperatorUid(uid.to_owned()), uid.to_owned());
    plan.graph.add(Node {
        uid,
        name,
        spec,
        schema,
        parallelism: 1,
        wishes: flott_plan::Wishes::default(),
        lineage: flott_plan::Lineage::default(),
    })
}

/// source -> COUNT(*) by k and windows of ten seconds -> sink
fn plan(
    options: &[(&str, &str)],
    per_split: bool,
    idle_timeout: i64,
    configuration: &[(&str, &str)],
) -> Plan {
    let mut plan = Plan::new(configuration);
    let time = schema().columns[1].ty.clone();
    let watermark =
        WatermarkSpec { time_column: 1, expression: Expr::column(1, time), interval: 0, idle_timeout };
    let table = flott_plan::TableSpec { schema: schema(), ..table("source", "timed-source", options) };
    let source = SourceSpec {
        table,
        projection: vec![0, 1],
        paths: Vec::new(),
        metadata: Schema::default(),
        limit: None,
        watermark: per_split.then(|| watermark.clone()),
        errors: false,
    };
    let mut last = add(&mut plan, "source", OperatorSpec::Source(source), schema());
    if !per_split {
        let assigner = add(&mut plan, "assigner", OperatorSpec::WatermarkAssigner(watermark), schema());
        plan.connect(last, assigner, Exchange::Forward);
        last = assigner;
    }
    let call = AggregateCall {
        function: "COUNT".to_owned(),
        args: Vec::new(),
        arg_types: Vec::new(),
        distinct: false,
        filter: None,
        ty: TypeKind::BigInt.not_null(),
        name: "v".to_owned(),
    };
    let window = WindowSpec {
        kind: WindowKind::Tumble { size: WINDOW * 1_000, offset: 0 },
        time_column: 1,
        event_time: true,
        zone: None,
    };
    let spec = OperatorSpec::WindowAggregate {
        window,
        keys: vec![0],
        aggregates: vec![call],
        phase: AggregatePhase::Single,
        attached: None,
        window_columns: [false; 3],
        input_updates: false,
    };
    let windows = plan.add("windows", spec, 1);
    let sink = plan.sink("sink", &[], 1);
    plan.connect(last, windows, Exchange::Hash(vec![0]));
    plan.connect(windows, sink, Exchange::Forward);
    plan
}

/// What the windows hold when a row is late if its window ended before the highest time of its split so far.
fn counts(splits: &[(i64, i64)], late: bool) -> Vec<(i64, i64)> {
    let mut windows: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for (k, (start, rows)) in (0..).zip(splits) {
        let mut highest = i64::MIN;
        for row in 0..*rows {
            let at = second(*start, row, late);
            let window = at.div_euclid(WINDOW);
            if highest == i64::MIN || (window + 1) * WINDOW * 1_000 - 1 > highest * 1_000 {
                *windows.entry((k, window)).or_default() += 1;
            }
            highest = highest.max(at);
        }
    }
    let mut counts: Vec<_> = windows.into_iter().map(|((k, _), count)| (k, count)).collect();
    counts.sort_unstable();
    counts
}

fn late(metrics: &JobMetrics) -> u64 {
    metrics.vertices.iter().map(|vertex| vertex.num_late_records_dropped()).sum()
}

fn input_watermark(client: &JobClient) -> i64 {
    let metrics = client.metrics();
    let windows = metrics.vertices.iter().find(|vertex| vertex.name.starts_with("windows"));
    windows.map_or(i64::MIN, flott_cluster::VertexMetrics::current_input_watermark)
}

#[test]
fn splits_hours_apart_make_nothing_late_if_each_has_its_own() {
    for per_split in [true, false] {
        let world = world(1, 1);
        let plan = plan(&[("splits", "0:100,36000:100")], per_split, 0, &[]);
        let client = world.cluster.submit(&plan.build()).unwrap();
        finish(&client);
        let late = late(&client.metrics());
        if per_split {
            assert_eq!(late, 0);
            assert_eq!(world.committed.rows(), counts(&[(0, 100), (36_000, 100)], false));
        } else {
            assert!(late >= 80, "only {late} rows were late: the test does not test");
        }
    }
}

#[test]
fn a_split_that_has_ended_holds_time_back_no_longer() {
    let world = world(1, 1);
    let client =
        world.cluster.submit(&plan(&[("splits", "0:12,36000:100:open")], true, 0, &[]).build()).unwrap();
    assert!(eventually(|| input_watermark(&client) == 36_099_000), "{}", input_watermark(&client));
    client.cancel();
}

#[test]
fn a_split_without_rows_is_named_and_counts_no_longer_when_it_is_idle() {
    for idle_timeout in [0, 30] {
        let world = world(1, 1);
        let options = [("splits", "0:12:open,36000:100:open")];
        let client = world.cluster.submit(&plan(&options, true, idle_timeout, &[]).build()).unwrap();
        let behind = || {
            let metrics = client.metrics();
            let task = metrics.vertices.first().and_then(|vertex| vertex.tasks.first()).cloned();
            task.and_then(|(_, task)| task.held_back_by().map(|split| split.split.clone()))
        };
        if idle_timeout == 0 {
            assert!(eventually(|| world.controls.emitted.load(Ordering::SeqCst) == 112));
            assert!(eventually(|| input_watermark(&client) == 11_000), "{}", input_watermark(&client));
            assert_eq!(behind().as_deref(), Some("0"));
            client.wait_until(Duration::from_millis(50), |_| false);
            assert_eq!(input_watermark(&client), 11_000);
        } else {
            assert!(eventually(|| input_watermark(&client) == 36_099_000), "{}", input_watermark(&client));
        }
        client.cancel();
    }
}

#[test]
fn what_was_late_is_late_after_a_failure_too() {
    let failures: u64 = each_seed(0..8, |seed| {
        let world = world(1, 1);
        let configuration = [
            ("execution.checkpointing.interval", "2 ms"),
            ("restart-strategy.type", "fixed-delay"),
            ("restart-strategy.fixed-delay.attempts", "100"),
            ("restart-strategy.fixed-delay.delay", "1 ms"),
        ];
        let options = [("splits", "0:200"), ("late", "true"), ("pause", "1")];
        let plan = plan(&options, true, 0, &configuration);
        world.controls.fail_after.store(20 + 20 * seed as i64, Ordering::SeqCst);
        finish(&world.cluster.submit(&plan.build()).unwrap());
        assert_eq!(world.committed.rows(), counts(&[(0, 200)], true), "seed {seed}");
        world.controls.failures.load(Ordering::SeqCst)
    })
    .iter()
    .sum();
    assert_eq!(failures, 8);
}

/// Which of the readers gets the split, and how soon the other hears that there is none, is no matter of the
/// result.
#[test]
fn what_is_late_does_not_depend_on_readers_without_a_split() {
    for per_split in [true, false] {
        each_seed(0..25, |_| {
            let world = world(1, 4);
            let mut plan = plan(&[("splits", "0:60"), ("late", "true")], per_split, 0, &[]);
            let readers = if per_split { 1 } else { 2 };
            plan.graph.nodes.iter_mut().take(readers).for_each(|node| node.parallelism = 4);
            finish(&world.cluster.submit(&plan.build()).unwrap());
            assert_eq!(world.committed.rows(), counts(&[(0, 60)], true), "{per_split}");
        });
    }
}
