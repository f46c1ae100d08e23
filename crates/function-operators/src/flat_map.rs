//! Functions of one record without state: loops around closures.

use std::marker::PhantomData;

use flott_batch::{Batch, Record, Records};
use flott_operator::{Context, Operator};
use flott_types::Result;

use flott_function::output::Collector;
use flott_function::output::Of;
use flott_function::output::OutputBuffer;

/// One value for each.
pub struct Map<T, U, F> {
    function: F,
    of: Of<(T, U)>,
}

impl<T, U, F> Map<T, U, F> {
    /// Calls the function.
    pub fn new(function: F) -> Self {
        Map { function, of: PhantomData }
    }
}

impl<T: Record, U: Record, F: FnMut(T) -> Result<U> + Send> Operator for Map<T, U, F> {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let Records { values, timestamps, .. } = batch.into_records::<T>()?;
        let values = values.into_iter().map(&mut self.function).collect::<Result<Vec<U>>>()?;
        context.output.emit(Batch::from(Records { values, timestamps, routes: None }))
    }
}

/// Keeps some values.
pub struct Filter<T, F> {
    function: F,
    of: Of<T>,
}

impl<T, F> Filter<T, F> {
    /// Calls the function.
    pub fn new(function: F) -> Self {
        Filter { function, of: PhantomData }
    }
}

impl<T: Record, F: FnMut(&T) -> bool + Send> Operator for Filter<T, F> {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let Records { mut values, mut timestamps, .. } = batch.into_records::<T>()?;
        match &mut timestamps {
            None => values.retain(&mut self.function),
            Some(timestamps) => {
                let keep: Vec<bool> = values.iter().map(&mut self.function).collect();
                let mut kept = keep.iter();
                values.retain(|_| kept.next().copied().unwrap_or(true));
                let mut kept = keep.iter();
                timestamps.retain(|_| kept.next().copied().unwrap_or(true));
            }
        }
        context.output.emit(Batch::from(Records { values, timestamps, routes: None }))
    }
}

/// Any number of values for each.
pub struct FlatMap<T, U, F> {
    function: F,
    buffer: OutputBuffer<U>,
    of: Of<T>,
}

impl<T, U: Record, F> FlatMap<T, U, F> {
    /// Calls the function.
    pub fn new(function: F) -> Self {
        FlatMap { function, buffer: OutputBuffer::default(), of: PhantomData }
    }
}

impl<T, U, F> Operator for FlatMap<T, U, F>
where
    T: Record,
    U: Record,
    F: FnMut(T, &mut Collector<'_, U>) -> Result<()> + Send,
{
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let Records { values, timestamps, .. } = batch.into_records::<T>()?;
        for (at, value) in values.into_iter().enumerate() {
            self.buffer.at(timestamps.as_ref().map(|timestamps| timestamps[at]));
            (self.function)(value, &mut self.buffer.collector(context.output))?;
        }
        self.buffer.flush(context.output)
    }
}
