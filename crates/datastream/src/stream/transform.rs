//! What all kinds of streams share: adding nodes to the graph.

use std::sync::Arc;

use flott_batch::Record;
use flott_operator::{Operator, TaskInfo};
use flott_runtime::TaskOptions;
use flott_types::Result;
use parking_lot::Mutex;

use crate::environment::Shared;
use crate::graph::{NodeKind, Upstream};
use crate::program::MakeOperator;
use crate::stream::DataStream;

/// A factory that gives each subtask an operator made from a clone of the prototype.
pub(crate) fn factory<P, M>(prototype: P, make: M) -> MakeOperator
where
    P: Clone + Send + 'static,
    M: Fn(P, &TaskInfo, &TaskOptions) -> Result<Box<dyn Operator>> + Send + Sync + 'static,
{
    // A function need not be `Sync`; it is cloned under a lock.
    let prototype = Mutex::new(prototype);
    Arc::new(move |info, options| {
        let own = prototype.lock().clone();
        make(own, info, options)
    })
}

/// Adds an operator and returns the stream of its output.
pub(crate) fn transform<U: Record>(
    shared: &Shared,
    shape: &'static str,
    inputs: Vec<Vec<Upstream>>,
    factory: MakeOperator,
) -> DataStream<U> {
    let node = shared.graph.add(shape, NodeKind::Operator(factory), inputs);
    DataStream::of_node(shared.clone(), node)
}
