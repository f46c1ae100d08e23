//! Merges several inputs with one schema into one stream. The task has already merged the rows and their
//! watermarks.

use flott_batch::Batch;
use flott_operator::{Context, Operator};
use flott_types::Result;

/// Forwards batches.
pub(crate) struct Union;

impl Operator for Union {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        context.output.emit(batch)
    }
}
