//! What triggers can use during a call.

use std::ops::{Deref, DerefMut};

use flott_batch::Record;
use flott_state::TimerQueue;
use flott_types::{Timestamp, Watermark};

use flott_function::state::{ReducingState, ValueState};
use flott_function::state::{StateAccess, States};

/// What a [`Trigger`](super::Trigger) can use during a call. States are those of the window that it is called
/// for.
pub struct TriggerContext<'a> {
    pub(crate) states: &'a mut States,
    pub(crate) event_timers: &'a mut TimerQueue,
    pub(crate) processing_timers: &'a mut TimerQueue,
    pub(crate) watermark: Watermark,
    pub(crate) now: Timestamp,
}

impl TriggerContext<'_> {
    /// The watermark: no record with a timestamp at or below it will follow, unless it is late.
    pub fn current_watermark(&self) -> Watermark {
        self.watermark
    }

    /// The processing time, in milliseconds since the epoch. The same for a whole batch.
    pub fn current_processing_time(&self) -> Timestamp {
        self.now
    }

    /// Calls `on_event_time` for this window when the watermark has reached `at`; once, however often it is
    /// registered.
    pub fn register_event_time_timer(&mut self, at: Timestamp) {
        self.states.note(self.event_timers.register(at, self.states.slot));
    }

    /// Calls `on_processing_time` for this window when the clock has reached `at`; once, however often it is
    /// registered.
    pub fn register_processing_time_timer(&mut self, at: Timestamp) {
        self.states.note(self.processing_timers.register(at, self.states.slot));
    }

    /// Deletes a timer of this window. Nothing happens if there is none.
    pub fn delete_event_time_timer(&mut self, at: Timestamp) {
        if self.event_timers.delete(at, self.states.slot) {
            self.states.freed.push(self.states.slot);
        }
    }

    /// Deletes a timer of this window. Nothing happens if there is none.
    pub fn delete_processing_time_timer(&mut self, at: Timestamp) {
        if self.processing_timers.delete(at, self.states.slot) {
            self.states.freed.push(self.states.slot);
        }
    }
}

impl StateAccess for TriggerContext<'_> {
    fn states(&self) -> &States {
        self.states
    }

    fn states_mut(&mut self) -> &mut States {
        self.states
    }
}

/// What a trigger can use when windows were merged. States are those of the new window.
pub struct OnMergeContext<'a> {
    pub(crate) context: TriggerContext<'a>,
    pub(crate) merged: &'a [u32],
}

impl OnMergeContext<'_> {
    /// Merges the values of the merged windows: two become one, as long as there are two.
    pub fn merge_state<V: Record>(&mut self, state: ValueState<V>, mut combine: impl FnMut(V, V) -> V) {
        let into = self.context.states.slot;
        let mut all = state.take(&mut self.context);
        for slot in self.merged {
            self.context.states.slot = *slot;
            let next = state.take(&mut self.context);
            all = match (all, next) {
                (Some(all), Some(next)) => Some(combine(all, next)),
                (one, other) => one.or(other),
            };
        }
        self.context.states.slot = into;
        if let Some(all) = all {
            state.set(&mut self.context, all);
        }
    }
}

impl OnMergeContext<'_> {
    /// Reduces the values of the windows that were merged to one.
    pub fn merge_reducing_state<V: Record + Clone>(&mut self, state: ReducingState<V>) {
        let into = self.context.states.slot;
        for slot in self.merged {
            self.context.states.slot = *slot;
            let next = state.get(&self.context).cloned();
            state.clear(&mut self.context);
            self.context.states.slot = into;
            if let Some(next) = next {
                state.add(&mut self.context, next);
            }
        }
    }
}

impl<'a> Deref for OnMergeContext<'a> {
    type Target = TriggerContext<'a>;

    fn deref(&self) -> &TriggerContext<'a> {
        &self.context
    }
}

impl<'a> DerefMut for OnMergeContext<'a> {
    fn deref_mut(&mut self) -> &mut TriggerContext<'a> {
        &mut self.context
    }
}

impl StateAccess for OnMergeContext<'_> {
    fn states(&self) -> &States {
        self.context.states
    }

    fn states_mut(&mut self) -> &mut States {
        self.context.states
    }
}
