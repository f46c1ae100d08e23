//! What a row of a changelog means: Flink's four-way row kind.

use std::fmt;

use arrow::buffer::{Buffer, ScalarBuffer};
use serde::{Deserialize, Serialize};

/// The kind of a change. The discriminants are part of the stored format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum RowKind {
    /// `+I`: a row appears.
    #[serde(rename = "+I")]
    Insert = 0,
    /// `-U`: the old content of an updated row; the `+U` of the same key follows directly.
    #[serde(rename = "-U")]
    UpdateBefore = 1,
    /// `+U`: the new content of an updated row.
    #[serde(rename = "+U")]
    UpdateAfter = 2,
    /// `-D`: a row disappears.
    #[serde(rename = "-D")]
    Delete = 3,
}

impl RowKind {
    /// Whether the row adds to the result (`+I`, `+U`) rather than taking away from it (`-U`, `-D`).
    #[inline]
    pub fn is_addition(self) -> bool {
        matches!(self, RowKind::Insert | RowKind::UpdateAfter)
    }

    /// The kind with this discriminant; anything above 3 reads as `-D`.
    #[inline]
    pub fn from_u8(byte: u8) -> Self {
        match byte {
            0 => RowKind::Insert,
            1 => RowKind::UpdateBefore,
            2 => RowKind::UpdateAfter,
            _ => RowKind::Delete,
        }
    }

    /// `+I`, `-U`, `+U` or `-D`.
    pub fn symbol(self) -> &'static str {
        match self {
            RowKind::Insert => "+I",
            RowKind::UpdateBefore => "-U",
            RowKind::UpdateAfter => "+U",
            RowKind::Delete => "-D",
        }
    }
}

impl fmt::Display for RowKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

/// One kind per row: a byte column next to the arrow columns. Cheap to clone and slice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowKinds(ScalarBuffer<u8>);

impl RowKinds {
    /// The kinds of this many rows, all the same.
    pub fn repeat(kind: RowKind, rows: usize) -> Self {
        RowKinds(vec![kind as u8; rows].into())
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The kind of a row. Panics when out of range, as indexing does.
    #[inline]
    pub fn get(&self, row: usize) -> RowKind {
        RowKind::from_u8(self.0[row])
    }

    /// The discriminants.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The kinds one after the other.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = RowKind> + '_ {
        self.0.iter().map(|byte| RowKind::from_u8(*byte))
    }

    /// A part, sharing the memory.
    #[must_use]
    pub fn slice(&self, offset: usize, len: usize) -> Self {
        RowKinds(self.0.slice(offset, len))
    }

    /// Whether every row is `+I`.
    pub fn all_insert(&self) -> bool {
        self.0.iter().all(|byte| *byte == RowKind::Insert as u8)
    }
}

impl From<Vec<RowKind>> for RowKinds {
    fn from(kinds: Vec<RowKind>) -> Self {
        RowKinds(kinds.into_iter().map(|kind| kind as u8).collect())
    }
}

impl FromIterator<RowKind> for RowKinds {
    fn from_iter<I: IntoIterator<Item = RowKind>>(kinds: I) -> Self {
        RowKinds(kinds.into_iter().map(|kind| kind as u8).collect())
    }
}

impl From<Buffer> for RowKinds {
    fn from(bytes: Buffer) -> Self {
        RowKinds(bytes.into())
    }
}
