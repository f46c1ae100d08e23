//! The filesystem connector through its public face, on a directory of its own for each test.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod catalog;
mod changed;
mod compaction;
mod conformance;
mod harness;
mod leftovers;
mod lookup;
mod overwriting;
mod parquet;
mod partitions;
mod sink;
mod source;
