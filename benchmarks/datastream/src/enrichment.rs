//! Asynchronous enrichment: a request for each record, each of which takes five milliseconds, at a steady rate.
//!
//! The share of a core is what it costs; how long it takes is given by the rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flott_datastream::source::{DataGeneratorSource, RateLimited};
use flott_datastream::{AsyncOptions, Result, StreamExecutionEnvironment, WatermarkStrategy};

use crate::data::{check, mix};

const REQUEST: Duration = Duration::from_millis(5);

/// By the DataStream API.
pub fn flott(env: &StreamExecutionEnvironment, count: u64, rate: f64) -> Result<u64> {
    let sum = Arc::new(AtomicU64::new(0));
    let total = sum.clone();
    let numbers = RateLimited::new(DataGeneratorSource::new(|number| number, count), rate)?;
    // Twice what is under way at this rate.
    let capacity = (rate * REQUEST.as_secs_f64() * 2.0).ceil().max(1.0) as usize;
    env.from_source(numbers, WatermarkStrategy::no_watermarks(), "numbers")
        .async_map(
            |number: u64| async move {
                tokio::time::sleep(REQUEST).await;
                Ok(vec![(number, mix(number))])
            },
            AsyncOptions::unordered(Duration::from_secs(60)).capacity(capacity),
        )
        .add_sink(move |(number, answer)| {
            total.fetch_add(check(number, answer), Ordering::Relaxed);
            Ok(())
        });
    env.execute("enrichment")?;
    Ok(sum.load(Ordering::Relaxed))
}

/// What the answers add up to.
pub fn by_hand(count: u64) -> u64 {
    (0..count).fold(0, |sum, number| sum.wrapping_add(check(number, mix(number))))
}
