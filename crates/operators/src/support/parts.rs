//! Computing results that may be too large for a whole batch: they are computed for parts of it.

use flott_batch::bytes::Parts;
use flott_batch::{ChangeBatch, RowKind, RowKinds};
use flott_operator::Context;
use flott_types::{ErrorKind, Result};

/// Computes with the whole batch, or with parts of it, until no result is too large ([`ErrorKind::TooLarge`]). What was computed is sent
/// before the next part begins.
///
/// The two halves of an update stay together, unless they are too large even so: then they are a deletion and an insertion.
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
        let torn = matches!(&outcome, Err(error) if error.kind() == ErrorKind::TooLarge)
            && part.len() == 1
            && rows.len() == 2;
        if torn {
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

/// Where the rows and the updates of a batch begin, and its end.
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
