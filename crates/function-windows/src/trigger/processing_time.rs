//! At the end of the window, by the clock.

use flott_types::{Result, Timestamp};

use super::{OnMergeContext, Trigger, TriggerContext, TriggerResult};
use crate::types::Window;
use flott_function::keyed_process::TimeDomain;

/// Fires when the clock has passed the end of the window.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessingTimeTrigger;

impl<T, W: Window> Trigger<T, W> for ProcessingTimeTrigger {
    fn on_element(
        &mut self,
        _: &T,
        _: Option<Timestamp>,
        window: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        context.register_processing_time_timer(window.max_timestamp());
        Ok(TriggerResult::Continue)
    }

    fn on_processing_time(
        &mut self,
        _: Timestamp,
        _: &W,
        _: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        Ok(TriggerResult::Fire)
    }

    fn can_merge(&self) -> bool {
        true
    }

    fn on_merge(&mut self, window: &W, context: &mut OnMergeContext<'_>) -> Result<()> {
        if window.max_timestamp() > context.current_processing_time() {
            context.register_processing_time_timer(window.max_timestamp());
        }
        Ok(())
    }

    fn clear(&mut self, window: &W, context: &mut TriggerContext<'_>) -> Result<()> {
        context.delete_processing_time_timer(window.max_timestamp());
        Ok(())
    }

    fn fires_at_end(&self) -> Option<TimeDomain> {
        Some(TimeDomain::ProcessingTime)
    }
}
