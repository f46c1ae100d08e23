//! Joined rows under construction.

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use flott_batch::{ChangeBatch, RowKind, RowKinds};
use flott_state::KeyIndex;
use flott_types::Result;

use super::side::Side;
use crate::support::{gather, record_batch, take_columns};

/// Which rows of the batch are paired with which candidates. What is absent is NULL.
#[derive(Default)]
pub(super) struct Joined {
    kinds: Vec<RowKind>,
    rows: Vec<Option<u32>>,
    pairs: Vec<Option<u32>>,
}

/// The parts of the output, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Parts {
    /// The batch's columns, then those of the other side.
    OwnThenOther,
    OtherThenOwn,
    Own,
    Other,
}

/// Candidates: rows of the other side, decoded or not.
pub(super) struct Others<'a> {
    pub side: &'a Side,
    pub keys: &'a KeyIndex,
    pub entries: &'a [u32],
    pub decoded: Option<&'a [ArrayRef]>,
}

impl Joined {
    #[inline]
    pub fn push(&mut self, kind: RowKind, row: Option<u32>, pair: Option<u32>) {
        self.kinds.push(kind);
        self.rows.push(row);
        self.pairs.push(pair);
    }

    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Builds the batch and starts over.
    pub fn build(
        &mut self,
        schema: &SchemaRef,
        parts: Parts,
        own: &[ArrayRef],
        others: &Others<'_>,
    ) -> Result<ChangeBatch> {
        let Joined { kinds, rows, pairs } = std::mem::take(self);
        let len = kinds.len();
        let mine = || joined_rows(own, &rows);
        let theirs = || match others.decoded {
            Some(decoded) => joined_rows(decoded, &pairs),
            None => {
                let used: Vec<u32> =
                    pairs.iter().flatten().map(|pair| others.entries[*pair as usize]).collect();
                let decoded = others.side.rows_of(others.keys, &used)?;
                if used.len() == len {
                    return Ok(decoded);
                }
                let mut next = 0..;
                let places: Vec<Option<u32>> =
                    pairs.iter().map(|pair| pair.and_then(|_| next.next())).collect();
                gather(&decoded, &places)
            }
        };
        let columns = match parts {
            Parts::Own => mine()?,
            Parts::Other => theirs()?,
            Parts::OwnThenOther => [mine()?, theirs()?].concat(),
            Parts::OtherThenOwn => [theirs()?, mine()?].concat(),
        };
        Ok(ChangeBatch::new(record_batch(schema, columns, len)?, Some(RowKinds::from(kinds))))
    }
}

/// These rows of columns, NULL where there is none. Rows that are all there in their order are not copied.
fn joined_rows(columns: &[ArrayRef], rows: &[Option<u32>]) -> Result<Vec<ArrayRef>> {
    let Some(all) = rows.iter().copied().collect::<Option<Vec<u32>>>() else { return gather(columns, rows) };
    let whole = columns.first().is_none_or(|column| column.len() == all.len());
    if whole && all.iter().zip(0..).all(|(row, at)| *row == at) {
        return Ok(columns.to_vec());
    }
    take_columns(columns, &all)
}
