//! Waking a task from elsewhere.

use std::fmt;
use std::sync::Arc;

/// Ends the wait of a task, so that it looks at once at what has come from outside: its reader, or an operator with work under way
/// elsewhere, is called. Cloning gives another handle on the same.
#[derive(Clone)]
pub struct Waker(Arc<dyn Fn() + Send + Sync>);

impl Waker {
    /// Waking calls this, from any thread.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Waker(Arc::new(wake))
    }

    /// Wakes the task.
    pub fn wake(&self) {
        (self.0)();
    }
}

impl Default for Waker {
    /// Nobody waits.
    fn default() -> Self {
        Waker::new(|| {})
    }
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waker")
    }
}
