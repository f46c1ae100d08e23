//! Accumulators: values summed over all subtasks of a job.
//!
//! A function creates an accumulator in `open`
//! ([`RuntimeContext::accumulator`](crate::runtime_context::RuntimeContext::accumulator)) and adds to its own
//! part of it. The parts of all subtasks are merged, while the job runs (`JobClient::accumulators`) and when
//! it has ended (`JobExecutionResult::accumulator`). Accumulators with the same name in several operators are
//! one.
//!
//! They are not state: after a restart they start over, and so do the records that are read again.

mod kinds;
mod local;

pub use kinds::{
    AverageAccumulator, DoubleCounter, HistogramAccumulator, IntCounter, ListAccumulator, LongCounter,
    Maximum, Minimum,
};
pub use local::AccumulatorHandle;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Something that values are added to, in parts that can be merged in any order.
///
/// ```
/// # use flott_datastream::accumulator::Accumulator;
/// # use serde::{Deserialize, Serialize};
/// /// The longest word.
/// #[derive(Default, Serialize, Deserialize)]
/// struct Longest(String);
///
/// impl Accumulator for Longest {
///     type Input = String;
///     type Output = String;
///     fn add(&mut self, word: String) {
///         if word.len() > self.0.len() {
///             self.0 = word;
///         }
///     }
///     fn merge(&mut self, other: Self) { self.add(other.0) }
///     fn into_value(self) -> String { self.0 }
/// }
/// ```
pub trait Accumulator: Default + Serialize + DeserializeOwned + Send + 'static {
    /// The values to add.
    type Input;
    /// The result.
    type Output;

    /// Adds a value.
    fn add(&mut self, value: Self::Input);

    /// Merges another part.
    fn merge(&mut self, other: Self);

    /// The result.
    fn into_value(self) -> Self::Output;
}
