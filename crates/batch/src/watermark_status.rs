//! Idleness, as it moves through a channel.

/// Whether a channel currently takes part in event time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WatermarkStatus {
    /// Its watermark counts.
    Active,
    /// It has had no data for a while; others may advance without it.
    Idle,
}
