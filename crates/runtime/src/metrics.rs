//! A task's metrics, under Flink's names. Counted by the task once per batch, read by any thread.

use std::sync::Arc;

use flott_operator::event_time::{SplitMetrics, SplitObserver};
use flott_operator::{AccumulatorReport, Counter, NamedMetric, OperatorMetrics};
use flott_types::{Clock, OperatorUid};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::whereabouts::Whereabouts;

/// Rates are over at least this long.
const WINDOW_NANOS: u64 = 1_000_000_000;

/// The metrics of one task while it runs.
#[derive(Debug)]
pub struct TaskMetrics {
    /// Nanoseconds in which there was nothing to do.
    pub idle: Counter,
    /// Nanoseconds in which receivers had no room.
    pub back_pressured: Counter,
    /// Rows in through the gate.
    pub records_in: Counter,
    /// Rows out through exchanges.
    pub records_out: Counter,
    /// Which operator runs.
    pub(crate) whereabouts: Arc<Whereabouts>,
    operators: Mutex<Vec<(OperatorUid, String, OperatorMetrics)>>,
    splits: Mutex<Vec<(String, SplitMetrics)>>,
    window: Mutex<Window>,
}

#[derive(Clone, Copy, Default, Debug)]
struct Totals {
    at: u64,
    idle: u64,
    back_pressured: u64,
    records_in: u64,
    records_out: u64,
}

#[derive(Default, Debug)]
struct Window {
    start: Totals,
    rates: TaskRates,
}

/// What happened in a second, on average over the last second or more.
#[derive(Clone, Copy, Default, PartialEq, Debug, Serialize, Deserialize)]
pub struct TaskRates {
    /// `busyTimeMsPerSecond`
    pub busy_millis: f64,
    /// `idleTimeMsPerSecond`
    pub idle_millis: f64,
    /// `backPressuredTimeMsPerSecond`
    pub back_pressured_millis: f64,
    /// `numRecordsInPerSecond`
    pub records_in: f64,
    /// `numRecordsOutPerSecond`
    pub records_out: f64,
}

/// The metrics of one task at one moment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TaskMetricsReport {
    /// `numRecordsIn`: for a source, the rows that it read.
    pub num_records_in: u64,
    /// `numRecordsOut`: for a sink, the rows that it wrote.
    pub num_records_out: u64,
    /// `accumulateIdleTimeMs`, in milliseconds
    pub idle_millis: u64,
    /// `accumulateBackPressuredTimeMs`, in milliseconds
    pub back_pressured_millis: u64,
    /// The rates.
    pub rates: TaskRates,
    /// For each operator of the chain.
    pub operators: Vec<OperatorMetricsReport>,
    /// For each split that a source with watermarks per split is reading.
    #[serde(default)]
    pub splits: Vec<SplitReport>,
}

/// The event time of one split at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SplitReport {
    /// The split.
    pub split: String,
    /// `currentWatermark`; `i64::MIN` before the first
    pub current_watermark: i64,
    /// Whether it is idle.
    pub idle: bool,
}

impl TaskMetricsReport {
    /// The split that holds back event time: the one with the lowest watermark among the active ones.
    pub fn held_back_by(&self) -> Option<&SplitReport> {
        self.splits.iter().filter(|split| !split.idle).min_by_key(|split| split.current_watermark)
    }
}

/// The metrics of one operator of one task at one moment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OperatorMetricsReport {
    /// The operator.
    pub uid: OperatorUid,
    /// Its name.
    pub name: String,
    /// `numRecordsIn`
    pub num_records_in: u64,
    /// `numRecordsOut`
    pub num_records_out: u64,
    /// `numLateRecordsDropped`
    pub num_late_records_dropped: u64,
    /// `numRecordsInErrors`
    pub num_records_in_errors: u64,
    /// `numRecordsOutErrors`: rows that a sink dropped, because they break a rule of the table
    #[serde(default)]
    pub num_records_out_errors: u64,
    /// `currentInputWatermark`; `i64::MIN` before the first
    pub current_input_watermark: i64,
    /// `currentOutputWatermark`; `i64::MIN` before the first
    pub current_output_watermark: i64,
    /// Those that the operator's function has created.
    #[serde(default)]
    pub user: Vec<NamedMetric>,
    /// What the operator's function has added to accumulators.
    #[serde(default)]
    pub accumulators: Vec<AccumulatorReport>,
}

impl TaskMetrics {
    /// Nothing counted.
    pub fn new(clock: &dyn Clock) -> Self {
        let start = Totals { at: clock.nanos(), ..Totals::default() };
        TaskMetrics {
            idle: Counter::default(),
            back_pressured: Counter::default(),
            records_in: Counter::default(),
            records_out: Counter::default(),
            whereabouts: Arc::default(),
            operators: Mutex::default(),
            splits: Mutex::default(),
            window: Mutex::new(Window { start, rates: TaskRates::default() }),
        }
    }

    /// Makes an operator's metrics visible.
    pub fn add_operator(&self, uid: &OperatorUid, name: &str, metrics: &OperatorMetrics) {
        self.operators.lock().push((uid.clone(), name.to_owned(), metrics.clone()));
    }

    /// The current metrics.
    pub fn report(&self, clock: &dyn Clock) -> TaskMetricsReport {
        let operators: Vec<_> = {
            let (operators, nanos) = (self.operators.lock().clone(), clock.nanos());
            operators.iter().map(|operator| operator_report(operator, nanos)).collect()
        };
        // A source has no gate: what it emits counts as read. A sink has no exchange: what it wrote counts as
        // sent.
        let num_records_in = match self.records_in.get() {
            0 => operators.first().map_or(0, |head| head.num_records_out),
            read => read,
        };
        let num_records_out = match self.records_out.get() {
            0 => operators.last().map_or(0, |last| last.num_records_out),
            out => out,
        };
        let now = Totals {
            at: clock.nanos(),
            idle: self.idle.get(),
            back_pressured: self.back_pressured.get(),
            records_in: num_records_in,
            records_out: num_records_out,
        };
        TaskMetricsReport {
            num_records_in,
            num_records_out,
            idle_millis: now.idle / 1_000_000,
            back_pressured_millis: now.back_pressured / 1_000_000,
            rates: self.window.lock().advance(now),
            operators,
            splits: self.splits.lock().iter().map(split_report).collect(),
        }
    }
}

impl SplitObserver for TaskMetrics {
    fn added(&self, split: &str) -> SplitMetrics {
        let metrics = SplitMetrics::default();
        metrics.watermark.set(i64::MIN);
        self.splits.lock().push((split.to_owned(), metrics.clone()));
        metrics
    }

    fn removed(&self, gone: &dyn Fn(&str) -> bool) {
        self.splits.lock().retain(|(split, _)| !gone(split));
    }

    fn back_pressured(&self) -> i64 {
        (self.back_pressured.get() / 1_000_000) as i64
    }
}

fn split_report((split, metrics): &(String, SplitMetrics)) -> SplitReport {
    SplitReport {
        split: split.clone(),
        current_watermark: metrics.watermark.get(),
        idle: metrics.idle.get() != 0,
    }
}

fn operator_report(
    (uid, name, metrics): &(OperatorUid, String, OperatorMetrics),
    nanos: u64,
) -> OperatorMetricsReport {
    OperatorMetricsReport {
        uid: uid.clone(),
        name: name.clone(),
        num_records_in: metrics.num_records_in.get(),
        num_records_out: metrics.num_records_out.get(),
        num_late_records_dropped: metrics.num_late_records_dropped.get(),
        num_records_in_errors: metrics.num_records_in_errors.get(),
        num_records_out_errors: metrics.num_records_out_errors.get(),
        current_input_watermark: metrics.current_input_watermark.get(),
        current_output_watermark: metrics.current_output_watermark.get(),
        user: metrics.user.report(nanos),
        accumulators: metrics.accumulators.report(),
    }
}

impl Window {
    fn advance(&mut self, now: Totals) -> TaskRates {
        let elapsed = now.at.saturating_sub(self.start.at);
        if elapsed >= WINDOW_NANOS || self.rates == TaskRates::default() && elapsed > 0 {
            let share = |now: u64, then: u64| now.saturating_sub(then) as f64 / elapsed as f64;
            let idle_millis = (share(now.idle, self.start.idle) * 1e3).min(1e3);
            let back_pressured_millis = (share(now.back_pressured, self.start.back_pressured) * 1e3).min(1e3);
            self.rates = TaskRates {
                busy_millis: (1e3 - idle_millis - back_pressured_millis).max(0.0),
                idle_millis,
                back_pressured_millis,
                records_in: share(now.records_in, self.start.records_in) * 1e9,
                records_out: share(now.records_out, self.start.records_out) * 1e9,
            };
            if elapsed >= WINDOW_NANOS {
                self.start = now;
            }
        }
        self.rates
    }
}
