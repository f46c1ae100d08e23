//! Event time: timestamps and watermarks.
//!
//! A [`WatermarkStrategy`] defines both, as in Flink. On a source it works per split ([`WatermarkedSource`]);
//! on a stream it is an operator. In both cases it is a watermark generator ([`flott_operator::event_time`]),
//! and its result does not depend on how rows are cut into batches:
//!
//! - A watermark that a generator sends on an event comes directly after that event, as the generator
//!   intended.
//! - A periodic generator is called when event time has advanced by more than
//!   `pipeline.auto-watermark-interval`, and when that interval has passed by the clock. So a bounded input
//!   that is read in an instant has the same late rows in every run, and a stream without new rows still
//!   sends its last watermark.
//! - Its watermark is sent before the first row to which it makes a difference: a row more than a millisecond
//!   above a watermark cannot be late for it. So rows in order are sent in whole batches.
//!
//! Cost per record: the assigner and the generator, both inlined, and two comparisons. One virtual call per
//! batch.

mod assigner;
mod generator;
mod source;
mod strategy;
mod timed;

pub use assigner::TimestampAssigner;
pub use generator::{
    AscendingTimestamps, BoundedOutOfOrderness, NoWatermarks, WatermarkGenerator, WatermarkOutput,
};
pub use source::WatermarkedSource;
pub use strategy::WatermarkStrategy;
use timed::Timed;
