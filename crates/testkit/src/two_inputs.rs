//! A function of two streams under test.

use std::ops::{Deref, DerefMut};

use flott_batch::Record;
use flott_datastream::{DataStream, StreamExecutionEnvironment};
use flott_types::{Result, Timestamp};

use crate::{Harness, TestSource};

/// A piece of a pipeline under test that turns two streams into one: connected, joined, or with a broadcast
/// stream.
///
/// It has everything that a [`Harness`] has (snapshots, the clock, side outputs); the first stream is the
/// harness's input.
///
/// ```
/// # use flott_testkit::Harness;
/// # use flott_datastream::*;
/// # fn main() -> Result<()> {
/// let mut paid = Harness::with_two_inputs(|orders: DataStream<(u32, i64)>, payments: DataStream<(u32, i64)>| {
///     orders
///         .key_by(|(order, _)| *order)
///         .interval_join(&payments.key_by(|(order, _)| *order))
///         .between(0, 60_000)
///         .map(|order, payment| (order.0, payment.1 - order.1))
/// });
/// paid.push_first_at((1, 10), 10_000)?;
/// assert_eq!(paid.push_second_at((1, 25), 25_000)?, [(1, 15)]);
/// # Ok(())
/// # }
/// ```
pub struct TwoInputs<I, J, O> {
    harness: Harness<I, O>,
    second: TestSource<J>,
}

impl<I: Record, J: Record, O: Record> TwoInputs<I, J, O> {
    pub(crate) fn new(
        pipeline: impl Fn(DataStream<I>, DataStream<J>) -> DataStream<O> + Send + 'static,
    ) -> Self {
        let second = TestSource::new();
        let own = second.clone();
        let harness = Harness::new(move |first: DataStream<I>| {
            let second = own.stream(&first.environment());
            pipeline(first, second)
        });
        TwoInputs { harness: harness.input(&second), second }
    }

    /// The parallelism of operators that do not set their own.
    #[must_use]
    pub fn parallelism(self, parallelism: u32) -> Self {
        TwoInputs { harness: self.harness.parallelism(parallelism), second: self.second }
    }

    /// Changes the configuration.
    #[must_use]
    pub fn configure(self, configure: impl Fn(&StreamExecutionEnvironment) + Send + 'static) -> Self {
        TwoInputs { harness: self.harness.configure(configure), second: self.second }
    }

    /// Pushes a record of the first stream without a timestamp; returns the output.
    ///
    /// # Errors
    /// As [`Harness::push`].
    pub fn push_first(&mut self, value: I) -> Result<Vec<O>> {
        self.harness.push(value)
    }

    /// Pushes a record of the first stream with a timestamp; returns the output.
    ///
    /// # Errors
    /// As [`Harness::push`].
    pub fn push_first_at(&mut self, value: I, timestamp: Timestamp) -> Result<Vec<O>> {
        self.harness.push_at(value, timestamp)
    }

    /// Pushes a record of the second stream without a timestamp; returns the output.
    ///
    /// # Errors
    /// As [`Harness::push`].
    pub fn push_second(&mut self, value: J) -> Result<Vec<O>> {
        self.harness.now()?;
        self.second.push(value)?;
        self.harness.step()
    }

    /// Pushes a record of the second stream with a timestamp; returns the output.
    ///
    /// # Errors
    /// As [`Harness::push`].
    pub fn push_second_at(&mut self, value: J, timestamp: Timestamp) -> Result<Vec<O>> {
        self.harness.now()?;
        self.second.push_at(value, timestamp)?;
        self.harness.step()
    }

    /// Advances event time of the first stream; returns the output.
    ///
    /// # Errors
    /// If a function fails.
    pub fn watermark_first(&mut self, at: Timestamp) -> Result<Vec<O>> {
        self.harness.watermark(at)
    }

    /// Advances event time of the second stream; returns the output.
    ///
    /// # Errors
    /// If a function fails.
    pub fn watermark_second(&mut self, at: Timestamp) -> Result<Vec<O>> {
        self.harness.now()?;
        self.second.watermark(at);
        self.harness.step()
    }

    /// Advances event time of both streams; returns the output.
    ///
    /// # Errors
    /// If a function fails.
    pub fn watermark_both(&mut self, at: Timestamp) -> Result<Vec<O>> {
        self.second.watermark(at);
        self.harness.watermark(at)
    }
}

impl<I, J, O> Deref for TwoInputs<I, J, O> {
    type Target = Harness<I, O>;

    fn deref(&self) -> &Harness<I, O> {
        &self.harness
    }
}

impl<I, J, O> DerefMut for TwoInputs<I, J, O> {
    fn deref_mut(&mut self) -> &mut Harness<I, O> {
        &mut self.harness
    }
}
