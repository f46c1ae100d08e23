//! Windows of programs: buckets of records of one key that produce a result.
//!
//! A [`WindowAssigner`](assigner::WindowAssigner) determines which windows a record belongs to, a
//! [`Trigger`](trigger::Trigger) when a window *fires*, an [`Evictor`](evictor::Evictor) which records it
//! then removes, and a function the result. All are as in Flink, under Flink's names:
//!
//! | | |
//! |---|---|
//! | one size, one after the other | [`TumblingEventTimeWindows`](assigner::TumblingEventTimeWindows), [`TumblingProcessingTimeWindows`](assigner::TumblingProcessingTimeWindows) |
//! | one size, overlapping | [`SlidingEventTimeWindows`](assigner::SlidingEventTimeWindows), [`SlidingProcessingTimeWindows`](assigner::SlidingProcessingTimeWindows) |
//! | until nothing comes for a while | [`EventTimeSessionWindows`](assigner::EventTimeSessionWindows), [`ProcessingTimeSessionWindows`](assigner::ProcessingTimeSessionWindows) |
//! | one for everything | [`GlobalWindows`](assigner::GlobalWindows); `count_window` fires it by number |
//! | when | [`EventTimeTrigger`](trigger::EventTimeTrigger), [`ProcessingTimeTrigger`](trigger::ProcessingTimeTrigger), [`CountTrigger`](trigger::CountTrigger), [`PurgingTrigger`](trigger::PurgingTrigger), [`ContinuousEventTimeTrigger`](trigger::ContinuousEventTimeTrigger), [`ContinuousProcessingTimeTrigger`](trigger::ContinuousProcessingTimeTrigger), [`DeltaTrigger`](trigger::DeltaTrigger), [`ProcessingTimeoutTrigger`](trigger::ProcessingTimeoutTrigger), [`EndOfStreamTrigger`](trigger::EndOfStreamTrigger), [`NeverTrigger`](trigger::NeverTrigger) |
//! | what is forgotten | [`CountEvictor`](evictor::CountEvictor), [`DeltaEvictor`](evictor::DeltaEvictor), [`TimeEvictor`](evictor::TimeEvictor) |
//! | what comes out | `reduce`, `aggregate`, `process` ([`ProcessWindowFunction`](function::ProcessWindowFunction)), `apply`, `sum`, `min`, `max`, `min_by`, `max_by` of `WindowedStream` |
//!
//! `reduce` and `aggregate` keep one value for each window; `process` and `apply` keep all records, and so
//! does whatever is used with an evictor.
//!
//! The operator ([`operator::WindowOperator`]) is here too, because windows cannot be separated from how they
//! are run. The contents of its windows are a [`body::Body`]: a fold, or the records themselves.

pub mod assigner;
pub mod body;
pub mod evictor;
pub mod function;
pub mod operator;
mod table;
pub mod trigger;
pub mod types;
