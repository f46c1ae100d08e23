//! Metrics that functions create, under their own names.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::{Counter, Gauge};

/// A meter's rate covers the last minute.
const METER_NANOS: u64 = 60_000_000_000;
/// A histogram covers this many of the last values.
const HISTOGRAM_VALUES: usize = 1_024;

/// Where a function creates metrics. Cloning shares them.
///
/// ```
/// # use flott_operator::MetricGroup;
/// let group = MetricGroup::default();
/// let refused = group.group("payments").counter("refused");
/// refused.add(1);
/// assert_eq!(group.report(0)[0].name, "payments.refused");
/// ```
#[derive(Clone, Default, Debug)]
pub struct MetricGroup {
    prefix: String,
    metrics: Arc<Mutex<BTreeMap<String, Metric>>>,
}

#[derive(Clone)]
enum Metric {
    Counter(Counter),
    Gauge(Gauge),
    Computed(Arc<dyn Fn() -> f64 + Send + Sync>),
    Histogram(Histogram),
    Meter(Meter),
}

/// The distribution of values: of the last thousand or so.
#[derive(Clone, Default)]
pub struct Histogram(Arc<Mutex<Values>>);

#[derive(Default)]
struct Values {
    count: u64,
    last: VecDeque<i64>,
}

/// Counts events and measures how many occur per second.
#[derive(Clone, Default)]
pub struct Meter {
    count: Counter,
    seen: Arc<Mutex<VecDeque<(u64, u64)>>>,
}

/// A metric of a function at one moment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NamedMetric {
    /// Its name, prefixed with the names of its groups, separated by dots.
    pub name: String,
    /// Its value.
    pub value: MetricValue,
}

/// The value of a metric.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricValue {
    /// The value of a counter.
    Counter(u64),
    /// The value of a gauge.
    Gauge(f64),
    /// The statistics of a histogram.
    Histogram(HistogramStatistics),
    /// The values of a meter.
    Meter {
        /// How many events there have been.
        count: u64,
        /// How many per second, over the last minute or since the metric was first requested.
        rate: f64,
    },
}

/// The distribution of values.
#[derive(Clone, Copy, Default, PartialEq, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct HistogramStatistics {
    /// How many values there have been; the other fields cover only the last ones.
    pub count: u64,
    pub min: i64,
    pub max: i64,
    pub mean: f64,
    pub stddev: f64,
    pub p50: i64,
    pub p75: i64,
    pub p95: i64,
    pub p98: i64,
    pub p99: i64,
    pub p999: i64,
}

impl MetricGroup {
    /// A group within this one: its name becomes a prefix of its metrics' names.
    #[must_use]
    pub fn group(&self, name: &str) -> MetricGroup {
        MetricGroup { prefix: format!("{}{name}.", self.prefix), metrics: self.metrics.clone() }
    }

    /// Creates a number that only grows.
    pub fn counter(&self, name: &str) -> Counter {
        match self.add(name, Metric::Counter(Counter::default())) {
            Some(Metric::Counter(counter)) => counter,
            _ => Counter::default(),
        }
    }

    /// Creates a number that is set.
    pub fn gauge(&self, name: &str) -> Gauge {
        match self.add(name, Metric::Gauge(Gauge::default())) {
            Some(Metric::Gauge(gauge)) => gauge,
            _ => Gauge::default(),
        }
    }

    /// Creates a number that is computed when somebody asks, on a thread other than the task's.
    pub fn gauge_with(&self, name: &str, value: impl Fn() -> f64 + Send + Sync + 'static) {
        self.add(name, Metric::Computed(Arc::new(value)));
    }

    /// Creates a histogram.
    pub fn histogram(&self, name: &str) -> Histogram {
        match self.add(name, Metric::Histogram(Histogram::default())) {
            Some(Metric::Histogram(histogram)) => histogram,
            _ => Histogram::default(),
        }
    }

    /// Creates a meter.
    pub fn meter(&self, name: &str) -> Meter {
        match self.add(name, Metric::Meter(Meter::default())) {
            Some(Metric::Meter(meter)) => meter,
            _ => Meter::default(),
        }
    }

    /// The metric with this name, if it is of this kind. If the name is taken by a metric of another kind, a
    /// warning is logged and the new metric is not reported.
    fn add(&self, name: &str, metric: Metric) -> Option<Metric> {
        let name = format!("{}{name}", self.prefix);
        let mut metrics = self.metrics.lock();
        let known = metrics.entry(name.clone()).or_insert_with(|| metric.clone());
        if std::mem::discriminant(known) == std::mem::discriminant(&metric) {
            return Some(known.clone());
        }
        tracing::warn!(name, "a metric is not reported, because one of another kind has this name");
        None
    }

    /// All metrics now, by name. `nanos` comes from a clock that never goes back.
    pub fn report(&self, nanos: u64) -> Vec<NamedMetric> {
        let metrics = self.metrics.lock();
        let report = |(name, metric): (&String, &Metric)| NamedMetric {
            name: name.clone(),
            value: match metric {
                Metric::Counter(counter) => MetricValue::Counter(counter.get()),
                Metric::Gauge(gauge) => MetricValue::Gauge(gauge.get() as f64),
                Metric::Computed(value) => MetricValue::Gauge(value()),
                Metric::Histogram(histogram) => MetricValue::Histogram(histogram.statistics()),
                Metric::Meter(meter) => MetricValue::Meter { count: meter.count(), rate: meter.rate(nanos) },
            },
        };
        metrics.iter().map(report).collect()
    }
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Metric::Counter(_) => "counter",
            Metric::Gauge(_) | Metric::Computed(_) => "gauge",
            Metric::Histogram(_) => "histogram",
            Metric::Meter(_) => "meter",
        })
    }
}

impl Histogram {
    /// Adds a value.
    pub fn update(&self, value: i64) {
        let mut values = self.0.lock();
        values.count += 1;
        if values.last.len() == HISTOGRAM_VALUES {
            values.last.pop_front();
        }
        values.last.push_back(value);
    }

    /// The statistics of the last values.
    pub fn statistics(&self) -> HistogramStatistics {
        let (count, mut values) = {
            let values = self.0.lock();
            (values.count, Vec::from(values.last.clone()))
        };
        if values.is_empty() {
            return HistogramStatistics::default();
        }
        values.sort_unstable();
        let number = values.len() as f64;
        let mean = values.iter().map(|value| *value as f64).sum::<f64>() / number;
        let square = |value: &i64| (*value as f64 - mean).powi(2);
        let variance = values.iter().map(square).sum::<f64>() / number;
        // The smallest value such that this fraction of all values does not exceed it.
        let quantile = |part: f64| values[((part * number).ceil() as usize).clamp(1, values.len()) - 1];
        HistogramStatistics {
            count,
            min: values[0],
            max: values[values.len() - 1],
            mean,
            stddev: variance.sqrt(),
            p50: quantile(0.5),
            p75: quantile(0.75),
            p95: quantile(0.95),
            p98: quantile(0.98),
            p99: quantile(0.99),
            p999: quantile(0.999),
        }
    }
}

impl Meter {
    /// Counts an event.
    pub fn mark(&self) {
        self.count.add(1);
    }

    /// Counts this many events.
    pub fn mark_events(&self, n: u64) {
        self.count.add(n);
    }

    /// How many events there have been.
    pub fn count(&self) -> u64 {
        self.count.get()
    }

    fn rate(&self, nanos: u64) -> f64 {
        let mut seen = self.seen.lock();
        let now = (nanos, self.count());
        // Keeps one entry older than a minute: the minute starts from it.
        while seen.get(1).is_some_and(|(at, _)| at + METER_NANOS <= nanos) {
            seen.pop_front();
        }
        let (since, before) = *seen.front().unwrap_or(&now);
        seen.push_back(now);
        match nanos.saturating_sub(since) {
            0 => 0.0,
            elapsed => (now.1 - before) as f64 * 1e9 / elapsed as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(group: &MetricGroup, name: &str, nanos: u64) -> MetricValue {
        group.report(nanos).into_iter().find(|metric| metric.name == name).unwrap().value
    }

    #[test]
    fn a_name_stands_for_one_metric_of_one_kind() {
        let group = MetricGroup::default();
        group.counter("n").add(2);
        group.group("g").counter("n").add(5);
        group.counter("n").add(3);
        group.gauge("n").set(9);
        group.gauge_with("half", || 0.5);
        assert_eq!(value(&group, "n", 0), MetricValue::Counter(5));
        assert_eq!(value(&group, "g.n", 0), MetricValue::Counter(5));
        assert_eq!(value(&group, "half", 0), MetricValue::Gauge(0.5));
        assert_eq!(group.report(0).len(), 3);
    }

    #[test]
    fn a_histogram_covers_the_last_values() {
        let histogram = MetricGroup::default().histogram("h");
        assert_eq!(histogram.statistics(), HistogramStatistics::default());
        (0..2_000).for_each(|value| histogram.update(value % 1_000));
        (1..=1_024).for_each(|value| histogram.update(value));
        let HistogramStatistics { count, min, max, mean, p50, p99, .. } = histogram.statistics();
        assert_eq!((count, min, max, mean), (3_024, 1, 1_024, 512.5));
        assert_eq!((p50, p99), (512, 1_014));
    }

    #[test]
    fn a_meter_covers_the_last_minute() {
        let group = MetricGroup::default();
        let (meter, second) = (group.meter("m"), 1_000_000_000);
        let rate = |at: u64| {
            let MetricValue::Meter { rate, .. } = value(&group, "m", at * second) else { panic!("no meter") };
            rate
        };
        assert_eq!(rate(0), 0.0);
        meter.mark_events(100);
        assert_eq!(rate(10), 10.0);
        meter.mark();
        meter.mark_events(499);
        assert_eq!(rate(60), 10.0);
        assert_eq!(rate(70), 500.0 / 60.0);
        assert_eq!(rate(130), 0.0);
        assert_eq!(meter.count(), 600);
    }
}
