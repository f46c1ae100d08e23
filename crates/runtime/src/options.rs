//! The part of a job's configuration that concerns tasks, under Flink's keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_checkpoint::alignment::Mode;
use flott_connector::TableContext;
use flott_state::spill::{SpillOptions, StateMemory, TableMemory};
use flott_types::config::{parse_duration, parse_memory_size};
use flott_types::{Configuration, Error, Result, Timestamp};

use crate::gate::Limits;
use crate::state_memory;

/// The options of tasks.
#[derive(Clone, PartialEq, Debug)]
pub struct TaskOptions {
    /// The number of rows at which a batch is large enough.
    pub batch_size: usize,
    /// `execution.buffer-timeout`, milliseconds; `None`: rows are held back until a batch is full or the
    /// input is dry.
    pub buffer_timeout: Option<i64>,
    /// `execution.checkpointing.mode`
    pub mode: Mode,
    /// `execution.checkpointing.unaligned.enabled`: barriers may overtake rows. Only with exactly once, and
    /// not in batch mode.
    pub overtakes: bool,
    /// How much a channel holds.
    pub limits: Limits,
    /// `pipeline.auto-watermark-interval`, milliseconds. (For SQL it is in the plan.)
    pub auto_watermark_interval: i64,
    /// `execution.runtime-mode: batch`
    pub batch: bool,
    /// Inputs do not end ([`SAVEPOINT_AT_END`]): sources that have read everything stay.
    pub holds_inputs: bool,
    /// `sink.committer.retries`: how often a commit is tried again.
    pub commit_retries: u32,
    /// `task.cancellation.interval`, milliseconds: how often a warning reports that a cancelled task has not
    /// ended.
    pub cancellation_interval: i64,
    /// `task.cancellation.timeout`, milliseconds: when it is given up; `None` is never.
    pub cancellation_timeout: Option<i64>,
    /// How much memory state may use, and where the rest goes.
    pub state: SpillOptions,
    /// The account of memory for state of the process.
    pub memory: Arc<StateMemory>,
    /// When the job was submitted, in milliseconds since the epoch.
    pub submitted_at: Timestamp,
    /// The whole configuration, as written.
    pub configuration: BTreeMap<String, String>,
}

/// `execution.savepoint-at-end`: the folder of the savepoint with which the job stops when its inputs have been read.
pub const SAVEPOINT_AT_END: &str = "execution.savepoint-at-end";
/// `table.exec.batch-size`: rows per batch.
pub const BATCH_SIZE: &str = "table.exec.batch-size";
const DEFAULT_BATCH_SIZE: usize = 4_096;
const CHANNEL_BATCHES: usize = 16;
const SEGMENT_SIZE: &str = "taskmanager.memory.segment-size";
const DEFAULT_SEGMENT_SIZE: u64 = 1 << 20;
const CHANNEL_BUFFERS: &str = "taskmanager.network.memory.buffers-per-channel";
const DEFAULT_CHANNEL_BUFFERS: u64 = 4;
const GATE_BUFFERS: &str = "taskmanager.network.memory.floating-buffers-per-gate";
const DEFAULT_GATE_BUFFERS: u64 = 64;

impl TaskOptions {
    /// From the job's configuration.
    ///
    /// # Errors
    /// If a value cannot be read; the message names the key.
    pub fn parse(configuration: &BTreeMap<String, String>) -> Result<Self> {
        let read = Reader(configuration);
        let batch_size =
            read.number(BATCH_SIZE)?.unwrap_or(DEFAULT_BATCH_SIZE as u64).clamp(1, 1 << 20) as usize;
        let timeout = read.duration("execution.buffer-timeout.interval")?;
        let timeout = timeout.or(read.duration("execution.buffer-timeout")?).unwrap_or(100);
        let enabled = read.flag("execution.buffer-timeout.enabled", true)?;
        let mode = match read.text("execution.checkpointing.mode").map(normal).as_deref() {
            None | Some("exactly-once") => Mode::ExactlyOnce,
            Some("at-least-once") => Mode::AtLeastOnce,
            Some(_) => {
                return Err(read.wrong("execution.checkpointing.mode", "exactly-once or at-least-once"));
            }
        };
        let batch = match read.text("execution.runtime-mode").map(normal).as_deref() {
            None | Some("streaming" | "automatic") => false,
            Some("batch") => true,
            Some(_) => return Err(read.wrong("execution.runtime-mode", "streaming, batch or automatic")),
        };
        let unaligned = read.flag("execution.checkpointing.unaligned.enabled", false)?
            || read.flag("execution.checkpointing.unaligned", false)?;
        Ok(TaskOptions {
            batch_size,
            buffer_timeout: (enabled && timeout >= 0).then_some(timeout),
            mode,
            overtakes: unaligned && mode == Mode::ExactlyOnce && !batch,
            auto_watermark_interval: read.duration("pipeline.auto-watermark-interval")?.unwrap_or(200),
            limits: limits(read, batch_size)?,
            batch,
            holds_inputs: read.text(SAVEPOINT_AT_END).is_some_and(|folder| !folder.is_empty()),
            commit_retries: read
                .number("sink.committer.retries")?
                .map_or(10, |most| u32::try_from(most).unwrap_or(u32::MAX)),
            cancellation_interval: read.duration("task.cancellation.interval")?.unwrap_or(30_000),
            cancellation_timeout: read
                .duration("task.cancellation.timeout")?
                .map_or(Some(180_000), |timeout| (timeout > 0).then_some(timeout)),
            state: state_memory::options(read)?,
            memory: Arc::default(),
            submitted_at: 0,
            configuration: configuration.clone(),
        })
    }

    /// A part of the memory for state, for one table.
    pub fn table_memory(&self) -> TableMemory {
        self.memory.join(self.state.clone())
    }

    /// The configuration for connectors.
    ///
    /// # Errors
    /// If the configuration cannot be passed on.
    pub fn table_context(&self) -> Result<TableContext> {
        let json = serde_json::to_value(&self.configuration);
        let configuration: Result<Configuration, _> = json.and_then(serde_json::from_value);
        let configuration =
            configuration.map_err(|error| Error::internal("configuration").with_source(error))?;
        let zone = match configuration.get("table.local-time-zone").map(str::trim) {
            None | Some("default") => "UTC",
            Some(zone) => zone,
        };
        Ok(TableContext { batch: self.batch, zone: zone.to_owned(), configuration })
    }
}

/// What a channel holds: this many batches, two full ones in rows, and in bytes Flink's buffers.
fn limits(read: Reader<'_>, batch_size: usize) -> Result<Limits> {
    let segment = read.memory(SEGMENT_SIZE)?.unwrap_or(DEFAULT_SEGMENT_SIZE);
    let buffers = read.number(CHANNEL_BUFFERS)?.unwrap_or(DEFAULT_CHANNEL_BUFFERS);
    if segment == 0 {
        return Err(read.wrong(SEGMENT_SIZE, "a size above 0"));
    }
    // In Flink a channel without buffers of its own uses floating ones; here it has one.
    let bytes = usize::try_from(segment.saturating_mul(buffers.max(1))).unwrap_or(usize::MAX);
    let floating = read.number(GATE_BUFFERS)?.unwrap_or(DEFAULT_GATE_BUFFERS);
    let gate_bytes = usize::try_from(segment.saturating_mul(floating)).unwrap_or(usize::MAX).max(bytes);
    let batch_bytes = segment as usize;
    Ok(Limits { batches: CHANNEL_BATCHES, rows: 2 * batch_size, bytes, gate_bytes, batch_bytes })
}

/// Reads values of Flink's notation, with errors that name the key.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(pub &'a BTreeMap<String, String>);

impl<'a> Reader<'a> {
    /// As written, without surrounding white space.
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).map(|text| text.trim())
    }

    /// A whole number that is not negative.
    ///
    /// # Errors
    /// If it is something else.
    pub fn number(&self, key: &str) -> Result<Option<u64>> {
        self.parsed(key, |text| text.parse().ok(), "a whole number")
    }

    /// A number with a fraction.
    ///
    /// # Errors
    /// If it is something else.
    pub fn fraction(&self, key: &str) -> Result<Option<f64>> {
        self.parsed(key, |text| text.parse().ok(), "a number")
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// If it is something else.
    pub fn flag(&self, key: &str, default: bool) -> Result<bool> {
        let read = |text: &str| text.to_ascii_lowercase().parse().ok();
        Ok(self.parsed(key, read, "true or false")?.unwrap_or(default))
    }

    /// A duration in milliseconds: `500`, `500 ms`, `10s`, `1 min`, `2 h`, `1 d`.
    ///
    /// # Errors
    /// If it is something else.
    pub fn duration(&self, key: &str) -> Result<Option<i64>> {
        self.parsed(key, parse_duration, "a duration such as '500 ms', '10 s' or '1 min'")
    }

    /// A size in bytes: `32 kb`, `1 mb`.
    ///
    /// # Errors
    /// If it is something else.
    pub fn memory(&self, key: &str) -> Result<Option<u64>> {
        self.parsed(key, parse_memory_size, "a size such as '512 kb' or '64 mb'")
    }

    /// An error about the value of a key.
    pub fn wrong(&self, key: &str, expected: &str) -> Error {
        let text = self.text(key).unwrap_or_default();
        Error::invalid(format!("'{key}' is '{text}'; expected {expected}"))
    }

    fn parsed<T>(&self, key: &str, read: impl Fn(&str) -> Option<T>, expected: &str) -> Result<Option<T>> {
        match self.text(key) {
            None => Ok(None),
            Some(text) => read(text).map(Some).ok_or_else(|| self.wrong(key, expected)),
        }
    }
}

/// Enum values are written in any case, with `_` or `-`.
fn normal(text: &str) -> String {
    text.to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_names_its_key() {
        let configuration = BTreeMap::from([("execution.checkpointing.mode".to_owned(), "twice".to_owned())]);
        let error = TaskOptions::parse(&configuration).unwrap_err().to_string();
        assert_eq!(
            error,
            "'execution.checkpointing.mode' is 'twice'; expected exactly-once or at-least-once"
        );
    }
}
