//! The SDK of sources and sinks.
//!
//! A connector is found by the name in a table's `'connector' = '...'` option. From the table it makes a
//! [`Source`] (split enumerator in the JobManager, readers in the tasks) or a [`Sink`] (writers and committers in the
//! tasks).
//!
//! Exactly once: a reader's splits carry their positions and are in the checkpoint; a writer hands its output over as
//! committables that are in the checkpoint before anything is visible, and committing twice is harmless.
//!
//! Readers and writers are driven synchronously by the task's thread. One that waits for the outside does so on threads of its
//! own and answers [`Poll::Wait`]; it never blocks the task for long.

mod event_time;
mod fixed_splits;
mod options;
mod quantity;
mod rate;
mod registry;
mod sink;
mod source;

pub use event_time::{
    EventTimeGenerator, EventTimePolicy, EventTimeProgress, GeneratorFactory, Timed, WatermarkAlignment,
};
pub use fixed_splits::FixedSplits;
pub use flott_types::Waker;
pub use options::Options;
pub use rate::RateLimiter;
pub use registry::{Changelog, Connector, Registry, TableContext};
pub use sink::{Committable, Consumes, Sink, SinkContext, SinkWriter};
pub use source::{
    Boundedness, EnumeratorContext, Poll, Produces, ReaderContext, Source, SourceOutput, SourceReader, Split,
    SplitEnumerator,
};
