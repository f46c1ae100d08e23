//! Which windows a record belongs to.

mod global;
mod session;
mod sliding;
mod stagger;
mod tumbling;

use std::time::Duration;

use flott_types::{Error, Result, Timestamp};

pub use global::GlobalWindows;
pub use session::{EventTimeSessionWindows, ProcessingTimeSessionWindows};
pub use sliding::{SlidingEventTimeWindows, SlidingProcessingTimeWindows};
pub use stagger::WindowStagger;
pub use tumbling::{TumblingEventTimeWindows, TumblingProcessingTimeWindows};

use crate::trigger::AnyTrigger;
use crate::types::{TimeWindow, Window};
use flott_function::keyed_process::TimeDomain;

/// Says which windows a record belongs to.
///
/// ```
/// # use flott_datastream::window::*;
/// # use flott_datastream::{Result, TimeDomain, Timestamp};
/// /// Windows that are a second long for even numbers and a minute for odd ones.
/// #[derive(Clone)]
/// struct ByParity;
///
/// impl WindowAssigner<i64> for ByParity {
///     type Window = TimeWindow;
///     fn assign_windows(
///         &mut self,
///         element: &i64,
///         timestamp: Option<Timestamp>,
///         _: &AssignerContext,
///         windows: &mut Vec<TimeWindow>,
///     ) -> Result<()> {
///         let size = if element % 2 == 0 { 1_000 } else { 60_000 };
///         let start = TimeWindow::start_with_offset(timestamp.unwrap_or(0), 0, size);
///         windows.push(TimeWindow::new(start, start + size));
///         Ok(())
///     }
///     fn default_trigger(&self) -> AnyTrigger<i64, TimeWindow> {
///         AnyTrigger::new(EventTimeTrigger)
///     }
///     fn time_domain(&self) -> TimeDomain {
///         TimeDomain::EventTime
///     }
/// }
/// ```
pub trait WindowAssigner<T>: Clone + Send + 'static {
    /// The kind of windows.
    type Window: Window;

    /// Whether windows may have to be merged when a new one is added; see [`WindowAssigner::merge_windows`].
    const MERGES: bool = false;

    /// Refuses invalid settings: a size of zero, for example. Called before the job runs.
    ///
    /// # Errors
    /// What is wrong.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Adds the windows that a record belongs to; if there are many, adding the latest first is fastest.
    ///
    /// # Errors
    /// An error fails the task.
    fn assign_windows(
        &mut self,
        element: &T,
        timestamp: Option<Timestamp>,
        context: &AssignerContext,
        windows: &mut Vec<Self::Window>,
    ) -> Result<()>;

    /// The trigger if the program does not set one.
    fn default_trigger(&self) -> AnyTrigger<T, Self::Window>;

    /// Whether windows end by event time or by the clock.
    fn time_domain(&self) -> TimeDomain;

    /// Determines which of a key's windows are merged. The slice may be reordered.
    fn merge_windows(&self, windows: &mut [Self::Window], merges: &mut Merges<Self::Window>) {
        let _ = (windows, merges);
    }
}

/// What a [`WindowAssigner`] can use besides the record.
#[derive(Clone, Copy, Debug)]
pub struct AssignerContext {
    /// The time by the clock, the same for a whole batch.
    pub current_processing_time: Timestamp,
    /// Which of the operator's subtasks this is.
    pub subtask: u32,
}

/// Which windows become one.
#[derive(Clone, Debug)]
pub struct Merges<W> {
    results: Vec<(W, usize)>,
    members: Vec<W>,
}

impl<W> Default for Merges<W> {
    fn default() -> Self {
        Merges { results: Vec::new(), members: Vec::new() }
    }
}

impl<W: Clone> Merges<W> {
    /// Merges these windows into this one. A window is merged at most once.
    pub fn merge(&mut self, windows: &[W], into: W) {
        self.members.extend_from_slice(windows);
        self.results.push((into, self.members.len()));
    }

    pub(crate) fn clear(&mut self) {
        self.results.clear();
        self.members.clear();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&W, &[W])> {
        let mut from = 0;
        self.results.iter().map(move |(result, end)| {
            let members = &self.members[from..*end];
            from = *end;
            (result, members)
        })
    }
}

/// A length of time in milliseconds.
fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The timestamp of a record that must have one.
#[inline]
fn timed(timestamp: Option<Timestamp>) -> Result<Timestamp> {
    match timestamp {
        Some(timestamp) if timestamp != Timestamp::MIN => Ok(timestamp),
        _ => Err(untimed()),
    }
}

#[cold]
fn untimed() -> Error {
    Error::invalid(
        "a record without a timestamp came to event-time windows; call `assign_timestamps_and_watermarks` before, or use \
         processing-time windows",
    )
}

fn check_size(what: &str, size: i64) -> Result<()> {
    if size > 0 {
        Ok(())
    } else {
        Err(Error::invalid(format!("the {what} is {size} ms; it must be at least 1 ms")))
    }
}

fn check_offset(offset: i64, within: &str, size: i64) -> Result<()> {
    if offset.unsigned_abs() < size.unsigned_abs() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the offset of windows is {offset} ms; it must be less than the {within}, {size} ms, in either direction"
    )))
}
