//! Connections over loopback.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

mod control;
mod exchange;
mod standby;
mod tls;
