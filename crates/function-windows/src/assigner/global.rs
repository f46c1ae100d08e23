//! One window for everything.

use flott_types::{Result, Timestamp};

use super::{AnyTrigger, AssignerContext, WindowAssigner};
use crate::trigger::{EndOfStreamTrigger, NeverTrigger};
use crate::types::GlobalWindow;
use flott_function::keyed_process::TimeDomain;

/// All records of a key belong to one window, which never ends; only a trigger fires it.
#[derive(Clone, Copy, Debug, Default)]
pub struct GlobalWindows {
    at_end: bool,
}

impl GlobalWindows {
    /// One window for each key, which does not fire by itself.
    pub fn create() -> Self {
        GlobalWindows { at_end: false }
    }

    /// One window for each key, which fires when the input has ended.
    pub fn create_with_end_of_stream_trigger() -> Self {
        GlobalWindows { at_end: true }
    }
}

impl<T> WindowAssigner<T> for GlobalWindows {
    type Window = GlobalWindow;

    #[inline]
    fn assign_windows(
        &mut self,
        _: &T,
        _: Option<Timestamp>,
        _: &AssignerContext,
        windows: &mut Vec<GlobalWindow>,
    ) -> Result<()> {
        windows.push(GlobalWindow);
        Ok(())
    }

    fn default_trigger(&self) -> AnyTrigger<T, GlobalWindow> {
        if self.at_end { AnyTrigger::new(EndOfStreamTrigger) } else { AnyTrigger::new(NeverTrigger) }
    }

    /// Nothing is ever late for a window without end, so it does not use event time.
    fn time_domain(&self) -> TimeDomain {
        TimeDomain::ProcessingTime
    }
}
