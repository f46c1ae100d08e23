//! Joins records of two keyed streams that are not far apart in event time (`IntervalJoinOperator` of Flink).
//!
//! A record of the left stream at `t` joins those of the right one with the same key from `t + lower` to `t + upper`. Each record meets
//! what the other side has kept, and is kept itself until the watermark says that no partner can come any more. When that is
//! follows from its timestamp, so no timers need be stored.

mod buffer;
mod operator;
#[cfg(test)]
mod tests;

pub use operator::{IntervalJoin, JoinSides};

use flott_types::{Error, Result, Timestamp};

/// How far apart partners may be, in milliseconds, both included: right less left.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// From this many milliseconds after the left record on; negative for before it.
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

    /// As the right side sees them: left less right.
    fn mirrored(&self) -> Bounds {
        Bounds { lower: self.upper.saturating_neg(), upper: self.lower.saturating_neg() }
    }

    /// The timestamps of partners.
    fn around(&self, at: Timestamp) -> (Timestamp, Timestamp) {
        (at.saturating_add(self.lower), at.saturating_add(self.upper))
    }

    /// Records up to here find no partners any more that are not late. (Flink lets them go a millisecond earlier, and so loses partners that
    /// come at just the watermark and that it does not call late.)
    fn over(&self, watermark: Timestamp) -> Timestamp {
        watermark.saturating_sub(self.upper.max(0)).saturating_sub(1)
    }
}
