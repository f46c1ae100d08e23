//! Patterns over streams.

use std::cmp::Ordering;
use std::marker::PhantomData;
use std::sync::Arc;

use flott_batch::Record;
use flott_types::Result;

use crate::stream::DataStream;
use crate::stream::keyed::KeyedStream;
use flott_function::output::{Collector, Of, OutputTag};
use flott_function::state::Key;
use flott_function_cep::function::{CepFunction, Order};
use flott_function_cep::matches::Match;
use flott_function_cep::pattern::{Compiled, Pattern};
use flott_function_cep::process::{MatchContext, PatternProcessFunction};

/// Looks for patterns in streams.
pub struct Cep;

/// A stream in which a pattern can be looked for: keyed, so that each key has its own matches, or not, so
/// that one subtask sees all events.
pub trait PatternInput<T> {
    /// The type of its keys.
    type Key: Key;

    /// The stream by key, and whether one subtask must have it all.
    #[doc(hidden)]
    fn keyed(&self) -> (KeyedStream<Self::Key, T>, bool);
}

impl<K: Key, T: Record> PatternInput<T> for KeyedStream<K, T> {
    type Key = K;

    fn keyed(&self) -> (KeyedStream<K, T>, bool) {
        (self.clone(), false)
    }
}

impl<T: Record> PatternInput<T> for DataStream<T> {
    type Key = u8;

    fn keyed(&self) -> (KeyedStream<u8, T>, bool) {
        (self.key_by(|_| 0), true)
    }
}

/// The matches of a pattern in a stream, to be given to a function.
pub struct PatternStream<K, T> {
    input: KeyedStream<K, T>,
    whole: bool,
    pattern: Pattern<T>,
    order: Order<T>,
}

impl Cep {
    /// Looks for a pattern in a stream. Events are taken in the order of their timestamps, when the watermark
    /// has reached them.
    ///
    /// ```
    /// # use flott_datastream::cep::*;
    /// # use flott_datastream::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// # let timed = WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|e: &(String, i64), _| e.1);
    /// # let logins = env.from_collection([("ann".to_owned(), -1), ("bob".to_owned(), -2), ("ann".to_owned(), -3)]);
    /// # let logins = logins.map(|(user, at)| (user, -at)).assign_timestamps_and_watermarks(timed);
    /// let twice = Pattern::begin("first").next("second");
    /// let users = Cep::pattern(&logins.key_by_ref(|(user, _)| user), &twice)
    ///     .select(|found| found.first("first").map(|(user, _)| user.clone()).unwrap_or_default());
    /// # assert_eq!(users.execute_and_collect("t")?.collect::<Result<Vec<_>>>()?, ["ann"]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn pattern<T: Record, S: PatternInput<T>>(
        stream: &S,
        pattern: &Pattern<T>,
    ) -> PatternStream<S::Key, T> {
        let (input, whole) = stream.keyed();
        let order = Order { event_time: true, comparator: None, late: None };
        PatternStream { input, whole, pattern: pattern.clone(), order }
    }
}

impl<K: Key, T: Record> PatternStream<K, T> {
    /// Events are taken in the order of their timestamps, when the watermark has reached them. This is the
    /// default.
    #[must_use]
    pub fn in_event_time(mut self) -> Self {
        self.order.event_time = true;
        self
    }

    /// Events are taken as they arrive, and the clock decides what is within a time.
    #[must_use]
    pub fn in_processing_time(mut self) -> Self {
        self.order.event_time = false;
        self
    }

    /// The order of events with the same timestamp (`EventComparator` in Flink). Without it, as they arrive.
    #[must_use]
    pub fn order_by(mut self, order: impl Fn(&T, &T) -> Ordering + Send + Sync + 'static) -> Self {
        self.order.comparator = Some(Arc::new(order));
        self
    }

    /// Late events go to this side output. Without it they are dropped, and counted in
    /// `numLateRecordsDropped`.
    #[must_use]
    pub fn side_output_late_data(mut self, tag: &OutputTag<T>) -> Self {
        self.order.late = Some(tag.clone());
        self
    }

    /// A function of matches, and of partial matches that run out of time.
    pub fn process<F>(self, function: F) -> DataStream<F::Out>
    where
        F: PatternProcessFunction<T> + Clone,
    {
        let PatternStream { input, whole, pattern, order } = self;
        let compiled = match Compiled::new(&pattern) {
            Ok(compiled) => compiled,
            Err(error) => {
                input.stream.shared.graph.fail(error);
                // Nothing runs.
                return input.stream.flat_map(|_, _: &mut Collector<'_, F::Out>| {});
            }
        };
        let matches = input.process(CepFunction::new(Arc::new(compiled), order, function)).name("CEP");
        if !whole {
            return matches;
        }
        matches.change(|node| (node.parallelism, node.fixed) = (Some(1), true))
    }

    /// One value for each match.
    pub fn select<U, F>(self, mut select: F) -> DataStream<U>
    where
        U: Record,
        F: FnMut(&Match<'_, T>) -> U + Clone + Send + 'static,
    {
        self.flat_select(move |found, out| out.collect(select(found)))
    }

    /// Any number of values for each match.
    pub fn flat_select<U, F>(self, select: F) -> DataStream<U>
    where
        U: Record,
        F: FnMut(&Match<'_, T>, &mut MatchContext<'_, '_, U>) + Clone + Send + 'static,
    {
        self.process(Select { select, of: PhantomData })
    }

    /// One value for each match, and one for each partial match that runs out of time, which goes to a side
    /// output.
    pub fn select_with_timeout<U, X, F, G>(self, tag: &OutputTag<X>, timed_out: G, select: F) -> DataStream<U>
    where
        U: Record,
        X: Record,
        F: FnMut(&Match<'_, T>) -> U + Clone + Send + 'static,
        G: FnMut(&Match<'_, T>, i64) -> X + Clone + Send + 'static,
    {
        self.process(SelectWithTimeout { select, timed_out, tag: tag.clone(), of: PhantomData })
    }
}

/// A closure of matches.
struct Select<F, U> {
    select: F,
    of: Of<U>,
}

impl<F: Clone, U> Clone for Select<F, U> {
    fn clone(&self) -> Self {
        Select { select: self.select.clone(), of: PhantomData }
    }
}

impl<T, U, F> PatternProcessFunction<T> for Select<F, U>
where
    U: Record,
    F: FnMut(&Match<'_, T>, &mut MatchContext<'_, '_, U>) + Send + 'static,
{
    type Out = U;

    fn process_match(&mut self, found: &Match<'_, T>, context: &mut MatchContext<'_, '_, U>) -> Result<()> {
        (self.select)(found, context);
        Ok(())
    }
}

/// Two closures: of matches, and of partial ones.
struct SelectWithTimeout<F, G, U, X> {
    select: F,
    timed_out: G,
    tag: OutputTag<X>,
    of: Of<U>,
}

impl<F: Clone, G: Clone, U, X> Clone for SelectWithTimeout<F, G, U, X> {
    fn clone(&self) -> Self {
        let SelectWithTimeout { select, timed_out, tag, .. } = self;
        let (select, timed_out) = (select.clone(), timed_out.clone());
        SelectWithTimeout { select, timed_out, tag: tag.clone(), of: PhantomData }
    }
}

impl<T, U, X, F, G> PatternProcessFunction<T> for SelectWithTimeout<F, G, U, X>
where
    U: Record,
    X: Record,
    F: FnMut(&Match<'_, T>) -> U + Send + 'static,
    G: FnMut(&Match<'_, T>, i64) -> X + Send + 'static,
{
    type Out = U;

    fn process_match(&mut self, found: &Match<'_, T>, context: &mut MatchContext<'_, '_, U>) -> Result<()> {
        context.collect((self.select)(found));
        Ok(())
    }

    fn process_timed_out_match(
        &mut self,
        partial: &Match<'_, T>,
        context: &mut MatchContext<'_, '_, U>,
    ) -> Result<()> {
        let value = (self.timed_out)(partial, context.timestamp());
        context.output(&self.tag, value);
        Ok(())
    }
}
