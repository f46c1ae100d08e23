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
use flott_checkpoint::manifest::{FileKind, FileLocation, StateFile};
use flott_types::{Error, Result};

use super::format;
use crate::KeyIndex;

/// A chain with more files than this is merged.
pub(crate) const MAX_FILES: usize = 8;

/// The file from which on a chain is merged with a delta of `new` bytes, at most `most` bytes of it: `None`
/// if nothing is, 0 for the whole chain.
pub(crate) fn merge_from(files: &[StateFile], new: u64, most: u64) -> Option<usize> {
    let size = |files: &[StateFile]| files.iter().map(StateFile::size).sum::<u64>();
    let fits = size(files) <= most;
    let base = leading_base(files);
    // Without a base there is nothing to outweigh.
    if base > 0 && fits && size(&files[base..]) + new >= size(&files[..base]) {
        return Some(0);
    }
    if files.len() - base + 1 < MAX_FILES {
        return None;
    }
    let (mut from, mut total) = (files.len(), 0);
    while from > base {
        let next = files[from - 1].size();
        if total + next > most || files.len() - from >= 2 && next > total + new {
            break;
        }
        from -= 1;
        total += next;
    }
    // A full file in the middle (after a rescale) replaces what is before it: only the whole is well-defined.
    if files[from.max(1)..].iter().any(|file| file.kind == FileKind::Full) {
        return fits.then_some(0);
    }
    (files.len() - from >= 2).then_some(from)
}

/// Whether the files of a state that is too large to be merged hold more that is outdated than what is not.
/// Below `most` bytes they can be merged.
pub(crate) fn outgrown(files: &[StateFile], most: u64) -> bool {
    let base = files.iter().zip(of_base(files)).filter(|(_, is_base)| *is_base);
    let base: u64 = base.map(|(file, _)| file.size()).sum();
    files.iter().map(StateFile::size).sum::<u64>() > base.max(most).saturating_mul(2)
}

/// How many of the first files form the base.
fn leading_base(files: &[StateFile]) -> usize {
    let of_base = of_base(files);
    let later = files.iter().zip(&of_base).skip(1);
    let more = later.take_while(|(file, is_base)| **is_base && file.kind != FileKind::Full).count();
    files.len().min(1) + more
}

/// Which files form a base: a full file, and what the same snapshot wrote behind it. A state that does not
/// fit into memory is written as many files. After a rescale there are several bases.
fn of_base(files: &[StateFile]) -> Vec<bool> {
    let (mut inside, mut snapshot, mut before_is_full) = (false, None, false);
    let mut of_base = Vec::with_capacity(files.len());
    for (at, file) in files.iter().enumerate() {
        let is_full = at == 0 || file.kind == FileKind::Full;
        let own = snapshot_of(file);
        // A small first file is in the manifest and has no name.
        let is_same = own.is_some() && (own == snapshot || before_is_full && snapshot.is_none());
        inside = is_full || inside && is_same;
        if inside {
            snapshot = own;
        }
        before_is_full = is_full;
        of_base.push(inside);
    }
    of_base
}

/// The snapshot that wrote a file, as the file's name begins with it.
fn snapshot_of(file: &StateFile) -> Option<&str> {
    match &file.location {
        FileLocation::File { path, .. } => path.rsplit('/').next()?.split_once('-').map(|(id, _)| id),
        FileLocation::Inline(_) => None,
    }
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
    use flott_checkpoint::manifest::{Blob, Checksum};
    use flott_types::KeyGroupRange;

    use super::*;

    fn file(size: u64, kind: FileKind) -> StateFile {
        StateFile {
            location: FileLocation::File { path: String::new(), size },
            kind,
            key_groups: KeyGroupRange { first: 0, last: 0 },
            rows: 1,
            unpacked: None,
            checksum: Checksum(0),
        }
    }

    fn chain(base: u64, deltas: &[u64]) -> Vec<StateFile> {
        let deltas = deltas.iter().map(|size| file(*size, FileKind::Delta));
        std::iter::once(file(base, FileKind::Full)).chain(deltas).collect()
    }

    #[test]
    fn merging_follows_the_sizes() {
        assert_eq!(merge_from(&[], 5, u64::MAX), None);
        assert_eq!(merge_from(&chain(100, &[10, 10]), 10, u64::MAX), None);
        assert_eq!(merge_from(&chain(100, &[50, 30]), 20, u64::MAX), Some(0), "deltas outweigh the base");
        assert_eq!(merge_from(&chain(1000, &[1; 7]), 1, u64::MAX), Some(1), "the deltas, but not the base");
        assert_eq!(
            merge_from(&chain(1000, &[100, 50, 1, 1, 1, 1, 1]), 1, u64::MAX),
            Some(3),
            "the small ones"
        );
        assert_eq!(
            merge_from(&chain(1000, &[500, 100, 50, 20, 10, 5, 2]), 1, u64::MAX),
            Some(6),
            "two at least"
        );
        let mut rescaled = chain(1000, &[1; 7]);
        rescaled[4].kind = FileKind::Full;
        assert_eq!(merge_from(&rescaled, 1, u64::MAX), Some(0));
    }

    #[test]
    fn what_does_not_fit_into_memory_is_not_merged_as_a_whole() {
        assert_eq!(merge_from(&chain(100, &[50, 30]), 20, 180), Some(0));
        assert_eq!(merge_from(&chain(100, &[50, 30]), 20, 179), None, "few files are not worth it");
        assert_eq!(merge_from(&chain(100, &[20; 7]), 20, 179), Some(1), "the deltas are");
        assert_eq!(merge_from(&chain(100, &[20; 7]), 100, 90), Some(4), "so many as fit");
        assert_eq!(merge_from(&chain(100, &[20; 7]), 20, 39), None);
        let mut rescaled = chain(100, &[50; 7]);
        rescaled[7].kind = FileKind::Full;
        assert_eq!(merge_from(&rescaled, 1, 100), None);
    }

    /// Files that snapshots with these numbers have written.
    fn written(files: &[(u64, u64)]) -> Vec<StateFile> {
        let mut chain = chain(0, &vec![0; files.len() - 1]);
        for (file, (snapshot, size)) in chain.iter_mut().zip(files) {
            let path = format!("shared/{snapshot}-3-0-{size}.parquet");
            file.location = FileLocation::File { path, size: *size };
        }
        chain
    }

    #[test]
    fn all_that_a_full_snapshot_wrote_is_the_base() {
        let mut files = written(&[(4, 1), (4, 60), (4, 39), (5, 50), (6, 20)]);
        assert_eq!(leading_base(&files), 3);
        assert_eq!(merge_from(&files, 29, u64::MAX), None, "the first file alone is not the base");
        assert_eq!(merge_from(&files, 30, u64::MAX), Some(0));
        assert!(!outgrown(&files, 10));
        files.push(written(&[(7, 31)]).remove(0));
        files[5].kind = FileKind::Delta;
        assert!(outgrown(&files, 10), "of 201 bytes 100 are the base, also for one who did not write it");
        assert!(!outgrown(&files, 101), "they can be merged");
        files[0].location = FileLocation::Inline(Blob::from(vec![0]));
        assert_eq!(leading_base(&files), 3, "a small file has no name");
        files[2].kind = FileKind::Full;
        assert_eq!(leading_base(&files), 2, "another subtask's");
        assert_eq!(leading_base(&[]), 0);
    }

    #[test]
    fn small_deltas_are_rewritten_logarithmically_often() {
        let (mut files, mut written) = (chain(1_000_000, &[]), 0);
        for _ in 0..2000 {
            match merge_from(&files, 100, u64::MAX) {
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
