//! Advancing time.

use flott_batch::Record;
use flott_operator::Context;
use flott_types::{Result, Timestamp};

use super::WindowOperator;
use crate::assigner::WindowAssigner;
use crate::body::Body;
use crate::trigger::{Trigger, TriggerResult};
use crate::types::Window;
use flott_function::keyed_process::TimeDomain;
use flott_function::state::Key;

impl<K, T, A, B> WindowOperator<K, T, A, B>
where
    K: Key,
    T: Record + Clone,
    A: WindowAssigner<T>,
    B: Body<K, T, A::Window>,
    B::Out: Record,
{
    /// Ends windows and fires timers of a time domain, in the order of their times.
    pub(super) fn advance(
        &mut self,
        domain: TimeDomain,
        until: Timestamp,
        context: &mut Context<'_>,
    ) -> Result<()> {
        self.begin(context);
        loop {
            let due = |at: &Timestamp| *at <= until;
            let end = self.ends.earliest().filter(due).filter(|_| domain == self.domain);
            let timers = match domain {
                TimeDomain::EventTime => &mut self.event_timers,
                TimeDomain::ProcessingTime => &mut self.processing_timers,
            };
            match (end, timers.earliest().filter(due)) {
                (None, None) => break,
                // A window that is over calls its trigger itself, so ends come before timers.
                (Some(end), timer) if timer.is_none_or(|timer| end <= timer) => self.pop_ends(context)?,
                _ => {
                    // A trigger may register a timer that is due at once.
                    context.output.wanted()?;
                    if let Some(((at, slot), freed)) = timers.pop_due(until) {
                        if freed {
                            self.window_states.freed.push(slot);
                        }
                        self.timer(domain, at, slot, context)?;
                    }
                }
            }
        }
        self.after(context)
    }

    fn timer(
        &mut self,
        domain: TimeDomain,
        at: Timestamp,
        slot: u32,
        context: &mut Context<'_>,
    ) -> Result<()> {
        // A trigger may have left timers of windows that are over or were merged into others.
        if !self.windows.entry(slot).live {
            return Ok(());
        }
        let result = self.ask_at(domain, at, slot, context)?;
        self.apply(result, slot, context)
    }

    fn ask_at(
        &mut self,
        domain: TimeDomain,
        at: Timestamp,
        slot: u32,
        context: &Context<'_>,
    ) -> Result<TriggerResult> {
        self.ask(slot, context.now, |trigger, window, context| match domain {
            TimeDomain::EventTime => trigger.on_event_time(at, window, context),
            TimeDomain::ProcessingTime => trigger.on_processing_time(at, window, context),
        })
    }

    fn pop_ends(&mut self, context: &mut Context<'_>) -> Result<()> {
        if let Some((time, slots)) = self.ends.pop(|_| true) {
            slots.iter().try_for_each(|slot| self.end(*slot, time, context))?;
            self.ends.recycle(slots);
        }
        Ok(())
    }

    /// Checks a window.
    fn end(&mut self, slot: u32, time: Timestamp, context: &mut Context<'_>) -> Result<()> {
        let entry = self.windows.entry_mut(slot);
        if entry.queued != Some(time) {
            return Ok(());
        }
        entry.queued = None;
        let last = entry.window.max_timestamp();
        let over = self.over_at(&self.windows.entry(slot).window);
        if self.trigger.is_none() && time == last {
            self.fire(slot, context)?;
        }
        if over == Some(time) {
            return self.remove(slot, time, context);
        }
        // A session that has grown ends later than before; a window that has fired waits for late records.
        let next = if self.trigger.is_none() && last > time { Some(last) } else { over };
        self.look_at(slot, next);
        Ok(())
    }

    /// A window is over.
    fn remove(&mut self, slot: u32, time: Timestamp, context: &mut Context<'_>) -> Result<()> {
        if self.trigger.is_some() {
            // If it has registered a timer for this time, the timer finds the window gone.
            let result = self.ask_at(self.domain, time, slot, context)?;
            self.apply(result, slot, context)?;
        }
        self.body.clear(slot);
        self.ask(slot, context.now, |trigger, window, context| {
            trigger.clear(window, context)?;
            Ok(TriggerResult::Continue)
        })?;
        self.call(slot, context, |body, window| body.gone(window))?;
        self.leave(slot);
        Ok(())
    }
}
