//! When a trigger has not fired for a while.

use std::time::Duration;

use flott_types::{Result, Timestamp};

use super::{Trigger, TriggerContext, TriggerResult};
use flott_function::runtime_context::RuntimeContext;
use flott_function::state::ValueState;

/// Fires when another trigger does, and also when it has not for some time by the clock, beginning with the
/// first record.
#[derive(Clone)]
pub struct ProcessingTimeoutTrigger<N> {
    nested: N,
    timeout: i64,
    restart: bool,
    clear: bool,
    due: ValueState<Timestamp>,
}

impl<N> ProcessingTimeoutTrigger<N> {
    /// Around this trigger. When the time is out, the nested trigger starts over.
    pub fn of(nested: N, timeout: Duration) -> Self {
        let timeout = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX);
        ProcessingTimeoutTrigger { nested, timeout, restart: false, clear: true, due: ValueState::default() }
    }

    /// Whether the time starts over with each record.
    #[must_use]
    pub fn reset_timer_on_new_record(mut self, reset: bool) -> Self {
        self.restart = reset;
        self
    }

    /// Whether the nested trigger starts over when the time is out.
    #[must_use]
    pub fn clear_on_timeout(mut self, clear: bool) -> Self {
        self.clear = clear;
        self
    }
}

impl<T, W, N: Trigger<T, W>> Trigger<T, W> for ProcessingTimeoutTrigger<N> {
    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.due = context.value_state("trigger-timeout")?;
        self.nested.open(context)
    }

    fn on_element(
        &mut self,
        element: &T,
        timestamp: Option<Timestamp>,
        window: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        let result = self.nested.on_element(element, timestamp, window, context)?;
        if result.is_fire() {
            self.clear(window, context)?;
            return Ok(result);
        }
        if self.restart
            && let Some(due) = self.due.take(context)
        {
            context.delete_processing_time_timer(due);
        }
        if self.due.get(context).is_none() {
            let due = context.current_processing_time().saturating_add(self.timeout);
            self.due.set(context, due);
            context.register_processing_time_timer(due);
        }
        Ok(result)
    }

    fn on_event_time(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        let result = self.nested.on_event_time(time, window, context)?;
        if result.is_fire() {
            self.clear(window, context)?;
        }
        Ok(result)
    }

    fn on_processing_time(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        let result = self.nested.on_processing_time(time, window, context)?;
        if self.clear {
            self.clear(window, context)?;
        }
        Ok(if result.is_purge() { TriggerResult::FireAndPurge } else { TriggerResult::Fire })
    }

    fn clear(&mut self, window: &W, context: &mut TriggerContext<'_>) -> Result<()> {
        if let Some(due) = self.due.take(context) {
            context.delete_processing_time_timer(due);
        }
        self.nested.clear(window, context)
    }
}
