//! A line on standard error that says how far a long job is.

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use flott::cluster::{JobClient, JobMetrics};
use flott::types::{Clock, SystemClock};

/// The first line comes after so many milliseconds, and then one every so many.
const EVERY: i64 = 2_000;

/// Writes progress lines while a job runs.
pub(crate) struct Progress {
    clock: Arc<dyn Clock>,
    started: i64,
    last: i64,
    quiet: bool,
    shown: bool,
}

impl Progress {
    /// Starts counting. Lines are written to a terminal only.
    pub fn new(quiet: bool) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let started = clock.now();
        let quiet = quiet || !std::io::stderr().is_terminal();
        Progress { clock, started, last: started, quiet, shown: false }
    }

    /// Writes a line when it is time for one.
    pub fn tick(&mut self, client: &JobClient) {
        let now = self.clock.now();
        if self.quiet || now - self.last < EVERY {
            return;
        }
        self.last = now;
        self.shown = true;
        let seconds = (now - self.started) / 1_000;
        let checkpoint = client.info().checkpoints.last_completed().map(|c| format!(", checkpoint {}", c.id)).unwrap_or_default();
        let read = rows_read(&client.metrics());
        eprint!("\r\x1b[K[{seconds} s] {}: {read} rows read{checkpoint}", client.name());
        let _ = std::io::stderr().flush();
    }

    /// Clears the line.
    pub fn done(&self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}

fn rows_read(metrics: &JobMetrics) -> u64 {
    metrics.records_read()
}
