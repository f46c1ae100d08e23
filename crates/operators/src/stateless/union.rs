//! Several inputs of one schema as one stream. The task has merged them and their watermarks already.

use flott_batch::Batch;
use flott_operator::{Context, Operator};
use flott_types::Result;

/// Passes batches on.
pub(crate) struct Union;

impl Operator for Union {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        context.output.emit(batch)
    }
}
