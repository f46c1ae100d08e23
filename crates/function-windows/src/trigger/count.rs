//! By the number of records.

use flott_types::{Result, Timestamp};

use super::{OnMergeContext, Trigger, TriggerContext, TriggerResult};
use flott_function::runtime_context::RuntimeContext;
use flott_function::state::ValueState;

/// Fires when this many records have come into the window since it fired last.
#[derive(Clone)]
pub struct CountTrigger {
    max: u64,
    count: ValueState<u64>,
}

impl CountTrigger {
    /// Fires with every `max`-th record.
    pub fn of(max: u64) -> Self {
        CountTrigger { max, count: ValueState::default() }
    }
}

impl<T, W> Trigger<T, W> for CountTrigger {
    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.count = context.value_state("trigger-count")?;
        Ok(())
    }

    fn on_element(
        &mut self,
        _: &T,
        _: Option<Timestamp>,
        _: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        let count = match self.count.get_mut(context) {
            Some(count) => {
                *count += 1;
                *count
            }
            None => 1,
        };
        if count >= self.max {
            self.count.clear(context);
            return Ok(TriggerResult::Fire);
        }
        if count == 1 {
            self.count.set(context, 1);
        }
        Ok(TriggerResult::Continue)
    }

    fn can_merge(&self) -> bool {
        true
    }

    fn on_merge(&mut self, _: &W, context: &mut OnMergeContext<'_>) -> Result<()> {
        context.merge_state(self.count, |one, other| one + other);
        Ok(())
    }

    fn clear(&mut self, _: &W, context: &mut TriggerContext<'_>) -> Result<()> {
        self.count.clear(context);
        Ok(())
    }
}
