//! Event time: how watermarks are derived from the rows of a stream.
//!
//! There is one mechanism for SQL's WatermarkAssigner, for the DataStream API's
//! `assign_timestamps_and_watermarks`, and for sources with a watermark per split. They differ only in their
//! [`EventTimeGenerator`]:
//!
//! | part | what it does |
//! |---|---|
//! | [`EventTimeGenerator`] | looks at the rows of one split or stream: a table's watermark expression, a program's strategy |
//! | [`EventTime`] | what the generator reports for a batch: the progress of time, and before which row that matters |
//! | [`SplitWatermarks`] | the state machine: combines splits, sends, waits for the interval, detects idle splits, is restored |
//! | [`EventTimeOperator`] | the state machine as an operator in the middle of a stream, which has one split |
//!
//! # Between which rows a watermark is sent
//!
//! In Flink a watermark follows the row that caused it. Cutting the batch at each of these rows would give
//! tiny batches, and nothing depends on most of the cuts: a watermark can only make later rows late, or end a
//! session before them. A row more than a millisecond above the watermark can neither be late for a window
//! nor touch a session that has ended. So a batch is cut only before a row at or below the pending watermark
//! plus one; a batch in order is sent whole, followed by its last watermark. A generator may insist on a
//! watermark directly after a row ([`EventTime::say_at_once`]): a punctuated one, or a table with an interval
//! of 0. So lateness does not depend on how rows were cut into batches.
//!
//! # The minimum over splits
//!
//! Two splits that are read in parallel may be hours of event time apart. A watermark over their mixed rows
//! would be that of the split ahead, and would make every row of the other one late. So each split has its
//! own watermark, and the stream's is the minimum over the splits that are being read. A finished split no
//! longer counts, and neither does an idle one: without rows for the idle timeout, not counting time in which
//! receivers had no room. When all are idle, the stream advances to the highest watermark of any of them and
//! becomes idle, as if each split were read by its own subtask. The task decides whether a reader without
//! splits is idle.
//!
//! # State
//!
//! In a snapshot, each split carries its watermark and the stream's last one ([`EventTimeProgress`]). Without
//! them a stream would restart at the lowest possible watermark. That would make no row late, and window
//! operators remember what they have fired; but until the watermark has caught up, a row that is late in an
//! undisturbed run would not be late for other operators, and a restore must not change a result. If splits
//! or subtasks are combined that were separate before, the stream continues from their minimum.
//!
//! # Cost
//!
//! Per row, the generator and two comparisons. Per batch, one virtual call, a look at each split, and three
//! atomic stores; no allocation unless the batch is cut.

mod cut;
mod generator;
mod observer;
mod operator;
mod watermarks;

pub use generator::{EventTime, EventTimeGenerator, EventTimeProgress, GeneratorFactory};
pub use observer::{SplitMetrics, SplitObserver, Unobserved};
pub use operator::EventTimeOperator;
pub use watermarks::SplitWatermarks;
