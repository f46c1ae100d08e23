//! Windows: buckets of records of one key, of which a result is made.
//!
//! A [`WindowAssigner`] says to which windows a record belongs, a [`Trigger`] when a window *fires*, an [`Evictor`] what it forgets
//! then, and a function what comes out. All are as in Flink, under its names:
//!
//! | | |
//! |---|---|
//! | one size, one after the other | [`TumblingEventTimeWindows`], [`TumblingProcessingTimeWindows`] |
//! | one size, overlapping | [`SlidingEventTimeWindows`], [`SlidingProcessingTimeWindows`] |
//! | until nothing comes for a while | [`EventTimeSessionWindows`], [`ProcessingTimeSessionWindows`] |
//! | one for everything | [`GlobalWindows`]; `count_window` fires it by number |
//! | when | [`EventTimeTrigger`], [`ProcessingTimeTrigger`], [`CountTrigger`], [`PurgingTrigger`], [`ContinuousEventTimeTrigger`], [`ContinuousProcessingTimeTrigger`], [`DeltaTrigger`], [`ProcessingTimeoutTrigger`], [`EndOfStreamTrigger`], [`NeverTrigger`] |
//! | what is forgotten | [`CountEvictor`], [`DeltaEvictor`], [`TimeEvictor`] |
//! | what comes out | `reduce`, `aggregate`, `process` ([`ProcessWindowFunction`]), `apply`, `sum`, `min`, `max`, `min_by`, `max_by` of [`WindowedStream`] |
//!
//! `reduce` and `aggregate` keep one value for each window; `process` and `apply` keep all records, and so does whatever is used with
//! an evictor.

mod assigner;
mod body;
mod evictor;
mod function;
mod operator;
mod stream;
mod table;
mod trigger;
mod types;

#[cfg(test)]
mod tests;

pub use assigner::{
    AssignerContext, EventTimeSessionWindows, GlobalWindows, Merges, ProcessingTimeSessionWindows,
    SlidingEventTimeWindows, SlidingProcessingTimeWindows, TumblingEventTimeWindows,
    TumblingProcessingTimeWindows, WindowAssigner, WindowStagger,
};
pub use evictor::{
    AnyEvictor, CountEvictor, DeltaEvictor, Evictor, EvictorContext, TimeEvictor, WindowElements,
};
pub use function::{AllWindowContext, ProcessWindowFunction, WindowContext};
pub use stream::{AllWindowedStream, WindowedStream};
pub use trigger::{
    AnyTrigger, ContinuousEventTimeTrigger, ContinuousProcessingTimeTrigger, CountTrigger, DeltaTrigger,
    EndOfStreamTrigger, EventTimeTrigger, NeverTrigger, OnMergeContext, ProcessingTimeTrigger,
    ProcessingTimeoutTrigger, PurgingTrigger, Trigger, TriggerContext, TriggerResult,
};
pub use types::{GlobalWindow, NoKey, TimeWindow, Window};
