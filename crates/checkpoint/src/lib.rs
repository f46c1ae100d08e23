//! Checkpointing and recovery as pure protocol.
pub mod manifest;
