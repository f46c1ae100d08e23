//! Accumulators: what all subtasks of a job add up to.
//!
//! A function makes an accumulator in `open` ([`RuntimeContext::accumulator`](crate::runtime_context::RuntimeContext::accumulator)) and adds to its
//! own part of it; who asks gets the parts of all subtasks brought together, while the job runs
//! (`JobClient::accumulators`) and when it has ended
//! (`JobExecutionResult::accumulator`). Accumulators of one name in several operators are one.
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

/// Something that values are added to, in parts that can be brought together in any order.
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
    /// What is added.
    type Input;
    /// What comes out.
    type Output;

    /// Adds a value.
    fn add(&mut self, value: Self::Input);

    /// Adds what another part has.
    fn merge(&mut self, other: Self);

    /// What was added.
    fn into_value(self) -> Self::Output;
}
