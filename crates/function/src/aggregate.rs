//! Aggregates: values folded into an accumulator that produces a result.

use flott_batch::Record;

/// How values are aggregated one by one, in an aggregating state or a window.
///
/// The function itself is stateless: what it knows about a key or a window is in the accumulator, which is
/// state.
///
/// ```
/// # use flott_datastream::AggregateFunction;
/// #[derive(Clone)]
/// struct Average;
///
/// impl AggregateFunction for Average {
///     type In = i64;
///     type Acc = (i64, u32);
///     type Out = f64;
///     fn create_accumulator(&self) -> (i64, u32) { (0, 0) }
///     fn add(&self, value: i64, (sum, count): &mut (i64, u32)) {
///         *sum += value;
///         *count += 1;
///     }
///     fn get_result(&self, (sum, count): &(i64, u32)) -> f64 { *sum as f64 / f64::from(*count) }
///     fn merge(&self, into: &mut (i64, u32), other: (i64, u32)) {
///         into.0 += other.0;
///         into.1 += other.1;
///     }
/// }
///
/// let mut acc = Average.create_accumulator();
/// [1, 2, 6].into_iter().for_each(|value| Average.add(value, &mut acc));
/// assert_eq!(Average.get_result(&acc), 3.0);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an `AggregateFunction`",
    label = "does not implement `AggregateFunction`",
    note = "implement it for `{Self}`, with `In` as the type of the records"
)]
pub trait AggregateFunction: Send + 'static {
    /// The values to add.
    type In;
    /// The accumulator.
    type Acc: Record;
    /// The result.
    type Out;

    /// The accumulator of no values.
    fn create_accumulator(&self) -> Self::Acc;

    /// Adds a value.
    fn add(&self, value: Self::In, accumulator: &mut Self::Acc);

    /// The result of the values that were added.
    fn get_result(&self, accumulator: &Self::Acc) -> Self::Out;

    /// Merges two accumulators: `into` then has the values of both. Merging windows (sessions) need it.
    fn merge(&self, into: &mut Self::Acc, other: Self::Acc);
}
