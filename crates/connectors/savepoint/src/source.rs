//! The source: pieces of a state by key groups.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, SchemaRef};
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_connector::{
    Boundedness, EnumeratorContext, FixedSplits, Payload, Poll, ReaderContext, Source, SourceOutput,
    SourceReader, Split, SplitEnumerator,
};
use flott_plan::{Schema, SourceSpec};
use flott_types::{CheckpointId, Error, OperatorUid, Result, TypeKind};
use serde::{Deserialize, Serialize};

use crate::savepoint::{Savepoint, StateSummary};

/// The column of a list.
const ENTRY: &str = "entry";

/// Which columns are read of what.
#[derive(Clone)]
pub(crate) struct Layout {
    schema: SchemaRef,
    is_list: bool,
}

impl Layout {
    /// Of a keyed state.
    pub(crate) fn of_state(spec: &SourceSpec, state: &StateSummary) -> Result<Self> {
        for column in &spec.table.schema.columns {
            let Some(stored) = state.columns.iter().find(|stored| stored.name == column.name) else {
                let known: Vec<String> =
                    state.columns.iter().map(|stored| format!("`{}` {}", stored.name, stored.ty)).collect();
                return Err(Error::invalid(format!(
                    "the state '{}' has no column '{}'; there are: {}",
                    state.name,
                    column.name,
                    known.join(", ")
                )));
            };
            if !stored.is_readable {
                return Err(Error::unsupported(format!(
                    "the column '{}' of the state '{}' is stored as {}, which no type of SQL is",
                    stored.name, state.name, stored.ty
                )));
            }
        }
        Ok(Layout { schema: projected(spec)?, is_list: false })
    }

    /// Of a list of entries.
    pub(crate) fn of_list(spec: &SourceSpec) -> Result<Self> {
        match spec.table.schema.columns.as_slice() {
            [column] if column.name == ENTRY && column.ty.kind == TypeKind::STRING => {}
            _ => {
                return Err(Error::invalid(format!(
                    "a list of entries has the single column '{ENTRY}' STRING"
                )));
            }
        }
        Ok(Layout { schema: projected(spec)?, is_list: true })
    }

    /// Rows as they are stored, as the table declares them.
    fn read(&self, stored: &RecordBatch) -> Result<RecordBatch> {
        let column = |field: &arrow::datatypes::FieldRef| {
            let name = field.name();
            let stored = stored.column_by_name(name);
            // A column that came later has no values in older files.
            let Some(stored) = stored else {
                return Err(Error::state(format!("a file has no column '{name}'")));
            };
            converted(stored, field.data_type())
                .map_err(|error| error.context(format_args!("column '{name}'")))
        };
        let columns = self.schema.fields().iter().map(column).collect::<Result<Vec<_>>>()?;
        self.batch(columns, stored.num_rows())
    }

    fn batch(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(|error| Error::data("a row of a state does not fit the table").with_source(error))
    }
}

fn projected(spec: &SourceSpec) -> Result<SchemaRef> {
    let Schema { columns } = &spec.table.schema;
    let column = |index: &usize| {
        columns.get(*index).ok_or_else(|| Error::internal(format!("there is no column {index}")))
    };
    let columns = spec.projection.iter().map(column).collect::<Result<Vec<_>>>()?;
    Ok(arrow_type::schema(columns.into_iter().map(|column| (column.name.as_str(), &column.ty))))
}

/// Values as another type, if none of them changes by that.
fn converted(stored: &ArrayRef, ty: &DataType) -> Result<ArrayRef> {
    if stored.data_type() == ty {
        return Ok(stored.clone());
    }
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let refused =
        || Error::invalid(format!("is stored as {}, and cannot be read as {ty}", stored.data_type()));
    let there = cast_with_options(stored, ty, &options).map_err(|error| refused().with_source(error))?;
    let back = cast_with_options(&there, stored.data_type(), &options)
        .map_err(|error| refused().with_source(error))?;
    match back.to_data() == stored.to_data() {
        true => Ok(there),
        false => Err(refused()),
    }
}

pub(crate) struct SavepointSource {
    of: Arc<Of>,
    max_parallelism: u32,
    limit: Option<u64>,
}

/// What is read.
struct Of {
    savepoint: Savepoint,
    uid: OperatorUid,
    state: String,
    layout: Layout,
}

impl SavepointSource {
    pub(crate) fn new(
        savepoint: Savepoint,
        uid: OperatorUid,
        max_parallelism: u32,
        state: String,
        layout: Layout,
        limit: Option<u64>,
    ) -> Self {
        SavepointSource { of: Arc::new(Of { savepoint, uid, state, layout }), max_parallelism, limit }
    }
}

impl Source for SavepointSource {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        let pieces = context.parallelism.clamp(1, self.max_parallelism);
        let split = |piece| Piece { piece, pieces, read: 0 }.to_split();
        Ok(Box::new(FixedSplits::new(restored, || (0..pieces).map(split).collect())?))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(Reader {
            of: self.of.clone(),
            batch_size: context.batch_size.max(1),
            pieces: VecDeque::new(),
            rows: None,
            wanted: self.limit,
        }))
    }
}

/// A piece of the state, and how many of its rows are read.
#[derive(Clone, Serialize, Deserialize)]
struct Piece {
    piece: u32,
    pieces: u32,
    read: u64,
}

const VERSION: u32 = 1;

impl Piece {
    fn id(&self) -> String {
        format!("{}/{}", self.piece, self.pieces)
    }

    fn to_split(&self) -> Result<Split> {
        Ok(Split { id: self.id(), payload: Payload::json(VERSION, self)? })
    }
}

struct Reader {
    of: Arc<Of>,
    batch_size: usize,
    /// Read in turn.
    pieces: VecDeque<Piece>,
    /// What is left of the first piece.
    rows: Option<VecDeque<RecordBatch>>,
    /// How many rows are still wanted, if there is a limit.
    wanted: Option<u64>,
}

impl Of {
    /// The rows of a piece, in an order that is always the same.
    fn rows(&self, piece: &Piece) -> Result<VecDeque<RecordBatch>> {
        let mut state = self.savepoint.state(&self.uid, piece.piece, piece.pieces)?;
        let stored = match self.layout.is_list {
            true => {
                let entries: ArrayRef = Arc::new(StringArray::from(state.take_list(&self.state)));
                let columns = self.layout.schema.fields().iter().map(|_| entries.clone()).collect();
                return Ok(VecDeque::from([self.layout.batch(columns, entries.len())?]));
            }
            false => state.take_keyed(&self.state),
        };
        let mut left = piece.read;
        let mut rows = VecDeque::new();
        for batch in stored {
            let skipped = left.min(batch.num_rows() as u64);
            left -= skipped;
            let skipped = skipped as usize;
            if skipped < batch.num_rows() {
                rows.push_back(self.layout.read(&batch.slice(skipped, batch.num_rows() - skipped))?);
            }
        }
        Ok(rows)
    }
}

impl SourceReader for Reader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for split in &splits {
            self.pieces.push_back(split.payload.from_json(&[VERSION], "a position in a snapshot")?);
        }
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        if self.wanted == Some(0) {
            self.pieces.clear();
        }
        let Some(piece) = self.pieces.front_mut() else { return Ok(Poll::SplitsDone) };
        let rows = match &mut self.rows {
            Some(rows) => rows,
            none => none.insert(self.of.rows(piece)?),
        };
        let Some(batch) = rows.pop_front() else {
            let id = piece.id();
            self.pieces.pop_front();
            self.rows = None;
            output.split_finished(&id)?;
            return Ok(Poll::More);
        };
        let most = self.batch_size.min(self.wanted.map_or(usize::MAX, |wanted| wanted as usize));
        let now = batch.num_rows().min(most);
        if now < batch.num_rows() {
            rows.push_front(batch.slice(now, batch.num_rows() - now));
        }
        piece.read += now as u64;
        self.wanted = self.wanted.map(|wanted| wanted - now as u64);
        output.emit(&piece.id(), Batch::Changes(ChangeBatch::insert_only(batch.slice(0, now))))?;
        Ok(Poll::More)
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        self.pieces.iter().map(Piece::to_split).collect()
    }
}
