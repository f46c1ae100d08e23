//! When requests time out, and when they are retried.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use flott_types::Timestamp;

/// With fewer stale alarms than this, removing them is not worth it.
const LEFTOVERS: usize = 1_024;

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Alarm {
    /// The request is retried, if it has still made this many attempts.
    Again(u64, u32),
    /// The request has timed out.
    Timeout(u64),
}

/// Alarms in order of time. Those of completed requests are stale, and skipped when taken.
#[derive(Default)]
pub struct Alarms {
    heap: BinaryHeap<Reverse<(Timestamp, Alarm)>>,
}

impl Alarms {
    /// Sets an alarm.
    pub fn set(&mut self, at: Timestamp, alarm: Alarm) {
        self.heap.push(Reverse((at, alarm)));
    }

    /// Takes the next alarm that is due.
    pub fn pop_due(&mut self, now: Timestamp) -> Option<Alarm> {
        let Reverse((at, _)) = self.heap.peek()?;
        if *at > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, alarm))| alarm)
    }

    /// When the next alarm that is not stale is due.
    pub fn earliest(&mut self, open: usize, is_open: impl Fn(u64) -> bool) -> Option<Timestamp> {
        let holds = |alarm: &Alarm| match alarm {
            Alarm::Again(number, _) | Alarm::Timeout(number) => is_open(*number),
        };
        if self.heap.len() > 4 * open + LEFTOVERS {
            self.heap.retain(|Reverse((_, alarm))| holds(alarm));
        }
        while let Some(Reverse((at, alarm))) = self.heap.peek() {
            if holds(alarm) {
                return Some(*at);
            }
            self.heap.pop();
        }
        None
    }
}
