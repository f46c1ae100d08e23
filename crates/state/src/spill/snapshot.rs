//! The rows of a store as parts of a snapshot, read off the task's thread and a few at a time.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{FieldRef, SchemaRef};
use flott_types::{Error, Result};

use super::View;
use super::keys::{Hidden, parts_of};
use super::merged::Merged;
use super::rows::each_row;
use crate::KeyedDelta;
use crate::bits::Bits;
use crate::codec::RowCodec;

/// A part has at most about so many rows and bytes.
const ROWS: usize = 16 << 10;
const BYTES: usize = 4 << 20;

/// A state whose rows are spilled, as snapshots describe it.
#[derive(Clone, Debug)]
pub struct SpilledTable {
    /// The state's name within the operator.
    pub name: String,
    /// Key columns, then value columns.
    pub schema: SchemaRef,
    /// The columns of the key that all states share.
    pub shared: Vec<FieldRef>,
    /// The state's own columns, as it encodes them: those that tell the rows of a key apart, and values.
    pub own: Vec<FieldRef>,
    /// How many columns form the key.
    pub key_columns: usize,
    /// How many of the key columns decide the key group.
    pub partition_columns: usize,
    /// Whether all rows are wanted, or those that changed.
    pub full: bool,
}

/// What an operator hands over of its spilled state. Shares no key with the deltas of the same snapshot.
#[derive(Clone, Debug)]
pub struct SpilledSnapshot {
    view: View,
    hidden: Option<Arc<Hidden>>,
    /// The states by their number in values.
    names: Vec<String>,
    /// The runs of this epoch hold what changed.
    epoch: u64,
    tables: Vec<SpilledTable>,
}

impl SpilledSnapshot {
    pub(super) fn new(
        view: View,
        hidden: Option<Hidden>,
        names: Vec<String>,
        epoch: u64,
        tables: Vec<SpilledTable>,
    ) -> Self {
        SpilledSnapshot { view, hidden: hidden.map(Arc::new), names, epoch, tables }
    }

    /// The states.
    pub fn tables(&self) -> &[SpilledTable] {
        &self.tables
    }

    /// The rows of a state, in parts of a few megabytes, ascending by key group. No two rows have the same
    /// key.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn parts<'a>(&'a self, table: &'a SpilledTable) -> Result<SpilledParts<'a>> {
        let mut runs = self.view.runs.clone();
        runs.extend(self.hidden.as_ref().map(|hidden| hidden.run(self.epoch)).transpose()?);
        Ok(SpilledParts {
            table,
            number: self.names.iter().position(|name| *name == table.name),
            epoch: self.epoch,
            keys: RowCodec::new(&table.shared)?,
            own: RowCodec::new(&table.own)?,
            entries: Merged::new(&runs, &[])?,
        })
    }
}

/// The rows of a state, part by part.
pub struct SpilledParts<'a> {
    table: &'a SpilledTable,
    number: Option<usize>,
    epoch: u64,
    keys: RowCodec,
    own: RowCodec,
    entries: Merged,
}

impl SpilledParts<'_> {
    /// The next part; `None` at the end.
    ///
    /// # Errors
    /// If it cannot be read.
    #[expect(clippy::should_implement_trait, reason = "it can fail")]
    pub fn next(&mut self) -> Result<Option<KeyedDelta>> {
        let mut part = Part::default();
        while let Some((key, value, epoch)) = self.entries.entry() {
            if part.is_full() {
                break;
            }
            let (group, key) = parts_of(key)?;
            let changes = epoch == self.epoch;
            if let Some(value) = value.filter(|_| self.table.full || changes) {
                each_row(value, |state, row, bytes| {
                    let wanted = if self.table.full { !row.deleted } else { row.dirty };
                    if Some(state) == self.number && wanted {
                        part.push(group, key, bytes, row.deleted);
                    }
                    Ok(())
                })?;
            }
            self.entries.advance()?;
        }
        if part.groups.is_empty() {
            Ok(None)
        } else {
            part.into_delta(self.table, &self.keys, &self.own).map(Some)
        }
    }
}

/// Rows that become one part.
#[derive(Default)]
struct Part {
    groups: Vec<u16>,
    keys: Ends,
    rows: Ends,
    /// The positions of those that are deleted.
    deleted: Bits,
}

#[derive(Default)]
struct Ends {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Ends {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len());
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }
}

impl Part {
    fn push(&mut self, group: u16, key: &[u8], row: &[u8], deleted: bool) {
        if deleted {
            self.deleted.set(self.groups.len() as u32);
        }
        self.groups.push(group);
        self.keys.push(key);
        self.rows.push(row);
    }

    fn is_full(&self) -> bool {
        self.groups.len() >= ROWS || self.keys.bytes.len() + self.rows.bytes.len() >= BYTES
    }

    fn into_delta(self, table: &SpilledTable, keys: &RowCodec, own: &RowCodec) -> Result<KeyedDelta> {
        let part = self;
        let mut columns = keys.decode(part.keys.iter())?;
        columns.append(&mut own.decode(part.rows.iter())?);
        let options = RecordBatchOptions::new().with_row_count(Some(part.groups.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&table.schema), columns, &options)
            .map_err(|error| Error::internal("rows of spilled state").with_source(error))?;
        Ok(KeyedDelta {
            name: table.name.clone(),
            rows,
            key_columns: table.key_columns,
            partition_columns: table.partition_columns,
            deleted: (part.deleted.ones() > 0)
                .then(|| BooleanBuffer::collect_bool(part.groups.len(), |row| part.deleted.get(row as u32))),
            key_groups: part.groups,
            full: false,
        })
    }
}
