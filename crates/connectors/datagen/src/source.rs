//! The source: splits of rows by number, a rate-limited reader.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_connector::{
    Boundedness, EnumeratorContext, FixedSplits, Options, Payload, Poll, RateLimiter, ReaderContext, Source,
    SourceOutput, SourceReader, Split, SplitEnumerator,
};
use flott_plan::SourceSpec;
use flott_types::{CheckpointId, Clock, Error, Result};
use serde::{Deserialize, Serialize};

use crate::connector::{NUMBER_OF_ROWS, ROWS_PER_SECOND, SEED};
use crate::field::{Field, Fields};
use crate::generate::{Cells, column};
use crate::random::mix;

pub(crate) struct Datagen {
    table: Arc<Table>,
    rows_per_second: f64,
    seed: Option<u64>,
    limit: Option<u64>,
}

/// The columns to read.
struct Table {
    schema: SchemaRef,
    /// With each column's position in the table, so that its values do not depend on which other columns are
    /// read.
    fields: Vec<(u64, Field)>,
    /// The number of rows, if the table ends.
    rows: Option<u64>,
}

impl Table {
    /// The approximate maximum size of a row in bytes.
    fn row_bytes(&self) -> usize {
        self.fields.iter().fold(0, |sum: usize, (_, field)| sum.saturating_add(field.bytes()))
    }
}

impl Datagen {
    pub(crate) fn new(spec: &SourceSpec, options: &Options<'_>) -> Result<Self> {
        let table = &spec.table;
        let all = Fields::new(table.schema.iter(), options)?;
        if let Some(column) = spec.metadata.columns.first() {
            return Err(Error::invalid(format!("table {} has no metadata '{}'", table.name, column.name)));
        }
        let field = |index: &usize| {
            let field = all.fields.get(*index).cloned();
            let field = field.ok_or_else(|| Error::internal(format!("there is no column {index}")))?;
            Ok((*index as u64, field))
        };
        let fields = spec.projection.iter().map(field).collect::<Result<Vec<_>>>()?;
        let names = spec.projection.iter().map(|index| table.schema.columns[*index].name.as_str());
        let schema = arrow_type::schema(names.zip(fields.iter().map(|(_, field)| &field.ty)));
        let rows = [options.get(&NUMBER_OF_ROWS)?, all.rows].into_iter().flatten().min();
        Ok(Datagen {
            table: Arc::new(Table { schema, fields, rows }),
            rows_per_second: options.get(&ROWS_PER_SECOND)? as f64,
            seed: options.get(&SEED)?,
            limit: spec.limit,
        })
    }
}

impl Source for Datagen {
    fn boundedness(&self) -> Boundedness {
        if self.table.rows.is_some() { Boundedness::Bounded } else { Boundedness::Unbounded }
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        let all = || {
            let seed = self.seed.unwrap_or_else(|| mix(context.clock.now() as u64, context.clock.nanos()));
            let stride = u64::from(context.parallelism.max(1));
            let split = |next| DatagenSplit { version: 0, seed, first: next, next, stride }.to_split();
            (0..stride).map(split).collect()
        };
        let splits = FixedSplits::new(restored, all)?;
        Ok(match self.boundedness() {
            Boundedness::Bounded => Box::new(splits),
            Boundedness::Unbounded => Box::new(splits.shared_by(context.parallelism)),
        })
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        let rate = self.rows_per_second / f64::from(context.parallelism.max(1));
        Ok(Box::new(DatagenReader {
            table: self.table.clone(),
            limiter: RateLimiter::new(rate, context.clock.clone()),
            clock: context.clock,
            batch_size: context.batch_size.min(BATCH_BYTES / self.table.row_bytes().max(1)).max(1),
            splits: VecDeque::new(),
            wanted: self.limit,
        }))
    }
}

/// Every `stride`-th row from `first`; `next` is the next one. In checkpoints.
#[derive(Clone, Serialize, Deserialize)]
struct DatagenSplit {
    /// 1, where payloads had no version yet; that is the form of today without it.
    #[serde(default, skip_serializing)]
    version: u32,
    seed: u64,
    first: u64,
    next: u64,
    stride: u64,
}

const VERSION: u32 = 2;

impl DatagenSplit {
    fn to_split(&self) -> Result<Split> {
        Ok(Split { id: self.id(), payload: Payload::json(VERSION, self)? })
    }

    fn from_split(split: &Split) -> Result<Self> {
        const WHAT: &str = "a position of datagen";
        let read: DatagenSplit = split.payload.from_json(&[Payload::UNVERSIONED, VERSION], WHAT)?;
        if read.version > 1 {
            return Err(Error::state(format!("{WHAT} has version {} instead of 1", read.version)));
        }
        Ok(DatagenSplit { version: 0, ..read })
    }

    fn id(&self) -> String {
        format!("{}/{}", self.first, self.stride)
    }
}

/// About this many bytes of rows are generated at once, as when files are read.
const BATCH_BYTES: usize = 4 << 20;

struct DatagenReader {
    table: Arc<Table>,
    limiter: RateLimiter,
    clock: Arc<dyn Clock>,
    batch_size: usize,
    /// Read in turn.
    splits: VecDeque<DatagenSplit>,
    /// How many rows are still wanted, if there is a limit.
    wanted: Option<u64>,
}

impl DatagenReader {
    fn generate(&self, split: &DatagenSplit, rows: usize) -> Result<ChangeBatch> {
        let numbers: Vec<u64> = (0..rows as u64).map(|row| split.next + row * split.stride).collect();
        let row_seeds: Vec<u64> = numbers.iter().map(|number| mix(split.seed, *number)).collect();
        let now = self.clock.now();
        let make = |(position, field): &(u64, Field)| {
            let seeds: Vec<u64> = row_seeds.iter().map(|seed| mix(*seed, *position)).collect();
            column(field, &Cells { rows: &numbers, seeds: &seeds, now })
        };
        let columns = self.table.fields.iter().map(make).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.table.schema.clone(), columns, &options);
        Ok(ChangeBatch::insert_only(
            batch.map_err(|error| Error::internal("columns made up").with_source(error))?,
        ))
    }

    /// How many rows are left of a split.
    fn left(&self, split: &DatagenSplit) -> u64 {
        let end = self.table.rows.unwrap_or(u64::MAX);
        end.saturating_sub(split.next).div_ceil(split.stride)
    }
}

impl SourceReader for DatagenReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for split in &splits {
            self.splits.push_back(DatagenSplit::from_split(split)?);
        }
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        while self.splits.front().is_some_and(|split| self.left(split) == 0) || self.wanted == Some(0) {
            if self.splits.pop_front().is_none() {
                break;
            }
        }
        let Some(split) = self.splits.front() else { return Ok(Poll::SplitsDone) };
        let permits = self.limiter.permits();
        if permits == 0 {
            return Ok(Poll::Wait(self.limiter.next_time()));
        }
        let most =
            (permits.min(self.batch_size) as u64).min(self.left(split)).min(self.wanted.unwrap_or(u64::MAX));
        let batch = self.generate(split, most as usize)?;
        output.emit(&split.id(), Batch::Changes(batch))?;
        self.limiter.taken(most as usize);
        self.wanted = self.wanted.map(|wanted| wanted - most);
        if let Some(mut split) = self.splits.pop_front() {
            split.next = split.next.saturating_add(most.saturating_mul(split.stride));
            self.splits.push_back(split);
        }
        Ok(Poll::More)
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        self.splits.iter().map(DatagenSplit::to_split).collect()
    }
}

#[cfg(test)]
mod tests;
