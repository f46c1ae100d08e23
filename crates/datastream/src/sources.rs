//! Where streams come from.

use std::sync::Arc;

use flott_batch::Record;
use flott_connector::{Produces, Source};
use flott_types::Result;

use crate::environment::StreamExecutionEnvironment;
use crate::graph::NodeKind;
use crate::stream::DataStream;
use crate::time::{WatermarkStrategy, WatermarkedSource};
use flott_connector_collections::{Channel, ChannelSource, CollectionSource, IteratorSource, SequenceSource};
use flott_connector_socket::SocketTextSource;
use flott_connector_text_file::TextFileSource;

impl StreamExecutionEnvironment {
    /// The values of a source, with timestamps and watermarks by this strategy, tracked per split.
    pub fn from_source<T: Record>(
        &self,
        source: impl Produces<T> + 'static,
        strategy: WatermarkStrategy<T>,
        name: &str,
    ) -> DataStream<T> {
        self.add_source("Source", Arc::new(WatermarkedSource::new(source, strategy))).name(name)
    }

    /// These values, in order, read by one subtask (`fromData` in Flink). Texts may be `&str`; the stream is
    /// of `String`.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// let words: DataStream<String> = env.from_collection(["to", "be"]);
    /// let words = words.execute_and_collect("words")?.collect::<Result<Vec<_>>>()?;
    /// assert_eq!(words, ["to", "be"]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// The values are serialised, because they must outlive a failure; if that fails, executing the program
    /// fails.
    pub fn from_collection<T, I>(&self, values: I) -> DataStream<T>
    where
        T: Record,
        I: IntoIterator,
        I::Item: IntoRecord<T>,
    {
        self.from_parallel_collection(values).only_one()
    }

    /// These values, distributed to all subtasks, without an order between them.
    ///
    /// # Errors
    /// As [`StreamExecutionEnvironment::from_collection`].
    pub fn from_parallel_collection<T, I>(&self, values: I) -> DataStream<T>
    where
        T: Record,
        I: IntoIterator,
        I::Item: IntoRecord<T>,
    {
        let source = CollectionSource::new(values.into_iter().map(IntoRecord::into_record));
        self.fallible("Collection Source", source)
    }

    /// The values of an iterator, which each attempt recreates. One subtask reads it on a separate thread, so
    /// an iterator that waits for its next value blocks nothing.
    pub fn from_iter<T, I>(&self, make: impl Fn() -> I + Send + Sync + 'static) -> DataStream<T>
    where
        T: Record,
        I: Iterator<Item = T> + Send + 'static,
    {
        self.add_source("Iterator Source", Arc::new(IteratorSource::bounded(make)))
    }

    /// The values of a channel, each passed on immediately: of the standard library, of tokio, or any other
    /// channel as a closure. It ends with the last sender. A channel has no positions: a failure loses the
    /// values that arrived after the last checkpoint.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// let mut squares = env.from_channel(receiver).map(|n: i64| n * n).execute_and_collect("squares")?;
    /// sender.send(3).unwrap();
    /// assert_eq!(squares.next().transpose()?, Some(9));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn from_channel<T: Record>(&self, channel: impl Channel<T>) -> DataStream<T> {
        self.add_source("Channel Source", Arc::new(ChannelSource::new(channel))).only_one()
    }

    /// A range of numbers, inclusive.
    pub fn from_sequence(&self, from: i64, to: i64) -> DataStream<i64> {
        self.fallible("Sequence Source", SequenceSource::new(from, to))
    }

    /// Lines of a TCP connection. Nothing is read twice: a failure loses lines.
    pub fn socket_text_stream(&self, host: &str, port: u16) -> DataStream<String> {
        let stream = self.add_source("Socket Stream", Arc::new(SocketTextSource::new(host, port)));
        stream.only_one()
    }

    /// The lines of a file, of the files in a folder, or of those that match a pattern.
    pub fn read_text_file(&self, path: &str) -> DataStream<String> {
        self.fallible("Text File Source", TextFileSource::new(path))
    }

    /// A source whose construction may have failed; the error is reported when the program is executed. Reads
    /// a source that emits values of type `T`.
    fn add_source<T: Record>(&self, name: &'static str, source: Arc<dyn Source>) -> DataStream<T> {
        let node = self.shared.graph.add(name, NodeKind::Source(source), Vec::new());
        DataStream::of_node(self.shared.clone(), node).stateful()
    }

    fn fallible<T: Record, S: Produces<T> + 'static>(
        &self,
        name: &'static str,
        source: Result<S>,
    ) -> DataStream<T> {
        match source {
            Ok(source) => self.add_source(name, Arc::new(source)),
            Err(error) => {
                self.shared.graph.fail(error.context(name));
                self.add_source(name, Arc::new(IteratorSource::bounded(std::iter::empty::<T>)))
            }
        }
    }
}

/// How a literal value becomes a record: unchanged, except that borrowed text becomes a `String`.
pub trait IntoRecord<T> {
    /// The record.
    fn into_record(self) -> T;
}

impl<T: Record> IntoRecord<T> for T {
    fn into_record(self) -> T {
        self
    }
}

impl IntoRecord<String> for &str {
    fn into_record(self) -> String {
        self.to_owned()
    }
}

impl<V> IntoRecord<(String, V)> for (&str, V) {
    fn into_record(self) -> (String, V) {
        (self.0.to_owned(), self.1)
    }
}

impl<T: Record> DataStream<T> {
    /// The node has one subtask, whatever parallelism is set.
    pub(crate) fn only_one(self) -> Self {
        for upstream in &self.upstreams {
            self.shared.graph.change(upstream.node, |node| {
                node.parallelism = Some(1);
                node.fixed = true;
            });
        }
        self
    }
}
