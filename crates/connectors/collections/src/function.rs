//! What a function does with each value.

use std::fmt;
use std::marker::PhantomData;

use flott_batch::{Batch, Record};
use flott_connector::{Consumes, Payload, Sink, SinkContext, SinkWriter};
use flott_types::Result;
use parking_lot::Mutex;

/// Calls a function with each value. Each subtask has its own clone. After a failure the function sees the
/// values since the last checkpoint again: at least once.
pub struct FunctionSink<T, F> {
    /// Cloned for each writer, never called; behind a lock because a function need not be `Sync`.
    function: Mutex<F>,
    value: PhantomData<fn(T)>,
}

impl<T, F> FunctionSink<T, F>
where
    T: Record,
    F: FnMut(T) -> Result<()> + Clone + Send + 'static,
{
    /// With this function.
    pub fn new(function: F) -> Self {
        FunctionSink { function: Mutex::new(function), value: PhantomData }
    }
}

impl<T, F> fmt::Debug for FunctionSink<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FunctionSink")
    }
}

impl<T, F> Sink for FunctionSink<T, F>
where
    T: Record,
    F: FnMut(T) -> Result<()> + Clone + Send + 'static,
{
    fn writer(&self, _: SinkContext, _: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        let function = self.function.lock().clone();
        Ok(Box::new(FunctionWriter::<T, F> { function, value: PhantomData }))
    }
}

impl<T, F> Consumes<T> for FunctionSink<T, F>
where
    T: Record,
    F: FnMut(T) -> Result<()> + Clone + Send + 'static,
{
}

struct FunctionWriter<T, F> {
    function: F,
    value: PhantomData<fn(T)>,
}

impl<T: Record, F: FnMut(T) -> Result<()> + Send> SinkWriter for FunctionWriter<T, F> {
    fn write(&mut self, batch: Batch) -> Result<()> {
        batch.into_records::<T>()?.values.into_iter().try_for_each(&mut self.function)
    }
}
