//! Sources that wait for each other.

use std::sync::Arc;
use std::time::Duration;

use flott_cluster::{JobClient, LocalCluster, LocalClusterOptions};
use flott_connector::Registry;
use flott_operators::SqlOperators;
use flott_plan::{Exchange, Expr, OperatorSpec, Schema, SourceSpec};
use flott_types::clock::ManualClock;

use crate::support::timed::{TimedSourceConnector, schema};
use crate::support::{Committed, Controls, Plan, bigint, eventually, sink, table};

type Options<'a> = &'a [(&'a str, &'a str)];

/// A cluster whose clock the test moves.
struct World {
    cluster: LocalCluster,
    clock: Arc<ManualClock>,
}

fn world() -> World {
    let controls = Arc::<Controls>::default();
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    let mut registry = Registry::default();
    registry.register(Arc::new(TimedSourceConnector(controls.clone())));
    registry.register(Arc::new(sink::TestSinkConnector(Arc::<Committed>::default(), controls)));
    let mut options = LocalClusterOptions::new(Arc::new(registry), Arc::new(SqlOperators::default()), 2);
    options.clock = clock.clone();
    World { cluster: LocalCluster::start(options).unwrap(), clock }
}

impl World {
    /// Runs sources, each with its options and parallelism, into sinks.
    fn submit(&self, sources: &[(&str, Options<'_>, u32)]) -> JobClient {
        let mut plan = Plan::new(&[]);
        for (name, options, parallelism) in sources {
            let table = flott_plan::TableSpec { schema: schema(), ..table(name, "timed-source", options) };
            let (projection, metadata) = (vec![0, 1], Schema::default());
            let spec = SourceSpec {
                table,
                projection,
                paths: Vec::new(),
                metadata,
                limit: None,
                watermark: None,
                errors: false,
            };
            let source = plan.add(name, OperatorSpec::Source(spec), *parallelism);
            plan.graph.nodes[source.0 as usize].schema = schema();
            let projection = vec![Expr::column(0, bigint()), Expr::column(0, bigint())];
            let calc = OperatorSpec::Calc { condition: None, projection };
            let calc = plan.add(&format!("calc of {name}"), calc, *parallelism);
            let sink = plan.sink(&format!("sink of {name}"), &[], *parallelism);
            plan.connect(source, calc, Exchange::Forward);
            plan.connect(calc, sink, Exchange::Forward);
        }
        self.cluster.submit(&plan.build()).unwrap()
    }

    /// Advances the clock by this much, in small steps.
    fn pass(&self, millis: i64) {
        for _ in 0..millis / 5 {
            self.clock.advance(5);
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }

    /// Moves the clock until something holds.
    fn until(&self, mut holds: impl FnMut() -> bool) -> bool {
        eventually(|| {
            self.clock.advance(5);
            holds()
        })
    }
}

/// The event time of a split of a source, in seconds.
fn second(client: &JobClient, source: &str, split: &str) -> i64 {
    let metrics = client.metrics();
    let vertex = metrics.vertices.iter().filter(|vertex| vertex.name.starts_with(source));
    let mut splits = vertex.flat_map(|vertex| &vertex.tasks).flat_map(|(_, task)| &task.splits);
    let split = splits.find(|found| found.split == split);
    split.map_or(-1, |split| split.current_watermark.max(-1_000) / 1_000)
}

/// It reaches 99 seconds, and then nothing more arrives.
const SLOW: Options<'_> = &[("splits", "0:100:open"), ("group", "g"), ("drift", "60"), ("pause", "2")];
const FAST: Options<'_> = &[("splits", "0:1000000:open"), ("group", "g"), ("drift", "60"), ("pause", "2")];

impl World {
    /// Waits until a split of a source is held back, and says where. It is above 159 seconds then, which is
    /// how far it may come; how far above depends on when the tasks began, for nobody waits for who has said
    /// nothing yet.
    fn stopped(&self, client: &JobClient, source: &str, split: &str) -> i64 {
        let mut last = -1;
        let stands = self.until(|| {
            self.pass(100);
            let at = second(client, source, split);
            std::mem::replace(&mut last, at) == at && at > 159
        });
        assert!(stands, "{source} is at {last}");
        self.pass(500);
        assert_eq!(second(client, source, split), last);
        last
    }
}

#[test]
fn a_source_waits_for_the_slowest_of_its_group() {
    let world = world();
    let client = world.submit(&[("slow", SLOW, 1), ("fast", FAST, 1)]);
    world.stopped(&client, "fast", "0");
    assert_eq!(second(&client, "slow", "0"), 99);
    client.cancel();
}

#[test]
fn an_idle_source_delays_nobody() {
    let world = world();
    let idle = [SLOW, &[("idle-timeout", "1 h")]].concat();
    let client = world.submit(&[("slow", &idle, 1), ("fast", FAST, 1)]);
    let stopped = world.stopped(&client, "fast", "0");
    world.clock.advance(3_600_000);
    assert!(world.until(|| second(&client, "fast", "0") > stopped + 500));
    client.cancel();
}

#[test]
fn an_ended_source_delays_nobody() {
    let world = world();
    let ended = [&[("splits", "0:100")], &SLOW[1..]].concat();
    let bounded = [&[("splits", "0:2000")], &FAST[1..]].concat();
    let client = world.submit(&[("slow", &ended, 1), ("fast", &bounded, 1)]);
    assert!(world.until(|| client.status() == flott_cluster::JobStatus::Finished));
}

#[test]
fn others_do_not_wait() {
    let world = world();
    let other = [&[("splits", "0:2000:open"), ("group", "other")], &FAST[2..]].concat();
    let client = world.submit(&[("slow", SLOW, 1), ("fast", &other, 1)]);
    assert!(world.until(|| second(&client, "fast", "0") == 1_999), "{}", second(&client, "fast", "0"));
    client.cancel();
}

#[test]
fn subtasks_of_one_source_wait_for_each_other() {
    let world = world();
    let options = [&[("splits", "0:100:open,0:1000000:open"), ("spread", "true")], &FAST[1..]].concat();
    let client = world.submit(&[("both", &options, 2)]);
    world.stopped(&client, "both", "1");
    assert_eq!(second(&client, "both", "0"), 99);
    client.cancel();
}

#[test]
fn splits_of_one_reader_wait_for_each_other() {
    let world = world();
    let options = [&[("splits", "0:100:open,0:1000000:open")], &FAST[1..]].concat();
    let client = world.submit(&[("one", &options, 1)]);
    world.stopped(&client, "one", "1");
    assert_eq!(second(&client, "one", "0"), 99);
    client.cancel();
}
