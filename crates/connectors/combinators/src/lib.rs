//! Sources made of other sources: several in succession ([`HybridSource`]), or one held to a rate ([`RateLimited`]).
//!
//! They pass on what the source inside does and say as little as they can of their own: its splits keep their names and
//! positions, with the number of their source beside them where there are several.

mod hybrid;
mod rate_limited;

pub use hybrid::{HybridSource, Switch};
pub use rate_limited::RateLimited;
