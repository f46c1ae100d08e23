//! Windows of event time or processing time.

use serde::{Deserialize, Serialize};

/// How rows are assigned to windows. All durations are milliseconds.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WindowKind {
    /// Windows of one size, end to end.
    Tumble {
        /// The size.
        size: i64,
        /// The shift of the window starts.
        offset: i64,
    },
    /// Windows of one size, a new one every slide.
    Hop {
        /// The size.
        size: i64,
        /// The distance of window starts.
        slide: i64,
        /// The shift of the window starts.
        offset: i64,
    },
    /// Windows of one start that grow by a step up to the maximum size.
    Cumulate {
        /// The largest size.
        size: i64,
        /// The growth.
        step: i64,
        /// The shift of the window starts.
        offset: i64,
    },
    /// Windows that end when a key has had no row for longer than the gap.
    Session {
        /// The gap.
        gap: i64,
    },
}

/// A window over a time attribute.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowSpec {
    /// The kind.
    pub kind: WindowKind,
    /// The input column with the time attribute (TIMESTAMP or TIMESTAMP_LTZ); unused in processing time.
    pub time_column: usize,
    /// Event time, or processing time.
    pub event_time: bool,
    /// For a TIMESTAMP_LTZ attribute, the session time zone in which windows are aligned and window_start and
    /// window_end are given as local TIMESTAMP(3). `None` for TIMESTAMP.
    #[serde(default)]
    pub zone: Option<String>,
}

impl WindowSpec {
    /// Whether window_end is a time on the scale of watermarks: event time that is not local to a zone.
    pub fn ends_in_event_time(&self) -> bool {
        self.event_time && self.zone.as_deref().is_none_or(|zone| zone == "UTC")
    }
}

/// Rows that are joined with the largest or smallest value of windows near them in event time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowExtreme {
    /// The column that equals the value: an integer or a DECIMAL.
    pub value: usize,
    /// MIN, not MAX.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub smallest: bool,
    /// The windows, and the input column with the time by which rows belong to them.
    pub window: WindowSpec,
    /// How long after its time the windows end that a row can be joined with, at least and at most (milliseconds).
    pub ends: [i64; 2],
}
