//! Windows of one size, one after the other.

use std::time::Duration;

use flott_operator::windows::start_of;
use flott_types::{Result, Timestamp};

use super::{AnyTrigger, AssignerContext, TimeWindow, WindowAssigner, WindowStagger};
use super::{check_offset, check_size, millis, timed};
use crate::trigger::{EventTimeTrigger, ProcessingTimeTrigger};
use flott_function::keyed_process::TimeDomain;

/// Size, offset and stagger.
#[derive(Clone, Debug)]
struct Tumbling {
    size: i64,
    offset: i64,
    stagger: WindowStagger,
    /// By how much windows are shifted; known when the first record arrives.
    staggered: Option<i64>,
}

impl Tumbling {
    fn new(size: Duration) -> Self {
        Tumbling { size: millis(size), offset: 0, stagger: WindowStagger::Aligned, staggered: Some(0) }
    }

    fn stagger(&mut self, stagger: WindowStagger) {
        self.stagger = stagger;
        self.staggered = (stagger == WindowStagger::Aligned).then_some(0);
    }

    fn validate(&self) -> Result<()> {
        check_size("size of windows", self.size)?;
        check_offset(self.offset, "size", self.size)
    }

    #[inline]
    fn window(&mut self, timestamp: Timestamp, context: &AssignerContext) -> TimeWindow {
        let staggered = match self.staggered {
            Some(staggered) => staggered,
            None => {
                let (now, seed) = (context.current_processing_time, u64::from(context.subtask) << 32);
                *self.staggered.insert(self.stagger.offset(now, self.size, seed))
            }
        };
        let start = start_of(timestamp, self.offset + staggered, self.size);
        TimeWindow::new(start, start.saturating_add(self.size))
    }
}

/// Event-time windows of one size, one after the other.
///
/// ```
/// # use flott_datastream::window::TumblingEventTimeWindows;
/// # use std::time::Duration;
/// // Days of a time zone 8 hours ahead of UTC.
/// let days = TumblingEventTimeWindows::of(Duration::from_hours(24)).offset_millis(-8 * 3_600_000);
/// ```
#[derive(Clone, Debug)]
pub struct TumblingEventTimeWindows(Tumbling);

/// Processing-time windows of one size, one after the other.
#[derive(Clone, Debug)]
pub struct TumblingProcessingTimeWindows(Tumbling);

macro_rules! tumbling {
    ($name:ident, $domain:ident, $trigger:ident, $timestamp:expr) => {
        impl $name {
            /// Windows that begin at every multiple of their size since the epoch.
            pub fn of(size: Duration) -> Self {
                $name(Tumbling::new(size))
            }

            /// Windows begin later (or earlier) by this many milliseconds, less than their size.
            #[must_use]
            pub fn offset_millis(mut self, offset: i64) -> Self {
                self.0.offset = offset;
                self
            }

            /// Whether the windows of all subtasks begin at once.
            #[must_use]
            pub fn stagger(mut self, stagger: WindowStagger) -> Self {
                self.0.stagger(stagger);
                self
            }
        }

        impl<T> WindowAssigner<T> for $name {
            type Window = TimeWindow;

            fn validate(&self) -> Result<()> {
                self.0.validate()
            }

            #[inline]
            fn assign_windows(
                &mut self,
                _: &T,
                timestamp: Option<Timestamp>,
                context: &AssignerContext,
                windows: &mut Vec<TimeWindow>,
            ) -> Result<()> {
                let time: fn(Option<Timestamp>, &AssignerContext) -> Result<Timestamp> = $timestamp;
                windows.push(self.0.window(time(timestamp, context)?, context));
                Ok(())
            }

            fn default_trigger(&self) -> AnyTrigger<T, TimeWindow> {
                AnyTrigger::new($trigger)
            }

            fn time_domain(&self) -> TimeDomain {
                TimeDomain::$domain
            }
        }
    };
}

tumbling!(TumblingEventTimeWindows, EventTime, EventTimeTrigger, |timestamp, _| timed(timestamp));
tumbling!(TumblingProcessingTimeWindows, ProcessingTime, ProcessingTimeTrigger, |_, context| {
    Ok(context.current_processing_time)
});
