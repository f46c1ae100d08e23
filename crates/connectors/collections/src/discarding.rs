//! Nothing.

use flott_batch::Batch;
use flott_connector::{Consumes, Payload, Sink, SinkContext, SinkWriter};
use flott_types::Result;

/// Discards all values.
#[derive(Clone, Copy, Default, Debug)]
pub struct DiscardingSink;

impl Sink for DiscardingSink {
    fn writer(&self, _: SinkContext, _: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(DiscardingSink))
    }
}

impl<T> Consumes<T> for DiscardingSink {}

impl SinkWriter for DiscardingSink {
    fn write(&mut self, _: Batch) -> Result<()> {
        Ok(())
    }
}
