//! By how far values have moved.

use flott_batch::Record;
use flott_types::{Result, Timestamp};

use super::{Trigger, TriggerContext, TriggerResult};
use flott_function::runtime_context::RuntimeContext;
use flott_function::state::ValueState;

/// Fires when a record is further from the one that fired last (at first from the first one) than a
/// threshold.
pub struct DeltaTrigger<T, F> {
    threshold: f64,
    delta: F,
    last: ValueState<T>,
}

impl<T, F: Fn(&T, &T) -> f64> DeltaTrigger<T, F> {
    /// `delta` says how far a record (the second) is from an earlier one.
    ///
    /// ```
    /// # use flott_datastream::window::DeltaTrigger;
    /// let every_hundred_metres = DeltaTrigger::of(100.0, |before: &f64, now: &f64| now - before);
    /// ```
    pub fn of(threshold: f64, delta: F) -> Self {
        DeltaTrigger { threshold, delta, last: ValueState::default() }
    }
}

impl<T, F: Clone> Clone for DeltaTrigger<T, F> {
    fn clone(&self) -> Self {
        DeltaTrigger { threshold: self.threshold, delta: self.delta.clone(), last: self.last }
    }
}

impl<T, W, F> Trigger<T, W> for DeltaTrigger<T, F>
where
    T: Record + Clone,
    F: Fn(&T, &T) -> f64 + Send + 'static,
{
    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.last = context.value_state("trigger-last-element")?;
        Ok(())
    }

    fn on_element(
        &mut self,
        element: &T,
        _: Option<Timestamp>,
        _: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        let fires = match self.last.get(context) {
            Some(last) if (self.delta)(last, element) > self.threshold => true,
            Some(_) => return Ok(TriggerResult::Continue),
            None => false,
        };
        self.last.set(context, element.clone());
        Ok(if fires { TriggerResult::Fire } else { TriggerResult::Continue })
    }

    fn clear(&mut self, _: &W, context: &mut TriggerContext<'_>) -> Result<()> {
        self.last.clear(context);
        Ok(())
    }
}
