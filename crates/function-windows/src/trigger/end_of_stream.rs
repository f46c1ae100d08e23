//! At the end of the input.

use flott_types::{Result, Timestamp, Watermark};

use super::{OnMergeContext, Trigger, TriggerContext, TriggerResult};

/// Fires, and throws away what the window has, when the input has ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct EndOfStreamTrigger;

impl<T, W> Trigger<T, W> for EndOfStreamTrigger {
    fn on_element(
        &mut self,
        _: &T,
        _: Option<Timestamp>,
        _: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        context.register_event_time_timer(Watermark::MAX.0);
        Ok(TriggerResult::Continue)
    }

    fn on_event_time(&mut self, time: Timestamp, _: &W, _: &mut TriggerContext<'_>) -> Result<TriggerResult> {
        Ok(if time == Watermark::MAX.0 { TriggerResult::FireAndPurge } else { TriggerResult::Continue })
    }

    fn can_merge(&self) -> bool {
        true
    }

    fn on_merge(&mut self, _: &W, context: &mut OnMergeContext<'_>) -> Result<()> {
        context.register_event_time_timer(Watermark::MAX.0);
        Ok(())
    }

    fn clear(&mut self, _: &W, context: &mut TriggerContext<'_>) -> Result<()> {
        context.delete_event_time_timer(Watermark::MAX.0);
        Ok(())
    }
}
