//! Where a side output becomes a stream.

use std::marker::PhantomData;
use std::sync::Arc;

use flott_batch::{Batch, Record};
use flott_operator::{Context, Operator};
use flott_types::{Error, Result};

/// Lets a side output through, if its values are of the type that the program reads it as. It looks once per batch.
pub struct SideOutput<X> {
    tag: Arc<str>,
    of: PhantomData<fn() -> X>,
}

impl<X: Record> SideOutput<X> {
    /// Gives what is put out under this tag.
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
