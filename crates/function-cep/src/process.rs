//! Functions of matches.

use flott_batch::Record;
use flott_function::life_cycle;
use flott_function::output::{Collector, OutputTag};
use flott_types::{Result, Timestamp};

use crate::matches::Match;

/// A function that is called with each match.
///
/// ```
/// # use flott_datastream::cep::*;
/// # use flott_datastream::*;
/// /// Orders that were paid, and to a side output those that were not.
/// #[derive(Clone)]
/// struct Paid { unpaid: OutputTag<u32> }
///
/// impl PatternProcessFunction<(u32, String)> for Paid {
///     type Out = u32;
///     fn process_match(
///         &mut self,
///         found: &Match<'_, (u32, String)>,
///         ctx: &mut MatchContext<'_, '_, u32>,
///     ) -> Result<()> {
///         found.first("payment").into_iter().for_each(|(order, _)| ctx.collect(*order));
///         Ok(())
///     }
///     fn process_timed_out_match(
///         &mut self,
///         partial: &Match<'_, (u32, String)>,
///         ctx: &mut MatchContext<'_, '_, u32>,
///     ) -> Result<()> {
///         partial.first("order").into_iter().for_each(|(order, _)| ctx.output(&self.unpaid, *order));
///         Ok(())
///     }
/// }
/// ```
pub trait PatternProcessFunction<T>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!();

    /// A match.
    ///
    /// # Errors
    /// An error fails the task.
    fn process_match(
        &mut self,
        found: &Match<'_, T>,
        context: &mut MatchContext<'_, '_, Self::Out>,
    ) -> Result<()>;

    /// A partial match has run out of time (`TimedOutPartialMatchHandler` in Flink).
    ///
    /// # Errors
    /// An error fails the task.
    fn process_timed_out_match(
        &mut self,
        partial: &Match<'_, T>,
        context: &mut MatchContext<'_, '_, Self::Out>,
    ) -> Result<()> {
        let _ = (partial, context);
        Ok(())
    }
}

/// What a function of matches may use during a call.
pub struct MatchContext<'a, 'c, O> {
    pub(crate) out: &'a mut Collector<'c, O>,
    pub(crate) timestamp: Timestamp,
    pub(crate) now: Timestamp,
}

impl<O: Record> MatchContext<'_, '_, O> {
    /// Emits a value. In event time it has the timestamp of the match's last event, or the time at which a
    /// partial match ran out of time.
    pub fn collect(&mut self, value: O) {
        self.out.collect(value);
    }

    /// Emits a value to a side output.
    pub fn output<X: Record>(&mut self, tag: &OutputTag<X>, value: X) {
        self.out.output(tag, value);
    }

    /// The timestamp of the match: of its last event, or the time at which it ran out of time.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// The processing time in milliseconds since the epoch.
    pub fn current_processing_time(&self) -> Timestamp {
        self.now
    }
}
