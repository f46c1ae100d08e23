//! Where a task is: which operator of its chain runs at this moment.
//!
//! The task's thread notes it at each call into an operator, which is a store for each batch; others read it to say what a task
//! is doing that does not end.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The operator that runs, by its place in the vertex. One thread writes it.
#[derive(Default, Debug)]
pub(crate) struct Whereabouts(AtomicUsize);

impl Whereabouts {
    /// Runs something that belongs to an operator. Operators call each other: behind the inner one it is the outer one again.
    pub fn within<T>(&self, position: usize, run: impl FnOnce() -> T) -> T {
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(position + 1, Ordering::Relaxed);
        let result = run();
        self.0.store(before, Ordering::Relaxed);
        result
    }

    /// The place of the operator, if one runs.
    pub fn position(&self) -> Option<usize> {
        self.0.load(Ordering::Relaxed).checked_sub(1)
    }
}
