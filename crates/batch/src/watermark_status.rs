//! Idleness, as sent through a channel.

/// Whether a channel currently counts for event time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WatermarkStatus {
    /// Its watermark counts.
    Active,
    /// It has had no data for a while; others may advance without it.
    Idle,
}
