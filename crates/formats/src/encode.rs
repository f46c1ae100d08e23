//! What every encoder does.

use flott_batch::ChangeBatch;
use flott_types::Result;

/// Writes rows as bytes.
pub trait RowEncoder: Send {
    /// Appends the selected rows of a batch, each record with its line end.
    fn encode(&mut self, batch: &ChangeBatch, out: &mut Vec<u8>) -> Result<()>;

    /// What a file begins with. Most formats have nothing to say here.
    fn header(&self, out: &mut Vec<u8>) {
        let _ = out;
    }
}

/// Calls for each selected row.
pub(crate) fn each_row(batch: &ChangeBatch, mut row: impl FnMut(usize) -> Result<()>) -> Result<()> {
    match batch.selection() {
        None => (0..batch.physical_rows()).try_for_each(row),
        Some(selection) => selection.set_indices().try_for_each(&mut row),
    }
}
