//! Compiled plans: what COMPILE PLAN writes and EXECUTE PLAN runs, also in a later version of this program.
//!
//! The file holds the operators as they were planned and the settings that decided about them: they stay whatever the session
//! that runs the plan has set. Everything else is taken from that session: the job's name, checkpoints, restart strategy, chaining.
//! What the file does not say (another format, fields that nobody knows) is refused; nothing of it is guessed.

use std::collections::BTreeMap;

use flott_plan::{PLAN_VERSION, StreamGraph};
use flott_types::{Error, Result};
use serde::{Deserialize, Serialize};

/// What is at the head of the file, so that a person sees what it is and another file is refused.
const FORMAT: &str = "flott-compiled-plan";

/// A plan that is kept in a file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompiledPlan {
    format: String,
    version: u32,
    /// The name of the job unless `pipeline.name` gives another.
    pub name: String,
    /// The tables that are written to.
    pub targets: Vec<String>,
    /// The settings that results depend on.
    pub settings: BTreeMap<String, String>,
    /// The operators and the streams between them.
    pub graph: StreamGraph,
}

impl CompiledPlan {
    /// A plan of this build.
    pub(crate) fn new(
        name: String,
        targets: Vec<String>,
        settings: BTreeMap<String, String>,
        graph: StreamGraph,
    ) -> Self {
        CompiledPlan { format: FORMAT.to_owned(), version: PLAN_VERSION, name, targets, settings, graph }
    }

    /// The text of the file.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map_err(|error| Error::internal("cannot write the plan").with_source(error))
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// If it is no compiled plan, or one of a version that this build does not read.
    pub fn from_json(json: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        let head: Head = serde_json::from_str(json)
            .map_err(|error| Error::invalid("this is no compiled plan").with_source(error))?;
        if head.format != FORMAT {
            return Err(Error::invalid(format!(
                "this is no compiled plan: its format is '{}', not '{FORMAT}'",
                head.format
            )));
        }
        if head.version != PLAN_VERSION {
            return Err(Error::unsupported(format!(
                "the plan has version {}; this build reads version {PLAN_VERSION}",
                head.version
            )));
        }
        serde_json::from_str(json).map_err(|error| Error::invalid("cannot read the plan").with_source(error))
    }
}

/// Whether a setting decides what a plan computes, and so belongs to the plan and not to the session that runs it.
pub(crate) fn is_of_the_plan(key: &str) -> bool {
    key == "execution.runtime-mode" || (key.starts_with("table.") && !key.starts_with("table.dml-"))
}
