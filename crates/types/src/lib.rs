//! The vocabulary of every part of Flott: ids, key groups, time, errors, logical types, configuration.
//!
//! This crate knows no arrow, no async runtime and no I/O. The one place that reads the machine's clock is
//! [`clock::SystemClock`]; everything else takes a [`clock::Clock`], so that tests and simulation own time.

pub mod clock;
pub mod config;
mod error;
mod ids;
pub mod key_group;
mod logical_type;
pub mod panics;
pub mod time;
mod waker;

pub use clock::{Clock, SystemClock};
pub use config::Configuration;
pub use error::{Error, ErrorKind, Fault, Result};
pub use ids::{CheckpointId, JobId, JobKey, OperatorUid, SubtaskIndex, Succession, VertexId};
pub use key_group::{KeyGroup, KeyGroupRange};
pub use logical_type::{LogicalType, RowField, TypeKind};
pub use time::{Timestamp, Watermark};
pub use waker::Waker;

/// The hash map of this code base: a fast hasher, never the standard one.
pub type FastMap<K, V> = hashbrown::HashMap<K, V>;
/// The hash set of this code base.
pub type FastSet<K> = hashbrown::HashSet<K>;
