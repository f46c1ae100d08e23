//! At the end of the window, by event time.

use flott_types::{Result, Timestamp};

use super::{OnMergeContext, Trigger, TriggerContext, TriggerResult};
use crate::types::Window;
use flott_function::keyed_process::TimeDomain;

/// Fires when the watermark has passed the end of the window, and again with each record that comes later.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventTimeTrigger;

impl<T, W: Window> Trigger<T, W> for EventTimeTrigger {
    fn on_element(
        &mut self,
        _: &T,
        _: Option<Timestamp>,
        window: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        if window.max_timestamp() <= context.current_watermark().0 {
            return Ok(TriggerResult::Fire);
        }
        context.register_event_time_timer(window.max_timestamp());
        Ok(TriggerResult::Continue)
    }

    fn on_event_time(
        &mut self,
        time: Timestamp,
        window: &W,
        _: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        Ok(if time == window.max_timestamp() { TriggerResult::Fire } else { TriggerResult::Continue })
    }

    fn can_merge(&self) -> bool {
        true
    }

    fn on_merge(&mut self, window: &W, context: &mut OnMergeContext<'_>) -> Result<()> {
        // If the end has passed, the record that made them merge fires.
        if window.max_timestamp() > context.current_watermark().0 {
            context.register_event_time_timer(window.max_timestamp());
        }
        Ok(())
    }

    fn clear(&mut self, window: &W, context: &mut TriggerContext<'_>) -> Result<()> {
        context.delete_event_time_timer(window.max_timestamp());
        Ok(())
    }

    fn fires_at_end(&self) -> Option<TimeDomain> {
        Some(TimeDomain::EventTime)
    }
}
