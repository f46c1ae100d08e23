//! Metrics of an operator under Flink's names. Counted once per batch, read from other threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::{Accumulators, MetricGroup};

/// A number that only grows.
#[derive(Clone, Default, Debug)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds one.
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The count.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that is set.
#[derive(Clone, Default, Debug)]
pub struct Gauge(Arc<AtomicI64>);

impl Gauge {
    /// Sets the value.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The value.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The metrics every operator has. Cloning shares them.
#[derive(Clone, Debug)]
pub struct OperatorMetrics {
    /// `numRecordsIn`
    pub num_records_in: Counter,
    /// `numRecordsOut`
    pub num_records_out: Counter,
    /// `numLateRecordsDropped`
    pub num_late_records_dropped: Counter,
    /// `numRecordsInErrors`: rows that could not be parsed and were skipped
    pub num_records_in_errors: Counter,
    /// `numRecordsOutErrors`: rows that a sink dropped because they violate a constraint of the table
    pub num_records_out_errors: Counter,
    /// `currentInputWatermark`
    pub current_input_watermark: Gauge,
    /// `currentOutputWatermark`
    pub current_output_watermark: Gauge,
    /// Metrics that the operator's function creates.
    pub user: MetricGroup,
    /// The accumulators of the operator's function.
    pub accumulators: Accumulators,
}

impl Default for OperatorMetrics {
    fn default() -> Self {
        let metrics = OperatorMetrics {
            num_records_in: Counter::default(),
            num_records_out: Counter::default(),
            num_late_records_dropped: Counter::default(),
            num_records_in_errors: Counter::default(),
            num_records_out_errors: Counter::default(),
            current_input_watermark: Gauge::default(),
            current_output_watermark: Gauge::default(),
            user: MetricGroup::default(),
            accumulators: Accumulators::default(),
        };
        metrics.current_input_watermark.set(i64::MIN);
        metrics.current_output_watermark.set(i64::MIN);
        metrics
    }
}
