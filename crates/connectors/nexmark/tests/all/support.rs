//! Tables of nexmark, and their events as text.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use flott_connector::conformance::ByHand;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int32Type, Int64Type, TimestampMicrosecondType};
use flott_batch::Batch;
use flott_connector::{
    Payload, Poll, ReaderContext, Source, SourceOutput, SourceReader, Split, TableContext,
};
use flott_connector_nexmark::{Kind, NexmarkConnector};
use flott_plan::{Schema, SourceSpec, TableSpec};
use flott_types::clock::ManualClock;
use flott_types::{CheckpointId, Clock, LogicalType, Result, RowField, SubtaskIndex, TypeKind};

pub const NOW: i64 = 1_700_000_000_000;

/// The public benchmark's columns.
pub fn all_columns() -> Vec<(&'static str, LogicalType)> {
    let text = || TypeKind::STRING;
    let number = || TypeKind::BigInt;
    let time = || TypeKind::Timestamp(3);
    vec![
        ("event_type", TypeKind::Int.nullable()),
        (
            "person",
            row(&[
                ("id", number()),
                ("name", text()),
                ("emailAddress", text()),
                ("creditCard", text()),
                ("city", text()),
                ("state", text()),
                ("dateTime", time()),
                ("extra", text()),
            ]),
        ),
        (
            "auction",
            row(&[
                ("id", number()),
                ("itemName", text()),
                ("description", text()),
                ("initialBid", number()),
                ("reserve", number()),
                ("dateTime", time()),
                ("expires", time()),
                ("seller", number()),
                ("category", number()),
                ("extra", text()),
            ]),
        ),
        (
            "bid",
            row(&[
                ("auction", number()),
                ("bidder", number()),
                ("price", number()),
                ("channel", text()),
                ("url", text()),
                ("dateTime", time()),
                ("extra", text()),
            ]),
        ),
    ]
}

pub fn row(fields: &[(&str, TypeKind)]) -> LogicalType {
    let field = |(name, kind): &(&str, TypeKind)| RowField {
        name: (*name).to_owned(),
        ty: kind.clone().nullable(),
        comment: None,
    };
    TypeKind::Row(fields.iter().map(field).collect()).nullable()
}

/// A table with these columns that reads all of them.
pub fn table(columns: &[(&str, LogicalType)], options: &[(&str, &str)]) -> SourceSpec {
    let options: BTreeMap<String, String> =
        options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    SourceSpec {
        projection: (0..columns.len()).collect(),
        table: TableSpec {
            name: "t".to_owned(),
            connector: "nexmark".to_owned(),
            options,
            schema: Schema::new(columns.iter().cloned()),
            partition_keys: Vec::new(),
            primary_key: Vec::new(),
        },
        paths: Vec::new(),
        metadata: Schema::default(),
        limit: None,
        watermark: None,
        errors: false,
    }
}

/// The public benchmark's table.
pub fn nexmark(options: &[(&str, &str)]) -> SourceSpec {
    table(&all_columns(), options)
}

pub fn source(spec: &SourceSpec) -> Result<Arc<dyn Source>> {
    let context = TableContext { batch: false, zone: "UTC".to_owned(), configuration: Default::default() };
    let mut registry = flott_connector::Registry::default();
    registry.register(Arc::new(NexmarkConnector));
    registry.source(spec, &context)
}

/// The only reader of a fresh job, with its split.
pub fn reader(options: &[(&str, &str)], clock: &Arc<ManualClock>) -> Box<dyn SourceReader> {
    let source = source(&nexmark(options)).unwrap();
    let mut enumerator = ByHand::new(&*source, None, 1, clock.clone()).unwrap();
    let splits = enumerator.ask(SubtaskIndex(0)).unwrap().unwrap();
    let context = ReaderContext {
        subtask: SubtaskIndex(0),
        parallelism: 1,
        batch_size: 4_096,
        clock: clock.clone(),
        waker: flott_connector::Waker::default(),
        metrics: Default::default(),
    };
    let mut reader = source.reader(context).unwrap();
    reader.add_splits(splits).unwrap();
    reader
}

/// What a reader emits, with the split it is of.
#[derive(Default)]
pub struct Events {
    pub batches: Vec<(String, RecordBatch)>,
    pub finished: Vec<String>,
}

impl SourceOutput for Events {
    fn emit(&mut self, split: &str, batch: Batch) -> Result<()> {
        let Batch::Changes(batch) = batch else { panic!("columns are wanted") };
        assert!(batch.num_rows() > 0 && batch.kinds().is_none());
        self.batches.push((split.to_owned(), batch.columns().clone()));
        Ok(())
    }

    fn skipped(&mut self, _rows: u64) {
        panic!("nothing is skipped");
    }

    fn split_finished(&mut self, split: &str) -> Result<()> {
        self.finished.push(split.to_owned());
        Ok(())
    }
}

impl Events {
    /// An event a line, in the order in which they came.
    pub fn lines(&self) -> Vec<String> {
        self.batches.iter().flat_map(|(_, batch)| lines(batch)).collect()
    }
}

/// How a source is read.
pub struct Run {
    pub parallelism: u32,
    pub batch_size: usize,
    /// After this many batches, all is read again from the checkpoint, with this many readers.
    pub restart: Option<(usize, u32)>,
}

impl Default for Run {
    fn default() -> Self {
        Run { parallelism: 1, batch_size: 4_096, restart: None }
    }
}

impl Run {
    /// Reads all, readers in turn.
    pub fn read(&self, spec: &SourceSpec) -> Events {
        let clock = Arc::new(ManualClock::new(NOW));
        let source = source(spec).unwrap();
        let mut events = Events::default();
        let (mut splits, mut state, mut readers) = (Vec::new(), None, self.parallelism);
        loop {
            match self.until_restart(&*source, &mut events, &clock, (splits, state, readers)) {
                Some((rest, enumerator)) => (splits, state) = (rest, Some(enumerator)),
                None => return events,
            }
            readers = self.restart.map_or(readers, |(_, readers)| readers);
        }
    }

    fn until_restart(
        &self,
        source: &dyn Source,
        events: &mut Events,
        clock: &Arc<ManualClock>,
        (splits, state, parallelism): (Vec<Split>, Option<Payload>, u32),
    ) -> Option<(Vec<Split>, Payload)> {
        let mut enumerator = ByHand::new(source, state.as_ref(), parallelism, clock.clone()).unwrap();
        let context = |subtask| ReaderContext {
            subtask: SubtaskIndex(subtask),
            parallelism,
            batch_size: self.batch_size,
            clock: clock.clone(),
            waker: flott_connector::Waker::default(),
            metrics: Default::default(),
        };
        let mut readers: Vec<_> =
            (0..parallelism).map(|subtask| Some(source.reader(context(subtask)).unwrap())).collect();
        for (at, split) in splits.into_iter().enumerate() {
            let reader = readers[at % parallelism as usize].as_mut().unwrap();
            reader.add_splits(vec![split]).unwrap();
        }
        for turn in 1.. {
            for (subtask, slot) in (0..).zip(&mut readers) {
                let Some(reader) = slot else { continue };
                match reader.poll(events).unwrap() {
                    Poll::More => {}
                    Poll::Wait(until) => {
                        assert!(until > clock.now());
                        clock.set(until);
                    }
                    Poll::SplitsDone => match enumerator.ask(SubtaskIndex(subtask)).unwrap() {
                        Some(splits) => reader.add_splits(splits).unwrap(),
                        None => *slot = None,
                    },
                }
            }
            if readers.iter().all(Option::is_none) {
                return None;
            }
            if self.restart.is_some_and(|(turns, _)| turn % turns == 0) {
                let splits =
                    readers.iter_mut().flatten().flat_map(|reader| reader.snapshot(CheckpointId(1)).unwrap());
                return Some((splits.collect(), enumerator.snapshot().unwrap()));
            }
        }
        None
    }
}

/// Events in the form of `benchmarks/nexmark/events.tsv`. Of other columns than the public benchmark's the
/// cells.
pub fn lines(batch: &RecordBatch) -> Vec<String> {
    let line = |row| {
        let mut cells = Vec::new();
        for column in batch.columns() {
            match column.data_type() {
                DataType::Struct(_) if column.is_null(row) => {}
                DataType::Struct(_) => {
                    cells.extend(column.as_struct().columns().iter().map(|field| cell(field, row)));
                }
                _ => cells.push(cell(column, row)),
            }
        }
        cells.join("\t")
    };
    (0..batch.num_rows()).map(line).collect()
}

fn cell(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return "NULL".to_owned();
    }
    match column.data_type() {
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Timestamp(..) => {
            (column.as_primitive::<TimestampMicrosecondType>().value(row) / 1_000).to_string()
        }
        _ => column.as_string::<i32>().value(row).to_owned(),
    }
}

/// Which kind an event is, by its line.
pub fn kind(line: &str) -> Kind {
    match line.as_bytes()[0] {
        b'0' => Kind::Person,
        b'1' => Kind::Auction,
        _ => Kind::Bid,
    }
}
