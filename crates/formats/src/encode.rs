//! What the encoders have in common: each row is a piece of text or bytes. In files it is a line, elsewhere a
//! message.

use flott_batch::ChangeBatch;
use flott_connector::format::{MessageEncoder, RecordEncoder};
use flott_types::Result;

/// Writes a row, without the end of the line.
pub(crate) trait RowWriter: Send {
    fn write(&mut self, batch: &ChangeBatch, row: usize, out: &mut Vec<u8>) -> Result<()>;
}

/// Makes lines or messages of rows.
pub(crate) struct RowEncoder<W> {
    writer: W,
    /// The message in progress.
    message: Vec<u8>,
}

impl<W> RowEncoder<W> {
    pub(crate) fn new(writer: W) -> Box<Self> {
        Box::new(RowEncoder { writer, message: Vec::new() })
    }
}

impl<W: RowWriter> RecordEncoder for RowEncoder<W> {
    fn encode(&mut self, batch: &ChangeBatch, out: &mut Vec<u8>) -> Result<()> {
        each_row(batch, |row| {
            self.writer.write(batch, row, out)?;
            out.push(b'\n');
            Ok(())
        })
    }
}

impl<W: RowWriter> MessageEncoder for RowEncoder<W> {
    fn encode(
        &mut self,
        batch: &ChangeBatch,
        message: &mut dyn FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<()> {
        each_row(batch, |row| {
            self.message.clear();
            self.writer.write(batch, row, &mut self.message)?;
            message(row, &self.message)
        })
    }
}

/// Calls for each selected row.
pub(crate) fn each_row(batch: &ChangeBatch, mut row: impl FnMut(usize) -> Result<()>) -> Result<()> {
    match batch.selection() {
        None => (0..batch.physical_rows()).try_for_each(row),
        Some(selection) => selection.set_indices().try_for_each(&mut row),
    }
}
