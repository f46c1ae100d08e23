//! Partitions the rows of a batch among the subtasks that own their keys.

use arrow::array::UInt32Array;
use flott_types::{KeyGroup, Result};

use crate::{ChangeBatch, RowKind, RowKinds};

use super::hash_columns;

/// The part of a batch for each of `parallelism` subtasks; `None` where a subtask gets nothing.
///
/// The order of rows within a part is their order in the batch. An update whose halves go to one subtask
/// stays an update; if its key changed, and with it the subtask, the halves become a `-D` there and a `+I`
/// here, because neither subtask sees both. An update must not span batches.
///
/// The rows are copied at most once (a counting sort and one `take`); the parts share that memory. A batch
/// that goes to one subtask entirely is not copied.
pub fn partition(
    batch: &ChangeBatch,
    key_columns: &[usize],
    max_parallelism: u32,
    parallelism: u32,
) -> Result<Vec<Option<ChangeBatch>>> {
    let targets = parallelism.max(1) as usize;
    let mut parts = vec![None; targets];
    if batch.is_empty() {
        return Ok(parts);
    }
    if targets == 1 {
        parts[0] = Some(batch.clone());
        return Ok(parts);
    }

    let keys: Vec<_> = key_columns.iter().map(|column| batch.column(*column).clone()).collect();
    let mut hashes = Vec::new();
    hash_columns(&keys, batch.physical_rows(), &mut hashes);
    // The owner of each key group, so that no row costs a division.
    let owner = |group: u32| KeyGroup(group as u16).subtask(max_parallelism, parallelism).0;
    let owners: Vec<u32> = (0..max_parallelism).map(owner).collect();
    let target_of = |hash: &u64| owners[KeyGroup::of_hash(*hash, max_parallelism).0 as usize];
    let rows: Vec<(u32, u32)> = match batch.selection() {
        None => (0..).zip(hashes.iter().map(target_of)).collect(),
        Some(selection) => selection.set_indices().map(|row| (row as u32, target_of(&hashes[row]))).collect(),
    };

    let mut starts = vec![0; targets + 1];
    rows.iter().for_each(|(_, target)| starts[*target as usize + 1] += 1);
    if let Some(only) = starts[1..].iter().position(|count| *count == rows.len()) {
        parts[only] = Some(batch.clone());
        return Ok(parts);
    }
    (0..targets).for_each(|target| starts[target + 1] += starts[target]);

    let mut order = vec![0u32; rows.len()];
    let mut next = starts.clone();
    for (row, target) in &rows {
        let next = &mut next[*target as usize];
        order[*next] = *row;
        *next += 1;
    }
    let batch = match batch.kinds() {
        None => batch.clone(),
        Some(kinds) => batch.clone().with_kinds(Some(split_updates(kinds, &rows))),
    };
    let sorted = batch.take(&UInt32Array::from(order))?;
    for (target, part) in parts.iter_mut().enumerate() {
        let (start, end) = (starts[target], starts[target + 1]);
        *part = (start < end).then(|| sorted.slice(start, end - start));
    }
    Ok(parts)
}

/// Updates whose halves go to different targets become deletions and insertions.
fn split_updates(kinds: &RowKinds, rows: &[(u32, u32)]) -> RowKinds {
    let mut changed: Vec<RowKind> = kinds.iter().collect();
    for pair in rows.windows(2) {
        let [(before, here), (after, there)] = pair else {
            continue;
        };
        let (before, after) = (*before as usize, *after as usize);
        if here != there
            && kinds.get(before) == RowKind::UpdateBefore
            && kinds.get(after) == RowKind::UpdateAfter
        {
            changed[before] = RowKind::Delete;
            changed[after] = RowKind::Insert;
        }
    }
    changed.into()
}
