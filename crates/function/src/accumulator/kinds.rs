//! The built-in accumulators.

use std::collections::BTreeMap;

use flott_batch::Record;
use serde::{Deserialize, Serialize};

use super::Accumulator;

macro_rules! sums {
    ($($(#[$doc:meta])* $name:ident($number:ty), $add:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Debug, Serialize, Deserialize)]
        pub struct $name($number);

        impl Accumulator for $name {
            type Input = $number;
            type Output = $number;

            fn add(&mut self, value: $number) {
                self.0 = $add(self.0, value);
            }

            fn merge(&mut self, other: Self) {
                self.add(other.0);
            }

            fn into_value(self) -> $number {
                self.0
            }
        }
    )*};
}

sums! {
    /// A sum of `i32`, which wraps around on overflow.
    IntCounter(i32), i32::wrapping_add;
    /// A sum of `i64`, which wraps around on overflow.
    LongCounter(i64), i64::wrapping_add;
    /// A sum of `f64`.
    DoubleCounter(f64), std::ops::Add::add;
}

macro_rules! extremes {
    ($($(#[$doc:meta])* $name:ident, $better:tt;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
        #[serde(bound(deserialize = "T: serde::de::DeserializeOwned"))]
        pub struct $name<T>(Option<T>);

        impl<T> Default for $name<T> {
            fn default() -> Self {
                $name(None)
            }
        }

        impl<T: Record + PartialOrd> Accumulator for $name<T> {
            type Input = T;
            type Output = Option<T>;

            fn add(&mut self, value: T) {
                if self.0.as_ref().is_none_or(|best| value $better *best) {
                    self.0 = Some(value);
                }
            }

            fn merge(&mut self, other: Self) {
                other.0.into_iter().for_each(|value| self.add(value));
            }

            fn into_value(self) -> Option<T> {
                self.0
            }
        }
    )*};
}

extremes! {
    /// The least value.
    Minimum, <;
    /// The greatest value.
    Maximum, >;
}

/// The average of numbers; `None` without numbers.
#[derive(Clone, Copy, Default, PartialEq, Debug, Serialize, Deserialize)]
pub struct AverageAccumulator {
    count: u64,
    sum: f64,
}

impl Accumulator for AverageAccumulator {
    type Input = f64;
    type Output = Option<f64>;

    fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
    }

    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
    }

    fn into_value(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

/// How often each number was added (`Histogram` of Flink).
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HistogramAccumulator(BTreeMap<i64, u64>);

impl Accumulator for HistogramAccumulator {
    type Input = i64;
    type Output = BTreeMap<i64, u64>;

    fn add(&mut self, value: i64) {
        *self.0.entry(value).or_default() += 1;
    }

    fn merge(&mut self, other: Self) {
        for (value, count) in other.0 {
            *self.0.entry(value).or_default() += count;
        }
    }

    fn into_value(self) -> BTreeMap<i64, u64> {
        self.0
    }
}

/// All values, with no order between subtasks. For small numbers of values.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "T: serde::de::DeserializeOwned"))]
pub struct ListAccumulator<T>(Vec<T>);

impl<T> Default for ListAccumulator<T> {
    fn default() -> Self {
        ListAccumulator(Vec::new())
    }
}

impl<T: Record> Accumulator for ListAccumulator<T> {
    type Input = T;
    type Output = Vec<T>;

    fn add(&mut self, value: T) {
        self.0.push(value);
    }

    fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    fn into_value(self) -> Vec<T> {
        self.0
    }
}
