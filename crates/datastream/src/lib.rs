//! The DataStream API.

pub mod codec;
