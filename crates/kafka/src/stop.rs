//! A stop that threads notice while they wait.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// Set once. Whoever waits on it wakes.
#[derive(Debug, Default)]
pub struct Stop {
    set: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// From now on nobody waits.
    pub fn set(&self) {
        *self.set.lock() = true;
        self.changed.notify_all();
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        *self.set.lock()
    }

    /// Waits this long, or until it is set. Whether it is.
    pub fn wait(&self, time: Duration) -> bool {
        let mut set = self.set.lock();
        if !*set {
            self.changed.wait_for(&mut set, time);
        }
        *set
    }
}
