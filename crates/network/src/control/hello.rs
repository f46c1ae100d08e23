//! How a TaskManager introduces itself, and what it is answered. JSON: who is of another version reads it too.

use bytes::Bytes;
use flott_types::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::VERSION;

/// No introduction is longer.
const LONGEST: usize = 4_096;

/// From a TaskManager.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// Its version.
    pub version: String,
    /// Its id, which no other process has had.
    pub task_manager: u32,
    /// Its name, for people (`taskmanager.resource-id`).
    pub name: String,
    /// Where other TaskManagers reach it for the channels between tasks.
    pub address: String,
    /// The executable, if it is a program's process.
    #[serde(default)]
    pub program: Option<String>,
}

/// From the JobManager.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Accepted {
    /// Its version.
    pub version: String,
    /// Which JobManager this is: each has a number of its own.
    pub leader: u64,
}

impl Hello {
    /// Whether it may join a JobManager of this program, or of a cluster for plans.
    ///
    /// # Errors
    /// If it is of another version or another program; both are named.
    pub(super) fn check(&self, program: Option<&str>) -> Result<()> {
        let who = format!("TaskManager {} ({})", self.name, self.address);
        check(&who, &self.version, "the JobManager")?;
        match (self.program.as_deref(), program) {
            (own, other) if own == other => Ok(()),
            (None, Some(_)) => Err(Error::invalid(format!(
                "{who} is none of a program, and the JobManager is: start the program with the role taskmanager"
            ))),
            (Some(_), None) => Err(Error::invalid(format!(
                "{who} is one of a program, and the JobManager is of a cluster: start the program with the role jobmanager"
            ))),
            (own, other) => Err(Error::invalid(format!(
                "{who} is another executable ({}) than the JobManager ({}): all processes of a program must be of one build",
                own.unwrap_or_default(),
                other.unwrap_or_default()
            ))),
        }
    }
}

impl Accepted {
    pub(super) fn check(&self) -> Result<()> {
        check("the JobManager", &self.version, "this TaskManager")
    }
}

fn check(who: &str, version: &str, own: &str) -> Result<()> {
    if version == VERSION {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{who} is of version {version}, and {own} of {VERSION}: all processes of a cluster must be of one version"
    )))
}

pub(super) fn write(what: &impl Serialize) -> Result<Bytes> {
    match serde_json::to_vec(what) {
        Ok(json) => Ok(json.into()),
        Err(error) => Err(Error::internal("an introduction cannot be written").with_source(error)),
    }
}

pub(super) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T> {
    let strange = || Error::external("the other process does not speak as Flott does");
    if json.len() > LONGEST {
        return Err(strange());
    }
    serde_json::from_slice(json).map_err(|error| strange().with_source(error))
}
