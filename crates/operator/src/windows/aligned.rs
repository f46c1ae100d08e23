//! Windows of a fixed size that begin at multiples of it.

use flott_types::Timestamp;
use serde::{Deserialize, Serialize};

/// From `start` to just before `end`, in milliseconds.
///
/// ```
/// use flott_operator::windows::TimeWindow;
///
/// let minute = TimeWindow::new(0, 60_000);
/// assert_eq!(minute.last(), 59_999);
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

    /// The last timestamp that belongs to it.
    #[inline]
    pub fn last(&self) -> Timestamp {
        self.end.saturating_sub(1)
    }

    /// Whether the windows overlap or touch.
    #[inline]
    pub fn intersects(&self, other: &TimeWindow) -> bool {
        self.start <= other.end && self.end >= other.start
    }

    /// The smallest window that contains both.
    #[inline]
    pub fn cover(&self, other: &TimeWindow) -> TimeWindow {
        TimeWindow { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The start of the window that contains a timestamp, for windows of this size that begin at every
    /// multiple of it plus the offset. Also correct for times before the epoch.
    #[inline]
    pub fn start_with_offset(timestamp: Timestamp, offset: i64, size: i64) -> Timestamp {
        start_of(timestamp, offset, size)
    }
}

/// The start of the window that contains a time, for windows of this size that begin at every multiple of it
/// plus the offset. Also correct for times before the epoch. The size must be positive.
#[inline]
pub fn start_of(time: Timestamp, offset: i64, size: i64) -> Timestamp {
    time.wrapping_sub(time.wrapping_sub(offset).rem_euclid(size))
}

/// The windows of this size that contain a time, the latest first; one begins at every multiple of the slide
/// plus the offset. There may be none if the slide is greater than the size.
#[inline]
pub fn hopping(time: Timestamp, offset: i64, size: i64, slide: i64) -> impl Iterator<Item = TimeWindow> {
    let after = time.saturating_sub(size);
    let within = move |start: &Timestamp| *start > after;
    let last = Some(start_of(time, offset, slide)).filter(within);
    std::iter::successors(last, move |start| start.checked_sub(slide).filter(within))
        .map(move |start| TimeWindow::new(start, start.saturating_add(size)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_at_multiples_of_their_size() {
        let start = start_of;
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

    #[test]
    fn a_time_is_in_each_window_that_has_begun_and_not_ended() {
        let starts = |time, size, slide| hopping(time, 0, size, slide).map(|window| window.start).collect();
        let none: Vec<i64> = Vec::new();
        assert_eq!(starts(7, 10, 5), [5, 0]);
        assert_eq!(starts(-1, 10, 5), [-5, -10]);
        assert_eq!((starts(3, 4, 10), starts(4, 4, 10)), (vec![0], none));
        // The extremes of time.
        assert_eq!(hopping(i64::MAX, 0, i64::MAX, i64::MAX).count(), 1);
        assert!(hopping(i64::MIN + 5, 0, 10, 5).count() <= 2);
    }
}
