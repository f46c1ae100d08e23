//! Windows as programs describe them, run without a cluster.

mod assigners;
mod evictors;
mod functions;
mod harness;
mod lateness;
mod random;
mod snapshots;
mod triggers;

use flott_types::{Result, Timestamp};
use serde::{Deserialize, Serialize};

use crate::facade::window::*;
use flott_function::aggregate::AggregateFunction;
use flott_function::runtime_context::RuntimeContext;

/// A record: a key and numbers (one, unless records were reduced).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
struct Rec {
    key: String,
    numbers: Vec<i64>,
}

/// A window that has fired: its key, its time, and its numbers, sorted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
struct Seen {
    key: String,
    start: Timestamp,
    end: Timestamp,
    numbers: Vec<i64>,
}

impl Seen {
    fn new(key: &str, window: TimeWindow, mut numbers: Vec<i64>) -> Self {
        numbers.sort();
        Seen { key: key.to_owned(), start: window.start, end: window.end, numbers }
    }

    /// Of a window without end.
    fn global(key: &str, numbers: Vec<i64>) -> Self {
        Seen::new(key, TimeWindow::new(0, 0), numbers)
    }
}

fn rec(key: &str, number: i64) -> Rec {
    Rec { key: key.to_owned(), numbers: vec![number] }
}

fn seen(key: &str, start: Timestamp, end: Timestamp, numbers: impl IntoIterator<Item = i64>) -> Seen {
    Seen::new(key, TimeWindow::new(start, end), numbers.into_iter().collect())
}

fn global(key: &str, numbers: impl IntoIterator<Item = i64>) -> Seen {
    Seen::global(key, numbers.into_iter().collect())
}

/// Emits the contents of a window.
#[derive(Clone)]
struct Listing;

/// Either kind of window as a time.
trait AsTime {
    fn as_time(&self) -> TimeWindow;
}

impl AsTime for TimeWindow {
    fn as_time(&self) -> TimeWindow {
        *self
    }
}

impl AsTime for GlobalWindow {
    fn as_time(&self) -> TimeWindow {
        TimeWindow::new(0, 0)
    }
}

/// Records, or the result of an aggregation.
trait Numbers {
    fn numbers(&self) -> &[i64];
}

impl Numbers for Rec {
    fn numbers(&self) -> &[i64] {
        &self.numbers
    }
}

impl Numbers for Vec<i64> {
    fn numbers(&self) -> &[i64] {
        self
    }
}

impl<W: AsTime, I: Numbers> ProcessWindowFunction<String, W, I> for Listing {
    type Out = Seen;

    fn process(&mut self, elements: &[I], context: &mut WindowContext<'_, String, W, Seen>) -> Result<()> {
        let numbers = elements.iter().flat_map(|element| element.numbers().to_vec()).collect();
        let seen = Seen::new(context.key(), context.window().as_time(), numbers);
        context.collect(seen);
        Ok(())
    }
}

/// All numbers of the records.
#[derive(Clone)]
struct Concat;

impl AggregateFunction for Concat {
    type In = Rec;
    type Acc = Vec<i64>;
    type Out = Vec<i64>;

    fn create_accumulator(&self) -> Vec<i64> {
        Vec::new()
    }

    fn add(&self, value: Rec, accumulator: &mut Vec<i64>) {
        accumulator.extend(value.numbers);
    }

    fn get_result(&self, accumulator: &Vec<i64>) -> Vec<i64> {
        accumulator.clone()
    }

    fn merge(&self, into: &mut Vec<i64>, other: Vec<i64>) {
        into.extend(other);
    }
}

/// An evictor that removes nothing.
#[derive(Clone)]
struct KeepAll;

impl<T, W> Evictor<T, W> for KeepAll {}

/// The event-time trigger, as an arbitrary trigger.
#[derive(Clone)]
struct InTimerMode;

impl<T, W: Window> Trigger<T, W> for InTimerMode {
    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        Trigger::<T, W>::open(&mut EventTimeTrigger, context)
    }

    fn on_element(
        &mut self,
        element: &T,
        timestamp: Option<Timestamp>,
        window: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        EventTimeTrigger.on_element(element, timestamp, window, context)
    }

    fn on_event_time(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        Trigger::<T, W>::on_event_time(&mut EventTimeTrigger, time, window, context)
    }

    fn can_merge(&self) -> bool {
        true
    }

    fn on_merge(&mut self, window: &W, context: &mut OnMergeContext<'_>) -> Result<()> {
        Trigger::<T, W>::on_merge(&mut EventTimeTrigger, window, context)
    }

    fn clear(&mut self, window: &W, context: &mut TriggerContext<'_>) -> Result<()> {
        Trigger::<T, W>::clear(&mut EventTimeTrigger, window, context)
    }
}
