//! What a program of the DataStream API needs: `use flott::prelude::*;`.
//!
//! Names that a few programs need alone are in [`datastream`](crate::datastream): sources, sinks, generators of watermarks.

pub use std::time::Duration;

pub use flott_datastream::{
    Collector, DataStream, Error, JobClient, Key, KeyedContext, KeyedProcessFunction, KeyedStream, OutputTag,
    ProcessContext, ProcessFunction, Record, Result, RuntimeContext, RuntimeMode, StreamExecutionEnvironment,
    TimeDomain, Timestamp, ValueState, Watermark, WatermarkStrategy,
};
pub use serde::{Deserialize, Serialize};
