//! The task runtime: what runs one subtask of one vertex of a job.
//!
//! A task is one thread with one loop over a mailbox and bounded input queues ([`gate`]), driving a tree of chained
//! operators by direct calls ([`chain`]), with a source at its head or an input gate, and exchanges to other tasks at its
//! leaves ([`exchange`]). Threads and not async tasks: operators compute, they do not wait; a loop that owns its state and
//! calls straight down has no locks, no boxes and no cancellation points in the path of a batch.
//!
//! The runtime depends on no operator: [`OperatorFactory`] creates those of a plan, and whatever else a plan
//! needs computed.
//!
//! Invariants: an operator is called by one thread only; batches, watermarks and barriers of one channel keep
//! their order; a queue is bounded and a full one stops its producer; every wait checks for cancellation; a
//! task ends with exactly one of the reports `Finished`, `Canceled`, `Failed`, after everything it owned is
//! closed.
//!
//! Cost per batch: one lock to take it, one to put it, and one virtual call for each operator. Nothing per row.

// A variant that is added later is looked at where it matters (in tests a catch-all is a failure that shows).
#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]

mod api;
mod build;
pub mod chain;
mod collect;
pub mod connect;
mod constant_rows;
mod environment;
pub mod exchange;
pub mod executor;
pub mod gate;
mod handle;
mod in_flight;
mod in_parts;
pub mod inlet;
mod metrics;
pub mod options;
mod overtaking;
mod pace;
pub mod piped;
mod sink;
mod snapshot;
pub mod source;
mod state_memory;
mod streams;
mod task;
mod threads;
pub mod valve;
mod watermark_alignment;
mod whereabouts;
pub mod wire;

pub use api::{
    ChannelKey, Failure, FailureKind, OperatorRestore, SnapshotMetrics, TaskCommand, TaskDeployment,
    TaskEdge, TaskReport,
};
pub use chain::OperatorState;
pub use collect::{CollectOperator, Collector, Results};
pub use connect::{Exchanges, Home, LocalExchanges};
pub use environment::{ConstantRows, Constraint, OperatorFactory, Outside, Reports, TaskEnvironment};
pub use handle::TaskHandle;
pub use metrics::{OperatorMetricsReport, SplitReport, TaskMetrics, TaskMetricsReport, TaskRates};
pub use options::TaskOptions;
pub use sink::{GLOBAL_COMMITTABLES, SinkOperator};
pub use snapshot::{SnapshotStorage, SnapshotWriter, Stored};
pub use streams::input_edges;
pub use threads::{Thread, Threads};
