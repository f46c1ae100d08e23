//! Limits a reader to a number of rows per second.

use std::sync::Arc;

use flott_types::{Clock, Timestamp};

/// Lets rows through at a constant pace. A reader that fell behind (because nothing downstream took its rows)
/// does not catch up in a burst of more than a tenth of a second.
#[derive(Debug)]
pub struct RateLimiter {
    clock: Arc<dyn Clock>,
    nanos_per_row: f64,
    /// When the next row is due, by [`Clock::nanos`].
    due: f64,
}

const LONGEST_BURST_NANOS: f64 = 100_000_000.0;

impl RateLimiter {
    /// So many rows per second, a positive number; the first one at once.
    pub fn new(rows_per_second: f64, clock: Arc<dyn Clock>) -> Self {
        let due = clock.nanos() as f64;
        RateLimiter { clock, nanos_per_row: 1e9 / rows_per_second.max(1e-9), due }
    }

    /// How many rows are due now.
    pub fn permits(&mut self) -> usize {
        let now = self.clock.nanos() as f64;
        self.due = self.due.max(now - LONGEST_BURST_NANOS.max(self.nanos_per_row));
        if now < self.due { 0 } else { ((now - self.due) / self.nanos_per_row) as usize + 1 }
    }

    /// So many rows went through.
    pub fn taken(&mut self, rows: usize) {
        self.due += rows as f64 * self.nanos_per_row;
    }

    /// When the next row is due, by [`Clock::now`].
    pub fn next_time(&self) -> Timestamp {
        let wait = (self.due - self.clock.nanos() as f64).max(0.0);
        self.clock.now() + (wait / 1e6).ceil() as Timestamp
    }
}

#[cfg(test)]
mod tests {
    use flott_types::clock::ManualClock;

    use super::*;

    #[test]
    fn rows_pass_at_the_rate() {
        let clock = Arc::new(ManualClock::new(1_000_000));
        let mut limiter = RateLimiter::new(100.0, clock.clone());
        let mut passed = 0;
        for _ in 0..1_000 {
            let rows = limiter.permits();
            limiter.taken(rows);
            passed += rows;
            if limiter.permits() == 0 {
                clock.set(limiter.next_time());
            }
        }
        assert_eq!(clock.now(), 1_000_000 + 10_000);
        assert_eq!(passed, 1_000);
    }

    #[test]
    fn time_lost_is_not_caught_up() {
        let clock = Arc::new(ManualClock::new(1_000_000));
        let mut limiter = RateLimiter::new(100.0, clock.clone());
        clock.advance(60_000);
        assert_eq!(limiter.permits(), 11);
        let mut slow = RateLimiter::new(0.5, clock.clone());
        slow.taken(1);
        assert_eq!((slow.permits(), slow.next_time()), (0, clock.now() + 2_000));
    }
}
