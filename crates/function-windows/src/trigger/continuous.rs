//! Fires again and again.

use std::time::Duration;

use flott_types::{Result, Timestamp, Watermark};

use super::{OnMergeContext, Trigger, TriggerContext, TriggerResult};
use crate::types::{TimeWindow, Window};
use flott_function::runtime_context::RuntimeContext;
use flott_function::state::ValueState;

const NEXT: &str = "trigger-fire-time";

/// Fires at every multiple of an interval of event time once a record has arrived, and at the end of the
/// window.
#[derive(Clone)]
pub struct ContinuousEventTimeTrigger {
    interval: i64,
    next: ValueState<Timestamp>,
}

/// Fires at every multiple of an interval of processing time once a record has arrived.
#[derive(Clone)]
pub struct ContinuousProcessingTimeTrigger {
    interval: i64,
    next: ValueState<Timestamp>,
}

/// At least a millisecond: time must advance.
fn interval(interval: Duration) -> i64 {
    i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1)
}

/// The next time to fire, after one that is a multiple of the interval; the end of the window at the latest.
fn after<W: Window>(time: Timestamp, interval: i64, window: &W) -> Timestamp {
    time.saturating_add(interval).min(window.max_timestamp())
}

impl ContinuousEventTimeTrigger {
    /// Fires this often.
    pub fn of(every: Duration) -> Self {
        ContinuousEventTimeTrigger { interval: interval(every), next: ValueState::default() }
    }

    fn set(&self, next: Timestamp, context: &mut TriggerContext<'_>) {
        self.next.set(context, next);
        context.register_event_time_timer(next);
    }
}

impl<T, W: Window> Trigger<T, W> for ContinuousEventTimeTrigger {
    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.next = context.value_state(NEXT)?;
        Ok(())
    }

    fn on_element(
        &mut self,
        _: &T,
        timestamp: Option<Timestamp>,
        window: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        if window.max_timestamp() <= context.current_watermark().0 {
            return Ok(TriggerResult::Fire);
        }
        context.register_event_time_timer(window.max_timestamp());
        if self.next.get(context).is_none()
            && let Some(timestamp) = timestamp
        {
            let last = TimeWindow::start_with_offset(timestamp, 0, self.interval);
            self.set(after(last, self.interval, window), context);
        }
        Ok(TriggerResult::Continue)
    }

    fn on_event_time(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        if time == window.max_timestamp() {
            return Ok(TriggerResult::Fire);
        }
        if self.next.get(context) != Some(&time) {
            return Ok(TriggerResult::Continue);
        }
        // To the end of time there are too many multiples: when the input ends, a window without end fires
        // once more.
        let endless =
            context.current_watermark() == Watermark::MAX && window.max_timestamp() == Watermark::MAX.0;
        let next = if endless { window.max_timestamp() } else { after(time, self.interval, window) };
        self.set(next, context);
        Ok(if endless { TriggerResult::Continue } else { TriggerResult::Fire })
    }

    fn can_merge(&self) -> bool {
        true
    }

    fn on_merge(&mut self, _: &W, context: &mut OnMergeContext<'_>) -> Result<()> {
        context.merge_state(self.next, Timestamp::min);
        if let Some(next) = self.next.get(context).copied() {
            context.register_event_time_timer(next);
        }
        Ok(())
    }

    fn clear(&mut self, window: &W, context: &mut TriggerContext<'_>) -> Result<()> {
        context.delete_event_time_timer(window.max_timestamp());
        if let Some(next) = self.next.take(context) {
            context.delete_event_time_timer(next);
        }
        Ok(())
    }
}

impl ContinuousProcessingTimeTrigger {
    /// Fires this often.
    pub fn of(every: Duration) -> Self {
        ContinuousProcessingTimeTrigger { interval: interval(every), next: ValueState::default() }
    }

    fn set(&self, next: Timestamp, context: &mut TriggerContext<'_>) {
        self.next.set(context, next);
        context.register_processing_time_timer(next);
    }
}

impl<T, W: Window> Trigger<T, W> for ContinuousProcessingTimeTrigger {
    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.next = context.value_state(NEXT)?;
        Ok(())
    }

    fn on_element(
        &mut self,
        _: &T,
        _: Option<Timestamp>,
        window: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        if self.next.get(context).is_none() {
            let now = context.current_processing_time();
            let last = TimeWindow::start_with_offset(now, 0, self.interval);
            self.set(after(last, self.interval, window), context);
        }
        Ok(TriggerResult::Continue)
    }

    fn on_processing_time(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut TriggerContext<'_>,
    ) -> Result<TriggerResult> {
        if self.next.get(context) != Some(&time) {
            return Ok(TriggerResult::Continue);
        }
        self.next.clear(context);
        if time < window.max_timestamp() {
            self.set(after(time, self.interval, window), context);
        }
        Ok(TriggerResult::Fire)
    }

    fn can_merge(&self) -> bool {
        true
    }

    fn on_merge(&mut self, _: &W, context: &mut OnMergeContext<'_>) -> Result<()> {
        context.merge_state(self.next, Timestamp::min);
        if let Some(next) = self.next.get(context).copied() {
            context.register_processing_time_timer(next);
        }
        Ok(())
    }

    fn clear(&mut self, _: &W, context: &mut TriggerContext<'_>) -> Result<()> {
        if let Some(next) = self.next.take(context) {
            context.delete_processing_time_timer(next);
        }
        Ok(())
    }
}
