//! Event time: where timestamps come from, and what is said of them.
//!
//! A [`WatermarkStrategy`] says both, as in Flink. Given to a source it works on each split by itself ([`WatermarkedSource`]);
//! given to a stream it is an operator. In both places it is a generator of watermarks ([`flott_operator::event_time`]), and its
//! result does not depend on how rows are cut into batches:
//!
//! - A watermark that a generator sends out of an event comes right after that event: somebody asked for exactly that.
//! - A generator that is asked now and then is asked when event time has advanced by more than
//!   `pipeline.auto-watermark-interval`, and when that interval has passed by the clock. So a bounded input, read in a blink, makes the same
//!   rows late in every run, and a stream that stands still still says all that it knows.
//! - What such a generator says is sent before the first row that it makes a difference to: a row more than a
//!   millisecond above a watermark cannot be late for it. Rows in order therefore leave in whole batches.
//!
//! Cost of a record: the assigner and the generator, both inlined; two comparisons. One virtual call a batch.

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
