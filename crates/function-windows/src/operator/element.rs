//! Processing a record.

use flott_batch::Record;
use flott_operator::Context;
use flott_types::{Result, Timestamp};

use super::WindowOperator;
use crate::assigner::WindowAssigner;
use crate::body::Body;
use crate::table::NONE;
use crate::trigger::Trigger;
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
    /// Adds a record to windows that do not merge; returns whether it was dropped as late.
    #[inline]
    pub(super) fn add(
        &mut self,
        key: u32,
        assigned: &mut Vec<A::Window>,
        value: T,
        timestamp: Option<Timestamp>,
        context: &mut Context<'_>,
    ) -> Result<bool> {
        if self.domain == TimeDomain::EventTime {
            assigned.retain(|window| !self.is_over(window));
        }
        let Some((last, others)) = assigned.split_last() else {
            return self.skip(value, timestamp, context);
        };
        let mut hint = NONE;
        for window in others {
            hint = self.windows.intern(key, window, hint);
            self.put(hint, value.clone(), timestamp, context)?;
        }
        let slot = self.windows.intern(key, last, hint);
        self.put(slot, value, timestamp, context)?;
        Ok(false)
    }

    /// Adds a record to windows that may have to be merged with others; returns whether it was dropped as
    /// late.
    pub(super) fn add_merging(
        &mut self,
        key: u32,
        assigned: &[A::Window],
        value: T,
        timestamp: Option<Timestamp>,
        context: &mut Context<'_>,
    ) -> Result<bool> {
        let mut value = Some(value);
        let mut taken = false;
        for (at, window) in assigned.iter().enumerate() {
            let window = self.merge_with(key, window, context)?;
            if self.is_over(&window) {
                continue;
            }
            taken = true;
            let slot = self.windows.intern(key, &window, NONE);
            let own = if at + 1 == assigned.len() { value.take() } else { value.clone() };
            if let Some(own) = own {
                self.put(slot, own, timestamp, context)?;
            }
        }
        match value {
            Some(value) if !taken => self.skip(value, timestamp, context),
            _ => Ok(false),
        }
    }

    /// Adds a record to a window, which may make it fire.
    #[inline]
    fn put(
        &mut self,
        slot: u32,
        value: T,
        timestamp: Option<Timestamp>,
        context: &mut Context<'_>,
    ) -> Result<()> {
        if self.trigger.is_some() {
            return self.put_and_ask(slot, value, timestamp, context);
        }
        self.body.add(slot, value, timestamp);
        let entry = self.windows.entry_mut(slot);
        let ended =
            self.domain == TimeDomain::EventTime && self.progress.has_reached(entry.window.max_timestamp());
        if !entry.live {
            self.begin_window(slot);
        }
        if ended { self.fire(slot, context) } else { Ok(()) }
    }

    fn put_and_ask(
        &mut self,
        slot: u32,
        value: T,
        timestamp: Option<Timestamp>,
        context: &mut Context<'_>,
    ) -> Result<()> {
        // The trigger does not see the window's contents, so it may be called before the record is added.
        let result = self.ask(slot, context.now, |trigger, window, context| {
            trigger.on_element(&value, timestamp, window, context)
        })?;
        self.body.add(slot, value, timestamp);
        if !self.windows.entry(slot).live {
            self.begin_window(slot);
        }
        self.apply(result, slot, context)
    }

    /// Registers the window.
    #[cold]
    pub(super) fn begin_window(&mut self, slot: u32) {
        let entry = self.windows.entry_mut(slot);
        entry.live = true;
        let window = entry.window.clone();
        self.look_at(slot, self.next_look(&window, self.progress.now()));
    }

    /// No window accepts the record. Returns whether it was dropped as late.
    #[cold]
    fn skip(&mut self, value: T, timestamp: Option<Timestamp>, context: &mut Context<'_>) -> Result<bool> {
        let over = |timestamp: Timestamp| self.progress.has_reached(timestamp.saturating_add(self.lateness));
        if self.domain != TimeDomain::EventTime || !timestamp.is_some_and(over) {
            return Ok(false);
        }
        let Some(tag) = &self.late else { return Ok(true) };
        self.buffer.at(timestamp);
        self.buffer.collector(context.output).output(tag, value);
        Ok(false)
    }
}
