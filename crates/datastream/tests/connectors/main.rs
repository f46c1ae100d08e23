//! The sources and sinks against the rules that all must hold, and what each does besides.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test must not meet ends it")]

mod async_sink;
mod files;
mod generators;
mod passing;
mod sinks;
mod socket;
mod sources;
mod support;
