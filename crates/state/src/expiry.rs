//! A clock hand that sweeps over entries that may have expired.
//!
//! It is driven by the clock and not by the input: a sweep takes a quarter of the time to live. So whatever
//! the input does, a state contains only what was touched within the last one and a half times to live, even
//! if every row has a new key, or no row arrives at all. A check costs a comparison in an array that is read
//! in order; if all keys are new, there are about six for each of them. One call does a bounded amount of
//! work, and says when it wants to be called next.

use flott_types::Timestamp;

/// How often the hand goes round within the time to live.
const ROUNDS: i64 = 4;
/// How often it continues within the time to live, and the longest pause in between, in milliseconds, so that
/// its steps are small.
const STEPS: i64 = 16;
const LONGEST_PAUSE: i64 = 1_000;
/// This many slots are looked at in one call at most, and this many for each row of a batch besides.
const LOOKS: usize = 64 << 10;
const LOOKS_PER_ROW: usize = 8;
/// This many slots are found expired in one call at most, and this many for each row of a batch besides.
const FINDS: usize = 8 << 10;
const FINDS_PER_ROW: usize = 2;

/// The hand that goes round slots that may have expired. See the module's header.
#[derive(Debug)]
pub struct ExpiryHand {
    /// How long it takes round all slots.
    round: i64,
    /// How long it rests at most.
    pause: i64,
    at: usize,
    /// How many slots it is behind.
    owed: usize,
    swept: Option<Timestamp>,
}

impl ExpiryHand {
    /// For slots that live `ttl` milliseconds after their last use.
    pub fn new(ttl: i64) -> Self {
        let pause = (ttl / STEPS).clamp(1, LONGEST_PAUSE);
        ExpiryHand { round: (ttl / ROUNDS).max(1), pause, at: 0, owed: 0, swept: None }
    }

    /// Time runs from now on. To be called while there is nothing to look at, too.
    pub fn begin(&mut self, now: Timestamp) {
        (self.swept, self.owed) = (Some(now), 0);
    }

    /// Looks at as many of the slots up to `end` as the clock asks for. `look` says of a slot whether it has
    /// expired; what is more than enough for one call is looked at in the next. `rows` have come since this
    /// was called last.
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

    /// When to go on at the latest; `None` before time has begun.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let swept = self.swept?;
        Some(if self.owed > 0 { swept } else { swept.saturating_add(self.pause) })
    }
}
