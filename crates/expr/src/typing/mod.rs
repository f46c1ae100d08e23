//! Rules about types: which type several values have in common, which casts exist, how decimals widen.

pub mod casts;
pub mod common;
pub mod decimal;
mod merge;

pub use merge::merge;
