//! What every encoder does.

use flott_batch::ChangeBatch;
use flott_types::Result;

/// Writes rows as messages.
pub trait MessageEncoder: Send {
    /// Gives the message of each selected row of a batch, in order, with the row's number.
    ///
    /// # Errors
    /// What cannot be written, or what `message` says.
    fn encode(
        &mut self,
        batch: &ChangeBatch,
        message: &mut dyn FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<()>;
}

/// Writes rows into files of records.
pub trait RecordEncoder: Send {
    /// Appends the selected rows of a batch, each record with its end.
    ///
    /// # Errors
    /// What cannot be written.
    fn encode(&mut self, batch: &ChangeBatch, out: &mut Vec<u8>) -> Result<()>;

    /// What a file begins with. Most formats have nothing to say here.
    fn header(&self, out: &mut Vec<u8>) {
        let _ = out;
    }
}
