//! Functions of two streams that are joined in windows, with a life cycle.
//!
//! `apply` takes closures; types that implement these traits go to `apply_with` and `flat_apply_with`.

use flott_batch::Record;
use flott_types::Result;

use crate::life_cycle;
use crate::output::Collector;

/// One value for each pair of records of a key and window.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `JoinFunction` of `{L}` and `{R}`",
    label = "does not implement `JoinFunction<{L}, {R}>`",
    note = "its type parameters are the types of the records of both streams: `impl JoinFunction<{L}, {R}> for {Self}`"
)]
pub trait JoinFunction<L, R>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!();

    /// The value for a pair.
    ///
    /// # Errors
    /// An error fails the task.
    fn join(&mut self, left: &L, right: &R) -> Result<Self::Out>;
}

/// Any number of values for each pair of records of a key and window.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `FlatJoinFunction` of `{L}` and `{R}`",
    label = "does not implement `FlatJoinFunction<{L}, {R}>`",
    note = "its type parameters are the types of the records of both streams: `impl FlatJoinFunction<{L}, {R}> for {Self}`"
)]
pub trait FlatJoinFunction<L, R>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!();

    /// Emits the values for a pair.
    ///
    /// # Errors
    /// An error fails the task.
    fn join(&mut self, left: &L, right: &R, out: &mut Collector<'_, Self::Out>) -> Result<()>;
}

/// Any number of values for each key and window that has records of either stream.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `CoGroupFunction` of `{L}` and `{R}`",
    label = "does not implement `CoGroupFunction<{L}, {R}>`",
    note = "its type parameters are the types of the records of both streams: `impl CoGroupFunction<{L}, {R}> for {Self}`"
)]
pub trait CoGroupFunction<L, R>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!();

    /// Emits the values for the records of a key and window. Those of one stream are in the order of their
    /// arrival; one of the two may have none.
    ///
    /// # Errors
    /// An error fails the task.
    fn co_group(&mut self, left: &[&L], right: &[&R], out: &mut Collector<'_, Self::Out>) -> Result<()>;
}
