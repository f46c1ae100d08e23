//! The states of one operator.

use std::any::Any;
use std::cell::RefCell;

use flott_state::{KeyedDelta, RestoredState};
use flott_types::{Error, Result, Timestamp};

use super::Keys;
use super::operator::{OperatorColumn, OperatorStates};
use super::rows::Migration;

/// A table with more keys than this is taken not to be in the processor's caches.
const LARGE: usize = 1 << 14;

/// A state as the operator sees it, whatever its kind and type: values by the slots of keys.
pub(crate) trait StateColumn: Any + Send {
    /// The state's name.
    fn name(&self) -> &str;
    /// Whether the slot has a value here, or had one that the next snapshot must delete: then its key must stay.
    fn occupied(&self, slot: u32) -> bool;
    /// Takes what a snapshot has of this state.
    fn restore(&mut self, keys: &mut dyn Keys, restored: &mut RestoredState) -> Result<()>;
    /// What changed since the last snapshot, or everything. Slots whose keys are not needed here any more, now that the
    /// snapshot deletes them, are added to `freed`.
    fn snapshot(
        &mut self,
        keys: &dyn Keys,
        full: bool,
        freed: &mut Vec<u32>,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()>;
    /// Reads a little of each slot's value, so that the processor has it at hand when the function asks: one after the other, a
    /// function waits for memory at each key; here the reads do not depend on each other. Answers something that depends on
    /// what was read, so that the compiler does not optimise it away.
    fn warm(&self, slots: &[u32]) -> usize {
        let _ = slots;
        0
    }
    /// Does a little of what keeps the state small (drops what has expired). Slots whose values went are added to `freed`.
    /// `rows` have come since this was called last.
    fn tidy(&mut self, now: Timestamp, rows: usize, freed: &mut Vec<u32>) {
        let _ = (now, rows, freed);
    }
    /// When to call [`StateColumn::tidy`] again at the latest.
    fn wake_at(&self) -> Option<Timestamp> {
        None
    }
    /// How the state was stored, if its type was another one.
    fn migration(&self) -> Option<&Migration> {
        None
    }
}

/// The columns of an operator, and the slot of the key that it is at.
pub struct States {
    columns: Vec<Box<dyn StateColumn>>,
    /// The number of the first column. Where an operator has several of these, a state of one is not found in another.
    base: u32,
    pub(crate) slot: u32,
    /// The time of the call. Set it before states are declared, too: what expires begins to live then.
    pub(crate) now: Timestamp,
    /// State that belongs to no key.
    pub(crate) operator: OperatorStates,
    /// Slots from which something was taken: perhaps their keys can go.
    pub(crate) freed: Vec<u32>,
    fault: RefCell<Option<Error>>,
}

/// A context of a function on a keyed stream: where state can be read and written.
///
/// Functions do not call its methods; they hand the context to a state: `self.total.get(ctx)`.
pub trait StateAccess {
    /// The states, at the current key.
    #[doc(hidden)]
    fn states(&self) -> &States;
    /// The states, at the current key.
    #[doc(hidden)]
    fn states_mut(&mut self) -> &mut States;
}

impl StateAccess for States {
    fn states(&self) -> &States {
        self
    }

    fn states_mut(&mut self) -> &mut States {
        self
    }
}

impl Default for States {
    fn default() -> Self {
        States {
            columns: Vec::new(),
            base: 0,
            slot: 0,
            now: Timestamp::MIN,
            operator: OperatorStates::default(),
            freed: Vec::new(),
            fault: RefCell::new(None),
        }
    }
}

impl States {
    /// States beside others of the operator: their numbers begin here.
    pub(crate) fn beside(base: u32) -> Self {
        States { base, ..States::default() }
    }

    /// Adds a column, filled from the snapshot; answers its number.
    pub(crate) fn declare(
        &mut self,
        mut column: Box<dyn StateColumn>,
        keys: &mut dyn Keys,
        restored: &mut RestoredState,
    ) -> Result<u32> {
        if self.columns.iter().any(|other| other.name() == column.name()) {
            return Err(Error::invalid(format!("state '{}' is declared twice", column.name())));
        }
        column.restore(keys, restored)?;
        self.columns.push(column);
        Ok(self.base + self.columns.len() as u32 - 1)
    }

    /// The names of the states.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name())
    }

    /// The column of a declared state. One that was not declared lets the task fail after the call.
    #[inline]
    pub(crate) fn column<C: StateColumn>(&self, number: u32) -> Option<&C> {
        let column =
            self.columns.get(number.wrapping_sub(self.base) as usize).map(|column| &**column as &dyn Any);
        let column = column.and_then(|column| column.downcast_ref());
        if column.is_none() {
            self.undeclared();
        }
        column
    }

    /// As [`States::column`].
    #[inline]
    pub(crate) fn column_mut<C: StateColumn>(&mut self, number: u32) -> Option<&mut C> {
        let States { columns, base, fault, .. } = self;
        let column =
            columns.get_mut(number.wrapping_sub(*base) as usize).map(|column| &mut **column as &mut dyn Any);
        let column = column.and_then(|column| column.downcast_mut());
        if column.is_none() {
            undeclared(fault);
        }
        column
    }

    /// How a state was stored, if its type was another one.
    pub(crate) fn migration(&self, number: u32) -> Option<&Migration> {
        self.columns.get(number.wrapping_sub(self.base) as usize)?.migration()
    }

    /// The operator state of that number. One that was not declared lets the task fail after the call.
    pub(crate) fn operator_column<C: OperatorColumn>(&self, number: u32) -> Option<&C> {
        let column = self.operator.column(number);
        if column.is_none() {
            self.undeclared();
        }
        column
    }

    /// As [`States::operator_column`].
    pub(crate) fn operator_column_mut<C: OperatorColumn>(&mut self, number: u32) -> Option<&mut C> {
        let column = self.operator.column_mut(number);
        if column.is_none() {
            undeclared(&self.fault);
        }
        column
    }

    #[cold]
    fn undeclared(&self) {
        undeclared(&self.fault);
    }

    /// What went wrong during the last call.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self.fault.get_mut().take() {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }

    /// Whether any state needs the slot.
    pub(crate) fn occupied(&self, slot: u32) -> bool {
        self.columns.iter().any(|column| column.occupied(slot))
    }

    pub(crate) fn snapshot(&mut self, keys: &dyn Keys, full: bool) -> Result<Vec<KeyedDelta>> {
        let States { columns, freed, .. } = self;
        let mut deltas = Vec::new();
        columns.iter_mut().try_for_each(|column| column.snapshot(keys, full, freed, &mut deltas))?;
        Ok(deltas)
    }

    /// The values of these slots will be asked for. Worth it where they do not fit into the processor's caches.
    pub(crate) fn warm(&self, slots: &[u32], keys: usize) {
        if keys > LARGE {
            std::hint::black_box(self.columns.iter().map(|column| column.warm(slots)).sum::<usize>());
        }
    }

    /// Lets each state do a little of what keeps it small.
    pub(crate) fn tidy(&mut self, now: Timestamp, rows: usize) {
        let States { columns, freed, .. } = self;
        columns.iter_mut().for_each(|column| column.tidy(now, rows, freed));
    }

    /// When to call [`States::tidy`] again at the latest.
    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        self.columns.iter().filter_map(|column| column.wake_at()).min()
    }
}

#[cold]
fn undeclared(fault: &RefCell<Option<Error>>) {
    let message = "a state is used that was not declared; declare it in `open`, with \
                   `self.total = context.value_state(\"total\")?` for example";
    fault.borrow_mut().get_or_insert(Error::invalid(message));
}
