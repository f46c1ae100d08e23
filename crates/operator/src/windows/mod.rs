//! Window arithmetic: which windows contain a time, when sessions are merged, and when a window expires.
//!
//! SQL windows and DataStream windows are implemented differently: the former over slices and columnar
//! accumulators, the latter over assigners, triggers and values of a user's type. What they share about time
//! is implemented here once:
//!
//! | part | meaning |
//! |---|---|
//! | [`TimeWindow`] | a window, from its start to just before its end |
//! | [`start_of`] | the start of the window that contains a time, for windows that follow each other without a gap |
//! | [`hopping`], [`Slicing`] | the windows of a time, one by one or as sums of slices |
//! | [`merge_touching`], [`Sessions`] | windows that overlap or touch become one |
//! | [`Ends`] | which windows to check when |
//! | [`Progress`] | the progress of time, across restarts; with [`over_at`], what is late |
//!
//! A window fires when time has reached its last millisecond, `end - 1`, and expires when time has reached
//! that plus the allowed lateness. A row that belongs only to expired windows is late.

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
