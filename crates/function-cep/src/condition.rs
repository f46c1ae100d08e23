//! Conditions of a pattern, and what they can see.

use std::sync::Arc;

use flott_types::Timestamp;

/// Whether an event may be part of a match.
pub(crate) type Condition<T> = Arc<dyn Fn(&T, &Matched<'_, T>) -> bool + Send + Sync>;

/// What a partial match has when a condition is asked (`IterativeCondition.Context` in Flink).
pub struct Matched<'a, T> {
    pub(crate) events: &'a dyn Fn(&str) -> Vec<&'a T>,
    pub(crate) timestamp: Timestamp,
    pub(crate) now: Timestamp,
}

impl<'a, T> Matched<'a, T> {
    /// The events that the stage of this name has so far, in order; the current one is not among them.
    pub fn events(&self, stage: &str) -> Vec<&'a T> {
        (self.events)(stage)
    }

    /// The timestamp of the current event, or the processing time.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// The processing time in milliseconds since the epoch.
    pub fn current_processing_time(&self) -> Timestamp {
        self.now
    }
}
