//! The externally visible state of splits.

use crate::Gauge;

/// The metrics of one split. Cloning shares them.
#[derive(Clone, Default, Debug)]
pub struct SplitMetrics {
    /// The split's own watermark.
    pub watermark: Gauge,
    /// 1 while the split does not hold back event time.
    pub idle: Gauge,
}

/// Reports the progress of the splits, and knows what holds them up.
pub trait SplitObserver: Send + Sync {
    /// Called when a split starts being read.
    fn added(&self, split: &str) -> SplitMetrics;
    /// Called when splits are no longer read.
    fn removed(&self, gone: &dyn Fn(&str) -> bool);
    /// For how many milliseconds in total receivers have had no room for rows.
    fn back_pressured(&self) -> i64;
}

/// An observer that does nothing.
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
