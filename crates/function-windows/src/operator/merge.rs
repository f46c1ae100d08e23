//! Merging windows.

use flott_batch::Record;
use flott_operator::Context;
use flott_types::{Error, Result, Watermark};

use super::WindowOperator;
use crate::assigner::WindowAssigner;
use crate::body::Body;
use crate::table::NONE;
use crate::trigger::{OnMergeContext, Trigger, TriggerContext, TriggerResult};
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
    /// Merges the key's windows with a new one, and returns the window that contains it: itself, or a larger
    /// one.
    pub(super) fn merge_with(
        &mut self,
        key: u32,
        window: &A::Window,
        context: &mut Context<'_>,
    ) -> Result<A::Window> {
        let mut all = std::mem::take(&mut self.of_key);
        all.clear();
        all.extend(self.windows.live(key).map(|slot| self.windows.entry(slot).window.clone()));
        let mut part_of = window.clone();
        if !all.is_empty() {
            all.push(window.clone());
            let mut merges = std::mem::take(&mut self.merges);
            merges.clear();
            self.assigner.merge_windows(&mut all, &mut merges);
            for (result, members) in merges.iter() {
                if members.contains(window) {
                    part_of = result.clone();
                }
                self.merge(key, members, result, context)?;
            }
            self.merges = merges;
        }
        self.of_key = all;
        Ok(part_of)
    }

    fn merge(
        &mut self,
        key: u32,
        members: &[A::Window],
        result: &A::Window,
        context: &mut Context<'_>,
    ) -> Result<()> {
        let (first, second) = {
            let mut from = self.members(key, members);
            (from.next(), from.next())
        };
        let Some(first) = first else { return Ok(()) };
        if second.is_none() && self.windows.entry(first).window == *result {
            return Ok(());
        }
        self.check_merge(result, context)?;
        if second.is_none() && self.trigger.is_none() && !self.body.is_persisted(first) {
            // Most records of a session make it longer, and nothing else.
            self.windows.rename(first, result);
            self.look_at(first, self.next_look(result, self.progress.now()));
            return Ok(());
        }
        // The earliest first, as their records came.
        let mut from: Vec<u32> = self.members(key, members).collect();
        from.reverse();
        let into = self.windows.intern(key, result, NONE);
        from.retain(|slot| *slot != into);
        from.iter().for_each(|slot| self.body.merge(into, *slot));
        self.merge_triggers(into, &from, context)?;
        for slot in from {
            self.leave(slot);
        }
        if self.body.is_empty(into) {
            self.window_states.slot = into;
            self.purged.set(&mut self.window_states, true);
        }
        self.begin_window(into);
        Ok(())
    }

    /// The slots of the existing windows, the latest first.
    fn members(&self, key: u32, members: &[A::Window]) -> impl Iterator<Item = u32> {
        self.windows.live(key).filter(|slot| members.contains(&self.windows.entry(*slot).window))
    }

    fn merge_triggers(&mut self, into: u32, from: &[u32], context: &mut Context<'_>) -> Result<()> {
        let Some(trigger) = &mut self.trigger else { return Ok(()) };
        self.window_states.slot = into;
        let context_of_trigger = TriggerContext {
            states: &mut self.window_states,
            event_timers: &mut self.event_timers,
            processing_timers: &mut self.processing_timers,
            watermark: Watermark(self.progress.now()),
            now: context.now,
        };
        let mut merged = OnMergeContext { context: context_of_trigger, merged: from };
        trigger.on_merge(&self.windows.entry(into).window, &mut merged)?;
        for slot in from {
            self.ask(*slot, context.now, |trigger, window, context| {
                trigger.clear(window, context)?;
                Ok(TriggerResult::Continue)
            })?;
        }
        Ok(())
    }

    /// A merged window must not already be over.
    fn check_merge(&self, result: &A::Window, context: &Context<'_>) -> Result<()> {
        let (over, time, what) = match self.domain {
            TimeDomain::EventTime => (self.is_over(result), self.progress.now(), "watermark"),
            TimeDomain::ProcessingTime => {
                (result.max_timestamp() <= context.now, context.now, "current processing time")
            }
        };
        if !over {
            return Ok(());
        }
        Err(Error::unsupported(format!(
            "windows were merged to {result:?}, whose end is before the {what}, {time}; the assigner must not do that"
        )))
    }
}
