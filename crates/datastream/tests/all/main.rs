//! Whole programs on a cluster in this process, by part of the API.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

mod accounts;
mod accumulators;
mod async_io;
mod broadcast;
mod cancellation;
mod cep;
mod channels;
mod co_rich;
mod configuration;
mod connected;
mod environments;
mod exchanges;
mod executions;
mod full_windows;
mod interval_join;
mod metrics;
mod operator_state;
mod printing;
mod rest;
mod rich_functions;
mod savepoints;
mod schema_evolution;
mod state_kinds;
#[expect(dead_code, reason = "the log is for the tests of what programs are told")]
mod support;
mod ttl;
mod unaligned;
mod window_join;
mod windows;
