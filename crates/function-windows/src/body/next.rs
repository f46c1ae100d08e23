//! What happens with the result of an incremental aggregation.

use flott_batch::Record;
use flott_types::Result;

use crate::function::{ProcessWindowFunction, WindowContext};
use flott_function::output::Collector;
use flott_function::runtime_context::RuntimeContext;
use flott_function::{life_cycle, life_cycle_of};

/// Takes the result of a window that fires.
pub trait Next<K, W, I>: Send + 'static {
    /// What comes out.
    type Out: Record;

    life_cycle!();

    /// Declares the state per window.
    ///
    /// # Errors
    /// Those of the function.
    fn open_window_state(&mut self, context: &mut RuntimeContext<'_>) -> Result<()>;
    /// The result of a window that fires.
    ///
    /// # Errors
    /// Those of the function.
    fn put(&mut self, result: I, context: &mut WindowContext<'_, K, W, Self::Out>) -> Result<()>;
    /// A window is over, and its state is dropped.
    ///
    /// # Errors
    /// Those of the function.
    fn gone(&mut self, context: &mut WindowContext<'_, K, W, Self::Out>) -> Result<()>;
}

/// Emits it.
#[derive(Clone)]
pub struct PassOn;

impl<K, W, I: Record> Next<K, W, I> for PassOn {
    type Out = I;

    fn open_window_state(&mut self, _: &mut RuntimeContext<'_>) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn put(&mut self, result: I, context: &mut WindowContext<'_, K, W, I>) -> Result<()> {
        context.collect(result);
        Ok(())
    }

    #[inline]
    fn gone(&mut self, _: &mut WindowContext<'_, K, W, I>) -> Result<()> {
        Ok(())
    }
}

/// Passes it to a function, as the window's only element.
#[derive(Clone)]
pub struct OnResult<P>(pub P);

impl<K, W, I, P: ProcessWindowFunction<K, W, I>> Next<K, W, I> for OnResult<P> {
    type Out = P::Out;

    life_cycle_of!(0);

    fn open_window_state(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.0.open_window_state(context)
    }

    #[inline]
    fn put(&mut self, result: I, context: &mut WindowContext<'_, K, W, P::Out>) -> Result<()> {
        self.0.process(std::slice::from_ref(&result), context)
    }

    fn gone(&mut self, context: &mut WindowContext<'_, K, W, P::Out>) -> Result<()> {
        self.0.clear(context)
    }
}

/// A closure of key, window and elements.
pub struct ApplyFunction<O, F> {
    function: F,
    of: flott_function::output::Of<O>,
}

impl<O, F> ApplyFunction<O, F> {
    /// Calls the closure.
    pub fn new(function: F) -> Self {
        ApplyFunction { function, of: std::marker::PhantomData }
    }
}

impl<O, F: Clone> Clone for ApplyFunction<O, F> {
    fn clone(&self) -> Self {
        ApplyFunction::new(self.function.clone())
    }
}

impl<K, W, I, O, F> ProcessWindowFunction<K, W, I> for ApplyFunction<O, F>
where
    O: Record,
    F: FnMut(&K, &W, &[I], &mut Collector<'_, O>) + Send + 'static,
{
    type Out = O;

    fn process(&mut self, elements: &[I], context: &mut WindowContext<'_, K, W, O>) -> Result<()> {
        (self.function)(context.key, context.window, elements, &mut context.collector);
        Ok(())
    }
}
