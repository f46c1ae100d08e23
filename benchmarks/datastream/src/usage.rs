//! The resource usage of the process.

use std::sync::Arc;
use std::sync::LazyLock;

use flott_types::{Clock, SystemClock};

static CLOCK: LazyLock<Arc<SystemClock>> = LazyLock::new(|| Arc::new(SystemClock::new()));

/// Seconds that passed, seconds of the processor, and the peak of memory.
#[derive(Clone, Copy)]
pub struct Usage {
    pub wall: f64,
    pub cpu: f64,
    pub peak_mb: u64,
}

impl Usage {
    /// Up to now. Where the system does not tell, zero.
    pub fn now() -> Self {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // After the program's name, which may hold anything, utime and stime are the 12th and 13th field, in
        // hundredths.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        Usage {
            wall: CLOCK.nanos() as f64 / 1e9,
            cpu: ticks as f64 / 100.0,
            peak_mb: peak.unwrap_or(0) / 1024,
        }
    }

    /// What was used since then.
    pub fn since(self, start: Usage) -> Usage {
        Usage { wall: self.wall - start.wall, cpu: self.cpu - start.cpu, ..self }
    }
}
