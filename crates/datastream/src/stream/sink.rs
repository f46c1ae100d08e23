//! The ends of streams.

use std::sync::Arc;

use flott_batch::Record;
use flott_connector::Sink;

use crate::DataStream;
use crate::environment::Shared;
use crate::graph::{NodeKind, Transformation};

/// The end of a stream.
pub struct DataStreamSink {
    shared: Shared,
    node: usize,
}

impl<T: Record> DataStream<T> {
    /// Writes to a sink that takes values of type `T`.
    pub(crate) fn add_sink_node(&self, name: &str, sink: Arc<dyn Sink>) -> DataStreamSink {
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

    /// How many writers there are.
    pub fn parallelism(self, parallelism: u32) -> Self {
        self.change(|node| node.parallelism = Some(parallelism))
    }

    /// The sink does not share slots with operators of other groups.
    pub fn slot_sharing_group(self, group: &str) -> Self {
        self.change(|node| node.wishes.slot_sharing_group = Some(group.to_owned()))
    }

    /// The sink is not called directly by the operator before it.
    pub fn disable_chaining(self) -> Self {
        self.change(|node| node.wishes.chaining = flott_plan::Chaining::Never)
    }
}
