//! Sources built from other sources: several in succession ([`HybridSource`]), or one with a rate limit
//! ([`RateLimited`]); and sources and sinks of tables for values ([`TypedSource`], [`TypedSink`]).
//!
//! They pass on what the inner source does and add as little as possible: its splits keep their names and
//! positions, plus the number of their source if there are several.

mod hybrid;
mod rate_limited;
mod typed;

pub use hybrid::{HybridSource, Switch};
pub use rate_limited::RateLimited;
pub use typed::{TypedSink, TypedSource};
