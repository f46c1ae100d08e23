//! Event time: how watermarks come out of the rows of a stream.
//!
//! There is one mechanism for SQL's WatermarkAssigner, for the DataStream API's `assign_timestamps_and_watermarks`, and for
//! sources that keep a watermark for each split. They differ in their [`EventTimeGenerator`] only:
//!
//! | part | what it does |
//! |---|---|
//! | [`EventTimeGenerator`] | looks at the rows of one split or stream: a table's watermark expression, a program's strategy |
//! | [`EventTime`] | what the generator says of a batch: how far time has come, and before which row that matters |
//! | [`SplitWatermarks`] | the state machine: combines splits, sends, waits for the interval, finds splits idle, is restored |
//! | [`EventTimeOperator`] | the state machine as an operator in the middle of a stream, which has one split |
//!
//! # Between which rows a watermark is sent
//!
//! In Flink a watermark follows the row that brought it about. Cutting the batch at each of these rows would give tiny batches,
//! and nothing depends on most of the cuts: all that a watermark does to the rows behind it is to make them late, or to end a
//! session before them. A row more than a millisecond above the watermark can neither be late for a window nor touch a
//! session that has ended. So a batch is cut only before a row at or below the pending watermark plus one; a batch in order
//! leaves whole, followed by its last watermark. A generator may insist on a watermark right behind a row
//! ([`EventTime::say_at_once`]): one that goes by marks in the stream, or a table with an interval of 0.
//! What is late therefore does not depend on how rows were cut into batches.
//!
//! # The least of the splits
//!
//! Two splits that are read side by side may be hours of event time apart. A watermark over their mixed rows is that of the
//! split ahead, and makes every row of the other one late. So each split has a watermark of its own, and the stream's is the
//! minimum over the splits that are being read. A split that was read to its end counts no longer, nor does one that is
//! idle: without rows for the idle timeout, not counting time in which receivers had no room. When all are idle the stream is,
//! after it has advanced to the highest watermark of any of them: what the splits would have come to if each were read by a
//! subtask of its own. Whether a reader without splits is idle, its task decides.
//!
//! # State
//!
//! Each split takes its watermark and the stream's last one along in the snapshot ([`EventTimeProgress`]). Without them a stream
//! would begin again at the least possible watermark. No row would become late by that, and window operators remember themselves
//! what they have fired; but a row that is late in an undisturbed run would not be late for whatever else asks, until the
//! watermark has caught up, and a restore must not change a result. Where splits or subtasks come together that were apart
//! before, the stream continues from the least of what they had said.
//!
//! # Cost
//!
//! For a row what the generator costs and two comparisons. For a batch one virtual call, a look at each split, three atomic
//! stores; no allocation unless it is cut.

mod cut;
mod generator;
mod observer;
mod operator;
mod watermarks;

pub use generator::{EventTime, EventTimeGenerator, EventTimeProgress, GeneratorFactory};
pub use observer::{SplitMetrics, SplitObserver, Unobserved};
pub use operator::EventTimeOperator;
pub use watermarks::SplitWatermarks;
