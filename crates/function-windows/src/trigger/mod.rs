//! When windows fire.

mod any;
mod context;
mod continuous;
mod count;
mod delta;
mod end_of_stream;
mod event_time;
mod never;
mod processing_time;
mod purging;
mod timeout;

use flott_types::{Error, Result, Timestamp};

pub use any::AnyTrigger;
pub use context::{OnMergeContext, TriggerContext};
pub use continuous::{ContinuousEventTimeTrigger, ContinuousProcessingTimeTrigger};
pub use count::CountTrigger;
pub use delta::DeltaTrigger;
pub use end_of_stream::EndOfStreamTrigger;
pub use event_time::EventTimeTrigger;
pub use never::NeverTrigger;
pub use processing_time::ProcessingTimeTrigger;
pub use purging::PurgingTrigger;
pub use timeout::ProcessingTimeoutTrigger;

use flott_function::keyed_process::TimeDomain;
use flott_function::runtime_context::RuntimeContext;

/// What is to happen with a window.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TriggerResult {
    /// Nothing.
    Continue,
    /// The function is called with what the window has; the window keeps it.
    Fire,
    /// What the window has is thrown away. The window stays, and so does what the trigger knows of it.
    Purge,
    /// The function is called, then what the window has is thrown away.
    FireAndPurge,
}

impl TriggerResult {
    /// Whether the function is to be called.
    #[inline]
    pub fn is_fire(self) -> bool {
        matches!(self, TriggerResult::Fire | TriggerResult::FireAndPurge)
    }

    /// Whether what the window has is to be thrown away.
    #[inline]
    pub fn is_purge(self) -> bool {
        matches!(self, TriggerResult::Purge | TriggerResult::FireAndPurge)
    }
}

/// Says when a window fires.
///
/// What it must remember of a window is state that it declares in `open`; the context leads it to the window
/// that it is called for.
///
/// ```
/// # use flott_datastream::window::*;
/// # use flott_datastream::*;
/// /// Fires when a record says so.
/// #[derive(Clone)]
/// struct OnStop;
///
/// impl<W: Window> Trigger<String, W> for OnStop {
///     fn on_element(
///         &mut self,
///         element: &String,
///         _: Option<Timestamp>,
///         _: &W,
///         _: &mut TriggerContext<'_>,
///     ) -> Result<TriggerResult> {
///         Ok(if element == "stop" { TriggerResult::FireAndPurge } else { TriggerResult::Continue })
///     }
///     fn clear(&mut self, _: &W, _: &mut TriggerContext<'_>) -> Result<()> {
///         Ok(())
///     }
/// }
/// ```
pub trait Trigger<T, W>: Send + 'static {
    /// Before the first record: declare states here. Each window has its own values of them.
    ///
    /// # Errors
    /// An error fails the task.
    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// A record has come into the window.
    ///
    /// # Errors
    /// An error fails the task.
    fn on_element(
        &mut self,
        element: &T,
        timestamp: Option<Timestamp>,
        window: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult>;

    /// A timer of event time that the trigger has set has come; or the window ends.
    ///
    /// # Errors
    /// An error fails the task.
    fn on_event_time(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        let _ = (time, window, context);
        Ok(TriggerResult::Continue)
    }

    /// A timer by the clock that the trigger has set has come; or the window ends.
    ///
    /// # Errors
    /// An error fails the task.
    fn on_processing_time(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        let _ = (time, window, context);
        Ok(TriggerResult::Continue)
    }

    /// Whether it can be used with windows that merge.
    fn can_merge(&self) -> bool {
        false
    }

    /// Windows have become this one. What the trigger knows of them it brings together here;
    /// [`Trigger::clear`] is called for each of them after.
    ///
    /// # Errors
    /// An error fails the task.
    fn on_merge(&mut self, window: &W, context: &mut OnMergeContext<'_>) -> Result<()> {
        let _ = (window, context);
        Err(Error::unsupported("the trigger does not support merging windows"))
    }

    /// The window is gone: so must be all timers and states that the trigger has for it.
    ///
    /// # Errors
    /// An error fails the task.
    fn clear(&mut self, window: &W, context: &mut TriggerContext<'_>) -> Result<()>;

    /// If the trigger fires once when the window has ended by this time, and with each later record, and does
    /// nothing else: then no timers are needed.
    #[doc(hidden)]
    fn fires_at_end(&self) -> Option<TimeDomain> {
        None
    }
}
