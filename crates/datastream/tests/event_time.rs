//! Timestamps and watermarks: of a stream, and of the splits of a source.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

use std::fmt::Write;
use std::time::Duration;

use flott_batch::{Batch, Records, WatermarkStatus};
use flott_connector::Source;
use flott_datastream::source::CollectionSource;
use flott_datastream::time::{WatermarkGenerator, WatermarkOutput, WatermarkStrategy, WatermarkedSource};
use flott_operator::Output;
use flott_operator::event_time::{EventTimeProgress, SplitWatermarks};
use flott_operator::testing::{Stored, Subtasks, task_info};
use flott_types::{Result, Watermark};

/// What comes out, as text: `[timestamps]`, `w<watermark>`, `Idle`, `Active`.
#[derive(Default)]
struct Text(String);

impl Output for Text {
    fn emit(&mut self, batch: Batch) -> Result<()> {
        let records = batch.into_records::<i64>().unwrap();
        match records.timestamps {
            Some(timestamps) => write!(self.0, "{timestamps:?} ").unwrap(),
            None => write!(self.0, "{} without ", records.values.len()).unwrap(),
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: Watermark) -> Result<()> {
        write!(self.0, "w{watermark} ").unwrap();
        Ok(())
    }

    fn watermark_status(&mut self, status: WatermarkStatus) -> Result<()> {
        write!(self.0, "{status:?} ").unwrap();
        Ok(())
    }
}

/// An event is its time.
fn by_value(strategy: WatermarkStrategy<i64>) -> WatermarkStrategy<i64> {
    strategy.with_timestamp_assigner(|event, _| *event)
}

fn bounded(bound: u64) -> WatermarkStrategy<i64> {
    by_value(WatermarkStrategy::for_bounded_out_of_orderness(Duration::from_millis(bound)))
}

/// Events below 0 are marks: `-t` says that event time has reached `t`.
struct Marks;

impl WatermarkGenerator<i64> for Marks {
    fn on_event(&mut self, event: &i64, _: i64, output: &mut WatermarkOutput) {
        if *event < 0 {
            output.emit(Watermark(-event));
        }
    }

    fn on_periodic_emit(&mut self, _: &mut WatermarkOutput) {}
}

struct Stream(Subtasks<Text>);

impl Stream {
    fn new(strategy: &WatermarkStrategy<i64>, interval: i64) -> Self {
        Stream::from(&Stored::default(), strategy, interval)
    }

    fn from(stored: &Stored, strategy: &WatermarkStrategy<i64>, interval: i64) -> Self {
        let mut subtasks = Subtasks::new(Text::default());
        subtasks.open(task_info(0, 1, 8), Box::new(strategy.operator(interval)), stored).unwrap();
        Stream(subtasks)
    }

    fn taken(&mut self) -> String {
        std::mem::take(&mut self.0.output.0).trim_end().to_owned()
    }

    fn push(&mut self, events: &[i64]) -> String {
        self.feed(Records::new(events.to_vec()))
    }

    fn feed(&mut self, records: Records<i64>) -> String {
        self.0.process(0, 0, records.into()).unwrap();
        self.taken()
    }

    fn watermark(&mut self, at: Watermark) -> String {
        self.0.watermark(at.0).unwrap();
        self.taken()
    }

    /// Advances the clock, and calls the operator at each time that it requested.
    fn advance(&mut self, millis: i64) -> String {
        let until = self.0.now + millis;
        while let Some(at) = self.0.wake_at(0).filter(|at| *at <= until) {
            self.0.clock(at).unwrap();
        }
        self.0.now = until;
        self.taken()
    }

    fn restored(mut self, strategy: &WatermarkStrategy<i64>, interval: i64) -> Self {
        let mut stored = Stored::default();
        self.0.checkpoint(&mut stored, false).unwrap();
        Stream::from(&stored, strategy, interval)
    }
}

#[test]
fn events_in_order_leave_whole_followed_by_the_watermark() {
    let mut stream = Stream::new(&bounded(0), 200);
    assert_eq!(stream.push(&[1_000, 1_100, 5_000]), "[1000, 1100, 5000] w4999");
}

#[test]
fn the_bound_and_a_millisecond_lie_between_an_event_and_the_watermark() {
    let mut stream = Stream::new(&bounded(300), 200);
    assert_eq!(stream.push(&[1_000, 900]), "[1000, 900] w699");
}

#[test]
fn an_event_that_is_late_finds_the_watermark_before_it() {
    let mut stream = Stream::new(&bounded(100), 200);
    assert_eq!(
        stream.push(&[1_000, 5_000, 4_901, 4_900, 6_000]),
        "[1000, 5000, 4901] w4899 [4900, 6000] w5899"
    );
}

#[test]
fn what_is_late_does_not_depend_on_how_events_are_cut_into_batches() {
    let events: Vec<i64> = (0..500).map(|at| (at * 7_919) % 1_000 + at * 10).collect();
    let late = |batch: usize| {
        let mut stream = Stream::new(&bounded(500), 200);
        let text: Vec<String> = events.chunks(batch).map(|events| stream.push(events)).collect();
        let (mut watermark, mut late) = (i64::MIN, Vec::new());
        for word in text.join(" ").replace(", ", ",").split_whitespace() {
            match word.strip_prefix('w') {
                Some(at) => watermark = at.parse().unwrap(),
                None => {
                    let times =
                        word.trim_matches(['[', ']']).split(',').map(|time| time.parse::<i64>().unwrap());
                    late.extend(times.filter(|time| *time <= watermark));
                }
            }
        }
        late
    };
    let expected = late(events.len());
    assert!(expected.len() > 50, "{} events are late: the test does not test", expected.len());
    for batch in [1, 3, 64] {
        assert_eq!(late(batch), expected, "batches of {batch}");
    }
}

#[test]
fn a_small_advance_is_sent_when_the_interval_has_passed_by_the_clock() {
    let mut stream = Stream::new(&bounded(0), 200);
    stream.push(&[1_000]);
    assert_eq!(stream.push(&[1_150]), "[1150]");
    assert_eq!(stream.advance(199), "");
    assert_eq!(stream.advance(1), "w1149");
    assert_eq!(stream.advance(1_000), "");
}

#[test]
fn a_stream_that_never_rests_says_what_it_knows_too() {
    let mut stream = Stream::new(&bounded(0), 200);
    stream.push(&[1_000]);
    stream.0.now += 250;
    assert_eq!(stream.push(&[1_100]), "[1100] w1099");
}

#[test]
fn an_interval_of_zero_asks_no_generator() {
    let mut stream = Stream::new(&bounded(0), 0);
    assert_eq!(stream.push(&[1_000, 5_000]), "[1000, 5000]");
    assert_eq!(stream.advance(10_000), "");
    let mut stream = Stream::new(&by_value(WatermarkStrategy::for_generator(|| Marks)), 0);
    assert_eq!(stream.push(&[10, -20, 30]), "[10, -20] w20 [30]");
}

#[test]
fn a_mark_in_the_stream_is_directly_followed_by_a_watermark() {
    let mut stream = Stream::new(&by_value(WatermarkStrategy::for_generator(|| Marks)), 200);
    assert_eq!(stream.push(&[10, -20, 99, -20, -15, 100]), "[10, -20] w20 [99, -20, -15, 100]");
    assert_eq!(stream.push(&[1, -200]), "[1, -200] w200");
}

#[test]
fn timestamps_are_kept_given_or_taken_from_the_clock() {
    let mut stream = Stream::new(&WatermarkStrategy::no_watermarks(), 200);
    assert_eq!(stream.push(&[5]), "1 without");
    let recorded = Records::with_timestamps(vec![5i64, 6], vec![50, 60]);
    assert_eq!(stream.feed(recorded), "[50, 60]");

    let moved = WatermarkStrategy::no_watermarks()
        .with_timestamp_assigner(|event: &i64, recorded| event + recorded.unwrap_or(-1));
    let mut stream = Stream::new(&moved, 200);
    let recorded = Records::with_timestamps(vec![5i64, 6], vec![50, 60]);
    assert_eq!(stream.feed(recorded), "[55, 66]");
    assert_eq!(stream.push(&[5]), "[4]");

    let mut stream = Stream::new(&WatermarkStrategy::ingestion_time(), 200);
    stream.0.now = 7_000;
    // A millisecond above a watermark an event may still touch a session that the watermark ends.
    assert_eq!(stream.push(&[1, 2, 3]), "[7000] w6999 [7000, 7000]");
}

#[test]
fn idleness_is_sent_and_ended_by_an_event() {
    let mut stream = Stream::new(&bounded(0).with_idleness(Duration::from_secs(1)), 200);
    stream.push(&[1_000]);
    stream.push(&[1_001]);
    assert_eq!(stream.advance(999), "w1000");
    assert_eq!(stream.advance(1), "Idle");
    assert_eq!(stream.advance(5_000), "");
    assert_eq!(stream.push(&[1_500]), "Active [1500] w1499");
}

#[test]
fn only_the_end_of_event_time_passes() {
    let mut stream = Stream::new(&bounded(0), 200);
    assert_eq!(stream.watermark(Watermark(77)), "");
    assert_eq!(stream.watermark(Watermark::MAX), "wMAX");
    assert_eq!(stream.watermark(Watermark::MAX), "");
    assert_eq!(stream.advance(10_000), "");
}

#[test]
fn a_restored_stream_makes_the_same_events_late() {
    let strategy = bounded(0);
    let mut stream = Stream::new(&strategy, 200);
    assert_eq!(stream.push(&[1_000, 1_100]), "[1000, 1100] w999");
    let mut stream = stream.restored(&strategy, 200);
    // As in an undisturbed run: no watermark until event time is more than the interval above 1000.
    assert_eq!(stream.push(&[1_150, 1_200, 1_201]), "w999 [1150, 1200, 1201] w1200");
}

/// The splits of a source, as a task has them.
struct Splits {
    watermarks: SplitWatermarks,
    now: i64,
}

impl Splits {
    fn new(strategy: WatermarkStrategy<i64>, splits: &[(&str, Option<EventTimeProgress>)]) -> Self {
        let source = WatermarkedSource::new(CollectionSource::new([0i64]).unwrap(), strategy);
        let policy = source.event_time(200).unwrap();
        let mut watermarks = SplitWatermarks::new(policy.generators, 200, policy.idle_timeout);
        watermarks.add(splits.iter().copied(), 0);
        Splits { watermarks, now: 0 }
    }

    fn push(&mut self, split: &str, events: &[i64]) -> String {
        let (mut text, batch) = (Text::default(), Records::new(events.to_vec()).into());
        self.watermarks.emit(split, batch, self.now, &mut text).unwrap();
        text.0.trim_end().to_owned()
    }

    fn at(&mut self, now: i64) -> String {
        let mut text = Text::default();
        self.now = now;
        self.watermarks.on_time(now, &mut text).unwrap();
        text.0.trim_end().to_owned()
    }

    fn time_of(&self, split: &str) -> EventTimeProgress {
        self.watermarks.progress_of(split).unwrap()
    }
}

#[test]
fn a_source_without_watermarks_does_nothing_for_them() {
    let source = |strategy| WatermarkedSource::new(CollectionSource::new([0i64]).unwrap(), strategy);
    assert!(source(WatermarkStrategy::no_watermarks()).event_time(200).is_none());
    assert!(source(by_value(WatermarkStrategy::no_watermarks())).event_time(200).is_some());
}

#[test]
fn each_split_has_its_own_generator_and_the_minimum_counts() {
    let mut splits = Splits::new(bounded(0), &[("a", None), ("b", None)]);
    assert_eq!(splits.push("a", &[9_000, 10_000]), "[9000, 10000]");
    assert_eq!(splits.push("b", &[100, 500]), "[100, 500] w499");
    assert_eq!(splits.push("a", &[9_500]), "[9500]");
    assert_eq!(splits.push("b", &[20_000]), "[20000] w9999");
}

#[test]
fn generators_of_splits_are_asked_by_the_clock_too() {
    let mut splits = Splits::new(bounded(0), &[("a", None)]);
    assert_eq!(splits.push("a", &[1_000]), "[1000] w999");
    assert_eq!(splits.push("a", &[1_150]), "[1150]");
    assert_eq!(splits.watermarks.wake_at(0), Some(200));
    assert_eq!(splits.at(199), "");
    assert_eq!(splits.at(200), "w1149");
    let mut text = Text::default();
    splits.push("a", &[1_200]);
    splits.watermarks.finished("a", 200, &mut text).unwrap();
    assert_eq!(text.0, "w1199 ");
}

#[test]
fn restored_splits_continue_where_they_were() {
    let mut splits = Splits::new(bounded(0), &[("a", None), ("b", None)]);
    splits.push("a", &[5_000]);
    splits.push("b", &[1_000, 1_100]);
    let (a, b) = (splits.time_of("a"), splits.time_of("b"));
    assert_eq!((a.current, a.sent, b.current, b.sent), (4_999, 999, 999, 999));
    let mut splits = Splits::new(bounded(0), &[("b", Some(b)), ("a", Some(a))]);
    assert_eq!(splits.at(0), "w999");
    assert_eq!(splits.push("b", &[1_150, 1_200]), "[1150, 1200]");
    assert_eq!(splits.push("b", &[1_201]), "[1201] w1200");
}

#[test]
fn a_source_may_state_its_watermarks_itself() {
    let mut splits = Splits::new(bounded(0), &[("a", None), ("b", None)]);
    let mut state = |split: &str, at: i64| {
        let mut text = Text::default();
        splits.watermarks.stated(split, Watermark(at), 0, &mut text).unwrap();
        text.0.trim_end().to_owned()
    };
    assert_eq!(state("a", 70), "");
    assert_eq!(state("b", 50), "w50");
    assert_eq!(state("b", 40), "");
    assert_eq!(state("b", 90), "w70");
    let mut text = Text::default();
    splits.watermarks.stated_status("a", WatermarkStatus::Idle, 0, &mut text).unwrap();
    assert_eq!(text.0, "");
    assert_eq!(splits.at(200), "w90");
}
