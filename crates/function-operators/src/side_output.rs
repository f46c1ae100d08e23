//! Turns a side output into a stream.

use std::marker::PhantomData;
use std::sync::Arc;

use flott_batch::{Batch, Record};
use flott_operator::{Context, Operator};
use flott_types::{Error, Result};

/// Passes on a side output if its values have the type that the program reads. Checks once per batch.
pub struct SideOutput<X> {
    tag: Arc<str>,
    of: PhantomData<fn() -> X>,
}

impl<X: Record> SideOutput<X> {
    /// Returns the output under this tag.
    pub fn new(tag: Arc<str>) -> Self {
        SideOutput { tag, of: PhantomData }
    }
}

impl<X: Record> Operator for SideOutput<X> {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        if let Batch::Records(records) = &batch {
            let (found, wanted) = (records.type_name(), std::any::type_name::<X>());
            if !records.is::<X>() {
                return Err(Error::invalid(format!(
                    "side output '{}' has values of type {found} and is read as {wanted}; use one OutputTag for both",
                    self.tag
                )));
            }
        }
        context.output.emit(batch)
    }
}
