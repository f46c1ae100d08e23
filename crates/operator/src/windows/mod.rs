//! Window arithmetic: which windows a time belongs to, when sessions are merged, and when a window is over.
//!
//! SQL windows and DataStream windows are implemented differently: the former over slices and columnar
//! accumulators, the latter over assigners, triggers and values of a user's type. What they share about time
//! is implemented here once:
//!
//! | part | what it says |
//! |---|---|
//! | [`TimeWindow`] | a window: its start belongs to it, its end does not |
//! | [`start_of`] | where the window of a time begins, of windows that follow each other without a gap |
//! | [`hopping`], [`Slicing`] | the windows of a time, one by one or as sums of slices |
//! | [`merge_touching`], [`Sessions`] | windows that intersect, or of which one begins where the other ends, become one |
//! | [`Ends`] | which windows are to be looked at when |
//! | [`Progress`] | how far time has come, in this run and before it; with [`over_at`], what is late |
//!
//! A window fires when time has reached its last millisecond, `end - 1`, and is over when it has reached that
//! plus the allowed lateness. A row that belongs only to windows that are over is late.

mod aligned;
mod ends;
mod progress;
mod sessions;
mod slicing;

pub use aligned::{TimeWindow, hopping, start_of};
pub use ends::Ends;
pub use progress::{Progress, count_late, over_at};
pub use sessions::{Placement, Session, Sessions, merge_touching};
pub use slicing::Slicing;
