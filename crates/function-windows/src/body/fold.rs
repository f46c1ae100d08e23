//! Ways to fold the records of a window into one value.

use std::marker::PhantomData;

use flott_batch::Record;
use flott_types::Result;

use super::Next;
use crate::function::{ProcessWindowFunction, WindowContext};
use flott_function::aggregate::AggregateFunction;
use flott_function::output::Of;
use flott_function::runtime_context::RuntimeContext;
use flott_function::state::{ValueAccess, ValueColumn};

/// How records of type `T` are folded.
pub trait Fold<T>: Send + 'static {
    /// What is kept.
    type Acc: Record;
    /// What comes out.
    type Out;

    /// Adds a record to the accumulator of a window.
    fn add(&mut self, accumulators: &mut ValueColumn<Self::Acc>, slot: u32, value: T);

    /// Merges the accumulators of two windows.
    fn merge(&mut self, one: Self::Acc, other: Self::Acc) -> Self::Acc;

    /// The result.
    fn result(&mut self, accumulator: &Self::Acc) -> Self::Out;

    /// The result of records that were kept individually; without records there may be none.
    fn fold(&mut self, values: &[T]) -> Option<Self::Out>;
}

/// Two values become one.
#[derive(Clone)]
pub struct ReduceFold<F>(pub F);

impl<T: Record + Clone, F: FnMut(T, T) -> T + Send + 'static> Fold<T> for ReduceFold<F> {
    type Acc = T;
    type Out = T;

    #[inline]
    fn add(&mut self, accumulators: &mut ValueColumn<T>, slot: u32, value: T) {
        // Nothing expires here, so the time does not matter.
        accumulators.fold(slot, 0, |reduced| match reduced {
            Some(reduced) => (self.0)(reduced, value),
            None => value,
        });
    }

    fn merge(&mut self, one: T, other: T) -> T {
        (self.0)(one, other)
    }

    fn result(&mut self, reduced: &T) -> T {
        reduced.clone()
    }

    fn fold(&mut self, values: &[T]) -> Option<T> {
        values.iter().cloned().reduce(&mut self.0)
    }
}

/// The first value absorbs those that follow.
#[derive(Clone)]
pub struct InPlace<F>(pub F);

impl<T: Record + Clone, F: FnMut(&mut T, T) + Send + 'static> Fold<T> for InPlace<F> {
    type Acc = T;
    type Out = T;

    #[inline]
    fn add(&mut self, accumulators: &mut ValueColumn<T>, slot: u32, value: T) {
        match accumulators.get_mut(slot) {
            Some(folded) => (self.0)(folded, value),
            None => accumulators.set(slot, value),
        }
    }

    fn merge(&mut self, mut one: T, other: T) -> T {
        (self.0)(&mut one, other);
        one
    }

    fn result(&mut self, folded: &T) -> T {
        folded.clone()
    }

    fn fold(&mut self, values: &[T]) -> Option<T> {
        let (first, rest) = values.split_first()?;
        let mut folded = first.clone();
        rest.iter().for_each(|value| (self.0)(&mut folded, value.clone()));
        Some(folded)
    }
}

/// An aggregate function.
#[derive(Clone)]
pub struct AggregateFold<A>(pub A);

impl<A: AggregateFunction> Fold<A::In> for AggregateFold<A>
where
    A::In: Clone,
{
    type Acc = A::Acc;
    type Out = A::Out;

    #[inline]
    fn add(&mut self, accumulators: &mut ValueColumn<A::Acc>, slot: u32, value: A::In) {
        match accumulators.get_mut(slot) {
            Some(accumulator) => self.0.add(value, accumulator),
            None => {
                let mut accumulator = self.0.create_accumulator();
                self.0.add(value, &mut accumulator);
                accumulators.set(slot, accumulator);
            }
        }
    }

    fn merge(&mut self, mut one: A::Acc, other: A::Acc) -> A::Acc {
        self.0.merge(&mut one, other);
        one
    }

    fn result(&mut self, accumulator: &A::Acc) -> A::Out {
        self.0.get_result(accumulator)
    }

    /// Without records it is the result of an empty accumulator.
    fn fold(&mut self, values: &[A::In]) -> Option<A::Out> {
        let mut accumulator = self.0.create_accumulator();
        values.iter().for_each(|value| self.0.add(value.clone(), &mut accumulator));
        Some(self.0.get_result(&accumulator))
    }
}

/// Folds the elements of a window when it fires, because an evictor must see them individually.
pub struct FoldElements<T, F, N> {
    fold: F,
    next: N,
    of: Of<T>,
}

impl<T, F, N> FoldElements<T, F, N> {
    /// Folds the records when the window fires, and passes the result on.
    pub fn new(fold: F, next: N) -> Self {
        FoldElements { fold, next, of: PhantomData }
    }
}

impl<K, W, T, F, N> ProcessWindowFunction<K, W, T> for FoldElements<T, F, N>
where
    T: 'static,
    F: Fold<T>,
    N: Next<K, W, F::Out>,
{
    type Out = N::Out;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.next.open(context)
    }

    fn open_window_state(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.next.open_window_state(context)
    }

    fn process(&mut self, elements: &[T], context: &mut WindowContext<'_, K, W, N::Out>) -> Result<()> {
        match self.fold.fold(elements) {
            Some(result) => self.next.put(result, context),
            None => Ok(()),
        }
    }

    fn clear(&mut self, context: &mut WindowContext<'_, K, W, N::Out>) -> Result<()> {
        self.next.gone(context)
    }

    fn close(&mut self) {
        self.next.close();
    }
}
