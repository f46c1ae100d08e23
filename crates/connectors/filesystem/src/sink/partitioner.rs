//! Sorts the rows of a batch into partitions.

use arrow::array::UInt32Array;
use flott_batch::ChangeBatch;
use flott_types::{FastMap, Result};

use crate::partition::Partitioning;

/// The rows of each partition, by directory, in the order in which partitions appear. Without partition
/// columns there is one, in the directory "".
pub(super) fn split(batch: &ChangeBatch, partitioning: &Partitioning) -> Result<Vec<(String, ChangeBatch)>> {
    if partitioning.columns.is_empty() {
        return Ok(vec![(String::new(), batch.clone())]);
    }
    let mut partitions: Vec<(String, Vec<u32>)> = Vec::new();
    let mut known: FastMap<Vec<Option<String>>, usize> = FastMap::default();
    let mut last: Option<(Vec<Option<String>>, usize)> = None;
    let mut add = |row: usize| {
        let values: Vec<Option<String>> = partitioning
            .columns
            .iter()
            .map(|(index, _, ty)| Partitioning::text_of(batch.column(*index).as_ref(), row, ty))
            .collect();
        // Rows of one partition mostly come together.
        let index = match &last {
            Some((known, index)) if *known == values => *index,
            _ => {
                let index = *known.entry(values.clone()).or_insert_with(|| {
                    partitions.push((partitioning.directory(&values), Vec::new()));
                    partitions.len() - 1
                });
                last = Some((values, index));
                index
            }
        };
        partitions[index].1.push(row as u32);
    };
    match batch.selection() {
        None => (0..batch.physical_rows()).for_each(&mut add),
        Some(selection) => selection.set_indices().for_each(&mut add),
    }
    let take = |(directory, rows): (String, Vec<u32>)| Ok((directory, batch.take(&UInt32Array::from(rows))?));
    partitions.into_iter().map(take).collect()
}
