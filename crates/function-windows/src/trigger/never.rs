//! Never.

use flott_types::{Result, Timestamp};

use super::{OnMergeContext, Trigger, TriggerContext, TriggerResult};

/// Does not fire.
#[derive(Clone, Copy, Debug, Default)]
pub struct NeverTrigger;

impl<T, W> Trigger<T, W> for NeverTrigger {
    fn on_element(
        &mut self,
        _: &T,
        _: Option<Timestamp>,
        _: &W,
        _: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        Ok(TriggerResult::Continue)
    }

    fn can_merge(&self) -> bool {
        true
    }

    fn on_merge(&mut self, _: &W, _: &mut OnMergeContext<'_>) -> Result<()> {
        Ok(())
    }

    fn clear(&mut self, _: &W, _: &mut TriggerContext<'_>) -> Result<()> {
        Ok(())
    }
}
