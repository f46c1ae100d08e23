//! Reads splits in parallel, in event-time order.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StructArray};
use arrow::datatypes::{Fields, SchemaRef};
use flott_batch::{Batch, ChangeBatch};
use flott_connector::{Poll, SourceOutput, SourceReader, Split};
use flott_types::{CheckpointId, Clock, Error, Result};

use crate::batch::EventBatch;
use crate::position::Position;
use crate::{Config, Field, Generator, Kind, Run, columns};

/// A column to produce.
#[derive(Clone, Debug)]
pub(crate) enum Column {
    EventType,
    /// One field; NULL in other kinds of events.
    Field(Kind, Field),
    /// A ROW of fields; NULL in other kinds of events.
    Row(Kind, Vec<Field>, Fields),
}

/// What is read.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) config: Config,
    pub(crate) schema: SchemaRef,
    pub(crate) columns: Vec<Column>,
    /// The number of events, if they end.
    pub(crate) events: Option<u64>,
    /// Events come when they are due.
    pub(crate) rate_limited: bool,
}

pub(crate) struct NexmarkReader {
    pub(crate) table: Arc<Table>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) batch_size: usize,
    pub(crate) splits: Vec<(Position, Generator)>,
    /// How many rows are still wanted, if there is a limit.
    pub(crate) wanted: Option<u64>,
    pub(crate) runs: Vec<Run>,
}

impl SourceReader for NexmarkReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for split in &splits {
            let position = Position::read(split)?;
            let config = Config { base_time: position.base_time, ..self.table.config.clone() };
            self.splits.push((position, Generator::new(config)));
        }
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        let end = if self.wanted == Some(0) { 0 } else { self.table.events.unwrap_or(u64::MAX) };
        let read = self.splits.extract_if(.., |(position, _)| position.next >= end);
        for (position, _) in read {
            output.split_finished(&position.id())?;
        }
        // The split that is furthest behind, so that all advance through event time together.
        let alone = self.splits.len() == 1;
        let Some((position, generator)) = self.splits.iter_mut().min_by_key(|(position, _)| position.next)
        else {
            return Ok(Poll::SplitsDone);
        };
        let end = match self.table.rate_limited {
            true => end.min(position.due(&self.table.config, self.clock.now())),
            false => end,
        };
        if position.next >= end {
            return Ok(Poll::Wait(position.due_at(&self.table.config)));
        }
        let most = self.batch_size.min(self.wanted.map_or(usize::MAX, |wanted| wanted as usize));
        let mut after = position.clone();
        let mut rows = 0;
        self.runs.clear();
        while rows < most && after.next < end && (alone || rows == 0) {
            let to = after.block_end().min(end).min(after.next + (most - rows) as u64);
            generator.runs(after.next, to, rows, &mut self.runs);
            rows += (to - after.next) as usize;
            after.advance(to);
        }
        let batch = self.table.batch(&EventBatch::new(generator, &self.runs))?;
        output.emit(&position.id(), Batch::Changes(batch))?;
        *position = after;
        self.wanted = self.wanted.map(|wanted| wanted - rows as u64);
        Ok(Poll::More)
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        self.splits.iter().map(|(position, _)| position.to_split()).collect()
    }
}

impl Table {
    fn batch(&self, events: &EventBatch<'_>) -> Result<ChangeBatch> {
        let columns =
            self.columns.iter().map(|column| self.column(column, events)).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(events.rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options);
        Ok(ChangeBatch::insert_only(batch.map_err(wrong)?))
    }

    fn column(&self, column: &Column, events: &EventBatch<'_>) -> Result<ArrayRef> {
        match column {
            Column::EventType => Ok(columns::event_types(events)),
            Column::Field(kind, field) => columns::field(events, *kind, *field, Some(events.nulls(*kind))),
            Column::Row(kind, fields, types) => {
                let fields = fields.iter().map(|field| columns::field(events, *kind, *field, None));
                let fields = fields.collect::<Result<Vec<_>>>()?;
                let row = StructArray::try_new(types.clone(), fields, Some(events.nulls(*kind)));
                Ok(Arc::new(row.map_err(wrong)?))
            }
        }
    }
}

fn wrong(error: arrow::error::ArrowError) -> Error {
    Error::internal("columns made up").with_source(error)
}
