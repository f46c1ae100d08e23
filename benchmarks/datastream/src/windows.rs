//! Windows by key in event time: how many records of each key come in each second of the data's time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flott_datastream::window::{ProcessWindowFunction, TimeWindow, TumblingEventTimeWindows, WindowContext};
use flott_datastream::{Result, StreamExecutionEnvironment, WatermarkStrategy};
use hashbrown::HashMap;

use crate::data::{WINDOW, check, time, windowed_key};

/// Adds the end of the window.
#[derive(Clone)]
struct WithEnd;

impl ProcessWindowFunction<u64, TimeWindow, (u64, u64)> for WithEnd {
    type Out = (u64, u64, i64);

    fn process(
        &mut self,
        counts: &[(u64, u64)],
        ctx: &mut WindowContext<'_, u64, TimeWindow, (u64, u64, i64)>,
    ) -> Result<()> {
        let end = ctx.window().end;
        counts.iter().for_each(|(key, count)| ctx.collect((*key, *count, end)));
        Ok(())
    }
}

/// By the DataStream API.
pub fn flott(env: &StreamExecutionEnvironment, count: u64, keys: u64) -> Result<u64> {
    let sum = Arc::new(AtomicU64::new(0));
    let total = sum.clone();
    let strategy = WatermarkStrategy::for_monotonous_timestamps()
        .with_timestamp_assigner(|number: &i64, _| time(*number as u64));
    env.from_sequence(0, count as i64 - 1)
        .assign_timestamps_and_watermarks(strategy)
        .map(move |number| (windowed_key(number as u64, keys), 1))
        .key_by(|(key, _)| *key)
        .window(TumblingEventTimeWindows::of(Duration::from_millis(WINDOW as u64)))
        .reduce_with(|sum: (u64, u64), next| (sum.0, sum.1 + next.1), WithEnd)
        .add_sink(move |(key, count, end)| {
            total.fetch_add(check(key, count ^ (end as u64) << 20), Ordering::Relaxed);
            Ok(())
        });
    env.execute("windows")?;
    Ok(sum.load(Ordering::Relaxed))
}

/// By hand.
pub fn by_hand(count: u64, keys: u64) -> u64 {
    let mut counts: HashMap<u64, u64> = HashMap::new();
    let mut sum = 0u64;
    let mut end = WINDOW;
    let mut fire = |counts: &mut HashMap<u64, u64>, end: i64| {
        for (key, count) in counts.drain() {
            sum = sum.wrapping_add(check(key, count ^ (end as u64) << 20));
        }
    };
    for number in 0..count {
        let at = time(number);
        if at >= end {
            fire(&mut counts, end);
            end = at - at % WINDOW + WINDOW;
        }
        *counts.entry(windowed_key(number, keys)).or_default() += 1;
    }
    fire(&mut counts, end);
    sum
}
