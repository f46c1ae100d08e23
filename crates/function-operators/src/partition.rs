//! Assigns the routes by which an exchange distributes records.

use std::marker::PhantomData;

use flott_batch::{Batch, Record};
use flott_operator::{Context, Operator};
use flott_types::Result;

use flott_function::output::Of;

/// Adds a route to each record: the hash of its key, or the number of its receiver.
pub struct Route<T, F> {
    routes: F,
    of: Of<T>,
}

impl<T, F> Route<T, F> {
    /// Routes each record by the function.
    pub fn new(routes: F) -> Self {
        Route { routes, of: PhantomData }
    }
}

impl<T: Record, F: FnMut(&[T], &mut Vec<u64>) -> Result<()> + Send> Operator for Route<T, F> {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let mut records = batch.into_records::<T>()?;
        let mut routes = Vec::with_capacity(records.values.len());
        (self.routes)(&records.values, &mut routes)?;
        records.routes = Some(routes);
        context.output.emit(Batch::from(records))
    }
}
