//! Event time. Points in time are milliseconds since 1970-01-01T00:00:00Z, as in Flink.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds since the epoch, in event time or processing time.
pub type Timestamp = i64;

/// A statement in the stream: no row with a timestamp at or below this will follow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Watermark(pub Timestamp);

impl Watermark {
    /// Before anything was said.
    pub const MIN: Watermark = Watermark(i64::MIN);
    /// The end of event time: every window fires.
    pub const MAX: Watermark = Watermark(i64::MAX);
}

impl fmt::Display for Watermark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Watermark::MIN => f.write_str("MIN"),
            Watermark::MAX => f.write_str("MAX"),
            Watermark(at) => write!(f, "{at}"),
        }
    }
}
