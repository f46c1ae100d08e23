//! The configuration of checkpoints, with types.

use std::time::Duration;

use super::program::StreamExecutionEnvironment;

/// Whether a record may be counted twice after a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CheckpointingMode {
    /// State is as if there had been no failure.
    ExactlyOnce,
    /// Records since the last checkpoint may be in the state twice; barriers are not aligned.
    AtLeastOnce,
}

/// What happens to the checkpoints of a cancelled job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExternalizedCheckpointRetention {
    /// They stay.
    RetainOnCancellation,
    /// They are deleted.
    DeleteOnCancellation,
}

/// How an environment's jobs take checkpoints; see [`StreamExecutionEnvironment::checkpoint_config`]. Each
/// method sets a key of the configuration.
#[derive(Clone, Copy)]
pub struct CheckpointConfig<'a>(&'a StreamExecutionEnvironment);

impl StreamExecutionEnvironment {
    /// How jobs take checkpoints.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use flott_datastream::*;
    /// let env = StreamExecutionEnvironment::new();
    /// env.checkpoint_config()
    ///     .set_checkpoint_interval(Duration::from_secs(10))
    ///     .set_min_pause_between_checkpoints(Duration::from_secs(5))
    ///     .set_checkpoint_storage("/checkpoints");
    /// assert_eq!(env.get("execution.checkpointing.min-pause").as_deref(), Some("5000 ms"));
    /// ```
    pub fn checkpoint_config(&self) -> CheckpointConfig<'_> {
        CheckpointConfig(self)
    }
}

impl CheckpointConfig<'_> {
    fn set(self, key: &str, value: impl ToString) -> Self {
        self.0.set(&format!("execution.checkpointing.{key}"), value);
        self
    }

    fn duration(self, key: &str, duration: Duration) -> Self {
        self.set(key, format!("{} ms", duration.as_millis()))
    }

    /// `execution.checkpointing.interval`: a checkpoint is taken this often. Without it there are none.
    pub fn set_checkpoint_interval(self, interval: Duration) -> Self {
        self.duration("interval", interval)
    }

    /// `execution.checkpointing.mode`; by default exactly once.
    pub fn set_checkpointing_mode(self, mode: CheckpointingMode) -> Self {
        self.set(
            "mode",
            match mode {
                CheckpointingMode::ExactlyOnce => "EXACTLY_ONCE",
                CheckpointingMode::AtLeastOnce => "AT_LEAST_ONCE",
            },
        )
    }

    /// `execution.checkpointing.unaligned.enabled`: barriers overtake what waits in full channels, which then is
    /// part of the checkpoint; by default they do not.
    pub fn enable_unaligned_checkpoints(self, enabled: bool) -> Self {
        self.set("unaligned.enabled", enabled)
    }

    /// `execution.checkpointing.aligned-checkpoint-timeout`: unaligned checkpoints are aligned for this long
    /// first; by default not at all.
    pub fn set_aligned_checkpoint_timeout(self, timeout: Duration) -> Self {
        self.duration("aligned-checkpoint-timeout", timeout)
    }

    /// `execution.checkpointing.timeout`: a checkpoint that takes longer is aborted; by default ten minutes.
    pub fn set_checkpoint_timeout(self, timeout: Duration) -> Self {
        self.duration("timeout", timeout)
    }

    /// `execution.checkpointing.min-pause`: the least time between the end of a checkpoint and the start of the
    /// next; by default none.
    pub fn set_min_pause_between_checkpoints(self, pause: Duration) -> Self {
        self.duration("min-pause", pause)
    }

    /// `execution.checkpointing.max-concurrent-checkpoints`: how many may run at once; by default one.
    pub fn set_max_concurrent_checkpoints(self, checkpoints: u32) -> Self {
        self.set("max-concurrent-checkpoints", checkpoints)
    }

    /// `execution.checkpointing.tolerable-failed-checkpoints`: how many may fail in a row before the job does;
    /// by default none.
    pub fn set_tolerable_checkpoint_failure_number(self, checkpoints: u32) -> Self {
        self.set("tolerable-failed-checkpoints", checkpoints)
    }

    /// `execution.checkpointing.num-retained`: how many completed checkpoints are kept; by default one.
    pub fn set_retained_checkpoints(self, checkpoints: u32) -> Self {
        self.set("num-retained", checkpoints)
    }

    /// `execution.checkpointing.externalized-checkpoint-retention`: by default the checkpoints of a cancelled
    /// job stay.
    pub fn set_externalized_checkpoint_retention(self, retention: ExternalizedCheckpointRetention) -> Self {
        self.set(
            "externalized-checkpoint-retention",
            match retention {
                ExternalizedCheckpointRetention::RetainOnCancellation => "RETAIN_ON_CANCELLATION",
                ExternalizedCheckpointRetention::DeleteOnCancellation => "DELETE_ON_CANCELLATION",
            },
        )
    }

    /// `execution.checkpointing.dir`: where checkpoints are kept. Without it they are in memory, and end with
    /// the process.
    pub fn set_checkpoint_storage(self, folder: &str) -> Self {
        self.set("dir", folder)
    }

    /// `execution.checkpointing.savepoint-dir`: where savepoints are written if nobody says where.
    pub fn set_default_savepoint_dir(self, folder: &str) -> Self {
        self.set("savepoint-dir", folder)
    }
}
