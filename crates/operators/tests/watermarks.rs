//! Watermarks of the splits of one reader: their minimum, idleness, ends.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{RecordBatch, TimestampMicrosecondArray};
use flott_batch::{Batch, ChangeBatch, WatermarkStatus, arrow_type};
use flott_connector::{EventTimePolicy, EventTimeProgress, Split};
use flott_operator::{Output, TaskInfo};
use flott_operators::SqlOperators;
use flott_plan::{Expr, Schema, WatermarkSpec};
use flott_runtime::{OperatorFactory, SplitWatermarks, TaskMetrics, TaskOptions};
use flott_types::clock::ManualClock;
use flott_types::{JobId, KeyGroupRange, OperatorUid, Result, SubtaskIndex, TypeKind, Watermark};

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

struct Reader {
    watermarks: SplitWatermarks,
    task: Arc<TaskMetrics>,
    now: i64,
}

impl Reader {
    /// The watermark of a row is its time.
    fn new(interval: i64, idle_timeout: i64) -> Self {
        let ty = TypeKind::Timestamp(3).nullable();
        let spec =
            WatermarkSpec { time_column: 0, expression: Expr::column(0, ty.clone()), interval, idle_timeout };
        let schema = Schema::new([("t", ty)]);
        let options = TaskOptions::parse(&BTreeMap::new()).unwrap();
        let generators = SqlOperators.watermarks(&spec, &schema, &info(), &options).unwrap();
        let policy = EventTimePolicy { generators, idle_timeout, alignment: None };
        let task = Arc::new(TaskMetrics::new(&ManualClock::new(0)));
        Reader { watermarks: SplitWatermarks::of(policy, interval, task.clone()), task, now: 0 }
    }

    fn with(mut self, splits: &[(&str, Option<(i64, i64)>)]) -> Self {
        let splits: Vec<_> = splits
            .iter()
            .map(|(id, time)| {
                let split = Split { id: (*id).to_owned(), payload: String::new() };
                (split, time.map(|(current, sent)| time_of(current, sent)))
            })
            .collect();
        self.watermarks.add(splits.iter().map(|(split, time)| (split, *time)), self.now);
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

    fn held_back_by(&self) -> Option<String> {
        self.task.report(&ManualClock::new(0)).held_back_by().map(|split| split.split.clone())
    }
}

fn info() -> TaskInfo {
    TaskInfo {
        job: JobId(0),
        uid: OperatorUid("source".to_owned()),
        name: "source".to_owned(),
        subtask: SubtaskIndex(0),
        parallelism: 1,
        max_parallelism: 16,
        key_groups: KeyGroupRange::of_subtask(SubtaskIndex(0), 16, 1),
        attempt: 0,
    }
}

fn time_of(current: i64, sent: i64) -> EventTimeProgress {
    EventTimeProgress { current, sent, ..EventTimeProgress::START }
}

fn batch(times: &[i64]) -> Batch {
    let schema = arrow_type::schema([("t", &TypeKind::Timestamp(3).nullable())]);
    let times = TimestampMicrosecondArray::from_iter_values(times.iter().map(|time| time * 1_000));
    ChangeBatch::insert_only(RecordBatch::try_new(schema, vec![Arc::new(times)]).unwrap()).into()
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
    reader.task.back_pressured.add(5_000_000_000);
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
fn restored_splits_go_on_where_they_were() {
    let mut reader = Reader::new(0, 0).with(&[("a", Some((900, 300))), ("b", Some((400, 250)))]);
    assert_eq!(reader.at(0), "watermark 250");
    assert_eq!(reader.rows("a", &[100, 950]), "1 rows watermark 400 1 rows");
    let split = Split { id: "a".to_owned(), payload: String::new() };
    assert_eq!(reader.watermarks.time_of(&split), Some(time_of(950, 400)));
}

#[test]
fn a_split_that_the_reader_does_not_have_is_named() {
    let mut reader = Reader::new(0, 0).with(&[("a", None)]);
    let error = reader.watermarks.emit("x", batch(&[1]), 0, &mut Text::default()).unwrap_err();
    assert!(error.to_string().contains("split 'x'"), "{error}");
}
