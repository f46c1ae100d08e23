//! Which operator of a task's chain is running.
//!
//! The task's thread records it at each call into an operator, one store per batch; others read it to report
//! what a task that does not end is doing.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The operator that runs, by its place in the vertex. One thread writes it.
#[derive(Default, Debug)]
pub(crate) struct Whereabouts(AtomicUsize);

impl Whereabouts {
    /// Runs something that belongs to an operator. Operators call each other: behind the inner one it is the
    /// outer one again.
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
