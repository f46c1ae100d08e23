//! Process table functions.

use serde::{Deserialize, Serialize};

use crate::SortKey;
use crate::expr::Expr;

/// A function of a program that takes tables, with state and timers. Output: of each table that is taken as a set the columns of its
/// partition, or all of its columns where they pass through; what the function gives; then the time, if a table has one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessTableSpec {
    /// The name that plans call the function by.
    pub function: String,
    /// What state is found by.
    pub uid: String,
    /// The tables, in the order of the inputs.
    pub tables: Vec<ProcessedTable>,
    /// The constants, in the order of their parameters, of the parameters' types.
    pub arguments: Vec<Expr>,
    /// States that say nothing of it and were not written for this long are dropped (milliseconds); 0 never.
    #[serde(default)]
    pub ttl: i64,
    /// How what the function gave changes.
    #[serde(default, skip_serializing_if = "ChangelogMode::is_insert_only")]
    pub output: ChangelogMode,
}

/// The kinds of changes in a changelog, beside insertions (`ChangelogMode` in Flink).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangelogMode {
    /// `+U`: rows are updated.
    pub updates: bool,
    /// `-U`: an update tells what the row was.
    pub update_before: bool,
    /// `-D`: rows are deleted.
    pub deletes: bool,
    /// Deletions have the key, and NULL in all other columns.
    pub key_only_deletes: bool,
}

impl ChangelogMode {
    /// Rows come and stay.
    #[must_use]
    pub const fn insert_only() -> Self {
        ChangelogMode { updates: false, update_before: false, deletes: false, key_only_deletes: false }
    }

    /// Rows of a key are replaced and deleted.
    #[must_use]
    pub const fn upsert(key_only_deletes: bool) -> Self {
        ChangelogMode { updates: true, update_before: false, deletes: true, key_only_deletes }
    }

    /// What is no longer true is taken back (retract mode).
    #[must_use]
    pub const fn all() -> Self {
        ChangelogMode { updates: true, update_before: true, deletes: true, key_only_deletes: false }
    }

    /// Whether rows come and stay.
    #[must_use]
    pub const fn is_insert_only(&self) -> bool {
        !(self.updates || self.update_before || self.deletes)
    }
}

/// A table as an argument.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessedTable {
    /// What the query calls its columns: by these names the function finds them.
    pub columns: Vec<String>,
    /// PARTITION BY, if it is taken as a set.
    #[serde(default)]
    pub partition: Option<Vec<usize>>,
    /// ORDER BY: rows come in this order, when the watermark has passed them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<SortKey>,
    /// The event time of its rows.
    #[serde(default)]
    pub time: Option<usize>,
    /// All of its columns are in the output.
    #[serde(default)]
    pub passes_columns: bool,
    /// It may be updated.
    #[serde(default)]
    pub takes_updates: bool,
    /// Its updates have to tell what a row was, also where PARTITION BY is what identifies a row.
    #[serde(default, skip_serializing_if = "is_false")]
    pub requires_update_before: bool,
    /// Its deletions have to have all columns.
    #[serde(default, skip_serializing_if = "is_false")]
    pub requires_full_delete: bool,
    /// It stands for no table: the function takes constants alone, and is called once.
    #[serde(default)]
    pub nothing: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
