//! The files of compiled plans.

use flott_sql::compiled::CompiledPlan;
use flott_sql::session::{PlanToKeep, PlannedJob};
use flott_storage::{Folder, block_on};
use flott_types::{Error, Result};

use crate::sql::Environment;

impl Environment {
    /// COMPILE PLAN: writes the plan to its file; answers with the job if it shall run, too.
    ///
    /// # Errors
    /// If there is a file that may not be replaced, or it cannot be written.
    pub fn keep_plan(&self, kept: &PlanToKeep) -> Result<Option<PlannedJob>> {
        let (folder, name) = split(&kept.path)?;
        let folder = Folder::create(folder)?;
        let json = kept.plan.to_json()?.into_bytes();
        if kept.overwrite && !kept.keep_existing {
            block_on(folder.put(name, json.into()))?;
        } else if !block_on(folder.put_new(name, json.into()))? && !kept.keep_existing {
            return Err(Error::invalid(format!(
                "Cannot overwrite the plan file '{}'. Either manually remove the file or, if you're debugging your job, set \
                 the option 'table.plan.force-recompile' to true.",
                kept.path
            )));
        }
        kept.execute.then(|| self.kept_plan(&kept.path)).transpose()
    }

    /// EXECUTE PLAN: the job of the plan in a file.
    ///
    /// # Errors
    /// If there is no such file, or it is no plan that this build reads.
    pub fn kept_plan(&self, path: &str) -> Result<PlannedJob> {
        let (folder, name) = split(path)?;
        let bytes = match Folder::open(folder)? {
            Some(folder) => block_on(folder.get(name))?,
            None => None,
        };
        let Some(bytes) = bytes else {
            return Err(Error::external(format!("there is no plan file '{path}'")));
        };
        let text =
            std::str::from_utf8(&bytes).map_err(|error| Error::invalid("it is not text").with_source(error));
        let plan = text.and_then(CompiledPlan::from_json);
        self.session.job_of(plan.map_err(|error| error.context(format!("plan file '{path}'")))?)
    }
}

/// Folder and name of a file.
fn split(path: &str) -> Result<(&str, &str)> {
    let (folder, name) = match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some(parts) => parts,
        None => (".", path),
    };
    match name.is_empty() {
        true => Err(Error::invalid(format!("'{path}' is not the name of a file"))),
        false => Ok((folder, name)),
    }
}
