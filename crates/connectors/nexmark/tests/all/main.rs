//! Tests of the source through its public face: options in, events out as text.

mod columns;
mod conformance;
mod distribution;
mod golden;
mod options;
mod pace;
mod splits;
mod support;
