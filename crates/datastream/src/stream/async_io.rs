//! Streams that send requests to external systems.

use std::sync::Arc;

use flott_batch::Record;
use flott_plan::Chaining;

use crate::stream::DataStream;
use crate::stream::transform::{factory, transform};
use flott_function::async_function::AsyncFunction;
use flott_function_operators::async_io::AsyncWait;
use flott_function_operators::async_io::{AsyncOptions, AsyncRetry};

impl<T: Record + Clone> DataStream<T> {
    /// Any number of values for each, from an asynchronous function: many requests are in flight at a time
    /// (`AsyncDataStream` in Flink).
    ///
    /// A checkpoint contains the records whose requests are in flight, and the requests are sent again when
    /// the job is restored. The options say how records and watermarks stay in order.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use flott_datastream::*;
    /// # async fn name_of(id: i64) -> Result<String> { Ok(format!("user {id}")) }
    /// # let env = StreamExecutionEnvironment::new();
    /// let options = AsyncOptions::unordered(Duration::from_secs(10)).capacity(50);
    /// let names = env.from_sequence(1, 3).async_map(|id: i64| async move { Ok(vec![name_of(id).await?]) }, options);
    /// # assert_eq!(names.execute_and_collect("t")?.count(), 3);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn async_map<F>(&self, function: F, options: AsyncOptions) -> DataStream<F::Out>
    where
        F: AsyncFunction<T> + Clone,
    {
        self.async_wait(function, options, None)
    }

    /// As [`DataStream::async_map`], with retries.
    pub fn async_map_with_retry<F>(
        &self,
        function: F,
        options: AsyncOptions,
        retry: AsyncRetry<F::Out>,
    ) -> DataStream<F::Out>
    where
        F: AsyncFunction<T> + Clone,
    {
        self.async_wait(function, options, Some(retry))
    }

    fn async_wait<F>(
        &self,
        function: F,
        options: AsyncOptions,
        retry: Option<AsyncRetry<F::Out>>,
    ) -> DataStream<F::Out>
    where
        F: AsyncFunction<T> + Clone,
    {
        if let Err(error) = options.check() {
            self.shared.graph.fail(error);
        }
        let factory = factory((function, options, retry), |(function, options, retry), _, task| {
            Ok(Box::new(AsyncWait::<T, F>::new(function, options, retry, Arc::new(task.clone()))))
        });
        let results: DataStream<F::Out> = transform(&self.shared, "Async Wait", self.inputs(), factory);
        // At the head of its task, so that no operator before it keeps emitting while it is full.
        results.change(|node| node.wishes.chaining = Chaining::Head).stateful()
    }
}
