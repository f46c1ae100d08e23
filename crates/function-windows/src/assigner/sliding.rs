//! Windows of one size that overlap.

use std::time::Duration;

use flott_operator::windows::hopping;
use flott_types::{Result, Timestamp};

use super::{AnyTrigger, AssignerContext, TimeWindow, WindowAssigner};
use super::{check_offset, check_size, millis, timed};
use crate::trigger::{EventTimeTrigger, ProcessingTimeTrigger};
use flott_function::keyed_process::TimeDomain;

/// Size, slide and offset.
#[derive(Clone, Debug)]
struct Sliding {
    size: i64,
    slide: i64,
    offset: i64,
}

impl Sliding {
    fn new(size: Duration, slide: Duration) -> Self {
        Sliding { size: millis(size), slide: millis(slide), offset: 0 }
    }

    fn validate(&self) -> Result<()> {
        check_size("size of windows", self.size)?;
        check_size("slide of windows", self.slide)?;
        check_offset(self.offset, "slide", self.slide)
    }

    /// If the slide is greater than the size, some times belong to no window.
    #[inline]
    fn windows(&self, timestamp: Timestamp, windows: &mut Vec<TimeWindow>) {
        windows.extend(hopping(timestamp, self.offset, self.size, self.slide));
    }
}

/// Event-time windows of one size, of which one begins at every slide: a record belongs to several of them.
///
/// ```
/// # use flott_datastream::window::SlidingEventTimeWindows;
/// # use std::time::Duration;
/// let last_hour_every_minute = SlidingEventTimeWindows::of(Duration::from_mins(60), Duration::from_mins(1));
/// ```
#[derive(Clone, Debug)]
pub struct SlidingEventTimeWindows(Sliding);

/// Processing-time windows of one size, of which one begins at every slide.
#[derive(Clone, Debug)]
pub struct SlidingProcessingTimeWindows(Sliding);

macro_rules! sliding {
    ($name:ident, $domain:ident, $trigger:ident, $timestamp:expr) => {
        impl $name {
            /// Windows of this size; one begins at every multiple of the slide since the epoch.
            pub fn of(size: Duration, slide: Duration) -> Self {
                $name(Sliding::new(size, slide))
            }

            /// Windows begin later (or earlier) by this many milliseconds, less than the slide.
            #[must_use]
            pub fn offset_millis(mut self, offset: i64) -> Self {
                self.0.offset = offset;
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
                self.0.windows(time(timestamp, context)?, windows);
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

sliding!(SlidingEventTimeWindows, EventTime, EventTimeTrigger, |timestamp, _| timed(timestamp));
sliding!(SlidingProcessingTimeWindows, ProcessingTime, ProcessingTimeTrigger, |_, context| {
    Ok(context.current_processing_time)
});
