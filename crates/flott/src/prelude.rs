//! What a program of the DataStream API needs: `use flott::prelude::*;`.
//!
//! Names that a few programs need alone are in [`datastream`](crate::datastream): sources, sinks, evictors, generators of watermarks.

pub use std::time::Duration;

pub use flott_datastream::sink::FileSink;
pub use flott_datastream::window::{
    CountTrigger, EventTimeSessionWindows, GlobalWindows, ProcessWindowFunction,
    ProcessingTimeSessionWindows, PurgingTrigger, SlidingEventTimeWindows, SlidingProcessingTimeWindows,
    TimeWindow, TumblingEventTimeWindows, TumblingProcessingTimeWindows, WindowContext,
};
pub use flott_datastream::{
    AggregateFunction, AggregatingState, AsyncFunction, AsyncOptions, BroadcastContext,
    BroadcastProcessFunction, BroadcastState, CoProcessFunction, Collector, DataStream, Error, JobClient,
    JoinContext, Key, KeyedBroadcastContext, KeyedBroadcastProcessFunction, KeyedCoProcessFunction,
    KeyedContext, KeyedProcessFunction, KeyedStream, ListState, MapState, OutputTag, ProcessContext,
    ProcessFunction, ProcessJoinFunction, ReadOnlyContext, Record, ReducingState, Result, RuntimeContext,
    RuntimeMode, StateTtlConfig, StreamExecutionEnvironment, TaggedUnion, TimeDomain, Timestamp, ValueState,
    Watermark, WatermarkStrategy,
};
pub use serde::{Deserialize, Serialize};
