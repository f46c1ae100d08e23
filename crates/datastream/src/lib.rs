//! The DataStream API.

pub mod sink;
pub mod source;
pub mod time;
