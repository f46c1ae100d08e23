//! Rules about types: the common type of several values, which casts exist, how decimals widen.

pub mod casts;
pub mod common;
pub mod decimal;
mod merge;

pub use merge::merge;
