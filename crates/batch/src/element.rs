//! The stream protocol: what moves through a channel.

use flott_types::{CheckpointId, Timestamp, Watermark};

use crate::Batch;

/// One element of a stream.
#[derive(Clone, Debug)]
pub enum StreamElement {
    /// Rows or values.
    Batch(Batch),
    /// No row with a timestamp at or below this follows on this channel.
    Watermark(Watermark),
    /// Whether this channel holds event time back.
    WatermarkStatus(WatermarkStatus),
    /// Separates what belongs to a checkpoint from what comes after it.
    Barrier(Barrier),
    /// The last data element of the channel. Only barriers may follow, while the job waits for its final checkpoint.
    EndOfInput,
    /// Travels with the data from a source to the sinks to measure how long that takes; created at this time.
    LatencyMarker(Timestamp),
}

/// Whether a channel currently takes part in event time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WatermarkStatus {
    /// Its watermark counts.
    Active,
    /// It has had no data for a while; others may advance without it.
    Idle,
}

/// The separator of a checkpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Barrier {
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// When the coordinator triggered it.
    pub triggered_at: Timestamp,
    /// What is taken.
    pub kind: BarrierKind,
}

/// What a barrier asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum BarrierKind {
    /// A checkpoint: what changed since the last one.
    Checkpoint,
    /// A savepoint: the whole state, self-contained.
    Savepoint,
}
