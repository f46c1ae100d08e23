//! Unbounded GROUP BY.

pub(crate) mod group;
pub(crate) mod local;
