//! Watermarks of the splits of one reader (their minimum, idleness, ends), and of a stream that goes on where
//! it was.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use flott_batch::{Batch, Records, WatermarkStatus};
use flott_operator::Output;
use flott_operator::event_time::{
    EventTime, EventTimeGenerator, EventTimeOperator, EventTimeProgress, SplitMetrics, SplitObserver,
    SplitWatermarks,
};
use flott_operator::testing::{Stored, Subtasks, task_info};
use flott_types::{ErrorKind, Result, Timestamp, Watermark};
use parking_lot::Mutex;

/// The watermark of a row is its time, said when it is more than the interval above the last.
struct Values(i64);

impl EventTimeGenerator for Values {
    fn rows(&mut self, batch: Batch, time: &mut EventTime, _: Timestamp) -> Result<Batch> {
        let records = batch.into_records::<i64>()?;
        for (row, value) in records.values.iter().enumerate() {
            time.row(row, *value);
            time.reach(*value);
            if time.advance() > self.0 {
                if self.0 == 0 { time.say_at_once() } else { time.say() }
            }
        }
        Ok(records.into())
    }
}

#[derive(Default)]
struct Text(String);

impl Output for Text {
    fn emit(&mut self, batch: Batch) -> Result<()> {
        write!(self.0, "{} rows ", batch.num_rows()).unwrap();
        Ok(())
    }

    fn watermark(&mut self, watermark: Watermark) -> Result<()> {
        write!(self.0, "watermark {} ", watermark.0).unwrap();
        Ok(())
    }

    fn watermark_status(&mut self, status: WatermarkStatus) -> Result<()> {
        write!(self.0, "{status:?} ").unwrap();
        Ok(())
    }
}

/// The reported state of the splits.
#[derive(Default)]
struct Task {
    splits: Mutex<Vec<(String, SplitMetrics)>>,
    back_pressured: AtomicI64,
}

impl SplitObserver for Task {
    fn added(&self, split: &str) -> SplitMetrics {
        let metrics = SplitMetrics::default();
        self.splits.lock().push((split.to_owned(), metrics.clone()));
        metrics
    }

    fn removed(&self, gone: &dyn Fn(&str) -> bool) {
        self.splits.lock().retain(|(split, _)| !gone(split));
    }

    fn back_pressured(&self) -> i64 {
        self.back_pressured.load(Ordering::Relaxed)
    }
}

struct Reader {
    watermarks: SplitWatermarks,
    task: Arc<Task>,
    now: i64,
}

impl Reader {
    fn new(interval: i64, idle_timeout: i64) -> Self {
        let task = Arc::new(Task::default());
        let watermarks =
            SplitWatermarks::new(Box::new(move || Box::new(Values(interval))), interval, idle_timeout);
        Reader { watermarks: watermarks.observed_by(task.clone()), task, now: 0 }
    }

    fn with(mut self, splits: &[(&str, Option<(i64, i64)>)]) -> Self {
        let splits =
            splits.iter().map(|(id, time)| (*id, time.map(|(current, sent)| progress(current, sent))));
        self.watermarks.add(splits, self.now);
        self
    }

    fn call(&mut self, call: impl FnOnce(&mut SplitWatermarks, i64, &mut Text) -> Result<()>) -> String {
        let mut text = Text::default();
        call(&mut self.watermarks, self.now, &mut text).unwrap();
        text.0.trim_end().to_owned()
    }

    fn rows(&mut self, split: &str, times: &[i64]) -> String {
        let batch = batch(times);
        self.call(|watermarks, now, text| watermarks.emit(split, batch, now, text))
    }

    fn finished(&mut self, split: &str) -> String {
        self.call(|watermarks, now, text| watermarks.finished(split, now, text))
    }

    fn at(&mut self, now: i64) -> String {
        self.now = now;
        self.call(|watermarks, now, text| watermarks.on_time(now, text))
    }

    /// The split with the lowest watermark among those that count.
    fn held_back_by(&self) -> Option<String> {
        let splits = self.task.splits.lock();
        let counting = splits.iter().filter(|(_, metrics)| metrics.idle.get() == 0);
        counting.min_by_key(|(_, metrics)| metrics.watermark.get()).map(|(split, _)| split.clone())
    }
}

fn progress(current: i64, sent: i64) -> EventTimeProgress {
    EventTimeProgress { current, sent, ..EventTimeProgress::START }
}

fn batch(times: &[i64]) -> Batch {
    Records::new(times.to_vec()).into()
}

#[test]
fn the_least_of_the_splits_counts() {
    let mut reader = Reader::new(0, 0).with(&[("a", None), ("b", None)]);
    // Nobody knows what b has.
    assert_eq!(reader.rows("a", &[1_000, 2_000]), "2 rows");
    assert_eq!(reader.held_back_by().as_deref(), Some("b"));
    assert_eq!(reader.rows("b", &[10, 20]), "1 rows watermark 10 1 rows watermark 20");
    assert_eq!(reader.rows("b", &[5_000]), "1 rows watermark 2000");
    assert_eq!(reader.held_back_by().as_deref(), Some("a"));
    // Behind its own split's watermark, but not behind the subtask's.
    assert_eq!(reader.rows("b", &[2_500]), "1 rows");
    assert_eq!(reader.rows("a", &[9_000]), "1 rows watermark 5000");
}

#[test]
fn a_finished_split_counts_no_longer() {
    let mut reader = Reader::new(0, 0).with(&[("a", None), ("b", None)]);
    reader.rows("b", &[700]);
    reader.rows("a", &[50]);
    assert_eq!(reader.finished("a"), "watermark 700");
    assert_eq!(reader.held_back_by().as_deref(), Some("b"));
    assert_eq!(reader.finished("b"), "");
    assert_eq!(reader.held_back_by(), None);
    // Time does not go back for one that comes later.
    let mut reader = reader.with(&[("c", None)]);
    assert_eq!(reader.rows("c", &[100]), "1 rows");
    assert_eq!(reader.rows("c", &[900]), "1 rows watermark 900");
}

#[test]
fn a_split_without_rows_is_idle_after_the_timeout() {
    let mut reader = Reader::new(0, 1_000).with(&[("a", None), ("b", None)]);
    assert_eq!(reader.watermarks.wake_at(0), Some(1_000));
    reader.at(600);
    assert_eq!(reader.rows("a", &[70]), "1 rows");
    assert_eq!(reader.at(999), "");
    assert_eq!(reader.at(1_000), "watermark 70");
    assert_eq!(reader.held_back_by().as_deref(), Some("a"));
    assert_eq!(reader.watermarks.wake_at(1_000), Some(1_600));
    assert_eq!(reader.at(1_600), "Idle");
    // It takes part again, though what it says is behind.
    assert_eq!(reader.rows("b", &[10]), "Active 1 rows");
    assert_eq!(reader.rows("a", &[90]), "1 rows");
    assert_eq!(reader.rows("b", &[80]), "1 rows watermark 80");
}

#[test]
fn time_in_which_receivers_have_no_room_does_not_make_idle() {
    let mut reader = Reader::new(0, 1_000).with(&[("a", None), ("b", None)]);
    reader.rows("a", &[70]);
    reader.task.back_pressured.store(5_000, Ordering::Relaxed);
    assert_eq!(reader.at(5_999), "");
    assert_eq!(reader.watermarks.wake_at(5_999), Some(6_000));
    assert_eq!(reader.at(6_000), "watermark 70 Idle");
}

#[test]
fn a_small_advance_waits_for_the_interval() {
    let mut reader = Reader::new(200, 0).with(&[("a", None)]);
    assert_eq!(reader.rows("a", &[1_000]), "1 rows watermark 1000");
    assert_eq!(reader.rows("a", &[1_200]), "1 rows");
    assert_eq!(reader.watermarks.wake_at(0), Some(200));
    assert_eq!(reader.at(199), "");
    assert_eq!(reader.at(200), "watermark 1200");
    assert_eq!(reader.watermarks.wake_at(200), None);
    // What was not sent yet is sent with the end of the last split.
    assert_eq!(reader.rows("a", &[1_300]), "1 rows");
    assert_eq!(reader.finished("a"), "watermark 1300");
}

#[test]
fn restored_splits_continue_where_they_were() {
    let mut reader = Reader::new(0, 0).with(&[("a", Some((900, 300))), ("b", Some((400, 250)))]);
    assert_eq!(reader.at(0), "watermark 250");
    assert_eq!(reader.rows("a", &[100, 950]), "1 rows watermark 400 1 rows");
    assert_eq!(reader.watermarks.progress_of("a"), Some(progress(950, 400)));
}

#[test]
fn a_restored_split_that_had_come_further_than_was_sent_says_so_by_the_clock() {
    let mut reader = Reader::new(200, 0).with(&[("a", Some((400, 300)))]);
    assert_eq!(reader.at(0), "watermark 300");
    assert_eq!(reader.watermarks.wake_at(0), Some(200));
    assert_eq!(reader.at(200), "watermark 400");
}

#[test]
fn a_split_that_the_reader_does_not_have_is_named() {
    let mut reader = Reader::new(0, 0).with(&[("a", None)]);
    let error = reader.watermarks.emit("x", batch(&[1]), 0, &mut Text::default()).unwrap_err();
    assert!(error.to_string().contains("split 'x'"), "{error}");
}

/// What an operator says that continues from a snapshot as subtask `subtask` of `parallelism`, given the
/// entries of all that there were; and what is in its next snapshot.
fn restored(entries: &[&str], subtask: u32, parallelism: u32) -> Result<(String, String)> {
    let generators = Box::new(|| Box::new(Values(200)) as Box<dyn EventTimeGenerator>);
    let operator = EventTimeOperator::new(generators, 200, 0).starting_at(0);
    let mut stored = Stored::default();
    stored.set_list("watermark", entries);
    let mut subtasks = Subtasks::new(Text::default());
    subtasks.open(task_info(subtask, parallelism, 8), Box::new(operator), &stored)?;
    subtasks.process(0, 0, batch(&[901, 1_200]))?;
    let mut next = Stored::default();
    subtasks.checkpoint(&mut next, false)?;
    Ok((subtasks.output.0.trim_end().to_owned(), next.list("watermark").remove(0)))
}

#[test]
fn a_stream_continues_from_entries_of_either_form() {
    let (text, entry) = restored(&["900 850"], 0, 1).unwrap();
    assert_eq!(text, "watermark 850 2 rows watermark 1200");
    assert_eq!(entry, r#"{"current":1200,"sent":1200,"asked":-9223372036854775808}"#);
    let (again, _) = restored(&[r#"{"current":900,"sent":850,"asked":7}"#], 0, 1).unwrap();
    assert_eq!(again, text);
    // Event time begins at 1970 here: nothing was sent, so nothing is sent again.
    assert_eq!(restored(&["0 0"], 0, 1).unwrap().0, "2 rows watermark 1200");
    assert_eq!(restored(&["nothing"], 0, 1).err().map(|error| error.kind()), Some(ErrorKind::State));
}

#[test]
fn a_stream_that_continues_from_its_end_starts_again() {
    let end = i64::MAX;
    let entry = format!(r#"{{"current":{end},"sent":{end},"asked":7}}"#);
    assert_eq!(restored(&[&entry], 0, 1).unwrap().0, "2 rows watermark 1200");
    let old = format!("{end} {end}");
    assert_eq!(restored(&[&old, &old], 0, 1).unwrap().0, "2 rows watermark 1200");
}

#[test]
fn at_another_parallelism_a_stream_continues_from_the_minimum() {
    let entries = ["900 850", "700 680", "950 800"];
    assert!(restored(&entries, 2, 3).unwrap().0.starts_with("watermark 800 "));
    assert!(restored(&entries, 0, 2).unwrap().0.starts_with("watermark 680 "));
}
