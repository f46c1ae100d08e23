//! How the rows of a state become bytes and come back: see [`spill`](crate::spill).

use arrow::datatypes::{DataType, FieldRef};
use flott_types::{Error, Result};

use super::write::{in_parts, stored_schema};
use super::{RowSource, Stored, StoredRows};
use crate::Index;
use crate::codec::RowCodec;
use crate::cut::runs;
use crate::spill::{Fetched, RowState, Spilled, SpilledTable};

/// Rows are decoded so many at a time, or so many bytes.
const ROWS: usize = 16 << 10;
const BYTES: usize = 32 << 20;

/// Encodes the rows of a state that leave memory, and decodes those that come back. A row has the columns that
/// tell it apart, then its values.
#[derive(Debug)]
pub struct RowSpill {
    codec: RowCodec,
    keys: Vec<FieldRef>,
    values: Vec<FieldRef>,
}

impl RowSpill {
    /// For rows of these columns; `None` if they would come back as something else.
    pub fn new(keys: Vec<FieldRef>, values: Vec<FieldRef>) -> Option<Self> {
        let fields = [keys.as_slice(), &values].concat();
        let is_plain = |field: &FieldRef| !matches!(field.data_type(), DataType::Dictionary(..));
        let codec = fields.iter().all(is_plain).then(|| RowCodec::new(&fields).ok()).flatten()?;
        Some(RowSpill { codec, keys, values })
    }

    /// Adds rows of a state to what leaves memory: each with the position of its key, ascending, and what a
    /// checkpoint must do with it. About so many bytes are encoded at a time.
    ///
    /// # Errors
    /// If they cannot be encoded.
    pub fn write<S: RowSource>(
        &mut self,
        name: &str,
        source: &S,
        rows: &[(u32, S::Row)],
        bytes_at_once: usize,
        state_of: impl Fn(S::Row) -> RowState,
        into: &mut Spilled<'_>,
    ) -> Result<()> {
        let codec = &mut self.codec;
        let state = into.state(name);
        let bytes = |(_, row): (u32, S::Row)| source.key_bytes(row) + source.value_bytes(row);
        for run in runs(rows, bytes_at_once, bytes) {
            // The size of values of a user's type is known only when they are written.
            in_parts(run, |run| {
                let numbers: Vec<S::Row> = run.iter().map(|(_, row)| *row).collect();
                let mut columns = source.keys(&numbers)?;
                columns.append(&mut source.values(&numbers)?);
                codec.encode(&columns, numbers.len())?;
                for (at, (key, row)) in run.iter().enumerate() {
                    into.push(state, *key, state_of(*row), codec.row(at));
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Calls `each` with the rows of a state that come back, part by part, and with what a checkpoint must do
    /// with each of them.
    ///
    /// # Errors
    /// If they cannot be decoded; those of `each`.
    pub fn read(
        &self,
        name: &str,
        from: &Fetched<'_>,
        mut each: impl FnMut(StoredRows, &[RowState]) -> Result<()>,
    ) -> Result<()> {
        let fetched: Vec<(u32, RowState, &[u8])> = from.rows(name).collect();
        let whole = fetched.chunks(ROWS);
        for part in whole.flat_map(|part| runs(part, BYTES, |(_, _, bytes)| bytes.len())) {
            let mut columns = self.codec.decode(part.iter().map(|(_, _, bytes)| *bytes))?.into_iter();
            let mut stored = |fields: &[FieldRef]| {
                let column =
                    |field: &FieldRef| Some(Stored { field: field.clone(), column: columns.next()? });
                let stored: Option<Vec<Stored>> = fields.iter().map(column).collect();
                stored.ok_or_else(|| Error::internal("a row of spilled state has too few columns"))
            };
            let (keys, values) = (stored(&self.keys)?, stored(&self.values)?);
            let slots = part.iter().map(|(slot, _, _)| *slot).collect();
            let states: Vec<RowState> = part.iter().map(|(_, state, _)| *state).collect();
            each(StoredRows { slots, keys, values, complete: true }, &states)?;
        }
        Ok(())
    }

    /// The state as snapshots describe it.
    pub fn describe(&self, name: &str, index: &dyn Index) -> SpilledTable {
        let (schema, key_columns) = stored_schema(index, &self.keys, &self.values);
        SpilledTable {
            name: name.to_owned(),
            schema,
            shared: index.fields(),
            own: [self.keys.as_slice(), &self.values].concat(),
            key_columns,
            partition_columns: index.partition_columns(),
            full: false,
        }
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.codec.memory()
    }
}
