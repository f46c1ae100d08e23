//! The columnar batch of SQL: arrow columns, row kinds, selection.

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt8Array, UInt32Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::cmp::distinct;
use arrow::compute::{concat_batches, filter, filter_record_batch, take, take_record_batch};
use arrow::datatypes::SchemaRef;
use flott_types::{Error, Result};

use crate::{RowKind, RowKinds};

/// Columns with a change kind per row and a selection of rows.
///
/// `kinds` is absent when every row is `+I`. `selection` is absent when every row is selected; with it, a
/// filter or an exchange need not copy the columns. The order of rows is the order of changes.
#[derive(Clone, PartialEq, Debug)]
pub struct ChangeBatch {
    columns: RecordBatch,
    kinds: Option<RowKinds>,
    selection: Option<BooleanBuffer>,
}

impl ChangeBatch {
    /// Rows that are all insertions.
    pub fn insert_only(columns: RecordBatch) -> Self {
        ChangeBatch { columns, kinds: None, selection: None }
    }

    /// Rows with one kind each. If all kinds are `+I`, they are dropped.
    pub fn new(columns: RecordBatch, kinds: Option<RowKinds>) -> Self {
        debug_assert!(kinds.as_ref().is_none_or(|kinds| kinds.len() == columns.num_rows()));
        let kinds = kinds.filter(|kinds| !kinds.all_insert());
        ChangeBatch { columns, kinds, selection: None }
    }

    /// The schema of the columns.
    pub fn schema(&self) -> SchemaRef {
        self.columns.schema()
    }

    /// All rows, including those that are not selected.
    pub fn columns(&self) -> &RecordBatch {
        &self.columns
    }

    /// One column, including rows that are not selected.
    pub fn column(&self, index: usize) -> &ArrayRef {
        self.columns.column(index)
    }

    /// The kinds of all rows; `None` when all are `+I`.
    pub fn kinds(&self) -> Option<&RowKinds> {
        self.kinds.as_ref()
    }

    /// The kind of a physical row.
    #[inline]
    pub fn kind(&self, row: usize) -> RowKind {
        self.kinds.as_ref().map_or(RowKind::Insert, |kinds| kinds.get(row))
    }

    /// Which rows are selected; `None` when all are.
    pub fn selection(&self) -> Option<&BooleanBuffer> {
        self.selection.as_ref()
    }

    /// The number of selected rows.
    pub fn num_rows(&self) -> usize {
        self.selection.as_ref().map_or(self.columns.num_rows(), BooleanBuffer::count_set_bits)
    }

    /// The number of rows in the columns.
    pub fn physical_rows(&self) -> usize {
        self.columns.num_rows()
    }

    /// Whether no row is selected.
    pub fn is_empty(&self) -> bool {
        self.num_rows() == 0
    }

    /// The same rows with other columns, of the same physical length (a projection).
    pub fn with_columns(&self, columns: RecordBatch) -> Self {
        debug_assert_eq!(columns.num_rows(), self.columns.num_rows());
        ChangeBatch { columns, kinds: self.kinds.clone(), selection: self.selection.clone() }
    }

    /// The same rows with other kinds; `None` makes all of them `+I`.
    #[must_use]
    pub fn with_kinds(self, kinds: Option<RowKinds>) -> Self {
        debug_assert!(kinds.as_ref().is_none_or(|kinds| kinds.len() == self.columns.num_rows()));
        ChangeBatch { kinds: kinds.filter(|kinds| !kinds.all_insert()), ..self }
    }

    /// Narrows the selection to the rows for which `keep` is set; `keep` is as long as the columns.
    #[must_use]
    pub fn select(self, keep: &BooleanBuffer) -> Self {
        debug_assert_eq!(keep.len(), self.columns.num_rows());
        let selection = match &self.selection {
            Some(selection) => selection & keep,
            None => keep.clone(),
        };
        let all = selection.count_set_bits() == selection.len();
        ChangeBatch { selection: (!all).then_some(selection), ..self }
    }

    /// Without the -U of updates. A -U that its +U does not follow takes its row away: it becomes a -D. So does
    /// one whose +U has another value in these columns: who finds rows by them would keep the old row.
    ///
    /// # Errors
    /// If the columns cannot be compared.
    pub fn without_update_before(self, key: &[usize]) -> Result<Self> {
        let Some(kinds) = &self.kinds else { return Ok(self) };
        let selected = |row: &usize| self.selection.as_ref().is_none_or(|selection| selection.value(*row));
        let mut whole: Vec<RowKind> = kinds.iter().collect();
        let mut keep = vec![true; whole.len()];
        let mut open: Option<usize> = None;
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for row in (0..kinds.len()).filter(selected) {
            match (kinds.get(row), open.take()) {
                (RowKind::UpdateAfter, Some(half)) => {
                    before.push(half as u32);
                    after.push(row as u32);
                }
                (RowKind::UpdateAfter, None) => (),
                (RowKind::Insert | RowKind::UpdateBefore | RowKind::Delete, Some(alone)) => {
                    keep[alone] = true;
                    whole[alone] = RowKind::Delete;
                }
                (RowKind::Insert | RowKind::UpdateBefore | RowKind::Delete, None) => (),
            }
            if kinds.get(row) == RowKind::UpdateBefore {
                keep[row] = false;
                open = Some(row);
            }
        }
        if let Some(alone) = open {
            keep[alone] = true;
            whole[alone] = RowKind::Delete;
        }
        if !key.is_empty() && !before.is_empty() {
            let (olds, news) = (UInt32Array::from(before), UInt32Array::from(after));
            for column in key.iter().filter_map(|column| self.columns.columns().get(*column)) {
                let half = |rows| take(column, rows, None).map_err(arrow_error);
                let moves = distinct(&half(&olds)?, &half(&news)?).map_err(arrow_error)?;
                for (old, _) in olds.values().iter().zip(&moves).filter(|(_, moves)| *moves == Some(true)) {
                    keep[*old as usize] = true;
                    whole[*old as usize] = RowKind::Delete;
                }
            }
        }
        Ok(self.with_kinds(Some(whole.into())).select(&BooleanBuffer::from(keep)))
    }

    /// The selected rows, compacted; does nothing when all are selected.
    pub fn compact(self) -> Result<Self> {
        let Some(selection) = self.selection else {
            return Ok(self);
        };
        let mask = BooleanArray::new(selection, None);
        let columns = filter_record_batch(&self.columns, &mask).map_err(arrow_error)?;
        let kinds = match self.kinds {
            Some(kinds) => Some(filter_kinds(&kinds, &mask)?),
            None => None,
        };
        Ok(ChangeBatch::new(columns, kinds))
    }

    /// The rows at these physical positions, in this order.
    pub fn take(&self, rows: &UInt32Array) -> Result<Self> {
        let columns = take_record_batch(&self.columns, rows).map_err(arrow_error)?;
        let kinds = self
            .kinds
            .as_ref()
            .map(|kinds| rows.values().iter().map(|row| kinds.get(*row as usize)).collect());
        Ok(ChangeBatch::new(columns, kinds))
    }

    /// A part of the physical rows, sharing the memory.
    #[must_use]
    pub fn slice(&self, offset: usize, len: usize) -> Self {
        ChangeBatch {
            columns: self.columns.slice(offset, len),
            kinds: self
                .kinds
                .as_ref()
                .map(|kinds| kinds.slice(offset, len))
                .filter(|kinds| !kinds.all_insert()),
            selection: self.selection.as_ref().map(|selection| selection.slice(offset, len)),
        }
    }

    /// Several batches of one schema one after the other, compacted.
    pub fn concat(schema: &SchemaRef, batches: impl IntoIterator<Item = ChangeBatch>) -> Result<Self> {
        let batches = batches.into_iter().map(ChangeBatch::compact).collect::<Result<Vec<_>>>()?;
        if let [one] = batches.as_slice() {
            return Ok(one.clone());
        }
        let columns =
            concat_batches(schema, batches.iter().map(|batch| &batch.columns)).map_err(arrow_error)?;
        let kinds = batches.iter().any(|batch| batch.kinds.is_some()).then(|| {
            batches.iter().flat_map(|batch| (0..batch.physical_rows()).map(|row| batch.kind(row))).collect()
        });
        Ok(ChangeBatch::new(columns, kinds))
    }
}

fn filter_kinds(kinds: &RowKinds, mask: &BooleanArray) -> Result<RowKinds> {
    let bytes = UInt8Array::new(kinds.as_bytes().to_vec().into(), None);
    let kept = filter(&bytes, mask).map_err(arrow_error)?;
    let data = kept.to_data();
    Ok(RowKinds::from(data.buffers()[0].slice_with_length(data.offset(), data.len())))
}

fn arrow_error(error: arrow::error::ArrowError) -> Error {
    Error::internal("arrow kernel failed").with_source(error)
}
