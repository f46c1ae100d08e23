//! The ends of streams.

use std::fmt::Display;
use std::sync::Arc;

use flott_batch::Record;
use flott_connector::{Consumes, Sink};
use flott_plan::Chaining;
use flott_types::Result;

use crate::environment::Shared;
use crate::graph::{NodeKind, Transformation};
use crate::stream::DataStream;
use flott_connector_basic::PrintSink;
use flott_connector_collections::{DiscardingSink, FunctionSink};

/// The end of a stream.
pub struct DataStreamSink {
    shared: Shared,
    node: usize,
}

impl<T: Record> DataStream<T> {
    /// Writes the values to a sink.
    pub fn sink_to(&self, sink: impl Consumes<T> + 'static) -> DataStreamSink {
        self.end("Sink", Arc::new(sink)).change(|node| node.stateful = true)
    }

    /// Calls a function with each value. After a failure it may be called with a value again.
    pub fn add_sink<F>(&self, function: F) -> DataStreamSink
    where
        F: FnMut(T) -> Result<()> + Clone + Send + Sync + 'static,
    {
        self.end("Sink", Arc::new(FunctionSink::new(function)))
    }

    /// Prints each value to standard output.
    pub fn print(&self) -> DataStreamSink
    where
        T: Display,
    {
        self.end("Print", Arc::new(PrintSink::<T>::new()))
    }

    /// Prints each value to standard output, as `{:?}` does.
    pub fn print_debug(&self) -> DataStreamSink
    where
        T: std::fmt::Debug,
    {
        self.end("Print", Arc::new(PrintSink::<T>::debug()))
    }

    /// Prints each value to standard error.
    pub fn print_to_err(&self) -> DataStreamSink
    where
        T: Display,
    {
        self.end("Print to Std. Err", Arc::new(PrintSink::<T>::new().to_standard_error()))
    }

    /// Prints each value to standard output, with this name at the start of the line: `name> value`, or
    /// `name:subtask> value` if there are several subtasks.
    pub fn print_as(&self, identifier: &str) -> DataStreamSink
    where
        T: Display,
    {
        self.end("Print", Arc::new(PrintSink::<T>::new().named(identifier)))
    }

    /// Discards the values.
    pub fn discard(&self) -> DataStreamSink {
        self.end("Discard", Arc::new(DiscardingSink))
    }

    fn end(&self, name: &'static str, sink: Arc<dyn Sink>) -> DataStreamSink {
        let node = self.shared.graph.add(name, NodeKind::Sink(sink), self.inputs());
        DataStreamSink { shared: self.shared.clone(), node }
    }
}

impl DataStreamSink {
    fn change(self, change: impl FnOnce(&mut Transformation)) -> Self {
        self.shared.graph.change(self.node, change);
        self
    }

    /// The sink's name, for people.
    pub fn name(self, name: &str) -> Self {
        self.change(|node| node.name = name.to_owned())
    }

    /// The name by which the sink's state is found in a snapshot.
    pub fn uid(self, uid: &str) -> Self {
        self.change(|node| node.uid = Some(uid.to_owned()))
    }

    /// What the sink does, for people; [`StreamExecutionEnvironment::execution_plan`] shows it.
    ///
    /// [`StreamExecutionEnvironment::execution_plan`]: crate::StreamExecutionEnvironment::execution_plan
    pub fn description(self, description: &str) -> Self {
        self.change(|node| node.description = Some(description.to_owned()))
    }

    /// How many writers there are.
    pub fn parallelism(self, parallelism: u32) -> Self {
        self.change(|node| node.parallelism = Some(parallelism))
    }

    /// The sink does not share slots with operators of other groups.
    pub fn slot_sharing_group(self, group: &str) -> Self {
        self.change(|node| node.wishes.slot_sharing_group = Some(group.to_owned()))
    }

    /// The sink is not chained to the previous operator.
    pub fn disable_chaining(self) -> Self {
        self.change(|node| node.wishes.chaining = Chaining::Never)
    }
}
