//! Functions whose keys do not fit into memory, beside the same ones whose keys do.

use std::sync::Arc;

use flott_function::keyed_process::{KeyedContext, KeyedProcessFunction};
use flott_function::runtime_context::RuntimeContext;
use flott_function::state::{
    ByValue, ListState, MapState, ReducingState, StateTtlConfig, TtlUpdateType, ValueState,
};
use flott_runtime::TaskOptions;
use flott_state::spill::{Backend, SpillOptions};
use flott_types::{Result, Timestamp};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::keyed_process::KeyedProcess;
use crate::reduce::Reduce;
use crate::testing::{Harness, MAX_PARALLELISM, Stored, options};

const KEYS: i64 = 300;
const TTL: i64 = 5_000;

/// A number decides what it does.
#[derive(Clone, Default)]
struct Everything {
    value: ValueState<String>,
    list: ListState<i64>,
    map: MapState<u32, String>,
    sum: ReducingState<i64>,
    short: ValueState<i64>,
    recent: ListState<i64>,
}

fn key_of(n: &i64) -> String {
    format!("key {}", n % KEYS)
}

impl Everything {
    /// What there is of the key.
    fn told(&self, what: &str, ctx: &mut KeyedContext<'_, String, String>) -> String {
        let mut map: Vec<(u32, String)> = self.map.iter(ctx).map(|(k, v)| (*k, v.clone())).collect();
        map.sort();
        let list: Vec<i64> = self.list.iter(ctx).copied().collect();
        let recent: Vec<i64> = self.recent.iter(ctx).copied().collect();
        let (value, sum, short) = (self.value.get(ctx), self.sum.get(ctx), self.short.get(ctx));
        format!("{what} {}: {value:?} {list:?} {map:?} {sum:?} {short:?} {recent:?}", ctx.current_key())
    }
}

impl KeyedProcessFunction<String, i64> for Everything {
    type Out = String;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        let ttl = StateTtlConfig::new(std::time::Duration::from_millis(TTL as u64));
        self.value = context.value_state("value")?;
        self.list = context.list_state("list")?;
        self.map = context.map_state("map")?;
        self.sum = context.reducing_state("sum", |a: i64, b| a + b)?;
        self.short = context.value_state_with_ttl("short", &ttl)?;
        self.recent =
            context.list_state_with_ttl("recent", &ttl.update_type(TtlUpdateType::OnReadAndWrite))?;
        Ok(())
    }

    fn process_element(&mut self, n: i64, ctx: &mut KeyedContext<'_, String, String>) -> Result<()> {
        let at = ctx.timestamp().unwrap_or(0);
        match (n / KEYS) % 13 {
            0 => self.value.set(ctx, format!("value {n}")),
            1 => self.value.clear(ctx),
            2 | 3 => self.list.add(ctx, n),
            4 => self.list.clear(ctx),
            5 | 6 => _ = self.map.insert(ctx, (n % 7) as u32, format!("{n}")),
            7 => _ = self.map.remove(ctx, &((n % 7) as u32)),
            8 => self.sum.add(ctx, n),
            9 => self.short.set(ctx, n),
            10 => self.recent.add(ctx, n),
            11 => ctx.register_event_time_timer(at + n % 400),
            _ => {
                let now = ctx.current_processing_time();
                ctx.register_processing_time_timer(now + n % 4_000);
            }
        }
        if n % 5 == 0 {
            ctx.register_event_time_timer(at + 100);
            ctx.delete_event_time_timer(at + 50);
        }
        if n % 3 == 0 {
            let told = self.told("row", ctx);
            ctx.collect(told);
        }
        Ok(())
    }

    fn on_timer(&mut self, at: Timestamp, ctx: &mut KeyedContext<'_, String, String>) -> Result<()> {
        let told = self.told(&format!("{:?} {at}", ctx.time_domain()), ctx);
        ctx.collect(told);
        if at % 2 == 0 {
            self.list.add(ctx, at);
            ctx.register_event_time_timer(at + 333);
        }
        Ok(())
    }
}

fn with_budget(budget: Option<usize>, backend: Backend) -> Arc<TaskOptions> {
    let state = SpillOptions { budget, backend, folder: None };
    Arc::new(TaskOptions { state, ..TaskOptions::clone(&options()) })
}

fn everything(options: &Arc<TaskOptions>, stored: &Stored) -> Harness {
    let function = Everything::default();
    let key_by = Arc::new(ByValue(key_of));
    let operator = KeyedProcess::new(function, key_by, MAX_PARALLELISM, options.clone()).unwrap();
    Harness::restored::<String>(operator, stored, 0, 1)
}

/// Timers of one time fire in any order.
fn sorted(mut rows: Vec<String>) -> Vec<String> {
    rows.sort();
    rows
}

#[test]
fn a_function_sees_the_same_states_and_timers_wherever_its_keys_are() {
    for seed in 0..6 {
        let mut random = SmallRng::seed_from_u64(seed);
        let small = with_budget(Some([1, 5_000, 30_000][seed as usize % 3]), Backend::LocalDisk);
        let large = with_budget(None, Backend::LocalDisk);
        let mut stored = [Stored::default(), Stored::default()];
        let mut both = [everything(&small, &stored[0]), everything(&large, &stored[1])];
        let (mut time, mut clock) = (0, 0);
        for step in 0..120 {
            let rows = random.random_range(1..60);
            let records: Vec<(i64, Timestamp)> = (0..rows)
                .map(|_| (random.random_range(0..1_000_000), time + random.random_range(0..300)))
                .collect();
            time += random.random_range(0..200);
            clock += random.random_range(0..700);
            let snapshot = random.random_ratio(1, 8);
            let fails = random.random_ratio(1, 20);
            let [a, b] = [0, 1].map(|at| {
                let harness = &mut both[at];
                let key = key_of as fn(&i64) -> String;
                let mut rows = sorted(harness.push_keyed(0, key, records.clone()).unwrap());
                rows.extend(sorted(harness.watermark(time)));
                rows.extend(sorted(harness.clock(clock).unwrap()));
                if snapshot {
                    rows.extend(harness.snapshot(&mut stored[at]));
                }
                rows
            });
            assert_eq!(a, b, "seed {seed}, step {step}");
            if snapshot && fails {
                both = [everything(&small, &stored[0]), everything(&large, &stored[1])];
                both.iter_mut().for_each(|harness| harness.set_clock(clock));
            }
        }
        assert!(small.memory.used() > 0);
        let [a, b] = both.each_mut().map(|harness| sorted(harness.watermark(time + 700)));
        assert_eq!(a, b, "seed {seed}");
        let [a, b] = [0, 1].map(|at| {
            both[at].snapshot(&mut stored[at]);
            // What the one with little memory stored, with much; and the other way round.
            let mut other = everything(if at == 0 { &large } else { &small }, &stored[at]);
            other.set_clock(clock);
            sorted(other.watermark(time + 1_500))
        });
        assert_eq!(a, b, "seed {seed}");
    }
}

#[test]
fn rolling_values_leave_memory_and_come_back() {
    let sums = |options: &Arc<TaskOptions>, stored: &Stored| {
        let sum = |a: &mut i64, b: i64| *a += b * KEYS;
        let operator = Reduce::new(sum, Arc::new(ByValue(key_of)), MAX_PARALLELISM, options.clone()).unwrap();
        Harness::restored::<i64>(operator, stored, 0, 1)
    };
    let (small, large) = (with_budget(Some(1), Backend::LocalDisk), with_budget(None, Backend::LocalDisk));
    let mut stored = [Stored::default(), Stored::default()];
    let mut both = [sums(&small, &stored[0]), sums(&large, &stored[1])];
    let mut random = SmallRng::seed_from_u64(1);
    for step in 0..60 {
        let records: Vec<(i64, Timestamp)> = (0..50).map(|_| (random.random_range(0..10_000), 0)).collect();
        let [a, b] = both.each_mut().map(|harness| harness.push_keyed(0, key_of, records.clone()).unwrap());
        assert_eq!(a, b, "step {step}");
        if step % 7 == 0 {
            both.iter_mut().zip(&mut stored).for_each(|(harness, stored)| _ = harness.snapshot(stored));
            both = [sums(&small, &stored[0]), sums(&large, &stored[1])];
        }
    }
}

#[test]
fn what_may_not_leave_memory_and_does_not_fit_is_an_error() {
    let records = || (0..2_000).map(|n| (n, 0));
    let mut harness = everything(&with_budget(Some(10_000), Backend::Memory), &Stored::default());
    let error = harness.push_keyed(0, key_of, records()).unwrap_err().to_string();
    assert!(error.contains("'state.backend.type: hashmap'"), "{error}");
    let missing = std::env::temp_dir().join("no/such/folder");
    let state = SpillOptions { budget: Some(10_000), backend: Backend::LocalDisk, folder: Some(missing) };
    let options = Arc::new(TaskOptions { state, ..TaskOptions::clone(&options()) });
    let error = everything(&options, &Stored::default()).push_keyed(0, key_of, records()).unwrap_err();
    assert!(error.to_string().contains("'io.tmp.dirs'"), "{error}");
}

/// Keeps a text for each key, and a timer that comes again and again.
#[derive(Clone, Default)]
struct Periodic(ValueState<String>);

impl KeyedProcessFunction<i64, i64> for Periodic {
    type Out = i64;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.0 = context.value_state("text")?;
        Ok(())
    }

    fn process_element(&mut self, n: i64, ctx: &mut KeyedContext<'_, i64, i64>) -> Result<()> {
        self.0.set(ctx, format!("{n:0>200}"));
        ctx.register_event_time_timer(n);
        Ok(())
    }

    fn on_timer(&mut self, at: Timestamp, ctx: &mut KeyedContext<'_, i64, i64>) -> Result<()> {
        ctx.register_event_time_timer(at + 100_000);
        ctx.collect(at);
        Ok(())
    }
}

#[test]
fn keys_whose_timers_have_fired_leave_memory_before_the_next_snapshot() {
    let budget = 200_000;
    let with = |budget| {
        let folder = Some(std::env::temp_dir());
        let state = SpillOptions { budget: Some(budget), backend: Backend::LocalDisk, folder };
        Arc::new(TaskOptions { state, ..TaskOptions::clone(&options()) })
    };
    let start = |options: &Arc<TaskOptions>, stored: &Stored| {
        let key_by = Arc::new(ByValue(|n: &i64| *n));
        let operator = KeyedProcess::new(Periodic::default(), key_by, MAX_PARALLELISM, options.clone());
        Harness::restored::<i64>(operator.unwrap(), stored, 0, 1)
    };
    let fired = |rows: Vec<String>| rows.iter().filter(|row| !row.starts_with('W')).count();
    let mut stored = Stored::default();
    let options = with(budget);
    let mut harness = start(&options, &stored);
    for first in (0..20_000).step_by(200) {
        harness.push_keyed(0, |n: &i64| *n, (first..first + 200).map(|n| (n, 0))).unwrap();
    }
    // From now on a timer that has fired is one that the next snapshot must delete.
    harness.snapshot(&mut stored);
    for round in 1..4 {
        assert_eq!(fired(harness.watermark(round * 100_000 - 1)), 20_000, "round {round}");
        let used = options.memory.used();
        assert!(used < 8 * budget, "round {round}: {used} bytes of some 6 MB are in memory");
        if round > 1 {
            harness.snapshot(&mut stored);
        }
    }
    let mut restored = start(&with(1 << 30), &stored);
    assert_eq!(fired(restored.watermark(399_999)), 20_000, "each key has one timer, the next");
}
