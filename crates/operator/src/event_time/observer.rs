//! The externally visible state of splits.

use crate::Gauge;

/// The metrics of one split. Cloning shares them.
#[derive(Clone, Default, Debug)]
pub struct SplitMetrics {
    /// The split's own watermark.
    pub watermark: Gauge,
    /// 1 while the split does not hold event time back.
    pub idle: Gauge,
}

/// What reports the progress of the splits, and knows what holds them up.
pub trait SplitObserver: Send + Sync {
    /// A split is being read.
    fn added(&self, split: &str) -> SplitMetrics;
    /// Splits are read no longer.
    fn removed(&self, gone: &dyn Fn(&str) -> bool);
    /// For how many milliseconds in all receivers had no room for rows.
    fn back_pressured(&self) -> i64;
}

/// Nobody looks.
#[derive(Clone, Copy, Default, Debug)]
pub struct Unobserved;

impl SplitObserver for Unobserved {
    fn added(&self, _: &str) -> SplitMetrics {
        SplitMetrics::default()
    }

    fn removed(&self, _: &dyn Fn(&str) -> bool) {}

    fn back_pressured(&self) -> i64 {
        0
    }
}
