//! The flag that ends a task.

use std::sync::atomic::{AtomicBool, Ordering};

use flott_types::{Error, Result};

/// Set once when a task has to end; checked wherever it may wait.
#[derive(Default, Debug)]
pub struct CancelFlag(AtomicBool);

impl CancelFlag {
    /// Sets it.
    pub fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// An error if it is set.
    pub fn check(&self) -> Result<()> {
        if self.is_set() { Err(Error::cancelled()) } else { Ok(()) }
    }
}
