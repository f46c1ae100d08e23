//! Type-erased triggers.

use flott_types::{Result, Timestamp};

use super::{OnMergeContext, Trigger, TriggerContext, TriggerResult};
use flott_function::keyed_process::TimeDomain;
use flott_function::runtime_context::RuntimeContext;

/// Any trigger for windows of a kind.
pub struct AnyTrigger<T, W>(Box<dyn CloneTrigger<T, W>>);

/// A trigger that each subtask gets a copy of.
trait CloneTrigger<T, W>: Trigger<T, W> {
    fn copy(&self) -> Box<dyn CloneTrigger<T, W>>;
}

impl<T, W, Tr: Trigger<T, W> + Clone> CloneTrigger<T, W> for Tr {
    fn copy(&self) -> Box<dyn CloneTrigger<T, W>> {
        Box::new(self.clone())
    }
}

impl<T, W> AnyTrigger<T, W> {
    /// This trigger.
    pub fn new(trigger: impl Trigger<T, W> + Clone) -> Self {
        AnyTrigger(Box::new(trigger))
    }
}

impl<T: 'static, W: 'static> Clone for AnyTrigger<T, W> {
    fn clone(&self) -> Self {
        AnyTrigger(self.0.copy())
    }
}

impl<T: 'static, W: 'static> Trigger<T, W> for AnyTrigger<T, W> {
    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.0.open(context)
    }

    fn on_element(
        &mut self,
        element: &T,
        timestamp: Option<Timestamp>,
        window: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        self.0.on_element(element, timestamp, window, context)
    }

    fn on_event_time(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        self.0.on_event_time(time, window, context)
    }

    fn on_processing_time(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        self.0.on_processing_time(time, window, context)
    }

    fn can_merge(&self) -> bool {
        self.0.can_merge()
    }

    fn on_merge(&mut self, window: &W, context: &mut OnMergeContext<'_>) -> Result<()> {
        self.0.on_merge(window, context)
    }

    fn clear(&mut self, window: &W, context: &mut TriggerContext<'_>) -> Result<()> {
        self.0.clear(window, context)
    }

    fn fires_at_end(&self) -> Option<TimeDomain> {
        self.0.fires_at_end()
    }
}
