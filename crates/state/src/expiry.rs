//! A clock hand that sweeps over entries that may have expired.
//!
//! It is driven by the clock, not by the input: a sweep takes a quarter of the time to live. So whatever the
//! input does, a state contains only what was touched within the last one and a half times to live, even if
//! every row has a new key, or no row arrives at all. A check is one comparison in an array that is read in
//! order; if all keys are new, there are about six checks for each of them. One call does a bounded amount of
//! work and says when it wants to be called next.

use flott_types::Timestamp;

/// How many rounds the hand makes within the time to live.
const ROUNDS: i64 = 4;
/// How many steps the hand makes within the time to live, and the longest pause between two, in milliseconds.
/// Steps are kept small.
const STEPS: i64 = 16;
const LONGEST_PAUSE: i64 = 1_000;
/// One call checks at most this many slots, plus this many for each row of a batch.
const LOOKS: usize = 64 << 10;
const LOOKS_PER_ROW: usize = 8;
/// One call finds at most this many expired slots, plus this many for each row of a batch.
const FINDS: usize = 8 << 10;
const FINDS_PER_ROW: usize = 2;

/// The hand that sweeps over slots that may have expired. See the module's header.
#[derive(Debug)]
pub struct ExpiryHand {
    /// How long a round takes.
    round: i64,
    /// The longest pause between two steps.
    pause: i64,
    at: usize,
    /// How many slots it is behind schedule.
    owed: usize,
    swept: Option<Timestamp>,
}

impl ExpiryHand {
    /// For slots that live `ttl` milliseconds after their last use.
    pub fn new(ttl: i64) -> Self {
        let pause = (ttl / STEPS).clamp(1, LONGEST_PAUSE);
        ExpiryHand { round: (ttl / ROUNDS).max(1), pause, at: 0, owed: 0, swept: None }
    }

    /// Starts the clock. Must also be called while there is nothing to check.
    pub fn begin(&mut self, now: Timestamp) {
        (self.swept, self.owed) = (Some(now), 0);
    }

    /// Checks as many of the slots up to `end` as the clock asks for. `look` returns whether a slot has
    /// expired. What exceeds the bounds of one call is left to the next. `rows` is how many rows have arrived
    /// since the last call.
    pub fn go(&mut self, now: Timestamp, end: usize, rows: usize, mut look: impl FnMut(usize) -> bool) {
        let elapsed = now.saturating_sub(self.swept.replace(now).unwrap_or(now)).max(0);
        let more = (end as u128 * elapsed as u128).div_ceil(self.round as u128);
        self.owed = self.owed.saturating_add(usize::try_from(more).unwrap_or(end)).min(end);
        let mut finds = FINDS + rows * FINDS_PER_ROW;
        for _ in 0..self.owed.min(LOOKS + rows * LOOKS_PER_ROW) {
            if finds == 0 {
                break;
            }
            let at = if self.at < end { self.at } else { 0 };
            self.at = at + 1;
            self.owed -= 1;
            finds -= usize::from(look(at));
        }
    }

    /// The latest time to continue; `None` before the clock has started.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let swept = self.swept?;
        Some(if self.owed > 0 { swept } else { swept.saturating_add(self.pause) })
    }
}
