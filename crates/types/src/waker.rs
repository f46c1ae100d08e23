//! Waking a task from elsewhere.

use std::fmt;
use std::sync::Arc;

/// Wakes a waiting task, which then calls its reader, or the operator that has work in flight elsewhere. A
/// clone wakes the same task.
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
