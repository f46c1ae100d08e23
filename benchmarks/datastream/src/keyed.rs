//! A keyed process function with a value state: a running total for each key.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flott_datastream::{
    KeyedContext, KeyedProcessFunction, Result, RuntimeContext, StreamExecutionEnvironment, ValueState,
};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::data::{check, key};

#[derive(Serialize, Deserialize)]
struct Sale {
    product: u64,
    amount: u64,
}

/// A sale of each record's number.
fn sale(number: u64, keys: u64, hot: u64) -> Sale {
    Sale { product: key(number, keys, hot), amount: number % 100 }
}

/// Puts out the running total of each key.
#[derive(Clone, Default)]
struct Total {
    total: ValueState<u64>,
}

impl KeyedProcessFunction<u64, Sale> for Total {
    type Out = (u64, u64);

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.total = context.value_state("total")?;
        Ok(())
    }

    fn process_element(&mut self, sale: Sale, ctx: &mut KeyedContext<'_, u64, (u64, u64)>) -> Result<()> {
        let total = self.total.get(ctx).copied().unwrap_or(0) + sale.amount;
        self.total.set(ctx, total);
        ctx.collect((sale.product, total));
        Ok(())
    }
}

/// By the DataStream API.
pub fn flott(env: &StreamExecutionEnvironment, count: u64, keys: u64, hot: u64) -> Result<u64> {
    let sum = Arc::new(AtomicU64::new(0));
    let total = sum.clone();
    env.from_sequence(0, count as i64 - 1)
        .map(move |number| sale(number as u64, keys, hot))
        .key_by(|sale| sale.product)
        .process(Total::default())
        .add_sink(move |(product, running)| {
            total.fetch_add(check(product, running), Ordering::Relaxed);
            Ok(())
        });
    env.execute("keyed")?;
    Ok(sum.load(Ordering::Relaxed))
}

/// By hand.
pub fn by_hand(count: u64, keys: u64, hot: u64) -> u64 {
    let mut totals: HashMap<u64, u64> = HashMap::new();
    let mut sum = 0u64;
    for number in 0..count {
        let Sale { product, amount } = sale(number, keys, hot);
        let total = totals.entry(product).or_insert(0);
        *total += amount;
        sum = sum.wrapping_add(check(product, *total));
    }
    sum
}
