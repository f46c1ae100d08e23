//! DropUpdateBefore: a changelog without the -U of its updates.
//!
//! Cost: a look at the kinds; rows are not copied.

use flott_batch::Batch;
use flott_operator::{Context, Operator};
use flott_types::Result;

use crate::support::columns_of;

/// The operator.
pub(crate) struct DropUpdateBefore;

impl Operator for DropUpdateBefore {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?.without_update_before(&[])?;
        if batch.is_empty() {
            return Ok(());
        }
        context.output.emit(Batch::Changes(batch))
    }
}

#[cfg(test)]
mod tests {
    use flott_plan::OperatorSpec;

    use crate::harness::{Harness, node};

    #[test]
    fn the_first_half_of_an_update_is_left_out() {
        let spec = OperatorSpec::DropUpdateBefore;
        let mut drop = Harness::new(node(spec, &["INT STRING"], "INT STRING")).upsert();
        let out = drop.push("+I 1 a\n-U 1 a\n+U 1 b\n-D 1 b\n+I 2 c");
        assert_eq!(out, "+I 1 a\n+U 1 b\n-D 1 b\n+I 2 c\n");
        assert_eq!(drop.push("-U 2 c\n+I 3 d\n-U 3 d"), "-D 2 c\n+I 3 d\n-D 3 d\n");
        assert_eq!(drop.push("+I 4 d"), "+I 4 d\n");
    }
}
