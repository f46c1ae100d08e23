//! What makes a table materialized.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The query that a table follows, and what runs for it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Materialized {
    /// The query's source text.
    pub query: String,
    /// Where its names are looked up.
    pub catalog: String,
    /// Where its names are looked up.
    pub database: String,
    /// FRESHNESS
    pub freshness: Freshness,
    /// REFRESH_MODE
    pub mode: MaterializedMode,
    /// What runs for it.
    pub status: MaterializedStatus,
}

/// How far a table may be behind its query.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freshness {
    /// How many units.
    pub count: u64,
    /// The unit.
    pub unit: FreshnessUnit,
}

/// The units of FRESHNESS.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the key words")]
pub enum FreshnessUnit {
    Second,
    Minute,
    Hour,
    Day,
}

impl FreshnessUnit {
    /// How many seconds it has.
    pub fn seconds(self) -> u64 {
        match self {
            FreshnessUnit::Second => 1,
            FreshnessUnit::Minute => 60,
            FreshnessUnit::Hour => 3_600,
            FreshnessUnit::Day => 86_400,
        }
    }

    /// The key word.
    pub fn word(self) -> &'static str {
        match self {
            FreshnessUnit::Second => "SECOND",
            FreshnessUnit::Minute => "MINUTE",
            FreshnessUnit::Hour => "HOUR",
            FreshnessUnit::Day => "DAY",
        }
    }
}

impl fmt::Display for Freshness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "INTERVAL '{}' {}", self.count, self.unit.word())
    }
}

/// How a table follows its query.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaterializedMode {
    /// By a job that goes on.
    Continuous,
    /// By jobs that write all of it again.
    Full,
}

/// What runs for a table.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum MaterializedStatus {
    /// Nothing yet: its first job is being submitted.
    Initializing,
    /// It follows its query.
    Activated {
        /// The job, if it goes on.
        job: Option<String>,
    },
    /// It stays as it is.
    Suspended {
        /// What the next job starts from.
        savepoint: Option<String>,
    },
}
