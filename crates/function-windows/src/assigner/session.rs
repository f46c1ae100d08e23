//! Windows that last until nothing has arrived for a while.

use std::sync::Arc;
use std::time::Duration;

use flott_operator::windows::merge_touching;
use flott_types::{Error, Result, Timestamp};

use super::{AnyTrigger, AssignerContext, Merges, TimeWindow, WindowAssigner, check_size, millis, timed};
use crate::trigger::{EventTimeTrigger, ProcessingTimeTrigger};
use flott_function::keyed_process::TimeDomain;

/// How long nothing must arrive for a session to end.
enum SessionGap<T> {
    /// The same for all records, in milliseconds.
    Fixed(i64),
    /// Computed from the record, in milliseconds.
    Dynamic(Arc<dyn Fn(&T) -> i64 + Send + Sync>),
}

impl<T> Clone for SessionGap<T> {
    fn clone(&self) -> Self {
        match self {
            SessionGap::Fixed(gap) => SessionGap::Fixed(*gap),
            SessionGap::Dynamic(gap) => SessionGap::Dynamic(gap.clone()),
        }
    }
}

impl<T> SessionGap<T> {
    fn validate(&self) -> Result<()> {
        match self {
            SessionGap::Fixed(gap) => check_size("gap of sessions", *gap),
            SessionGap::Dynamic(_) => Ok(()),
        }
    }

    #[inline]
    fn window(&self, element: &T, timestamp: Timestamp) -> Result<TimeWindow> {
        let gap = match self {
            SessionGap::Fixed(gap) => *gap,
            SessionGap::Dynamic(gap) => gap(element),
        };
        if gap <= 0 {
            return Err(Error::data(format!("the gap of a session is {gap} ms; it must be at least 1 ms")));
        }
        Ok(TimeWindow::new(timestamp, timestamp.saturating_add(gap)))
    }
}

macro_rules! sessions {
    ($name:ident, $domain:ident, $trigger:ident, $timestamp:expr) => {
        impl<T> $name<T> {
            /// Sessions that end when nothing has arrived for this long.
            pub fn with_gap(gap: Duration) -> Self {
                $name(SessionGap::Fixed(millis(gap)))
            }

            /// Sessions in which each record says how long it waits for the next one, in milliseconds.
            pub fn with_dynamic_gap(gap: impl Fn(&T) -> i64 + Send + Sync + 'static) -> Self {
                $name(SessionGap::Dynamic(Arc::new(gap)))
            }
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                $name(self.0.clone())
            }
        }

        impl<T: 'static> WindowAssigner<T> for $name<T> {
            type Window = TimeWindow;

            const MERGES: bool = true;

            fn validate(&self) -> Result<()> {
                self.0.validate()
            }

            #[inline]
            fn assign_windows(
                &mut self,
                element: &T,
                timestamp: Option<Timestamp>,
                context: &AssignerContext,
                windows: &mut Vec<TimeWindow>,
            ) -> Result<()> {
                let time: fn(Option<Timestamp>, &AssignerContext) -> Result<Timestamp> = $timestamp;
                windows.push(self.0.window(element, time(timestamp, context)?)?);
                Ok(())
            }

            fn default_trigger(&self) -> AnyTrigger<T, TimeWindow> {
                AnyTrigger::new($trigger)
            }

            fn time_domain(&self) -> TimeDomain {
                TimeDomain::$domain
            }

            fn merge_windows(&self, windows: &mut [TimeWindow], merges: &mut Merges<TimeWindow>) {
                merge_touching(windows, |members, into| merges.merge(members, into));
            }
        }
    };
}

/// Event-time windows that end when nothing has arrived for a while. A record may merge sessions that were
/// separate.
///
/// ```
/// # use flott_datastream::window::EventTimeSessionWindows;
/// # use std::time::Duration;
/// let visits = EventTimeSessionWindows::<String>::with_gap(Duration::from_mins(30));
/// let by_length = EventTimeSessionWindows::with_dynamic_gap(|line: &String| 1_000 * line.len() as i64);
/// ```
pub struct EventTimeSessionWindows<T>(SessionGap<T>);

/// Processing-time windows that end when nothing has arrived for a while.
pub struct ProcessingTimeSessionWindows<T>(SessionGap<T>);

sessions!(EventTimeSessionWindows, EventTime, EventTimeTrigger, |timestamp, _| timed(timestamp));
sessions!(ProcessingTimeSessionWindows, ProcessingTime, ProcessingTimeTrigger, |_, context| {
    Ok(context.current_processing_time)
});
