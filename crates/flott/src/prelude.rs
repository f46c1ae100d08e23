//! What a program of the DataStream API needs: `use flott::prelude::*;`.
//!
//! Names that only a few programs need are in [`datastream`](crate::datastream): sources, sinks, evictors,
//! watermark generators.

pub use std::time::Duration;

pub use flott_datastream::accumulator::Accumulator;
pub use flott_datastream::sink::{AsyncSink, AsyncSinkOptions, FileSink};
pub use flott_datastream::source::{DataGeneratorSource, RateLimited, Received};
pub use flott_datastream::table::Files;
pub use flott_datastream::window::{
    AllWindowContext, CountEvictor, CountTrigger, DeltaEvictor, EventTimeSessionWindows, EventTimeTrigger,
    GlobalWindow, GlobalWindows, ProcessWindowFunction, ProcessingTimeSessionWindows, ProcessingTimeTrigger,
    PurgingTrigger, SlidingEventTimeWindows, SlidingProcessingTimeWindows, TimeEvictor, TimeWindow, Trigger,
    TriggerContext, TriggerResult, TumblingEventTimeWindows, TumblingProcessingTimeWindows, WindowContext,
};
pub use flott_datastream::{
    AggregateFunction, AggregatingState, AsyncFunction, AsyncOptions, AsyncRetry, BroadcastContext,
    BroadcastProcessFunction, BroadcastState, CheckpointingMode, CoFlatMapFunction, CoGroupFunction,
    CoMapFunction, CoProcessFunction, Collector, DataStream, Error, FilterFunction, FlatJoinFunction,
    FlatMapFunction, JobClient, JobExecutionResult, JobListener, JoinContext, JoinFunction, Key,
    KeyedBroadcastContext, KeyedBroadcastProcessFunction, KeyedCoFlatMapFunction, KeyedCoMapFunction,
    KeyedCoProcessFunction, KeyedContext, KeyedFilterFunction, KeyedFlatMapFunction, KeyedMapFunction,
    KeyedProcessFunction, KeyedStates, KeyedStream, ListState, MapFunction, MapState, MetricGroup,
    OperatorListState, Order, OutputTag, ProcessContext, ProcessFunction, ProcessJoinFunction,
    ReadOnlyContext, Record, ReducingState, RestartStrategy, Result, RuntimeContext, RuntimeMode,
    SavepointReader, SnapshotContext, StateTtlConfig, StreamExecutionEnvironment, TaggedUnion, TimeDomain,
    Timestamp, TtlUpdateType, TtlVisibility, ValueState, Watermark, WatermarkStrategy,
};
pub use serde::{Deserialize, Serialize};
