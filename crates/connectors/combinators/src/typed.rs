//! Tables' sources and sinks for values of a program's types: rows become values, values become rows.

use std::fmt;
use std::sync::Arc;

use flott_batch::{Batch, ChangeBatch, Record, Records, WatermarkStatus};
use flott_connector::{
    Boundedness, Committer, CommitterContext, Consumes, EnumeratorContext, EventTimePolicy,
    GlobalCommitterContext, Payload, Poll, Prepared, Produces, ReaderContext, Sink, SinkContext, SinkWriter,
    Source, SourceOutput, SourceReader, Split, SplitEnumerator,
};
use flott_plan::Schema;
use flott_types::{CheckpointId, Error, Result, Timestamp, Watermark};
use flott_values::{RowCodec, RowReader};

/// A source of a table's rows as a source of values.
pub struct TypedSource<T> {
    source: Arc<dyn Source>,
    codec: RowCodec<T>,
    columns: Vec<(String, flott_types::LogicalType)>,
}

impl<T: Record> TypedSource<T> {
    /// The values of the rows that a source emits, which have these columns.
    ///
    /// # Errors
    /// If the columns cannot be read as the type.
    pub fn new(source: Arc<dyn Source>, schema: &Schema) -> Result<Self> {
        let codec = RowCodec::new()?;
        let columns: Vec<_> = schema.iter().map(|(name, ty)| (name.to_owned(), ty.clone())).collect();
        codec.reader(&columns)?;
        Ok(TypedSource { source, codec, columns })
    }
}

impl<T> fmt::Debug for TypedSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TypedSource({})", std::any::type_name::<T>())
    }
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl<T: Record> Source for TypedSource<T> {
    fn boundedness(&self) -> Boundedness {
        self.source.boundedness()
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        self.source.enumerator(restored, context)
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        let rows = self.codec.reader(&self.columns)?;
        Ok(Box::new(TypedReader { reader: self.source.reader(context)?, rows }))
    }

    fn watermark_per_split(&self) -> bool {
        self.source.watermark_per_split()
    }

    fn event_time(&self, interval: i64) -> Option<EventTimePolicy> {
        self.source.event_time(interval)
    }
}

impl<T: Record> Produces<T> for TypedSource<T> {}

struct TypedReader<T> {
    reader: Box<dyn SourceReader>,
    rows: RowReader<T>,
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl<T: Record> SourceReader for TypedReader<T> {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        self.reader.add_splits(splits)
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        self.reader.poll(&mut TypedOutput { output, rows: &self.rows })
    }

    fn snapshot(&mut self, checkpoint: CheckpointId) -> Result<Vec<Split>> {
        self.reader.snapshot(checkpoint)
    }

    fn pause_splits(&mut self, paused: &[&str]) -> Result<()> {
        self.reader.pause_splits(paused)
    }

    fn event(&mut self, event: Payload) -> Result<()> {
        self.reader.event(event)
    }

    fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.reader.checkpoint_complete(checkpoint)
    }

    fn checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.reader.checkpoint_aborted(checkpoint)
    }
}

struct TypedOutput<'a, T> {
    output: &'a mut dyn SourceOutput,
    rows: &'a RowReader<T>,
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl<T: Record> SourceOutput for TypedOutput<'_, T> {
    fn emit(&mut self, split: &str, batch: Batch) -> Result<()> {
        let Batch::Changes(rows) = batch else {
            return Err(Error::internal("the source of a table emits values"));
        };
        if rows.kinds().is_some() {
            return Err(Error::invalid(
                "the table has updates and deletions, which cannot be the values of a stream; read one that is insert-only",
            ));
        }
        let rows = rows.compact()?;
        self.output.emit(split, Records::new(self.rows.read(rows.columns())?).into())
    }

    fn skipped(&mut self, rows: u64) {
        self.output.skipped(rows);
    }

    fn rejected(&mut self, batch: Batch) -> Result<()> {
        self.output.rejected(batch)
    }

    fn split_finished(&mut self, split: &str) -> Result<()> {
        self.output.split_finished(split)
    }

    fn watermark(&mut self, split: &str, watermark: Watermark) -> Result<()> {
        self.output.watermark(split, watermark)
    }

    fn watermark_status(&mut self, split: &str, status: WatermarkStatus) -> Result<()> {
        self.output.watermark_status(split, status)
    }

    fn send(&mut self, event: Payload) -> Result<()> {
        self.output.send(event)
    }
}

/// A sink of a table's rows as a sink of values.
pub struct TypedSink<T> {
    sink: Arc<dyn Sink>,
    codec: RowCodec<T>,
    schema: Arc<Schema>,
}

impl<T: Record> TypedSink<T> {
    /// Writes values to the sink of a table with the columns of the type.
    ///
    /// # Errors
    /// If the type has no columns.
    pub fn new(sink: Arc<dyn Sink>) -> Result<Self> {
        let codec = RowCodec::<T>::new()?;
        let schema = Arc::new(Schema::new(codec.columns().iter().cloned()));
        Ok(TypedSink { sink, codec, schema })
    }
}

impl<T> fmt::Debug for TypedSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TypedSink({})", std::any::type_name::<T>())
    }
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl<T: Record> Sink for TypedSink<T> {
    fn writer(&self, context: SinkContext, restored: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        let context = SinkContext { schema: Some(self.schema.clone()), ..context };
        Ok(Box::new(TypedWriter { writer: self.sink.writer(context, restored)?, codec: self.codec.clone() }))
    }

    fn is_two_phase(&self) -> bool {
        self.sink.is_two_phase()
    }

    fn committer(&self, context: CommitterContext) -> Result<Box<dyn Committer>> {
        self.sink.committer(context)
    }

    fn commits_globally(&self) -> bool {
        self.sink.commits_globally()
    }

    fn global_committer(&self, context: GlobalCommitterContext) -> Result<Box<dyn Committer>> {
        self.sink.global_committer(context)
    }

    fn check(&self) -> Result<()> {
        self.sink.check()
    }
}

impl<T: Record> Consumes<T> for TypedSink<T> {}

struct TypedWriter<T> {
    writer: Box<dyn SinkWriter>,
    codec: RowCodec<T>,
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl<T: Record> SinkWriter for TypedWriter<T> {
    fn write(&mut self, batch: Batch) -> Result<()> {
        let values = batch.into_records::<T>()?.values;
        self.writer.write(Batch::Changes(ChangeBatch::insert_only(self.codec.encode(&values)?)))
    }

    fn is_full(&self) -> bool {
        self.writer.is_full()
    }

    fn woken(&mut self) -> Result<()> {
        self.writer.woken()
    }

    fn watermark(&mut self, watermark: Watermark) -> Result<()> {
        self.writer.watermark(watermark)
    }

    fn watermark_status(&mut self, status: WatermarkStatus) -> Result<()> {
        self.writer.watermark_status(status)
    }

    fn flush(&mut self) -> Result<()> {
        self.writer.flush()
    }

    fn prepare_commit(&mut self, checkpoint: CheckpointId, end: bool) -> Result<Prepared> {
        self.writer.prepare_commit(checkpoint, end)
    }

    fn snapshot(&mut self, checkpoint: CheckpointId) -> Result<Vec<Payload>> {
        self.writer.snapshot(checkpoint)
    }

    fn next_time(&self) -> Option<Timestamp> {
        self.writer.next_time()
    }

    fn on_time(&mut self, now: Timestamp) -> Result<()> {
        self.writer.on_time(now)
    }
}
