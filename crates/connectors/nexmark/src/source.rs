//! The connector: what a table may look like, and its splits.

use std::sync::Arc;

use arrow::datatypes::DataType;
use flott_batch::arrow_type;
use flott_connector::{
    Assignments, Boundedness, EnumeratorContext, Options, Payload, ReaderContext, Source, SourceReader,
    Split, SplitEnumerator,
};
use flott_plan::{Column as TableColumn, SourceSpec, TableSpec};
use flott_types::{CheckpointId, Error, LogicalType, Result, SubtaskIndex, TypeKind};
use serde::{Deserialize, Serialize};

use crate::connector::{BASE_TIME, EVENTS, RATE_LIMITED};
use crate::position::Position;
use crate::reader::{Column, NexmarkReader, Table};
use crate::{Config, Kind};

pub(crate) struct Nexmark {
    table: Arc<Table>,
    /// `None` is when the job starts.
    base_time: Option<i64>,
    limit: Option<u64>,
}

impl Nexmark {
    pub(crate) fn new(spec: &SourceSpec, options: &Options<'_>) -> Result<Self> {
        let table = &spec.table;
        let config = Config::from_options(options)?;
        let events = Some(options.get(&EVENTS)?).filter(|events| *events > 0);
        let (base_time, rate_limited) = (options.get(&BASE_TIME)?, options.get(&RATE_LIMITED)?);
        if let Some(column) = spec.metadata.columns.first() {
            return Err(Error::invalid(format!("table {} has no metadata '{}'", table.name, column.name)));
        }
        let all =
            table.schema.columns.iter().map(|column| whole(table, column)).collect::<Result<Vec<_>>>()?;
        let produced = spec.produced();
        let columns =
            spec.projection.iter().zip(0..).map(|(index, at)| match (&all[*index], spec.path(at)) {
                (column, []) => Ok(column.clone()),
                (Column::Row(kind, fields, _), [field]) => Ok(Column::Field(*kind, fields[*field])),
                (_, path) => Err(Error::internal(format!("there is no field {path:?} in column {index}"))),
            });
        let columns = columns.collect::<Result<_>>()?;
        let schema = arrow_type::schema(produced.iter());
        Ok(Nexmark {
            table: Arc::new(Table { config, schema, columns, events, rate_limited }),
            base_time,
            limit: spec.limit,
        })
    }
}

/// A column of the table: one of the public benchmark's, or a part of it.
fn whole(table: &TableSpec, column: &TableColumn) -> Result<Column> {
    let wrong = |name: &str, ty: &LogicalType, expected: &str| {
        let name = format!("{}.{name}", table.name);
        Error::invalid(format!("column {name} is of type {ty}; a table of nexmark has it as {expected}"))
    };
    let ty = &column.ty;
    if column.name == "event_type" {
        return match ty.kind {
            TypeKind::Int => Ok(Column::EventType),
            _ => Err(wrong(&column.name, ty, "INT")),
        };
    }
    let Some(kind) = Kind::of_column(&column.name) else {
        return Err(Error::invalid(format!(
            "a table of nexmark has the columns event_type, person, auction and bid; {} has '{}'",
            table.name, column.name
        )));
    };
    let (TypeKind::Row(fields), true) = (&ty.kind, ty.nullable) else {
        return Err(wrong(
            &column.name,
            ty,
            "a nullable ROW: each event is only one of person, auction and bid",
        ));
    };
    let DataType::Struct(types) = arrow_type::to_arrow(ty) else {
        return Err(Error::internal("a ROW is not a struct"));
    };
    let field = |field: &flott_types::RowField| {
        let name = format!("{}.{}", column.name, field.name);
        let Some(known) = kind.field(&field.name) else {
            let names: Vec<&str> = kind.fields().iter().map(|(name, _)| *name).collect();
            let names = names.join(", ");
            return Err(Error::invalid(format!(
                "there is no field {}.{name} in a table of nexmark; {} has {names}",
                table.name, column.name
            )));
        };
        if known.ty() == field.ty.kind {
            return Ok(known);
        }
        Err(wrong(&name, &field.ty, &known.ty().to_string()))
    };
    Ok(Column::Row(kind, fields.iter().map(field).collect::<Result<_>>()?, types))
}

impl Source for Nexmark {
    fn boundedness(&self) -> Boundedness {
        if self.table.events.is_some() { Boundedness::Bounded } else { Boundedness::Unbounded }
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        let pending = match restored {
            Some(payload) => {
                let known = [Payload::UNVERSIONED, VERSION];
                payload
                    .from_json::<EnumeratorState>(&known, "the unassigned splits of a nexmark source")?
                    .pending
            }
            None => {
                let now = context.clock.now();
                let base_time = self.base_time.unwrap_or(now);
                let count = u64::from(context.parallelism.max(1));
                (0..count)
                    .map(|index| Position::new(index, count, base_time, now).to_split())
                    .collect::<Result<_>>()?
            }
        };
        Ok(Box::new(NexmarkEnumerator { pending, parallelism: u64::from(context.parallelism.max(1)) }))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(NexmarkReader {
            table: self.table.clone(),
            clock: context.clock,
            batch_size: context.batch_size.max(1),
            splits: Vec::new(),
            wanted: self.limit,
            runs: Vec::new(),
        }))
    }
}

const VERSION: u32 = 1;

/// Splits that nobody reads yet. Each carries its version.
#[derive(Serialize, Deserialize)]
struct EnumeratorState {
    pending: Vec<Split>,
}

/// Each split has its own reader: after reading one to its end a reader must not begin another, whose events
/// would be late.
struct NexmarkEnumerator {
    pending: Vec<Split>,
    parallelism: u64,
}

impl SplitEnumerator for NexmarkEnumerator {
    fn splits_requested(&mut self, reader: SubtaskIndex, assignments: &mut Assignments) -> Result<()> {
        let mut its = Vec::new();
        for split in std::mem::take(&mut self.pending) {
            let index = Position::read(&split)?.index;
            let list =
                if index % self.parallelism == u64::from(reader.0) { &mut its } else { &mut self.pending };
            list.push(split);
        }
        match its.is_empty() {
            true => assignments.no_more_splits(reader),
            false => assignments.assign(reader, its),
        }
        Ok(())
    }

    fn splits_returned(&mut self, _: SubtaskIndex, splits: Vec<Split>, _: &mut Assignments) -> Result<()> {
        self.pending.extend(splits);
        Ok(())
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Payload> {
        Payload::json(VERSION, &EnumeratorState { pending: self.pending.clone() })
    }
}
