//! What this process uses of the machine.

use std::fs;
use std::time::Duration;

use flott_types::{Clock, SystemClock};
use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// How long the load is measured at least.
const MEASURED: Duration = Duration::from_secs(1);

/// What a process uses; 0 is what the system does not tell.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
pub struct Usage {
    /// The processor's time since it began.
    pub cpu: Duration,
    /// How much of all cores it has used lately: 1 is all of them.
    pub cpu_load: f64,
    /// How many cores the machine has for it.
    pub cores: usize,
    /// Threads.
    pub threads: u64,
    /// Bytes that are in memory.
    pub resident: u64,
    /// Bytes that were in memory at most.
    pub resident_peak: u64,
    /// Bytes of the operators' state.
    pub state: u64,
    /// Open files and connections.
    pub open_files: u64,
    /// The machine's memory in bytes.
    pub machine_memory: u64,
    /// What is free of it.
    pub machine_free: u64,
}

/// Measures the load between questions.
pub(super) struct Meter {
    clock: SystemClock,
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    at: Duration,
    cpu: Duration,
    load: f64,
}

impl Default for Meter {
    fn default() -> Self {
        Meter { clock: SystemClock::new(), last: Mutex::default() }
    }
}

impl Meter {
    /// At this moment, with so many bytes of state.
    pub fn read(&self, state: usize) -> Usage {
        let cpu = cpu();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let machine = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        Usage {
            cpu,
            cpu_load: self.load(cpu, cores),
            cores,
            threads: number(&status, "Threads:"),
            resident: kilobytes(&status, "VmRSS:"),
            resident_peak: kilobytes(&status, "VmHWM:"),
            state: state as u64,
            open_files: fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as u64),
            machine_memory: kilobytes(&machine, "MemTotal:"),
            machine_free: kilobytes(&machine, "MemAvailable:"),
        }
    }

    /// Since the last question, or the one before it if that was just now.
    fn load(&self, cpu: Duration, cores: usize) -> f64 {
        let now = Duration::from_nanos(self.clock.nanos());
        let mut last = self.last.lock();
        let passed = now.saturating_sub(last.at);
        if passed >= MEASURED || last.at.is_zero() {
            let used = cpu.saturating_sub(last.cpu).as_secs_f64();
            let load = used / (passed.as_secs_f64() * cores as f64);
            *last = Last { at: now, cpu, load: load.clamp(0.0, 1.0) };
        }
        last.load
    }
}

fn cpu() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(used).unwrap_or_default()
}

/// The number of the line that begins so.
fn number(text: &str, name: &str) -> u64 {
    let rest = text.lines().find_map(|line| line.strip_prefix(name));
    rest.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn kilobytes(text: &str, name: &str) -> u64 {
    number(text, name).saturating_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_works_has_a_load() {
        let meter = Meter::default();
        let before = meter.read(7);
        assert!(before.resident > 0 && before.resident <= before.resident_peak, "{before:?}");
        assert!(before.threads > 0 && before.open_files > 0 && before.state == 7, "{before:?}");
        assert!(before.machine_free <= before.machine_memory, "{before:?}");
        let clock = SystemClock::new();
        while Duration::from_nanos(clock.nanos()) < MEASURED + Duration::from_millis(10) {}
        let after = meter.read(0);
        assert!(after.cpu > before.cpu, "{after:?}");
        assert!(after.cpu_load > 0.0 && after.cpu_load <= 1.0, "{after:?}");
    }
}
