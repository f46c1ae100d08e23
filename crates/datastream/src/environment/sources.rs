//! Where streams come from.

use std::sync::Arc;

use flott_batch::Record;
use flott_connector::Produces;
use flott_types::Result;

use crate::source::{CollectionSource, IteratorSource, SequenceSource, SocketTextSource, TextFileSource};
use crate::time::{WatermarkStrategy, WatermarkedSource};
use crate::{DataStream, StreamExecutionEnvironment};

impl StreamExecutionEnvironment {
    /// The values of a source, with timestamps and watermarks of this strategy, kept for each split by itself.
    pub fn from_source<T: Record>(
        &self,
        source: impl Produces<T> + 'static,
        strategy: WatermarkStrategy<T>,
        name: &str,
    ) -> DataStream<T> {
        self.add_source("Source", Arc::new(WatermarkedSource::new(source, strategy))).name(name)
    }

    /// These values.
    ///
    /// # Errors
    /// The values are written and read again, since every subtask must be able to have them: if that fails, executing the
    /// program does.
    pub fn from_collection<T: Record>(&self, values: impl IntoIterator<Item = T>) -> DataStream<T> {
        let source = CollectionSource::new(values);
        self.fallible("Collection Source", source)
    }

    /// The values of an iterator, which is made anew by each attempt. It is read by one subtask.
    pub fn from_iter<T, I>(&self, make: impl Fn() -> I + Send + Sync + 'static) -> DataStream<T>
    where
        T: Record,
        I: Iterator<Item = T> + Send + 'static,
    {
        self.add_source("Iterator Source", Arc::new(IteratorSource::bounded(make)))
    }

    /// The numbers from here to there, both included.
    pub fn from_sequence(&self, from: i64, to: i64) -> DataStream<i64> {
        self.fallible("Sequence Source", SequenceSource::new(from, to))
    }

    /// Lines that come over a TCP connection. Nothing is read twice: a failure loses lines.
    pub fn socket_text_stream(&self, host: &str, port: u16) -> DataStream<String> {
        let stream = self.add_source("Socket Stream", Arc::new(SocketTextSource::new(host, port)));
        stream.only_one()
    }

    /// The lines of a file, of the files of a folder, or of those that a pattern names.
    pub fn read_text_file(&self, path: &str) -> DataStream<String> {
        self.fallible("Text File Source", TextFileSource::new(path))
    }

    /// A source whose making may have failed; the program is told when it is executed.
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

impl<T: Record> DataStream<T> {
    /// The node has one subtask, whatever is asked for.
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
