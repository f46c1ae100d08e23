//! The states of one operator.

use std::any::Any;
use std::cell::RefCell;

use flott_state::{Index, KeyedDelta, Migration, RestoredState, StateColumn};
use flott_types::{Error, Result, Timestamp};

use super::operator::{OperatorColumn, OperatorStates};

/// A table with more keys than this is assumed not to fit into the processor's caches.
const LARGE: usize = 1 << 14;

/// The columns of an operator, and the slot of the current key.
pub struct States {
    columns: Vec<Box<dyn StateColumn>>,
    /// The number of the first column. If an operator has several of these, a state of one is not found in
    /// another.
    base: u32,
    /// The slot of the current key.
    pub slot: u32,
    /// The time of the call. Set it before states are declared, too: restored values start their time to live
    /// then.
    pub now: Timestamp,
    /// State that belongs to no key.
    pub operator: OperatorStates,
    /// Slots from which something was removed: their keys may be free.
    pub freed: Vec<u32>,
    fault: RefCell<Option<Error>>,
}

/// A context of a function on a keyed stream: where state can be read and written.
///
/// Functions do not call its methods; they pass the context to a state: `self.total.get(ctx)`.
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
    /// States in addition to others of the operator: their numbers begin here.
    pub fn beside(base: u32) -> Self {
        States { base, ..States::default() }
    }

    /// Adds a column, filled from the snapshot; returns its number.
    pub fn declare(
        &mut self,
        mut column: Box<dyn StateColumn>,
        index: &mut dyn Index,
        restored: &mut RestoredState,
    ) -> Result<u32> {
        if self.columns.iter().any(|other| other.name() == column.name()) {
            return Err(Error::invalid(format!("state '{}' is declared twice", column.name())));
        }
        column.restore(index, restored)?;
        self.columns.push(column);
        Ok(self.base + self.columns.len() as u32 - 1)
    }

    /// Refuses names of states that the operator has itself: what is stored under one of them would be read as
    /// the other.
    ///
    /// # Errors
    /// If there is one.
    pub fn refuse(&self, own: &[&str]) -> Result<()> {
        match self.names().find(|name| own.contains(name)) {
            Some(name) => Err(Error::invalid(format!(
                "state '{name}' has a name that the operator uses itself; rename it"
            ))),
            None => Ok(()),
        }
    }

    /// The names of the states.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name())
    }

    /// The column of a declared state. Using an undeclared one makes the task fail after the call.
    #[inline]
    pub fn column<C: StateColumn>(&self, number: u32) -> Option<&C> {
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
    pub fn column_mut<C: StateColumn>(&mut self, number: u32) -> Option<&mut C> {
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
    pub fn migration(&self, number: u32) -> Option<&Migration> {
        self.columns.get(number.wrapping_sub(self.base) as usize)?.migration()
    }

    /// The operator state of that number. One that was not declared lets the task fail after the call.
    pub fn operator_column<C: OperatorColumn>(&self, number: u32) -> Option<&C> {
        let column = self.operator.column(number);
        if column.is_none() {
            self.undeclared();
        }
        column
    }

    /// As [`States::operator_column`].
    pub fn operator_column_mut<C: OperatorColumn>(&mut self, number: u32) -> Option<&mut C> {
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

    /// Records an error during a call that cannot return it.
    pub fn note(&self, result: Result<()>) {
        if let Err(error) = result {
            self.fault.borrow_mut().get_or_insert(error);
        }
    }

    /// The error of the last call.
    pub fn check(&mut self) -> Result<()> {
        match self.fault.get_mut().take() {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }

    /// Whether any state needs the slot.
    pub fn occupied(&self, slot: u32) -> bool {
        self.columns.iter().any(|column| column.occupied(slot))
    }

    /// What changed since the last snapshot, or everything.
    ///
    /// # Errors
    /// If a value cannot be written.
    pub fn snapshot(&mut self, index: &dyn Index, full: bool) -> Result<Vec<KeyedDelta>> {
        let States { columns, freed, .. } = self;
        let mut deltas = Vec::new();
        columns.iter_mut().try_for_each(|column| column.snapshot(index, full, freed, &mut deltas))?;
        Ok(deltas)
    }

    /// The states.
    pub fn columns_mut(&mut self) -> impl Iterator<Item = &mut dyn StateColumn> {
        self.columns.iter_mut().map(|column| &mut **column)
    }

    /// Restores more of the states that are declared.
    ///
    /// # Errors
    /// Those of [`StateColumn::restore`].
    pub fn restore(&mut self, index: &mut dyn Index, restored: &mut RestoredState) -> Result<()> {
        self.columns.iter_mut().try_for_each(|column| column.restore(index, restored))
    }

    /// Drops what has expired of these slots.
    pub fn drop_expired(&mut self, slots: &[u32]) {
        let States { columns, now, freed, .. } = self;
        columns.iter_mut().for_each(|column| column.drop_expired(slots, *now, freed));
    }

    /// How long the values live that live longest, in milliseconds; `None` if none expire.
    pub fn longest_life(&self) -> Option<i64> {
        self.columns.iter().filter_map(|column| column.time_to_live()).max()
    }

    /// The bytes of memory that they hold.
    pub fn memory(&self) -> usize {
        self.columns.iter().map(|column| column.memory()).sum()
    }

    /// Prefetches the values of these slots. Worthwhile if they do not fit into the processor's caches.
    pub fn warm(&self, slots: &[u32], keys: usize) {
        if keys > LARGE {
            std::hint::black_box(self.columns.iter().map(|column| column.warm(slots)).sum::<usize>());
        }
    }

    /// Lets each state do a bit of clean-up.
    pub fn tidy(&mut self, now: Timestamp, rows: usize) {
        let States { columns, freed, .. } = self;
        columns.iter_mut().for_each(|column| column.tidy(now, rows, freed));
    }

    /// When to call [`States::tidy`] again at the latest.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.columns.iter().filter_map(|column| column.wake_at()).min()
    }
}

#[cold]
fn undeclared(fault: &RefCell<Option<Error>>) {
    let message = "a state is used that was not declared; declare it in `open`, with \
                   `self.total = context.value_state(\"total\")?` for example";
    fault.borrow_mut().get_or_insert(Error::invalid(message));
}
