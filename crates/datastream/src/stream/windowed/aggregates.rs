//! Sums and extremes of windows.

use std::ops::AddAssign;

use flott_batch::Record;

use super::WindowedStream;
use crate::stream::DataStream;
use flott_function::state::Key;
use flott_function_windows::assigner::WindowAssigner;
use flott_function_windows::body::{InPlace, PassOn};

impl<K: Key, T: Record + Clone, A: WindowAssigner<T>> WindowedStream<K, T, A> {
    /// The sum of a field. The other fields are those of the window's first record.
    pub fn sum<N, F>(self, field: F) -> DataStream<T>
    where
        N: AddAssign + Clone,
        F: Fn(&mut T) -> &mut N + Clone + Send + 'static,
    {
        self.in_place(move |sum, mut next| *field(sum) += field(&mut next).clone())
    }

    /// The least value of a field. The other fields are those of the window's first record.
    pub fn min<N, F>(self, field: F) -> DataStream<T>
    where
        N: PartialOrd + Clone,
        F: Fn(&mut T) -> &mut N + Clone + Send + 'static,
    {
        self.in_place(move |least, mut next| {
            let (own, next) = (field(least), field(&mut next));
            if *next < *own {
                *own = next.clone();
            }
        })
    }

    /// The greatest value of a field. The other fields are those of the window's first record.
    pub fn max<N, F>(self, field: F) -> DataStream<T>
    where
        N: PartialOrd + Clone,
        F: Fn(&mut T) -> &mut N + Clone + Send + 'static,
    {
        self.in_place(move |greatest, mut next| {
            let (own, next) = (field(greatest), field(&mut next));
            if *next > *own {
                *own = next.clone();
            }
        })
    }

    /// The record with the least value of a field; of equal ones the first.
    pub fn min_by<N, F>(self, field: F) -> DataStream<T>
    where
        N: PartialOrd,
        F: Fn(&T) -> N + Clone + Send + 'static,
    {
        self.in_place(move |least, next| {
            if field(&next) < field(least) {
                *least = next;
            }
        })
    }

    /// The record with the greatest value of a field; of equal ones the first.
    pub fn max_by<N, F>(self, field: F) -> DataStream<T>
    where
        N: PartialOrd,
        F: Fn(&T) -> N + Clone + Send + 'static,
    {
        self.in_place(move |greatest, next| {
            if field(&next) > field(greatest) {
                *greatest = next;
            }
        })
    }

    fn in_place<F>(self, function: F) -> DataStream<T>
    where
        F: FnMut(&mut T, T) + Clone + Send + 'static,
    {
        self.fold(InPlace(function), PassOn)
    }
}
