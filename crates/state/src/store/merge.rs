//! What a chain of files adds up to, and when to merge it.
//!
//! A table's chain is a base and the deltas since. Merging follows the sizes, as in a log-structured store:
//! when there are too many files, the newest ones are merged, together with each older one that is not larger
//! than all of them together. So a row is rewritten only when the data it is merged with has doubled:
//! logarithmically often. When that reaches the base, the result is a new base.

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use flott_checkpoint::manifest::{FileKind, StateFile};
use flott_types::{Error, Result};

use super::format;
use crate::KeyIndex;

/// A chain with more files than this is merged.
pub(crate) const MAX_FILES: usize = 8;

/// The file from which on a chain is merged with a delta of `new` bytes: `None` if it need not be, 0 for the
/// whole chain.
pub(crate) fn merge_from(files: &[StateFile], new: u64) -> Option<usize> {
    let deltas: u64 = files.iter().skip(1).map(StateFile::size).sum();
    // The first is the base; without it there is nothing to outweigh.
    if files.first().is_some_and(|base| deltas + new >= base.size()) {
        return Some(0);
    }
    if files.len() < MAX_FILES {
        return None;
    }
    let (mut from, mut total) = (files.len(), new);
    while from > 0 && (files[from - 1].size() <= total || files.len() - from < 2) {
        from -= 1;
        total += files[from].size();
    }
    // A full file in the middle (after a rescale) replaces what is before it: only the whole is well-defined.
    let full = files[from..].iter().any(|file| file.kind == FileKind::Full);
    Some(if full { 0 } else { from })
}

/// A later file from which on a chain is merged instead, so that no more than so many bytes are; `None` if that is not
/// worth it.
pub(crate) fn at_most(files: &[StateFile], from: usize, most: u64) -> Option<usize> {
    let mut total: u64 = files[from..].iter().map(StateFile::size).sum();
    let mut later = from;
    while total > most {
        total -= files[later].size();
        later += 1;
    }
    let full = || files[later..].iter().any(|file| file.kind == FileKind::Full);
    (later == from || files.len() - later >= 2 && !full()).then_some(later)
}

/// The newest row of each key. `files` are stored rows, oldest first; deletions are rows.
pub(crate) fn newest(files: Vec<Vec<RecordBatch>>, key_columns: usize) -> Result<Vec<RecordBatch>> {
    let Some(schema) = files.iter().rev().flatten().next().map(RecordBatch::schema) else {
        return Ok(Vec::new());
    };
    let alone = files.iter().filter(|file| !file.is_empty()).count() <= 1;
    let mut seen =
        KeyIndex::new(schema.fields().get(format::OWN..format::OWN + key_columns).unwrap_or_default())?;
    let mut slots = Vec::new();
    let mut kept = Vec::new();
    for batch in files.into_iter().rev().flatten() {
        let batch = as_schema(batch, &schema, key_columns)?;
        if alone {
            kept.push(batch);
            continue;
        }
        let keys = &batch.columns()[format::OWN..format::OWN + key_columns];
        let mut new = vec![false; batch.num_rows()];
        seen.intern(keys, batch.num_rows(), &mut slots, |_, row| new[row] = true)?;
        kept.push(filter(batch, BooleanBuffer::from(new))?);
    }
    kept.retain(|batch| batch.num_rows() > 0);
    Ok(kept)
}

/// Drops the deletions.
pub(crate) fn live(batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>> {
    let live = |batch: RecordBatch| {
        let live = !format::deleted(&batch);
        filter(batch, live)
    };
    let mut batches = batches.into_iter().map(live).collect::<Result<Vec<_>>>()?;
    batches.retain(|batch| batch.num_rows() > 0);
    Ok(batches)
}

fn filter(batch: RecordBatch, keep: BooleanBuffer) -> Result<RecordBatch> {
    if keep.count_set_bits() == batch.num_rows() {
        return Ok(batch);
    }
    filter_record_batch(&batch, &BooleanArray::new(keep, None))
        .map_err(|e| Error::internal("rows of state").with_source(e))
}

/// A batch of an older file with the columns of the newest one, found by name: an older file may lack values.
fn as_schema(batch: RecordBatch, schema: &SchemaRef, key_columns: usize) -> Result<RecordBatch> {
    if batch.schema_ref().fields() == schema.fields() {
        return Ok(batch);
    }
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for (at, field) in schema.fields().iter().enumerate() {
        columns.push(match batch.column_by_name(field.name()) {
            Some(column) if column.data_type().equals_datatype(field.data_type()) => column.clone(),
            None if at >= format::OWN + key_columns => new_null_array(field.data_type(), batch.num_rows()),
            found => {
                return Err(Error::state(format!(
                    "column '{}' is {} in a newer file and {} in an older one",
                    field.name(),
                    field.data_type(),
                    found.map_or("missing".to_owned(), |column| column.data_type().to_string())
                )));
            }
        });
    }
    RecordBatch::try_new(schema.clone(), columns).map_err(|e| Error::internal("rows of state").with_source(e))
}

#[cfg(test)]
mod tests {
    use flott_checkpoint::manifest::{Checksum, FileLocation};
    use flott_types::KeyGroupRange;

    use super::*;

    fn file(size: u64, kind: FileKind) -> StateFile {
        StateFile {
            location: FileLocation::File { path: String::new(), size },
            kind,
            key_groups: KeyGroupRange { first: 0, last: 0 },
            rows: 1,
            checksum: Checksum(0),
        }
    }

    fn chain(base: u64, deltas: &[u64]) -> Vec<StateFile> {
        let deltas = deltas.iter().map(|size| file(*size, FileKind::Delta));
        std::iter::once(file(base, FileKind::Full)).chain(deltas).collect()
    }

    #[test]
    fn merging_follows_the_sizes() {
        assert_eq!(merge_from(&[], 5), None);
        assert_eq!(merge_from(&chain(100, &[10, 10]), 10), None);
        assert_eq!(merge_from(&chain(100, &[50, 30]), 20), Some(0), "deltas outweigh the base");
        assert_eq!(merge_from(&chain(1000, &[1; 7]), 1), Some(1), "the deltas, but not the base");
        assert_eq!(merge_from(&chain(1000, &[100, 50, 1, 1, 1, 1, 1]), 1), Some(3), "the small ones");
        assert_eq!(merge_from(&chain(1000, &[500, 100, 50, 20, 10, 5, 2]), 1), Some(6), "two at least");
        let mut rescaled = chain(1000, &[1; 7]);
        rescaled[4].kind = FileKind::Full;
        assert_eq!(merge_from(&rescaled, 1), Some(0));
    }

    #[test]
    fn what_does_not_fit_into_memory_is_not_merged_as_a_whole() {
        assert_eq!(at_most(&chain(100, &[50, 30]), 0, u64::MAX), Some(0));
        assert_eq!(at_most(&chain(100, &[50, 30]), 0, 180), Some(0));
        assert_eq!(at_most(&chain(100, &[50, 30]), 0, 179), Some(1));
        assert_eq!(at_most(&chain(100, &[50, 30]), 0, 79), None);
        let mut rescaled = chain(100, &[50, 30]);
        rescaled[2].kind = FileKind::Full;
        assert_eq!(at_most(&rescaled, 0, 100), None);
    }

    #[test]
    fn small_deltas_are_rewritten_logarithmically_often() {
        let (mut files, mut written) = (chain(1_000_000, &[]), 0);
        for _ in 0..2000 {
            match merge_from(&files, 100) {
                None => files.push(file(100, FileKind::Delta)),
                Some(from) => {
                    let merged = 100 + files[from..].iter().map(StateFile::size).sum::<u64>();
                    files.truncate(from);
                    files.push(file(merged, FileKind::Delta));
                }
            }
            written += files.last().map_or(0, StateFile::size);
            assert!(files.len() <= MAX_FILES);
        }
        assert!(written < 2000 * 100 * 12, "{written}");
    }
}
