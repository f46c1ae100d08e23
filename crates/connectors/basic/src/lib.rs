//! The sinks that need nothing outside: `print`, `blackhole`, and `latency`, which measures; and [`PrintSink`], the `print` of
//! programs.
//!
//! All take every kind of change and write at once: there is nothing to commit. After a restart rows since the last
//! checkpoint are printed again, as in Flink.

mod blackhole;
mod latency;
mod print;
mod row_text;

pub use blackhole::BlackholeConnector;
pub use latency::LatencyConnector;
pub use print::{PrintConnector, PrintSink};
