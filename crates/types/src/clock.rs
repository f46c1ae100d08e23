//! The clock. Only this file reads the machine's time; clippy's `disallowed-methods` enforces it.

use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::time::Timestamp;

/// Where time comes from. Passed down from the top of the process.
pub trait Clock: Debug + Send + Sync {
    /// Wall-clock time in milliseconds since the epoch. May jump.
    fn now(&self) -> Timestamp;

    /// Time for measuring durations, in nanoseconds since an arbitrary start. Never goes back.
    fn nanos(&self) -> u64;
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose `nanos` start now.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn new() -> Self {
        SystemClock { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => since.as_millis() as Timestamp,
            Err(before) => -(before.duration().as_millis() as Timestamp),
        }
    }

    fn nanos(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
}

/// A clock that stands still until a test advances it.
#[derive(Debug, Default)]
pub struct ManualClock {
    millis: AtomicI64,
}

impl ManualClock {
    /// A clock that shows `at`.
    pub fn new(at: Timestamp) -> Self {
        ManualClock { millis: AtomicI64::new(at) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, millis: i64) {
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }

    /// Sets the clock.
    pub fn set(&self, at: Timestamp) {
        self.millis.store(at, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.millis.load(Ordering::SeqCst)
    }

    fn nanos(&self) -> u64 {
        self.now().max(0) as u64 * 1_000_000
    }
}
