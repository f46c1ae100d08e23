//! What windows are.

use std::fmt::Debug;
use std::hash::Hash;

use flott_batch::Record;
use flott_types::Timestamp;
use serde::{Deserialize, Serialize};

/// A bucket of records of one key.
///
/// Windows are values: those that are equal are one. The windows of a key are kept in order, so they have one.
pub trait Window: Record + Clone + Eq + Ord + Hash + Debug {
    /// The greatest timestamp that still belongs to the window. Results carry it.
    fn max_timestamp(&self) -> Timestamp;
}

/// From `start` to just before `end`, in milliseconds.
///
/// ```
/// # use flott_datastream::window::{TimeWindow, Window};
/// let minute = TimeWindow::new(0, 60_000);
/// assert_eq!(minute.max_timestamp(), 59_999);
/// assert_eq!(minute.cover(&TimeWindow::new(60_000, 61_000)), TimeWindow::new(0, 61_000));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct TimeWindow {
    /// The first timestamp that belongs to it.
    pub start: Timestamp,
    /// The first timestamp after it.
    pub end: Timestamp,
}

impl TimeWindow {
    /// From `start` to just before `end`.
    pub fn new(start: Timestamp, end: Timestamp) -> Self {
        TimeWindow { start, end }
    }

    /// Whether the windows have a time in common, or one begins where the other ends.
    #[inline]
    pub fn intersects(&self, other: &TimeWindow) -> bool {
        self.start <= other.end && self.end >= other.start
    }

    /// The least window that has both in it.
    #[inline]
    pub fn cover(&self, other: &TimeWindow) -> TimeWindow {
        TimeWindow { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The start of the window that a timestamp belongs to, where windows of this size begin at every multiple of it, plus
    /// the offset. Right for times before the epoch too.
    #[inline]
    pub fn start_with_offset(timestamp: Timestamp, offset: i64, size: i64) -> Timestamp {
        timestamp - timestamp.wrapping_sub(offset).rem_euclid(size)
    }
}

impl Window for TimeWindow {
    #[inline]
    fn max_timestamp(&self) -> Timestamp {
        self.end - 1
    }
}

/// The one window that everything belongs to. It has no end.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(from = "GlobalName", into = "GlobalName")]
pub struct GlobalWindow;

/// How it is written in snapshots.
#[derive(Serialize, Deserialize)]
enum GlobalName {
    Global,
}

impl From<GlobalName> for GlobalWindow {
    fn from(GlobalName::Global: GlobalName) -> Self {
        GlobalWindow
    }
}

impl From<GlobalWindow> for GlobalName {
    fn from(GlobalWindow: GlobalWindow) -> Self {
        GlobalName::Global
    }
}

impl Window for GlobalWindow {
    fn max_timestamp(&self) -> Timestamp {
        Timestamp::MAX
    }
}

/// The key of windows over a whole stream: there is only one.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub struct NoKey;

impl From<u8> for NoKey {
    fn from(_: u8) -> Self {
        NoKey
    }
}

impl From<NoKey> for u8 {
    fn from(NoKey: NoKey) -> u8 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_at_multiples_of_their_size() {
        let start = TimeWindow::start_with_offset;
        assert_eq!([start(0, 0, 10), start(9, 0, 10), start(10, 0, 10)], [0, 0, 10]);
        assert_eq!([start(-1, 0, 10), start(-10, 0, 10), start(-11, 0, 10)], [-10, -10, -20]);
        assert_eq!([start(2, 3, 10), start(3, 3, 10), start(-8, 3, 10), start(-7, 3, 10)], [-7, 3, -17, -7]);
        assert_eq!([start(6, -3, 10), start(7, -3, 10)], [-3, 7]);
    }

    #[test]
    fn windows_that_touch_intersect() {
        let window = TimeWindow::new(0, 10);
        assert!(window.intersects(&TimeWindow::new(10, 11)) && window.intersects(&TimeWindow::new(-5, 0)));
        assert!(!window.intersects(&TimeWindow::new(11, 12)));
    }
}
