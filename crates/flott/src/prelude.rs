//! What a program of the DataStream API needs: `use flott::prelude::*;`.
//!
//! Names that only a few programs need are in [`datastream`](crate::datastream): sources, sinks, evictors,
//! watermark generators.

pub use std::time::Duration;

pub use flott_datastream::accumulator::Accumulator;
pub use flott_datastream::sink::FileSink;
pub use flott_datastream::source::Received;
pub use flott_datastream::window::{
    AllWindowContext, CountEvictor, CountTrigger, DeltaEvictor, EventTimeSessionWindows, EventTimeTrigger,
    GlobalWindow, GlobalWindows, ProcessWindowFunction, ProcessingTimeSessionWindows, ProcessingTimeTrigger,
    PurgingTrigger, SlidingEventTimeWindows, SlidingProcessingTimeWindows, TimeEvictor, TimeWindow, Trigger,
    TriggerContext, TriggerResult, TumblingEventTimeWindows, TumblingProcessingTimeWindows, WindowContext,
};
pub use flott_datastream::{
    AggregateFunction, AggregatingState, AsyncFunction, AsyncOptions, AsyncRetry, BroadcastContext,
    BroadcastProcessFunction, BroadcastState, CoProcessFunction, Collector, DataStream, Error,
    FilterFunction, FlatMapFunction, JobClient, JobExecutionResult, JoinContext, Key, KeyedBroadcastContext,
    KeyedBroadcastProcessFunction, KeyedCoProcessFunction, KeyedContext, KeyedFilterFunction,
    KeyedFlatMapFunction, KeyedMapFunction, KeyedProcessFunction, KeyedStates, KeyedStream, ListState,
    MapFunction, MapState, MetricGroup, OperatorListState, OutputTag, ProcessContext, ProcessFunction,
    ProcessJoinFunction, ReadOnlyContext, Record, ReducingState, Result, RuntimeContext, RuntimeMode,
    SnapshotContext, StateTtlConfig, StreamExecutionEnvironment, TaggedUnion, TimeDomain, Timestamp,
    TtlUpdateType, TtlVisibility, ValueState, Watermark, WatermarkStrategy,
};
pub use serde::{Deserialize, Serialize};
