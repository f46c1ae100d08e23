//! The DataStream API: streams of a program's own types, with keyed state, timers and windows.
//!
//! A program describes a graph ([`StreamExecutionEnvironment`], [`DataStream`], [`KeyedStream`]) and executes it. What runs is the
//! same runtime that runs SQL: the graph becomes a plan, in which the program's functions are named by number
//! ([`program`]); whoever deploys the plan has the program's code and finds them.
//!
//! **One batch at a time.** An operator gets [`flott_batch::Records`] of a type that it knows, casts once for the whole batch, and
//! runs a typed loop over the values. A closure is called directly, not through a pointer: `map`, `filter` and `flat_map`
//! compile to the loop that one would write by hand.
//!
//! **One look-up a record.** A keyed operator turns the keys of a batch into slots of a table, and all states of the operator are
//! arrays over these slots ([`state`]). Reading a value state is an index into a `Vec`. Nothing is serialised until a
//! checkpoint, and then only what has changed.
//!
//! Functions are values that are cloned for each subtask (`F: Clone + Send + 'static`). Records need `serde`, because they
//! must be able to leave the process; they need not be `Clone`.

pub mod accumulator;
mod cached_files;
pub mod codec;
pub mod configuration;
mod environment;
pub mod function;
mod graph;
mod job;
mod keyed_stream;
mod logging;
mod operator;
mod output;
pub mod program;
mod runtime_context;
pub mod sink;
pub mod source;
pub mod state;
mod stream;
pub mod time;
mod transform;
mod uids;
pub mod window;

pub use environment::{IntoRecord, RuntimeMode, StreamExecutionEnvironment};
pub use flott_batch::Record;
pub use flott_operator::{Counter, Gauge, Histogram, Meter, MetricGroup, MetricValue};
pub use flott_types::{Error, Result, Timestamp, Watermark};
pub use function::{AggregateFunction, FilterFunction, FlatMapFunction, MapFunction, SnapshotContext};
pub use function::{AsyncFunction, CoProcessFunction, KeyedCoProcessFunction};
pub use function::{BroadcastContext, BroadcastProcessFunction, StatesOfKey};
pub use function::{JoinContext, ProcessJoinFunction};
pub use function::{KeyedBroadcastContext, KeyedBroadcastProcessFunction, ReadOnlyContext};
pub use function::{KeyedContext, KeyedProcessFunction, ProcessContext, ProcessFunction, TimeDomain};
pub use function::{KeyedFilterFunction, KeyedFlatMapFunction, KeyedMapFunction};
pub use function::{KeyedStates, OwnStates};
pub use job::{Executor, JobClient, JobExecutionResult};
pub use keyed_stream::KeyedStream;
pub use operator::{AsyncOptions, AsyncRetry};
pub use output::{Collector, OutputTag};
pub use runtime_context::RuntimeContext;
pub use state::{
    AggregatingState, BroadcastState, Key, ListState, MapState, OperatorListState, ReducingState, ValueState,
};
pub use state::{StateTtlConfig, TtlUpdateType, TtlVisibility};
pub use stream::{BroadcastConnectedStream, KeyedBroadcastConnectedStream};
pub use stream::{
    CoGroupedStreams, JoinedStreams, Joining, JoiningKeyed, JoiningWhere, TaggedUnion, WindowedJoining,
};
pub use stream::{Collected, CollectedStream, DataStream, DataStreamSink};
pub use stream::{ConnectedStreams, KeyedConnectedStreams};
pub use stream::{IntervalJoin, IntervalJoined};
pub use time::WatermarkStrategy;
