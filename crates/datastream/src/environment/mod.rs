//! The environment of a program, and its settings with types.

// First of all, so that its documentation begins with what every program uses.
mod program;

mod cached_files;
mod checkpoint_config;
mod listener;
mod restart_strategy;

pub use checkpoint_config::{CheckpointConfig, CheckpointingMode, ExternalizedCheckpointRetention};
pub use listener::JobListener;
pub(crate) use program::{JobToCome, Shared};
pub use program::{RuntimeMode, StreamExecutionEnvironment};
pub use restart_strategy::RestartStrategy;
