//! The operator's state: snapshot, restore, and when slots become free.

use flott_batch::Record;
use flott_operator::Context;
use flott_operator::windows::Progress;
use flott_state::{OperatorSnapshot, RestoredState, StateColumn};
use flott_types::{CheckpointId, Error, Result};

use super::WindowOperator;
use crate::assigner::WindowAssigner;
use crate::body::Body;
use crate::trigger::Trigger;
use flott_function::runtime_context::KeyedScope;
use flott_function::runtime_context::RuntimeContext;
use flott_function::snapshot::SnapshotContext;
use flott_function::state::{EVENT_TIMERS, PROCESSING_TIMERS, ValueState};
use flott_function::state::{Key, ValueAccess, ValueColumn, tell_dropped};

const PURGED: &str = "purged-windows";

impl<K, T, A, B> WindowOperator<K, T, A, B>
where
    K: Key,
    T: Record + Clone,
    A: WindowAssigner<T>,
    B: Body<K, T, A::Window>,
    B::Out: Record,
{
    pub(super) fn restore(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.progress.restore(&mut restored, context.info)?;
        self.begin(context);
        let WindowOperator { windows, window_states, global_states, body, trigger, .. } = self;
        body.column_mut().restore(windows, &mut restored)?;
        self.event_timers.restore(windows, &mut restored)?;
        self.processing_timers.restore(windows, &mut restored)?;
        let purged = Box::new(ValueColumn::<bool>::named(PURGED)?);
        self.purged = ValueState::new(window_states.declare(purged, windows, &mut restored)?);
        let (info, metrics, options) = (context.info, context.metrics, &self.options);
        if let Some(trigger) = trigger {
            let scope = KeyedScope { keys: windows, states: window_states };
            trigger.open(&mut RuntimeContext::new(info, options, metrics, &mut restored, Some(scope)))?;
        }
        let before = window_states.names().count();
        let scope = KeyedScope { keys: windows, states: window_states };
        body.open_window_state(&mut RuntimeContext::new(info, options, metrics, &mut restored, Some(scope)))?;
        if A::MERGES && window_states.names().count() > before {
            return Err(Error::unsupported(
                "merging windows cannot have their own state, because it could not be merged; use the states that all \
                 windows of the key share",
            ));
        }
        let scope = KeyedScope { keys: &mut windows.keys, states: global_states };
        body.open(&mut RuntimeContext::new(info, options, metrics, &mut restored, Some(scope)))?;
        if let Some(both) = global_states.names().find(|name| window_states.names().any(|own| own == *name)) {
            return Err(Error::invalid(format!(
                "state '{both}' is declared both for keys and for windows; rename one of them"
            )));
        }
        for states in [&self.global_states, &self.window_states] {
            states.refuse(&[EVENT_TIMERS, PROCESSING_TIMERS])?;
            states.operator.refuse(Progress::STATE)?;
        }
        tell_dropped(&info.name, &restored);
        self.windows.grow();
        for slot in self.windows.slots() {
            self.begin_window(slot);
        }
        Ok(())
    }

    pub(super) fn save(&mut self, checkpoint: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let WindowOperator { windows, window_states, global_states, body, event_timers, .. } = self;
        body.snapshot_state(&mut SnapshotContext::new(global_states, checkpoint))?;
        global_states.check()?;
        let mut keyed = window_states.snapshot(windows, full)?;
        let freed = &mut window_states.freed;
        body.column_mut().snapshot(windows, full, freed, &mut keyed)?;
        event_timers.snapshot(windows, full, freed, &mut keyed)?;
        self.processing_timers.snapshot(windows, full, freed, &mut keyed)?;
        keyed.append(&mut global_states.snapshot(&windows.keys, full)?);
        self.free();
        let mut lists = self.global_states.operator.snapshot(self.subtask)?;
        lists.append(&mut self.window_states.operator.snapshot(self.subtask)?);
        let mut snapshot = OperatorSnapshot { keyed, lists, ..OperatorSnapshot::default() };
        self.progress.save(&mut snapshot);
        Ok(snapshot)
    }

    /// Removes a window.
    pub(super) fn leave(&mut self, slot: u32) {
        self.window_states.slot = slot;
        self.purged.clear(&mut self.window_states);
        let entry = self.windows.entry_mut(slot);
        (entry.live, entry.queued) = (false, None);
        self.window_states.freed.push(slot);
    }

    /// Frees the slots of unused windows and keys.
    pub(super) fn free(&mut self) {
        let mut freed = std::mem::take(&mut self.window_states.freed);
        for slot in freed.drain(..) {
            let entry = self.windows.entry(slot);
            let there = entry.queued.is_some() || (A::MERGES && entry.live);
            if !there && !self.is_occupied(slot) {
                self.windows.remove(slot);
            }
        }
        self.window_states.freed = freed;
        let mut keys = std::mem::take(&mut self.windows.bare);
        self.windows.keys.take_new(&mut keys);
        keys.append(&mut self.global_states.freed);
        for key in keys.drain(..) {
            if !self.windows.has_windows(key) && !self.global_states.occupied(key) {
                self.windows.keys.remove(key);
            }
        }
        self.windows.bare = keys;
    }

    fn is_occupied(&self, slot: u32) -> bool {
        self.body.column().occupied(slot)
            || self.window_states.occupied(slot)
            || self.event_timers.occupied(slot)
            || self.processing_timers.occupied(slot)
    }
}
