//! Joins records of two keyed streams that are close in event time (`IntervalJoinOperator` in Flink).
//!
//! A record of the left stream at `t` joins those of the right one with the same key from `t + lower` to `t +
//! upper`. Each record is matched with those that the other side has kept, and is itself kept until the
//! watermark says that no more partners can arrive. That time follows from its timestamp, so no timers are
//! stored.

mod buffer;
mod operator;
#[cfg(test)]
mod tests;

pub use operator::{IntervalJoin, JoinSides};

use flott_types::{Error, Result, Timestamp};

/// How far apart partners may be, in milliseconds, inclusive: right minus left.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Starting this many milliseconds after the left record; negative for before it.
    pub lower: i64,
    /// Until this many after it.
    pub upper: i64,
}

impl Bounds {
    /// Whether there is any such time.
    ///
    /// # Errors
    /// If the upper bound is below the lower one.
    pub fn check(&self) -> Result<()> {
        match self.lower <= self.upper {
            true => Ok(()),
            false => Err(Error::invalid(format!(
                "an interval join has the lower bound {} ms above the upper bound {} ms",
                self.lower, self.upper
            ))),
        }
    }

    /// As the right side sees them: left minus right.
    fn mirrored(&self) -> Bounds {
        Bounds { lower: self.upper.saturating_neg(), upper: self.lower.saturating_neg() }
    }

    /// The timestamps of partners.
    fn around(&self, at: Timestamp) -> (Timestamp, Timestamp) {
        (at.saturating_add(self.lower), at.saturating_add(self.upper))
    }

    /// Records up to here can only find late partners. (Flink evicts them a millisecond earlier, and so loses
    /// partners that arrive exactly at the watermark, which it does not consider late.)
    fn over(&self, watermark: Timestamp) -> Timestamp {
        watermark.saturating_sub(self.upper.max(0)).saturating_sub(1)
    }
}
