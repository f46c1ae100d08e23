//! The part of an accumulator that one subtask adds to.

use std::any::type_name;
use std::sync::Arc;

use flott_operator::LocalAccumulator;
use flott_types::{Error, Result};
use parking_lot::Mutex;

use super::Accumulator;
use crate::runtime_context::RuntimeContext;

/// This subtask's part of an accumulator. Clones add to the same one.
///
/// A default handle, not from [`RuntimeContext::accumulator`], adds to nothing.
pub struct AccumulatorHandle<A>(Arc<Part<A>>);

struct Part<A>(Mutex<A>);

impl<A> Clone for AccumulatorHandle<A> {
    fn clone(&self) -> Self {
        AccumulatorHandle(self.0.clone())
    }
}

impl<A: Default> Default for AccumulatorHandle<A> {
    fn default() -> Self {
        AccumulatorHandle(Arc::new(Part(Mutex::default())))
    }
}

impl<A: Accumulator> AccumulatorHandle<A> {
    /// Adds a value.
    pub fn add(&self, value: A::Input) {
        self.0.0.lock().add(value);
    }
}

impl<A: Accumulator> LocalAccumulator for Part<A> {
    fn kind(&self) -> &'static str {
        type_name::<A>()
    }

    fn value(&self) -> Result<String> {
        let unwritable = |error| Error::data("it cannot be written").with_source(error);
        serde_json::to_string(&*self.0.lock()).map_err(unwritable)
    }
}

impl RuntimeContext<'_> {
    /// Creates an accumulator, or another part of one, and returns this subtask's part.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # use flott_datastream::accumulator::{AccumulatorHandle, LongCounter};
    /// #[derive(Clone, Default)]
    /// struct Length { letters: AccumulatorHandle<LongCounter> }
    ///
    /// impl MapFunction<String> for Length {
    ///     type Out = usize;
    ///     fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
    ///         self.letters = context.accumulator("letters")?;
    ///         Ok(())
    ///     }
    ///     fn map(&mut self, word: String) -> Result<usize> {
    ///         self.letters.add(word.len() as i64);
    ///         Ok(word.len())
    ///     }
    /// }
    ///
    /// let env = StreamExecutionEnvironment::new();
    /// env.from_collection(["to", "be"].map(String::from)).map_with(Length::default()).sink_to(sink::DiscardingSink);
    /// assert_eq!(env.execute("letters")?.accumulator::<LongCounter>("letters")?, Some(4));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// If the operator already has one of that name.
    pub fn accumulator<A: Accumulator>(&mut self, name: &str) -> Result<AccumulatorHandle<A>> {
        let handle = AccumulatorHandle::<A>::default();
        self.operator_metrics().accumulators.add(name, handle.0.clone())?;
        Ok(handle)
    }
}
