//! Timers of a function, in event time, with names or without.
//!
//! Both kinds are in the order of time; of several at one time those without a name come first. A name stands for one timer of a key: set
//! again, it replaces the one before. A name's time is kept in a map, as state of the key; when the time comes, names that have moved on
//! meanwhile are passed over.

use std::collections::{BTreeSet, VecDeque};

use flott_function::runtime_context::RuntimeContext;
use flott_function::state::{MapState, States};
use flott_state::{Index, KeyedDelta, RestoredState, StateColumn, TimerQueue};
use flott_types::{Result, Timestamp};

const UNNAMED: &str = "timers";
const NAMED: &str = "named-timers";
const TIMES: &str = "named-timer-times";

/// A timer that fires.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timer {
    pub(crate) slot: u32,
    pub(crate) at: Timestamp,
    pub(crate) name: Option<String>,
}

impl Timer {
    /// The time for which it was registered, in milliseconds since the epoch.
    pub fn time(&self) -> Timestamp {
        self.at
    }

    /// The name by which it was registered.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The slot of its key.
    #[doc(hidden)]
    pub fn slot(&self) -> u32 {
        self.slot
    }
}

/// The timers of an operator.
pub struct Timers {
    unnamed: TimerQueue,
    /// Those without a name, by key: so that those of one can be cleared.
    of_keys: BTreeSet<(u32, Timestamp)>,
    /// The times of timers with names.
    times: TimerQueue,
    names: MapState<String, Timestamp>,
    /// Names of a time that has come, that have not fired.
    due: VecDeque<Timer>,
}

impl Default for Timers {
    fn default() -> Self {
        Timers {
            unnamed: TimerQueue::new(UNNAMED),
            of_keys: BTreeSet::new(),
            times: TimerQueue::new(TIMES),
            names: MapState::default(),
            due: VecDeque::new(),
        }
    }
}

impl Timers {
    /// The names of the states in which timers are kept. That of names' times is a state as the function's are.
    pub const STATES: [&str; 2] = [UNNAMED, TIMES];

    /// Restores them.
    ///
    /// # Errors
    /// If the snapshot is not one of timers.
    pub fn restore(&mut self, index: &mut dyn Index, restored: &mut RestoredState) -> Result<()> {
        self.unnamed.restore(index, restored)?;
        self.of_keys = self.unnamed.iter().map(|(at, slot)| (slot, at)).collect();
        self.times.restore(index, restored)
    }

    /// Declares the names, which are a state like those of the function.
    ///
    /// # Errors
    /// If the snapshot is not one of timers.
    pub fn declare(&mut self, runtime: &mut RuntimeContext<'_>) -> Result<()> {
        self.names = runtime.map_state(NAMED)?;
        Ok(())
    }

    /// What changed since the last snapshot, or everything.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn snapshot(
        &mut self,
        index: &dyn Index,
        full: bool,
        freed: &mut Vec<u32>,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        self.unnamed.snapshot(index, full, freed, into)?;
        self.times.snapshot(index, full, freed, into)
    }

    /// Whether a key has timers.
    pub fn occupied(&self, slot: u32) -> bool {
        self.unnamed.occupied(slot) || self.times.occupied(slot)
    }

    /// The next timer that is due. Call it until there is none before anything else happens to the operator.
    pub fn pop_due(&mut self, states: &mut States, until: Timestamp) -> Option<Timer> {
        loop {
            while let Some(timer) = self.due.pop_front() {
                states.slot = timer.slot;
                let name = timer.name.as_deref().unwrap_or_default();
                // It may have been cleared or replaced by one that fired at the same time.
                if self.names.get(states, name) == Some(&timer.at) {
                    self.names.remove(states, name);
                    return Some(timer);
                }
            }
            let (unnamed, named) = (self.unnamed.earliest(), self.times.earliest());
            let is_named = match (unnamed, named) {
                (Some(unnamed), Some(named)) => named < unnamed,
                (unnamed, _) => unnamed.is_none(),
            };
            let queue = if is_named { &mut self.times } else { &mut self.unnamed };
            let ((at, slot), freed) = queue.pop_due(until)?;
            if freed {
                states.freed.push(slot);
            }
            if !is_named {
                self.of_keys.remove(&(slot, at));
                return Some(Timer { slot, at, name: None });
            }
            states.slot = slot;
            let due = self.names.iter(states).filter(|(_, time)| **time == at);
            let mut names: Vec<String> = due.map(|(name, _)| name.clone()).collect();
            names.sort_unstable();
            self.due.extend(names.into_iter().map(|name| Timer { slot, at, name: Some(name) }));
        }
    }

    pub(crate) fn register(&mut self, states: &States, at: Timestamp) -> Result<()> {
        self.of_keys.insert((states.slot, at));
        self.unnamed.register(at, states.slot)
    }

    pub(crate) fn register_named(&mut self, states: &mut States, name: &str, at: Timestamp) -> Result<()> {
        let before = self.names.insert(states, name.to_owned(), at);
        if let Some(before) = before.filter(|before| *before != at) {
            self.leave(states, before);
        }
        self.times.register(at, states.slot)
    }

    pub(crate) fn clear(&mut self, states: &mut States, at: Timestamp) {
        self.of_keys.remove(&(states.slot, at));
        if self.unnamed.delete(at, states.slot) {
            states.freed.push(states.slot);
        }
    }

    pub(crate) fn clear_named(&mut self, states: &mut States, name: &str) {
        if let Some(at) = self.names.remove(states, name) {
            self.leave(states, at);
        }
    }

    pub(crate) fn clear_all(&mut self, states: &mut States) {
        let named: Vec<Timestamp> = self.names.values(states).copied().collect();
        self.names.clear(states);
        named.into_iter().for_each(|at| self.leave(states, at));
        let unnamed = self.of_keys.range((states.slot, Timestamp::MIN)..=(states.slot, Timestamp::MAX));
        let unnamed: Vec<Timestamp> = unnamed.map(|(_, at)| *at).collect();
        unnamed.into_iter().for_each(|at| self.clear(states, at));
    }

    /// A name of the key has left this time.
    fn leave(&mut self, states: &mut States, at: Timestamp) {
        if !self.names.values(states).any(|other| *other == at) && self.times.delete(at, states.slot) {
            states.freed.push(states.slot);
        }
    }
}
