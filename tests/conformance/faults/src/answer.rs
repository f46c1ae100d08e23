//! Requests and answers.

use serde::{Deserialize, Serialize};

/// How a case is to be run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// With small batches; nothing goes wrong, every operator is watched.
    Checked,
    /// With checkpoints, stopped or cancelled in the middle, and gone on with in a new job.
    Restored,
    /// The same at another parallelism each time.
    Rescaled,
    /// With failures of sources, operators and commits.
    Faults,
}

/// One run of one case.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// The statements; the last one is the query.
    pub script: String,
    /// How.
    pub run: Kind,
    /// What goes wrong when.
    pub seed: u64,
    /// Rows to a batch.
    pub batch: u32,
}

/// How a run went.
#[derive(Clone, Default, Debug, Serialize)]
pub struct Answer {
    /// Why the case cannot be run so.
    pub excluded: Option<String>,
    /// Why there is no result.
    pub failed: Option<String>,
    /// Row kinds and cells, as they came.
    pub rows: Vec<(&'static str, Vec<Option<String>>)>,
    /// What was done, for the one who looks for a mistake.
    pub events: Vec<String>,
    /// Checkpoints and savepoints that completed.
    pub checkpoints: u64,
    /// Jobs that were gone on with from one of them.
    pub restores: u64,
    /// Failures that happened.
    pub failures: u64,
}

impl Answer {
    /// No result.
    pub fn failed(reason: impl Into<String>) -> Self {
        Answer { failed: Some(reason.into()), ..Answer::default() }
    }

    /// Not for this kind of test.
    pub fn excluded(reason: impl Into<String>) -> Self {
        Answer { excluded: Some(reason.into()), ..Answer::default() }
    }
}
