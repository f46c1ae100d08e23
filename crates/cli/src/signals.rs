//! Ctrl-C and SIGTERM as flags that a waiting loop looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flott::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};

/// Whether the user wants something to stop.
#[derive(Clone, Debug)]
pub(crate) struct Signals {
    interrupt: Arc<AtomicBool>,
    terminate: Arc<AtomicBool>,
}

impl Signals {
    /// Listens from now on.
    pub fn listen() -> Result<Self> {
        let signals = Signals { interrupt: Arc::default(), terminate: Arc::default() };
        let failed = |error| Error::external("cannot listen to signals").with_source(error);
        signal_hook::flag::register(SIGINT, Arc::clone(&signals.interrupt)).map_err(failed)?;
        signal_hook::flag::register(SIGTERM, Arc::clone(&signals.terminate)).map_err(failed)?;
        Ok(signals)
    }

    /// Whether Ctrl-C came since the last call, or SIGTERM at any time.
    pub fn stop_wanted(&self) -> bool {
        self.interrupt.swap(false, Ordering::SeqCst) || self.terminated()
    }

    /// Whether SIGTERM came.
    pub fn terminated(&self) -> bool {
        self.terminate.load(Ordering::SeqCst)
    }
}
