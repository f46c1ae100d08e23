//! The barrier of a checkpoint on its way through a chain.

use flott_types::{Result, Timestamp};

use super::Outputs;
use crate::gate::Element;

impl Outputs {
    /// Lets the operators emit what must precede the barrier, then sends the barrier. If that may overtake,
    /// neither waits for room: what the operators emit is what they hold back, like parts of batches.
    pub fn barrier(&mut self, barrier: &Element, now: Timestamp, ended: bool) -> Result<()> {
        if !ended {
            self.exchanges_mut(&mut |exchange| {
                exchange.prepare(barrier);
                Ok(())
            })?;
        }
        self.visit_called(&mut |link| link.call(now, |operator, context| operator.prepare_barrier(context)))?;
        if ended { Ok(()) } else { self.broadcast(barrier) }
    }
}
