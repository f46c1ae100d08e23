//! Sends a batch with watermarks between its rows.

use flott_batch::{AnyRecords, Batch, ChangeBatch};
use flott_types::{Result, Timestamp, Watermark};

use crate::Output;

/// A watermark and the row of the batch before which it goes; the number of rows if it goes after all of
/// them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    pub row: usize,
    pub watermark: Timestamp,
}

/// The number of rows that cuts refer to.
pub(super) fn rows(batch: &Batch) -> usize {
    match batch {
        Batch::Changes(changes) => changes.physical_rows(),
        Batch::Records(records) => records.len(),
    }
}

/// Sends the batch in pieces, each watermark before its row. The cuts are in row order.
pub(super) fn send(batch: Batch, cuts: &[Cut], output: &mut dyn Output) -> Result<()> {
    let count = rows(&batch);
    let (between, behind) = match cuts {
        [between @ .., last] if last.row >= count => (between, Some(last.watermark)),
        _ => (cuts, None),
    };
    match batch {
        whole if between.is_empty() => output.emit(whole)?,
        Batch::Changes(changes) => send_columns(&changes, between, output)?,
        Batch::Records(records) => send_records(records, between, output)?,
    }
    behind.map_or(Ok(()), |watermark| output.watermark(Watermark(watermark)))
}

/// The pieces share the memory of the columns.
fn send_columns(changes: &ChangeBatch, cuts: &[Cut], output: &mut dyn Output) -> Result<()> {
    let (mut start, count) = (0, changes.physical_rows());
    for Cut { row, watermark } in cuts {
        let row = (*row).clamp(start, count);
        output.emit(changes.slice(start, row - start).into())?;
        output.watermark(Watermark(*watermark))?;
        start = row;
    }
    output.emit(changes.slice(start, count - start).into())
}

/// Splits from the back, so that no record moves twice.
fn send_records(mut records: Box<dyn AnyRecords>, cuts: &[Cut], output: &mut dyn Output) -> Result<()> {
    let mut pieces = Vec::with_capacity(cuts.len());
    for cut in cuts.iter().rev() {
        pieces.push(records.split_off(cut.row.min(records.len())));
    }
    output.emit(Batch::Records(records))?;
    for (cut, piece) in cuts.iter().zip(pieces.into_iter().rev()) {
        output.watermark(Watermark(cut.watermark))?;
        output.emit(Batch::Records(piece))?;
    }
    Ok(())
}
