//! The order in which results are emitted.
//!
//! The queue consists of segments: requests that may overtake each other, followed by a watermark or status,
//! which nothing may overtake. In ordered mode each request has its own segment. Only the first segment emits
//! anything.

use std::collections::VecDeque;

use flott_batch::WatermarkStatus;
use flott_types::{FastMap, Timestamp, Watermark};

/// A control element with a fixed place between results.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    /// A watermark.
    Watermark(Watermark),
    /// Whether the stream holds back event time.
    Status(WatermarkStatus),
}

impl Control {
    /// Whether it may replace the element directly before it.
    pub fn is_like(&self, before: &Control) -> bool {
        std::mem::discriminant(before) == std::mem::discriminant(self)
    }
}

/// A record whose results have not been emitted yet.
pub struct Request<I, R, O> {
    /// The record.
    pub input: I,
    /// Its time, if it has one.
    pub timestamp: Option<Timestamp>,
    /// How many attempts were made.
    pub attempts: u32,
    /// Its progress.
    pub work: Work<R, O>,
    segment: u64,
}

/// The progress of a request.
pub enum Work<R, O> {
    /// Not started, or between two attempts.
    Paused,
    /// Running, with a handle that is dropped when nobody waits for it any more.
    Running(R),
    /// Done, but its results have not been emitted yet.
    Done(Vec<O>),
}

/// Something that is ready to be emitted.
#[derive(PartialEq, Eq, Debug)]
pub enum Ready<O> {
    /// The results of a request, and its time.
    Results(Vec<O>, Option<Timestamp>),
    /// An element that was queued between requests.
    Control(Control),
}

#[derive(Default)]
struct Segment {
    /// How many requests are not done.
    open: usize,
    done: VecDeque<u64>,
    behind: Option<Control>,
}

/// The queue. Requests have ascending numbers.
pub struct Queue<I, R, O> {
    ordered: bool,
    requests: FastMap<u64, Request<I, R, O>>,
    segments: VecDeque<Segment>,
    /// The number of the first segment.
    first: u64,
    next: u64,
}

impl<I, R, O> Queue<I, R, O> {
    /// An empty queue. `ordered`: results are emitted in the order of the requests.
    pub fn new(ordered: bool) -> Self {
        Queue { ordered, requests: FastMap::default(), segments: VecDeque::new(), first: 0, next: 0 }
    }

    /// How many requests have not been emitted yet.
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether there is nothing left to emit.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Adds a request; returns its number.
    pub fn push(&mut self, input: I, timestamp: Option<Timestamp>) -> u64 {
        let shared = |segment: &Segment| !self.ordered && segment.behind.is_none();
        if !self.segments.back().is_some_and(shared) {
            self.segments.push_back(Segment::default());
        }
        let at = self.segments.len() - 1;
        self.segments[at].open += 1;
        let (number, segment) = (self.next, self.first + at as u64);
        self.next += 1;
        self.requests.insert(number, Request { input, timestamp, attempts: 0, work: Work::Paused, segment });
        number
    }

    /// Splits a request that is not done: `rest` becomes a request of its own, which may be emitted whenever
    /// this one may. Returns its number.
    pub fn split(&mut self, number: u64, rest: I) -> Option<u64> {
        let Request { timestamp, attempts, segment, .. } = *self.open_mut(number)?;
        let at = segment.checked_sub(self.first)?;
        self.segments.get_mut(at as usize)?.open += 1;
        let part = self.next;
        self.next += 1;
        self.requests.insert(part, Request { input: rest, timestamp, attempts, work: Work::Paused, segment });
        Some(part)
    }

    /// Adds an element that nothing may overtake.
    pub fn control(&mut self, control: Control) {
        match self.segments.back_mut().map(|last| &mut last.behind) {
            Some(behind @ None) => *behind = Some(control),
            Some(Some(before)) if control.is_like(before) => *before = control,
            _ => self.segments.push_back(Segment { behind: Some(control), ..Segment::default() }),
        }
    }

    /// Whether a request is not done.
    pub fn is_open(&self, number: u64) -> bool {
        self.requests.get(&number).is_some_and(|request| !matches!(request.work, Work::Done(_)))
    }

    /// A request that is not done.
    pub fn open_mut(&mut self, number: u64) -> Option<&mut Request<I, R, O>> {
        self.requests.get_mut(&number).filter(|request| !matches!(request.work, Work::Done(_)))
    }

    /// Whether a request is still paused after this many attempts.
    pub fn is_paused(&self, number: u64, attempts: u32) -> bool {
        let request = self.requests.get(&number);
        request.is_some_and(|request| request.attempts == attempts && matches!(request.work, Work::Paused))
    }

    /// Marks a request as done.
    pub fn complete(&mut self, number: u64, results: Vec<O>) {
        let Some(request) = self.open_mut(number) else { return };
        request.work = Work::Done(results);
        let at = request.segment - self.first;
        if let Some(segment) = self.segments.get_mut(at as usize) {
            segment.open -= 1;
            segment.done.push_back(number);
        }
    }

    /// Takes the next element, if it is ready.
    pub fn pop(&mut self) -> Option<Ready<O>> {
        while let Some(segment) = self.segments.front_mut() {
            if let Some(number) = segment.done.pop_front() {
                if let Some(Request { timestamp, work: Work::Done(results), .. }) =
                    self.requests.remove(&number)
                {
                    return Some(Ready::Results(results, timestamp));
                }
            } else if segment.open == 0 {
                let behind = segment.behind;
                self.segments.pop_front();
                self.first += 1;
                if let Some(control) = behind {
                    return Some(Ready::Control(control));
                }
            } else {
                return None;
            }
        }
        None
    }

    /// All requests whose results have not been emitted, in order.
    pub fn inputs(&self) -> Vec<(&I, Option<Timestamp>)> {
        let mut requests: Vec<_> = self.requests.iter().collect();
        requests.sort_unstable_by_key(|(number, _)| **number);
        requests.into_iter().map(|(_, request)| (&request.input, request.timestamp)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watermark(at: i64) -> Control {
        Control::Watermark(Watermark(at))
    }

    fn ready(queue: &mut Queue<u8, (), u8>) -> Vec<String> {
        let text = |ready| match ready {
            Ready::Results(results, _) => format!("{results:?}"),
            Ready::Control(Control::Watermark(watermark)) => format!("W{}", watermark.0),
            Ready::Control(Control::Status(status)) => format!("{status:?}"),
        };
        std::iter::from_fn(|| queue.pop()).map(text).collect()
    }

    fn queue(ordered: bool) -> Queue<u8, (), u8> {
        let mut queue = Queue::new(ordered);
        queue.push(0, None);
        queue.push(1, None);
        queue.control(watermark(10));
        queue.push(2, None);
        queue
    }

    #[test]
    fn in_ordered_mode_nothing_overtakes() {
        let mut queue = queue(true);
        queue.complete(1, vec![1]);
        queue.complete(2, vec![2]);
        assert!(ready(&mut queue).is_empty());
        assert_eq!(queue.len(), 3);
        queue.complete(0, vec![]);
        assert_eq!(ready(&mut queue), ["[]", "[1]", "W10", "[2]"]);
        assert!(queue.is_empty());
    }

    #[test]
    fn in_unordered_mode_only_watermarks_hold_results_back() {
        let mut queue = queue(false);
        queue.complete(2, vec![2]);
        queue.complete(1, vec![1]);
        assert_eq!(ready(&mut queue), ["[1]"]);
        queue.push(3, None);
        queue.complete(3, vec![3]);
        queue.complete(0, vec![0]);
        assert_eq!(ready(&mut queue), ["[0]", "W10", "[2]", "[3]"]);
        assert_eq!((queue.len(), queue.is_empty()), (0, true));
    }

    #[test]
    fn part_of_a_request_is_emitted_before_the_watermark_behind_it() {
        let mut queue = queue(false);
        queue.complete(1, vec![1]);
        assert_eq!(queue.split(0, 9), Some(3));
        queue.complete(0, vec![0]);
        queue.complete(2, vec![2]);
        assert_eq!(ready(&mut queue), ["[1]", "[0]"]);
        assert_eq!(queue.inputs().iter().map(|(input, _)| **input).collect::<Vec<_>>(), [2, 9]);
        queue.complete(3, vec![9]);
        assert_eq!(ready(&mut queue), ["[9]", "W10", "[2]"]);
        assert_eq!(queue.split(3, 1), None);
    }

    #[test]
    fn a_watermark_replaces_the_one_that_waits() {
        let mut queue = queue(false);
        queue.control(watermark(20));
        queue.control(watermark(30));
        queue.control(Control::Status(WatermarkStatus::Idle));
        assert_eq!(queue.inputs().iter().map(|(input, _)| **input).collect::<Vec<_>>(), [0, 1, 2]);
        (0..3).for_each(|number| queue.complete(number, vec![]));
        assert_eq!(ready(&mut queue), ["[]", "[]", "W10", "[]", "W30", "Idle"]);
        queue.control(watermark(40));
        assert_eq!(ready(&mut queue), ["W40"]);
    }
}
