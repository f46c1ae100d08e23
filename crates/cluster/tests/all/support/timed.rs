//! A source whose splits are read side by side, hours of event time apart: `k BIGINT` is the split's number,
//! `t TIMESTAMP(3)` goes on by a second a row. `splits` is a list of `start:rows` (start in seconds), or
//! `start:rows:open` for a split that does not end. With `late`, every other row has the time of the first.
//! All splits go to the reader that asks first, or with `spread` one to each. With `group` the source says
//! itself what its event time is, and waits for others of the group (`drift` in seconds).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::TimestampMicrosecondType;
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_connector::{
    AnyOption, Assignments, Boundedness, Connector, EnumeratorContext, EventTime, EventTimeGenerator,
    EventTimePolicy, Manual, Options, Payload, Poll, ReaderContext, Required, Source, SourceOutput,
    SourceReader, Split, SplitEnumerator, TableContext, TableOption, WatermarkAlignment, WithDefault,
};
use flott_plan::{Schema, SourceSpec};
use flott_types::{CheckpointId, Result, SubtaskIndex, Timestamp, TypeKind};

use super::source::Controls;

const BATCH: i64 = 3;

pub struct TimedSourceConnector(pub Arc<Controls>);

#[derive(Clone)]
struct TimedSource {
    controls: Arc<Controls>,
    splits: Vec<Timed>,
    late: bool,
    pause: i64,
    spread: bool,
    idle_timeout: i64,
    alignment: Option<WatermarkAlignment>,
}

#[derive(Clone, Copy)]
struct Timed {
    start: i64,
    rows: i64,
    open: bool,
}

/// `k BIGINT, t TIMESTAMP(3)`
pub fn schema() -> Schema {
    Schema::new([("k", super::bigint()), ("t", TypeKind::Timestamp(3).nullable())])
}

/// The time of a row in seconds.
pub fn second(start: i64, row: i64, late: bool) -> i64 {
    if late && row % 2 == 1 { start } else { start + row }
}

impl Connector for TimedSourceConnector {
    fn name(&self) -> &'static str {
        "timed-source"
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[&SPLITS, &DRIFT, &GROUP, &SPREAD, &IDLE_TIMEOUT, &LATE, &PAUSE];
        Manual { options: OPTIONS, ..Manual::default() }
    }

    fn source(&self, _: &SourceSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Source>> {
        let max_drift = options.get(&DRIFT)?;
        let alignment = |group| WatermarkAlignment { group, max_drift, update_interval: 10 };
        Ok(Arc::new(TimedSource {
            alignment: options.get(&GROUP)?.map(alignment),
            spread: options.get(&SPREAD)?,
            idle_timeout: options.get(&IDLE_TIMEOUT)?,
            controls: self.0.clone(),
            splits: options.get(&SPLITS)?,
            late: options.get(&LATE)?,
            pause: options.get(&PAUSE)?,
        }))
    }
}

/// `start:rows`, or `start:rows:open` for one that does not end; with commas between.
const SPLITS: TableOption<Vec<Timed>, Required> =
    TableOption::parsed("splits", "splits", "start:rows or start:rows:open", read_splits, "what is read")
        .required();
const DRIFT: TableOption<i64, WithDefault> =
    TableOption::parsed("drift", "seconds", "seconds", seconds, "how far splits may be apart").or("0");
const GROUP: TableOption<String> = TableOption::text("group", "the alignment's name");
const SPREAD: TableOption<bool, WithDefault> =
    TableOption::flag("spread", "whether splits are read side by side").or("false");
const IDLE_TIMEOUT: TableOption<i64, WithDefault> =
    TableOption::duration("idle-timeout", "after which a split is idle").or("0");
const LATE: TableOption<bool, WithDefault> =
    TableOption::flag("late", "whether every second row is late").or("false");
const PAUSE: TableOption<i64, WithDefault> = TableOption::duration("pause", "between rows").or("0");

fn seconds(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().map(|seconds| seconds * 1_000)
}

fn read_splits(text: &str) -> Option<Vec<Timed>> {
    let split = |text: &str| {
        let mut parts = text.split(':');
        let mut number = || parts.next()?.parse().ok();
        Some(Timed { start: number()?, rows: number()?, open: parts.next().is_some() })
    };
    text.split(',').map(split).collect()
}

impl Source for TimedSource {
    fn boundedness(&self) -> Boundedness {
        match self.splits.iter().any(|split| split.open) {
            true => Boundedness::Unbounded,
            false => Boundedness::Bounded,
        }
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        _: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        let left = if restored.is_some_and(|state| state.bytes() == b"done") { 0 } else { self.splits.len() };
        Ok(Box::new(TimedEnumerator { left, spread: self.spread }))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(TimedReader {
            source: self.clone(),
            splits: Vec::new(),
            paused: Vec::new(),
            turn: 0,
            next_at: 0,
            context,
        }))
    }

    fn event_time(&self, _: i64) -> Option<EventTimePolicy> {
        self.alignment.clone().map(|alignment| EventTimePolicy {
            generators: Box::new(|| Box::new(Column)),
            idle_timeout: self.idle_timeout,
            alignment: Some(alignment),
        })
    }

    fn watermark_per_split(&self) -> bool {
        true
    }
}

/// The time of a row is the watermark behind its batch.
struct Column;

impl EventTimeGenerator for Column {
    fn rows(&mut self, batch: Batch, time: &mut EventTime, _: Timestamp) -> Result<Batch> {
        let Batch::Changes(changes) = &batch else { panic!("columns are wanted") };
        let times = changes.column(1).as_primitive::<TimestampMicrosecondType>();
        let highest = times.values().iter().max().map_or(Timestamp::MIN, |micros| micros / 1_000);
        time.reach(highest);
        time.say();
        Ok(batch)
    }
}

/// Gives all splits to who asks first, or each to another.
struct TimedEnumerator {
    left: usize,
    spread: bool,
}

impl SplitEnumerator for TimedEnumerator {
    fn splits_requested(&mut self, reader: SubtaskIndex, assignments: &mut Assignments) -> Result<()> {
        let split = |id: usize| Split { id: id.to_string(), payload: Payload::new(1, "0") };
        if self.left == 0 {
            assignments.no_more_splits(reader);
        } else if self.spread {
            self.left -= 1;
            assignments.assign(reader, vec![split(self.left)]);
        } else {
            assignments.assign(reader, (0..std::mem::take(&mut self.left)).map(split).collect());
        }
        Ok(())
    }

    fn splits_returned(&mut self, _: SubtaskIndex, _: Vec<Split>, _: &mut Assignments) -> Result<()> {
        unreachable!("all readers fail together")
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Payload> {
        Ok(Payload::new(1, if self.left == 0 { "done" } else { "new" }))
    }
}

struct TimedReader {
    source: TimedSource,
    /// Number and position.
    splits: Vec<(usize, i64)>,
    paused: Vec<usize>,
    turn: usize,
    next_at: i64,
    context: ReaderContext,
}

impl SourceReader for TimedReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        let parse = |split: &Split| {
            (split.id.parse().unwrap(), split.payload.text("a position").unwrap().parse().unwrap())
        };
        self.splits.extend(splits.iter().map(parse));
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        if self.splits.is_empty() {
            return Ok(Poll::SplitsDone);
        }
        let now = self.context.clock.now();
        if now < self.next_at {
            return Ok(Poll::Wait(self.next_at));
        }
        self.next_at = if self.source.pause > 0 { now + self.source.pause } else { 0 };
        for _ in 0..self.splits.len() {
            self.turn = (self.turn + 1) % self.splits.len();
            let (id, position) = self.splits[self.turn];
            if self.paused.contains(&id) {
                continue;
            }
            let Timed { start, rows, open } = self.source.splits[id];
            let end = (position + BATCH).min(rows);
            let name = id.to_string();
            if position < end {
                self.source.controls.spend(end - position)?;
                let seconds = (position..end).map(|row| second(start, row, self.source.late));
                let times = TimestampMicrosecondArray::from_iter_values(seconds.map(|s| s * 1_000_000));
                let keys: Int64Array = (position..end).map(|_| id as i64).collect();
                let columns: Vec<ArrayRef> = vec![Arc::new(keys), Arc::new(times)];
                let columns = RecordBatch::try_new(arrow_type::schema(schema().iter()), columns).unwrap();
                self.source.controls.emitted.fetch_add((end - position) as u64, Ordering::SeqCst);
                self.splits[self.turn].1 = end;
                output.emit(&name, ChangeBatch::insert_only(columns).into())?;
            }
            if end == rows && !open {
                self.splits.remove(self.turn);
                output.split_finished(&name)?;
                return Ok(Poll::More);
            }
            if position < end {
                return Ok(Poll::More);
            }
        }
        Ok(Poll::Wait(now + 2))
    }

    fn pause_splits(&mut self, paused: &[&str]) -> Result<()> {
        self.paused = paused.iter().map(|id| id.parse().unwrap()).collect();
        Ok(())
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        let split = |(id, position): &(usize, i64)| Split {
            id: id.to_string(),
            payload: Payload::new(1, position.to_string()),
        };
        Ok(self.splits.iter().map(split).collect())
    }
}
