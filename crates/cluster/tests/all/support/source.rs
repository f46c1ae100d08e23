//! A source that can be replayed, and disturbed: `splits` splits of `rows` rows each; row i of split s is
//! (s * rows + i) % keys, s * rows + i.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use arrow::array::{Int64Array, RecordBatch};
use flott_batch::{ChangeBatch, arrow_type};
use flott_connector::{
    AnyOption, Assignments, Boundedness, Connector, EnumeratorContext, Manual, Options, Payload, Poll,
    ReaderContext, Source, SourceOutput, SourceReader, Split, SplitEnumerator, TableContext, TableOption,
    WithDefault,
};
use flott_plan::SourceSpec;
use flott_types::{CheckpointId, Error, Result, SubtaskIndex};

/// What a test can do to sources while they run.
#[derive(Default)]
pub struct Controls {
    /// After so many more rows (over all readers) a reader fails; 0 is never.
    pub fail_after: AtomicI64,
    /// How often it failed so.
    pub failures: AtomicU64,
    /// Readers wait.
    pub hold: AtomicBool,
    /// Rows emitted, repeated ones included.
    pub emitted: AtomicU64,
    /// Readers wait when so many rows were emitted, so that a job is still running when a slow machine gets
    /// round to asking something of it; 0 is never.
    pub pause_at: AtomicU64,
    /// Writers of sinks wait.
    pub hold_sinks: AtomicBool,
    /// Writers of sinks need so many milliseconds for each row.
    pub millis_per_row: AtomicU64,
    /// Rows that writers of sinks have written, repeated ones included.
    pub written: AtomicU64,
    /// How many writers have begun to wait.
    pub held_sinks: AtomicU64,
    /// How many writers of sinks are idle.
    pub idle_sinks: AtomicI64,
    /// Global committers wait.
    pub hold_global_commits: AtomicBool,
    /// They fail on every call.
    pub lose_global_commits: AtomicBool,
    /// How often one has looked whether it still has to.
    pub held_global_commits: AtomicU64,
    /// Enumerators wait.
    pub hold_enumerators: AtomicBool,
    /// What fails next, by name: `open`, `snapshot`, `commit`, `global commit`, `half of a global commit`,
    /// `panic`.
    pub fault: parking_lot::Mutex<Option<&'static str>>,
}

impl Controls {
    /// Counts down to a failure.
    pub fn spend(&self, rows: i64) -> Result<()> {
        let before = self.fail_after.load(Ordering::SeqCst);
        if before > 0 && self.fail_after.fetch_sub(rows, Ordering::SeqCst) <= rows {
            self.fail_after.store(0, Ordering::SeqCst);
            self.failures.fetch_add(1, Ordering::SeqCst);
            return Err(Error::external("a fault of the test"));
        }
        Ok(())
    }

    /// Whether readers wait.
    fn waits(&self) -> bool {
        let pause_at = self.pause_at.load(Ordering::SeqCst);
        self.hold.load(Ordering::SeqCst) || (pause_at > 0 && self.emitted.load(Ordering::SeqCst) >= pause_at)
    }

    /// Fails once if this fault was requested.
    pub fn fault(&self, name: &'static str) -> Result<()> {
        let mut fault = self.fault.lock();
        if *fault == Some(name) {
            *fault = None;
            drop(fault);
            self.failures.fetch_add(1, Ordering::SeqCst);
            assert!(name != "panic", "a panic of the test");
            return Err(Error::external(format!("a fault of the test: {name}")));
        }
        Ok(())
    }
}

pub struct TestSourceConnector(pub Arc<Controls>);

#[derive(Clone)]
struct TestSource {
    controls: Arc<Controls>,
    splits: u64,
    rows: u64,
    keys: u64,
    batch: u64,
    /// Milliseconds between batches.
    pause: i64,
    unbounded: bool,
}

type Number = TableOption<u64, WithDefault>;
const SPLITS: Number = TableOption::number("splits", 0, u64::MAX, "how many splits").or("1");
const ROWS: Number = TableOption::number("rows", 0, u64::MAX, "how many rows a split has").or("100");
const KEYS: Number = TableOption::number("keys", 0, u64::MAX, "how many keys").or("10");
const BATCH: Number = TableOption::number("batch", 0, u64::MAX, "how many rows a batch has").or("10");
const PAUSE: TableOption<i64, WithDefault> = TableOption::duration("pause", "between batches").or("0");
const UNBOUNDED: TableOption<bool, WithDefault> =
    TableOption::flag("unbounded", "whether it never ends").or("false");

impl Connector for TestSourceConnector {
    fn name(&self) -> &'static str {
        "test-source"
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[&SPLITS, &ROWS, &KEYS, &BATCH, &PAUSE, &UNBOUNDED];
        Manual { options: OPTIONS, ..Manual::default() }
    }

    fn source(&self, _: &SourceSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Source>> {
        Ok(Arc::new(TestSource {
            controls: self.0.clone(),
            splits: options.get(&SPLITS)?,
            rows: options.get(&ROWS)?,
            keys: options.get(&KEYS)?,
            batch: options.get(&BATCH)?,
            pause: options.get(&PAUSE)?,
            unbounded: options.get(&UNBOUNDED)?,
        }))
    }
}

impl Source for TestSource {
    fn boundedness(&self) -> Boundedness {
        if self.unbounded { Boundedness::Unbounded } else { Boundedness::Bounded }
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        _: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        let next = restored.map_or(0, |state| state.text("state").unwrap().parse().unwrap());
        Ok(Box::new(TestEnumerator { source: self.clone(), next }))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        self.controls.fault("open")?;
        Ok(Box::new(TestReader { source: self.clone(), splits: Vec::new(), context, next_at: 0 }))
    }
}

struct TestEnumerator {
    source: TestSource,
    next: u64,
}

impl SplitEnumerator for TestEnumerator {
    fn splits_requested(&mut self, reader: SubtaskIndex, assignments: &mut Assignments) -> Result<()> {
        while self.source.controls.hold_enumerators.load(Ordering::SeqCst) {
            std::thread::park_timeout(std::time::Duration::from_millis(1));
        }
        if self.next < self.source.splits {
            self.next += 1;
            let split = Split { id: (self.next - 1).to_string(), payload: Payload::new(1, "0") };
            assignments.assign(reader, vec![split]);
        } else if !self.source.unbounded {
            assignments.no_more_splits(reader);
        }
        Ok(())
    }

    fn splits_returned(&mut self, _: SubtaskIndex, _: Vec<Split>, _: &mut Assignments) -> Result<()> {
        unreachable!("all readers fail together")
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Payload> {
        Ok(Payload::new(1, self.next.to_string()))
    }
}

struct TestReader {
    source: TestSource,
    /// Number and position.
    splits: Vec<(u64, u64)>,
    context: ReaderContext,
    next_at: i64,
}

impl SourceReader for TestReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        let position = |split: &Split| split.payload.text("a position").unwrap().parse::<u64>().unwrap();
        self.splits.extend(splits.iter().map(|split| (split.id.parse::<u64>().unwrap(), position(split))));
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        let now = self.context.clock.now();
        if self.source.controls.waits() {
            return Ok(Poll::Wait(now + 2));
        }
        if now < self.next_at {
            return Ok(Poll::Wait(self.next_at));
        }
        let Some((split, position)) = self.splits.first_mut() else {
            return Ok(Poll::SplitsDone);
        };
        let TestSource { controls, rows, keys, batch, pause, .. } = &self.source;
        let end = (*position + batch).min(*rows);
        controls.spend((end - *position) as i64)?;
        controls.fault("panic")?;
        let values: Vec<i64> = (*position..end).map(|at| (*split * rows + at) as i64).collect();
        let key: Int64Array = values.iter().map(|value| value % *keys as i64).collect();
        let schema = arrow_type::schema(super::schema().iter());
        let columns =
            RecordBatch::try_new(schema, vec![Arc::new(key), Arc::new(Int64Array::from(values))]).unwrap();
        controls.emitted.fetch_add(end - *position, Ordering::SeqCst);
        let id = split.to_string();
        *position = end;
        if end == *rows {
            self.splits.remove(0);
        }
        self.next_at = if *pause > 0 { now + pause } else { 0 };
        output.emit(&id, ChangeBatch::insert_only(columns).into())?;
        Ok(Poll::More)
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        self.source.controls.fault("snapshot")?;
        let split = |(id, position): &(u64, u64)| Split {
            id: id.to_string(),
            payload: Payload::new(1, position.to_string()),
        };
        Ok(self.splits.iter().map(split).collect())
    }
}
