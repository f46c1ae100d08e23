//! The DataStream API: streams of a program's own types, with keyed state, timers and windows.
//!
//! A program describes a graph ([`StreamExecutionEnvironment`], [`DataStream`], [`KeyedStream`]) and executes
//! it on the same runtime as SQL: the graph becomes a plan that refers to the program's functions by number
//! ([`program`]); the process that deploys the plan has the program's code and looks them up.
//!
//! This crate is the user's view: streams, the environment, jobs. What it is built on has its own crates,
//! whose public parts are re-exported here under the names that programs use:
//!
//! | crate | here | what is in it |
//! |---|---|---|
//! | `flott-values` | [`codec`] | values of users' types as columns |
//! | `flott-function` | [`state`], [`accumulator`], the traits of functions | what functions are, and what they can use |
//! | `flott-function-operators` | [`AsyncOptions`] | the operators that call them |
//! | `flott-function-cep` | [`cep`] | patterns of events, and the function that looks for them |
//! | `flott-function-windows` | [`window`] | windows: assigners, triggers, evictors, and their operator |
//! | `flott-connector-*` | [`source`], [`sink`] | collections, channels, sockets, files, print |
//!
//! **One batch at a time.** An operator gets [`flott_batch::Records`] of a type that it knows, casts once for
//! the whole batch, and runs a typed loop over the values. A closure is called directly, not through a
//! pointer: `map`, `filter` and `flat_map` compile to the loop that you would write by hand.
//!
//! **One lookup per record.** A keyed operator turns the keys of a batch into slots of a table, and all
//! states of the operator are arrays over these slots ([`state`]). Reading a value state is an index into a
//! `Vec`. Nothing is serialised until a checkpoint, and then only what has changed.
//!
//! Functions are values that are cloned for each subtask (`F: Clone + Send + 'static`). Records need `serde`,
//! because they must be able to leave the process; they need not be `Clone`.

pub mod configuration;
mod environment;
mod facade;
mod graph;
mod job;
mod logging;
pub mod planned;
#[cfg(feature = "cluster")]
mod processes;
pub mod program;
mod savepoints;
mod sources;
mod stream;
mod tables;
pub mod time;
mod totals;

pub use environment::{
    CheckpointConfig, CheckpointingMode, ExternalizedCheckpointRetention, RestartStrategy,
};
pub use environment::{JobListener, RuntimeMode, StreamExecutionEnvironment};
pub use facade::{accumulator, cep, codec, sink, source, state, table, window};
pub use flott_batch::Record;
/// Snapshots as data.
pub use flott_connector_savepoint as snapshots;
pub use flott_function::aggregate::AggregateFunction;
pub use flott_function::async_function::AsyncFunction;
pub use flott_function::broadcast::{
    BroadcastContext, BroadcastProcessFunction, KeyedBroadcastContext, KeyedBroadcastProcessFunction,
    ReadOnlyContext, StatesOfKey,
};
pub use flott_function::co_process::{CoProcessFunction, KeyedCoProcessFunction};
pub use flott_function::co_rich::{
    CoFlatMapFunction, CoMapFunction, KeyedCoFlatMapFunction, KeyedCoMapFunction,
};
pub use flott_function::join::{JoinContext, ProcessJoinFunction};
pub use flott_function::keyed_process::{KeyedContext, KeyedProcessFunction, KeyedStates, TimeDomain};
pub use flott_function::keyed_rich::{KeyedFilterFunction, KeyedFlatMapFunction, KeyedMapFunction};
pub use flott_function::output::{Collector, OutputTag};
pub use flott_function::process::{OwnStates, ProcessContext, ProcessFunction};
pub use flott_function::rich::{FilterFunction, FlatMapFunction, MapFunction};
pub use flott_function::runtime_context::RuntimeContext;
pub use flott_function::snapshot::SnapshotContext;
pub use flott_function::state::{
    AggregatingState, BroadcastState, Key, ListState, MapState, OperatorListState, ReducingState,
    StateTtlConfig, TtlUpdateType, TtlVisibility, ValueState,
};
pub use flott_function::window_join::{CoGroupFunction, FlatJoinFunction, JoinFunction};
pub use flott_function_operators::async_io::{AsyncOptions, AsyncRetry};
pub use flott_operator::{Counter, Gauge, Histogram, Meter, MetricGroup, MetricValue};
pub use flott_types::{Error, Result, Timestamp, Watermark};
pub use job::{Executor, JobClient, JobExecutionResult};
pub use savepoints::SavepointReader;
pub use sources::IntoRecord;
pub use stream::{BroadcastConnectedStream, KeyedBroadcastConnectedStream};
pub use stream::{
    CoGroupedStreams, JoinedStreams, Joining, JoiningKeyed, JoiningWhere, TaggedUnion, WindowedJoining,
};
pub use stream::{CollectAsync, Collected, CollectedStream, DataStream, DataStreamSink};
pub use stream::{ConnectedStreams, KeyedConnectedStreams};
pub use stream::{IntervalJoin, IntervalJoined, KeyedStream};
pub use stream::{KeyedPartitionWindowedStream, Order, PartitionWindowedStream};
pub use time::WatermarkStrategy;
