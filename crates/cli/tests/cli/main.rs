//! The binary as its users meet it: arguments, streams, signals, exit status.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod catalogs;
mod cluster;
mod docs;
mod errors;
mod files;
mod functions;
mod gateway;
mod high_availability;
mod history;
mod http;
mod jobs;
mod models;
mod output;
mod partitions;
mod plans;
mod processes;
mod reporters;
mod rescaling;
mod rest;
mod restore;
mod security;
mod shell;
mod spilling;
mod state;
mod statements;
mod support;
