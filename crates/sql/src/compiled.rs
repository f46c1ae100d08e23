//! Compiled plans: what COMPILE PLAN writes and EXECUTE PLAN runs, even with a later version of this program.
//!
//! The file contains the operators as they were planned, and the settings that determined them: these apply
//! whatever the session that runs the plan has set. Everything else is taken from that session: the job's
//! name, checkpoints, restart strategy, chaining. A file that this build does not fully understand (another
//! format, unknown fields) is refused; nothing is guessed.

use std::collections::BTreeMap;

use flott_plan::{PLAN_VERSION, StreamGraph};
use flott_types::{Error, Result};
use serde::{Deserialize, Serialize};

/// At the head of the file, so that people see what it is and other files are refused.
const FORMAT: &str = "flott-compiled-plan";

/// A plan that is stored in a file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompiledPlan {
    format: String,
    version: u32,
    /// The name of the job unless `pipeline.name` specifies another.
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
    /// If it is not a compiled plan, or one with a version that this build does not read.
    pub fn from_json(json: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        let head: Head = serde_json::from_str(json)
            .map_err(|error| Error::invalid("this is not a compiled plan").with_source(error))?;
        if head.format != FORMAT {
            return Err(Error::invalid(format!(
                "this is not a compiled plan: its format is '{}', not '{FORMAT}'",
                head.format
            )));
        }
        if head.version != PLAN_VERSION {
            return Err(Error::unsupported(format!(
                "a plan of version {} is not supported: this build reads version {PLAN_VERSION}",
                head.version
            )));
        }
        serde_json::from_str(json).map_err(|error| Error::invalid("cannot read the plan").with_source(error))
    }
}

/// Whether a setting affects what a plan computes, and so belongs to the plan instead of the session that
/// runs it.
pub(crate) fn is_of_the_plan(key: &str) -> bool {
    key == "execution.runtime-mode" || (key.starts_with("table.") && !key.starts_with("table.dml-"))
}
