//! Ctrl-C and SIGTERM as flags that a waiting loop looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flott::{Error, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_shutdown};

/// What the user or the system wants to stop.
#[derive(Clone, Debug)]
pub(crate) struct Signals {
    interrupt: Arc<AtomicBool>,
    terminate: Arc<AtomicBool>,
    wake: Arc<AtomicBool>,
    leaving: Arc<AtomicBool>,
}

impl Signals {
    /// Listens from now on. A second SIGTERM, or Ctrl-C while the process is leaving, ends it at once.
    pub fn listen() -> Result<Self> {
        let flag = || Arc::new(AtomicBool::new(false));
        let signals = Signals { interrupt: flag(), terminate: flag(), wake: flag(), leaving: flag() };
        signals.register().map_err(|error| Error::external("cannot listen to signals").with_source(error))?;
        Ok(signals)
    }

    fn register(&self) -> std::io::Result<()> {
        register_conditional_shutdown(SIGTERM, 143, Arc::clone(&self.terminate))?;
        register_conditional_shutdown(SIGINT, 130, Arc::clone(&self.leaving))?;
        register(SIGINT, Arc::clone(&self.interrupt))?;
        for signal in [SIGTERM, SIGHUP] {
            register(signal, Arc::clone(&self.terminate))?;
            register(signal, Arc::clone(&self.wake))?;
        }
        Ok(())
    }

    /// Whether Ctrl-C came since the last call.
    pub fn interrupted(&self) -> bool {
        self.interrupt.swap(false, Ordering::SeqCst)
    }

    /// Whether SIGTERM came, or the terminal went away.
    pub fn terminated(&self) -> bool {
        self.terminate.load(Ordering::SeqCst)
    }

    /// A flag that SIGTERM sets and that whoever waits for input takes down.
    pub fn wake(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.wake)
    }

    /// From now on Ctrl-C ends the process at once.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::SeqCst);
    }
}
