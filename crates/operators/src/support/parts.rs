//! Results that may be too large for a whole batch are computed part by part.
//!
//! If each row has its own result, a batch is halved whenever a result turns out to be too large
//! ([`in_parts`]). If the rows of a key share one result, parts consist of whole keys ([`whole_keys`]): a
//! large key is computed once, and does not force small parts on the others.

use flott_batch::bytes::{Parts, RowBytes};
use flott_batch::{ChangeBatch, RowKind, RowKinds};
use flott_operator::Context;
use flott_types::{ErrorKind, FastMap, Result};

/// Calls `step` with the whole batch, or with parts of it, until no result is too large
/// ([`ErrorKind::TooLarge`]). Each result is sent before the next part begins.
///
/// The two halves of an update stay together, unless they are too large even then: in that case they become a
/// deletion and an insertion.
pub(crate) fn in_parts<T>(
    batch: ChangeBatch,
    context: &mut Context<'_>,
    mut compute: impl FnMut(ChangeBatch, &Context<'_>) -> Result<T>,
    mut send: impl FnMut(T, &mut Context<'_>) -> Result<()>,
) -> Result<()> {
    match compute(batch.clone(), context) {
        Err(error) if error.kind() == ErrorKind::TooLarge && batch.num_rows() > 1 => {}
        outcome => return send(outcome?, context),
    }
    let batch = batch.compact()?;
    let starts = whole_updates(&batch);
    let mut updates = Parts::new(starts.len() - 1);
    while let Some(part) = updates.next() {
        let rows = starts[part.start]..starts[part.end];
        let rows_of_part = batch.slice(rows.start, rows.len());
        let outcome = compute(rows_of_part.clone(), context);
        let is_split = matches!(&outcome, Err(error) if error.kind() == ErrorKind::TooLarge)
            && part.len() == 1
            && rows.len() == 2;
        if is_split {
            let alone = |row: usize, kind: RowKind| {
                rows_of_part.slice(row, 1).with_kinds(Some(RowKinds::from(vec![kind])))
            };
            for half in [alone(0, RowKind::Delete), alone(1, RowKind::Insert)] {
                let result = compute(half, context)?;
                send(result, context)?;
            }
            updates.settle(Ok(()))?;
        } else if let Some(result) = updates.settle(outcome)? {
            send(result, context)?;
        }
    }
    Ok(())
}

/// Splits the rows of a compact batch into parts of whole keys, in order. Each part needs at most `limit`
/// bytes, or is a single key. `slots` are those of the rows' keys, and `kept` returns how many bytes are
/// already kept for a key. `None` if the batch is one part.
pub(crate) fn whole_keys(
    batch: &ChangeBatch,
    slots: &[u32],
    limit: usize,
    kept: impl Fn(u32) -> usize,
) -> Option<Vec<Vec<u32>>> {
    let bytes = RowBytes::new(batch.columns().columns());
    let mut keys: Vec<(u32, usize)> = Vec::new();
    let mut places: FastMap<u32, usize> = FastMap::default();
    let mut all = bytes.of_range(0, slots.len());
    if all <= limit {
        let mut distinct = slots.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        all += distinct.iter().map(|slot| kept(*slot)).sum::<usize>();
        if all <= limit || distinct.len() < 2 {
            return None;
        }
    }
    for (row, slot) in slots.iter().enumerate() {
        let place = *places.entry(*slot).or_insert_with(|| {
            keys.push((*slot, kept(*slot)));
            keys.len() - 1
        });
        keys[place].1 += bytes.of(row);
    }
    // Maps a key's position to its part.
    let (mut part_of, mut used, mut parts) = (Vec::with_capacity(keys.len()), 0, 0);
    for (_, size) in &keys {
        if used > 0 && used + size > limit {
            (used, parts) = (0, parts + 1);
        }
        used += size;
        part_of.push(parts);
    }
    if parts == 0 {
        return None;
    }
    let mut rows = vec![Vec::new(); parts + 1];
    for (row, slot) in slots.iter().enumerate() {
        rows[part_of[places[slot]]].push(row as u32);
    }
    Some(rows)
}

/// Where the rows and updates of a batch begin, and where the last one ends.
fn whole_updates(batch: &ChangeBatch) -> Vec<usize> {
    let rows = batch.physical_rows();
    let is_inside = |row: usize| {
        row > 0
            && row < rows
            && batch.kind(row - 1) == RowKind::UpdateBefore
            && batch.kind(row) == RowKind::UpdateAfter
    };
    (0..=rows).filter(|row| !is_inside(*row)).collect()
}
