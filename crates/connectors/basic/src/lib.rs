//! The sinks that need no external system: `print`, `blackhole` and `latency`; and [`PrintSink`], the `print`
//! of programs.
//!
//! All accept every kind of change and write immediately: there is nothing to commit. After a restart, rows
//! since the last checkpoint are printed again, as in Flink.

mod blackhole;
mod latency;
mod print;
mod row_text;

pub use blackhole::BlackholeConnector;
pub use latency::LatencyConnector;
pub use print::{PrintConnector, PrintSink};
