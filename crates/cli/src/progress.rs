//! Progress lines on standard error for long jobs.

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use flott::cluster::{JobClient, JobMetrics};
use flott::types::{Clock, SystemClock};

use crate::console::Console;

/// The first line comes after this many milliseconds, and then one every this many.
const EVERY: i64 = 1_000;

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
    pub fn new(console: Console) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let started = clock.now();
        let quiet = console.quiet() || !std::io::stderr().is_terminal();
        Progress { clock, started, last: started, quiet, shown: false }
    }

    /// Writes a line when it is time for one.
    pub fn tick(&mut self, job: &JobClient) {
        let now = self.clock.now();
        if self.quiet || now - self.last < EVERY {
            return;
        }
        self.last = now;
        self.shown = true;
        let mut checkpoints = 0;
        job.wait_until(std::time::Duration::ZERO, |info| {
            checkpoints = info.checkpoints.completed;
            true
        });
        let text = line((now - self.started) / 1_000, job.name(), &Figures::of(&job.metrics()), checkpoints);
        // A line that wraps could not be cleared.
        let width = crossterm::terminal::size().map_or(80, |(width, _)| usize::from(width)).saturating_sub(1);
        let text: String = text.chars().take(width).collect();
        let _ = write!(std::io::stderr(), "\r\x1b[K{text}");
    }

    /// Clears the line.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

/// What the line tells of a job.
struct Figures {
    read: u64,
    written: u64,
    /// Where event time is in the sinks.
    watermark: Option<i64>,
}

impl Figures {
    fn of(metrics: &JobMetrics) -> Self {
        let operators =
            metrics.vertices.iter().flat_map(|vertex| &vertex.tasks).flat_map(|(_, task)| &task.operators);
        let sinks: Vec<_> = operators.filter(|operator| operator.name.starts_with("Sink(")).collect();
        let watermark = sinks.iter().map(|sink| sink.current_input_watermark).min();
        Figures {
            read: metrics.records_read(),
            written: sinks.iter().map(|sink| sink.num_records_in).sum(),
            watermark: watermark.filter(|at| *at != i64::MIN && *at != i64::MAX),
        }
    }
}

fn line(seconds: i64, name: &str, figures: &Figures, checkpoints: u64) -> String {
    let mut text =
        format!("[{seconds} s] {name}: {} read, {} written", grouped(figures.read), grouped(figures.written));
    if let Some(at) = figures.watermark.and_then(chrono::DateTime::from_timestamp_millis) {
        text.push_str(&format!(", watermark {}", at.naive_utc().format("%Y-%m-%d %H:%M:%S")));
    }
    match checkpoints {
        0 => {}
        1 => text.push_str(", 1 checkpoint"),
        n => text.push_str(&format!(", {n} checkpoints")),
    }
    text
}

/// `1234567` as `1,234,567`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_the_details() {
        let figures = Figures { read: 1_234_567, written: 12, watermark: Some(1_357_034_400_000) };
        let expected = "[7 s] j: 1,234,567 read, 12 written, watermark 2013-01-01 10:00:00, 3 checkpoints";
        assert_eq!(line(7, "j", &figures, 3), expected);
        let none = Figures { read: 100, written: 0, watermark: None };
        assert_eq!(line(2, "j", &none, 0), "[2 s] j: 100 read, 0 written");
    }
}
