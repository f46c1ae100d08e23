//! The arithmetic of windows: which ones a time belongs to, when sessions become one, and when a window is over.
//!
//! Windows of SQL and those of the DataStream API are different machines, over slices and accumulators of columns here, over
//! assigners, triggers and values of a user's type there. What is true of time is true of both, and stands here once:
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
//! A window fires when time has come to its last millisecond, `end - 1`, and is over when it has come to that plus the allowed
//! lateness. What belongs to windows that are over only is late.

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
