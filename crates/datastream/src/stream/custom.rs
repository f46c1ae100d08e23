//! Operators of the program's own.

use flott_batch::Record;
use flott_operator::Operator;

use crate::stream::DataStream;
use crate::stream::connected::ConnectedStreams;
use crate::stream::transform::{factory, transform};

impl<T: Record> DataStream<T> {
    /// An operator of the program's own, for what no function can do: it gets whole batches, watermarks and
    /// snapshots. Each subtask has a clone of it. See [`Operator`].
    ///
    /// ```
    /// use flott_batch::{Batch, Records};
    /// use flott_datastream::*;
    /// use flott_operator::{Context, Operator};
    ///
    /// /// The number of values in each batch.
    /// #[derive(Clone)]
    /// struct BatchSizes;
    ///
    /// impl Operator for BatchSizes {
    ///     fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
    ///         let size = batch.into_records::<i64>()?.values.len() as u64;
    ///         context.output.emit(Records::new(vec![size]).into())
    ///     }
    /// }
    ///
    /// let env = StreamExecutionEnvironment::new();
    /// let sizes: DataStream<u64> = env.from_sequence(1, 100).transform("Batch Sizes", BatchSizes);
    /// assert_eq!(sizes.execute_and_collect("sizes")?.sum::<Result<u64>>()?, 100);
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use = "a stream that is put nowhere has no effect; `sink_to`, `print` or `discard` end one"]
    pub fn transform<U, O>(&self, name: &str, operator: O) -> DataStream<U>
    where
        U: Record,
        O: Operator + Clone + 'static,
    {
        let factory = factory(operator, |operator, _, _| Ok(Box::new(operator)));
        transform(&self.shared, "Operator", self.inputs(), factory).stateful().name(name)
    }
}

impl<A: Record, B: Record> ConnectedStreams<A, B> {
    /// An operator of the program's own on both streams, the inputs 0 and 1; see [`DataStream::transform`].
    #[must_use = "a stream that is put nowhere has no effect; `sink_to`, `print` or `discard` end one"]
    pub fn transform<U, O>(&self, name: &str, operator: O) -> DataStream<U>
    where
        U: Record,
        O: Operator + Clone + 'static,
    {
        let factory = factory(operator, |operator, _, _| Ok(Box::new(operator)));
        self.operator("Co-Operator", factory).stateful().name(name)
    }
}
