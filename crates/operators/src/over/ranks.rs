//! RANK and DENSE_RANK by a time attribute: counts over the frame of all rows up to now.
//!
//! All rows of a key with one time are computed together. So DENSE_RANK counts the first row of each time, and RANK is the number of
//! rows up to now without those of the same time, plus one. In processing time each row has a time of its own.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array};
use arrow::datatypes::Int64Type;
use flott_plan::{AggregateCall, Schema};
use flott_types::{Timestamp, TypeKind};

/// Whether a function is one of these.
pub(super) fn is_rank(function: &str) -> bool {
    matches!(function, "RANK" | "DENSE_RANK")
}

/// The columns of the input, and behind them whether a row is the first of its key and time.
pub(super) fn schema(input: &Schema) -> Schema {
    let columns = input.iter().map(|(name, ty)| (name.to_owned(), ty.clone()));
    Schema::new(columns.chain([("$first".to_owned(), TypeKind::Boolean.not_null())]))
}

/// What the frames count for a call; `first` is the column that [`schema`] adds.
pub(super) fn counted(call: &AggregateCall, first: usize) -> AggregateCall {
    let filter = (call.function == "DENSE_RANK").then_some(first);
    AggregateCall { function: "COUNT".to_owned(), filter, ..call.clone() }
}

/// Rows that share a key and a time.
pub(super) struct Peers {
    /// Whether a row is the first of them.
    pub first: ArrayRef,
    /// How many others there are.
    pub others: Vec<i64>,
}

impl Peers {
    /// Of rows in the order of their times, of which those with equal times are all there; `alone` if each row has a time of its own.
    pub fn new(slots: &[u32], times: &[Timestamp], alone: bool) -> Self {
        if alone {
            let first: ArrayRef = Arc::new(BooleanArray::from(vec![true; times.len()]));
            return Peers { first, others: vec![0; times.len()] };
        }
        let (mut first, mut others) = (vec![false; times.len()], vec![0; times.len()]);
        let rows: Vec<usize> = (0..times.len()).collect();
        for same_time in rows.chunk_by(|a, b| times[*a] == times[*b]) {
            let mut by_key = same_time.to_vec();
            by_key.sort_by_key(|row| slots[*row]);
            for peers in by_key.chunk_by(|a, b| slots[*a] == slots[*b]) {
                first[peers[0]] = true;
                peers.iter().for_each(|row| others[*row] = peers.len() as i64 - 1);
            }
        }
        Peers { first: Arc::new(BooleanArray::from(first)), others }
    }
}

/// The ranks of rows: `counts` without the others of the same time.
pub(super) fn ranks(counts: &ArrayRef, others: &[i64]) -> ArrayRef {
    let counts = counts.as_primitive::<Int64Type>().values();
    Arc::new(Int64Array::from_iter_values(counts.iter().zip(others).map(|(count, others)| count - others)))
}
