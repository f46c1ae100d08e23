//! One accumulator for each window.

use flott_state::StateColumn;
use flott_types::{Result, Timestamp};

use super::{Body, CONTENTS, Fold, Next};
use crate::function::WindowContext;
use flott_function::life_cycle_of;
use flott_function::runtime_context::RuntimeContext;
use flott_function::state::{ValueAccess, ValueColumn};

/// Records are folded as they arrive. A record costs an index into a `Vec`, plus the fold.
pub struct Folded<A, F, N> {
    fold: F,
    accumulators: ValueColumn<A>,
    next: N,
}

impl<A: flott_batch::Record, F, N> Folded<A, F, N> {
    /// Folds records as they arrive, and passes the result on when the window fires.
    ///
    /// # Errors
    /// If the type of the accumulator cannot be stored in state.
    pub fn new(fold: F, next: N) -> Result<Self> {
        Ok(Folded { fold, accumulators: ValueColumn::named(CONTENTS)?, next })
    }
}

impl<K, T, W, F, N> Body<K, T, W> for Folded<F::Acc, F, N>
where
    F: Fold<T>,
    N: Next<K, W, F::Out>,
{
    type Out = N::Out;

    life_cycle_of!(next);

    fn open_window_state(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.next.open_window_state(context)
    }

    fn column(&self) -> &dyn StateColumn {
        &self.accumulators
    }

    fn column_mut(&mut self) -> &mut dyn StateColumn {
        &mut self.accumulators
    }

    #[inline]
    fn add(&mut self, slot: u32, value: T, _: Option<Timestamp>) {
        self.fold.add(&mut self.accumulators, slot, value);
    }

    fn is_empty(&self, slot: u32) -> bool {
        self.accumulators.get(slot).is_none()
    }

    fn is_persisted(&self, slot: u32) -> bool {
        self.accumulators.is_persisted(slot)
    }

    fn merge(&mut self, into: u32, from: u32) {
        let Some(from) = self.accumulators.take(from) else { return };
        let all = match self.accumulators.take(into) {
            Some(into) => self.fold.merge(into, from),
            None => from,
        };
        self.accumulators.set(into, all);
    }

    fn clear(&mut self, slot: u32) {
        self.accumulators.take(slot);
    }

    #[inline]
    fn fire(&mut self, slot: u32, context: &mut WindowContext<'_, K, W, N::Out>) -> Result<()> {
        match self.accumulators.get(slot) {
            Some(accumulator) => self.next.put(self.fold.result(accumulator), context),
            None => Ok(()),
        }
    }

    #[inline]
    fn gone(&mut self, context: &mut WindowContext<'_, K, W, N::Out>) -> Result<()> {
        self.next.gone(context)
    }
}
