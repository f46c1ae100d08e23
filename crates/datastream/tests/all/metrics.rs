//! Metrics that functions make.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flott_datastream::{Counter, Gauge, Histogram, MapFunction, Meter, MetricValue, Result, RuntimeContext};

use crate::support::{Feed, Seen, environment};

#[derive(Clone, Default)]
struct Measured {
    words: Counter,
    latest: Gauge,
    lengths: Histogram,
    letters: Meter,
    longest: Arc<AtomicU64>,
}

impl MapFunction<String> for Measured {
    type Out = String;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        let group = context.metric_group().group("words");
        self.words = group.counter("count");
        self.latest = group.gauge("latest");
        self.lengths = group.histogram("length");
        self.letters = group.meter("letters");
        let longest = self.longest.clone();
        group.gauge_with("longest", move || longest.load(Ordering::Relaxed) as f64);
        Ok(())
    }

    fn map(&mut self, word: String) -> Result<String> {
        let length = word.len() as u64;
        self.words.inc();
        self.latest.set(length as i64);
        self.lengths.update(length as i64);
        self.letters.mark_events(length);
        self.longest.fetch_max(length, Ordering::Relaxed);
        Ok(word)
    }
}

#[test]
fn metrics_of_functions_are_in_the_report_while_the_job_runs_and_after() {
    let env = environment(2, None);
    let feed = Feed::new();
    let words = feed.stream(&env).rebalance().map_with(Measured::default()).name("measured").uid("measured");
    let seen = Seen::of(&words);
    let job = env.execute_async("metrics").unwrap();
    feed.push(["to", "be", "or", "not", "to", "be"].map(String::from));
    seen.take(6, &job);
    let check = |metrics: flott_cluster::JobMetrics| {
        assert_eq!(metrics.user_counter("words.count"), 6);
        assert_eq!(metrics.user_counter("words.letters"), 13);
        assert_eq!(metrics.user_metric("words.latest").len(), 2, "one for each subtask");
        let longest = metrics.user_metric("words.longest").into_iter().map(|(_, value)| match value {
            MetricValue::Gauge(value) => *value,
            other => panic!("{other:?}"),
        });
        assert_eq!(longest.fold(0.0, f64::max), 3.0);
        let (mut count, mut max) = (0, 0);
        for (_, value) in metrics.user_metric("words.length") {
            let MetricValue::Histogram(histogram) = value else { panic!("{value:?}") };
            count += histogram.count;
            max = max.max(histogram.max);
        }
        assert_eq!((count, max), (6, 3));
        let of: Vec<&str> = metrics
            .operators()
            .filter(|(_, operator)| !operator.user.is_empty())
            .map(|(_, operator)| operator.name.as_str())
            .collect();
        assert_eq!(of, ["measured", "measured"]);
    };
    check(job.metrics());
    job.cancel();
    let _ = job.wait();
    check(job.metrics());
}
