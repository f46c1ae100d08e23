//! A function with all kinds of state and timers: undisturbed, and restored at any point at any parallelism.

use std::time::Duration;

use flott_expr::user::{FunctionDefinition, FunctionName};
use flott_function::state::{ListState, MapState, ValueState};
use flott_function_table::{
    Column, OpenContext, ProcessTableFunction, Row, TableArgument, TableContext, Timer, process_table,
};
use flott_plan::{OperatorSpec, ProcessTableSpec, ProcessedTable};
use flott_types::Result;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::harness::{Harness, node};

/// Keeps values, sets timers, clears both.
#[derive(Clone, Default)]
struct Everything {
    value: Column<i64>,
    sum: ValueState<i64>,
    recent: ValueState<i64>,
    list: ListState<i64>,
    map: MapState<i64, i64>,
}

impl ProcessTableFunction for Everything {
    type Out = String;

    fn open(&mut self, context: &mut OpenContext<'_>) -> Result<()> {
        self.value = context.column("input", "v")?;
        self.sum = context.value_state("sum")?;
        self.recent = context.value_state_with_ttl("recent", Duration::from_secs(10))?;
        self.list = context.list_state("list")?;
        self.map = context.map_state("map")?;
        Ok(())
    }

    fn eval(&mut self, row: &Row<'_>, context: &mut TableContext<'_, String>) -> Result<()> {
        let value = row.get(self.value)?;
        let time = context.time().unwrap_or_default();
        self.sum.update(context, |sum| *sum += value);
        self.recent.update(context, |sum| *sum += value);
        self.list.add(context, value);
        self.map.insert(context, value % 3, time);
        match value % 10 {
            0 => context.clear_all(),
            1 => context.clear_all_timers(),
            2 => context.clear_named_timer("a"),
            3 => context.clear_timer(time + 1_000),
            4 => context.clear_all_state(),
            5 => self.map.clear(context),
            6 => context.register_named_timer("b", time + 500)?,
            7 => context.register_timer(time + 1_000)?,
            _ => {
                context.register_timer(time)?;
                context.register_named_timer("a", time + value)?;
            }
        }
        Ok(())
    }

    fn on_timer(&mut self, timer: &Timer, context: &mut TableContext<'_, String>) -> Result<()> {
        let mut map: Vec<String> =
            self.map.iter(context).map(|(key, time)| format!("{key}={time}")).collect();
        map.sort();
        let list: Vec<String> = self.list.iter(context).map(ToString::to_string).collect();
        context.collect(format!(
            "{}@{}:{}:{}:{}:{}",
            timer.name().unwrap_or("-"),
            timer.time(),
            self.sum.get_or_default(context),
            self.recent.get_or_default(context),
            list.join("+"),
            map.join("+")
        ));
        if timer.name() == Some("b") {
            context.clear_all();
        }
        Ok(())
    }
}

fn harness() -> Harness {
    let definition: FunctionDefinition =
        process_table(Everything::default()).table(TableArgument::set("input")).into();
    let functions = flott_functions::builtin().with_user(FunctionName::System("f".to_owned()), definition);
    let spec = ProcessTableSpec {
        function: "f".to_owned(),
        uid: "f".to_owned(),
        tables: vec![ProcessedTable {
            columns: ["k", "v", "ts"].map(str::to_owned).to_vec(),
            partition: Some(vec![0]),
            time: Some(2),
            ..ProcessedTable::default()
        }],
        arguments: Vec::new(),
        ttl: 0,
        output: flott_plan::ChangelogMode::insert_only(),
    };
    let node =
        node(OperatorSpec::ProcessTable(spec), &["INT BIGINT TIMESTAMP(3)"], "INT STRING TIMESTAMP(3)");
    Harness::calling(node, &[&[0]], functions)
}

#[derive(Debug)]
enum Step {
    Rows(String),
    Watermark(i64),
    Clock(i64),
}

fn steps(random: &mut SmallRng) -> Vec<Step> {
    let mut now = 0;
    let step = |_| match random.random_range(0..10) {
        0..=5 => {
            let row = |random: &mut SmallRng| {
                let at = now + random.random_range(-500..3_000);
                let at = format!(
                    "1970-01-01T00:{:02}:{:02}.{:03}",
                    at.max(0) / 60_000,
                    at.max(0) / 1_000 % 60,
                    at.max(0) % 1_000
                );
                format!("+I {} {} {at}", random.random_range(0..6), random.random_range(0..1_000))
            };
            let count = random.random_range(1..8);
            Step::Rows((0..count).map(|_| row(random)).collect::<Vec<_>>().join("\n"))
        }
        6..=8 => {
            now += random.random_range(0..2_000);
            Step::Watermark(now)
        }
        _ => Step::Clock(random.random_range(0..8_000)),
    };
    (0..40).map(step).chain([Step::Watermark(i64::MAX)]).collect()
}

/// The output of each step, its lines sorted: timers of different subtasks fire in no order.
fn run(steps: &[Step], mut disturb: impl FnMut(&mut Harness)) -> Vec<String> {
    let mut harness = harness();
    let one = |step: &Step| {
        disturb(&mut harness);
        let text = match step {
            Step::Rows(rows) => harness.push(rows),
            Step::Watermark(at) => harness.watermark(*at),
            Step::Clock(millis) => harness.advance(*millis),
        };
        let mut lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("watermark")).collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    let outputs = steps.iter().map(one).collect();
    harness.checkpoint(false);
    outputs
}

#[test]
fn restored_at_any_point_it_gives_the_same() {
    for seed in 0..30 {
        let steps = steps(&mut SmallRng::seed_from_u64(seed));
        let expected = run(&steps, |_| ());
        let mut random = SmallRng::seed_from_u64(seed + 1_000);
        let disturbed = run(&steps, |harness| {
            if random.random_bool(0.4) {
                harness.checkpoint(random.random_bool(0.3));
            }
            if random.random_bool(0.3) {
                harness.checkpoint(false);
                harness.restore(random.random_range(1..4));
            }
        });
        assert_eq!(disturbed, expected, "seed {seed}: {steps:?}");
    }
}

#[test]
fn keys_without_state_are_forgotten() {
    let mut harness = harness();
    harness.push("+I 1 18 1970-01-01T00:00:01\n+I 2 10 1970-01-01T00:00:01\n+I 3 6 1970-01-01T00:00:01");
    harness.checkpoint(false);
    assert_eq!(harness.table("sum").lines().count(), 3);
    assert_eq!(harness.watermark(2_000).lines().count(), 4);
    harness.checkpoint(false);
    // Of key 3 the timer has cleared everything; key 2 never had anything.
    assert_eq!(harness.table("sum"), "key0 value\n1 18\n");
    assert!(!harness.tables().iter().any(|table| table.contains("timer")), "{:?}", harness.tables());
}
