//! Ctrl-C and SIGTERM as flags that a waiting loop looks at.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use flott::{Error, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_shutdown};

/// How often the terminal is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// How long the shell may take to leave when its terminal is gone.
const LEAVE: Duration = Duration::from_secs(2);

/// Ends the watch over the terminal when it is dropped.
pub(crate) struct TerminalWatch {
    _guard: Sender<()>,
}

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

    /// Watches the terminal until the guard is dropped. A terminal that goes away without SIGHUP (its other
    /// side was closed and it controls no process) would otherwise be read from forever.
    pub fn watch_terminal(&self) -> TerminalWatch {
        let (guard, dropped) = channel();
        let (terminate, wake) = (Arc::clone(&self.terminate), Arc::clone(&self.wake));
        let watch = move || {
            while dropped.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                if !std::io::stdin().is_terminal() {
                    terminate.store(true, Ordering::SeqCst);
                    wake.store(true, Ordering::SeqCst);
                    // The line editor may be waiting for the terminal to say where its cursor is, and then
                    // reads from it for ever and looks at nothing.
                    if dropped.recv_timeout(LEAVE) == Err(RecvTimeoutError::Timeout) {
                        std::process::exit(1);
                    }
                    return;
                }
            }
        };
        // Without the thread the shell works all the same.
        let _ = std::thread::Builder::new().name("terminal".to_owned()).spawn(watch);
        TerminalWatch { _guard: guard }
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
