//! A case's script, up to the job of its query.

use std::sync::Arc;

use flott::sql::{Outcome, PlannedJob, Session, builtin_functions, parse_script};
use flott::types::{Configuration, SystemClock};
use flott::{Error, Result};

use crate::stage::Stage;

/// What the last statement of a script is.
pub enum Planned {
    /// A query.
    Query(Box<PlannedJob>),
    /// Something else: no job whose rows could be compared.
    NoQuery(&'static str),
}

/// Executes a script and plans its query, as on a machine with this many cores and where this is set; the
/// script may set it otherwise.
///
/// # Errors
/// What is wrong with a statement.
pub fn plan(script: &str, stage: &Stage, cores: u32, settings: &[(&str, &str)]) -> Result<Planned> {
    let clock = Arc::new(SystemClock::new());
    let mut configuration = Configuration::default();
    settings.iter().try_for_each(|(key, value)| configuration.set(key, value))?;
    let mut session = Session::new(stage.registry.clone(), builtin_functions(), configuration, clock, cores);
    let mut last = None;
    for statement in parse_script(script)? {
        let outcome = session.execute(&statement)?;
        if matches!(outcome, Outcome::Insert(_)) {
            return Ok(Planned::NoQuery("it writes to a table"));
        }
        last = Some(outcome);
    }
    match last {
        Some(Outcome::Query(job)) => Ok(Planned::Query(job)),
        Some(_) => Ok(Planned::NoQuery("its last statement is no query")),
        None => Err(Error::invalid("the script has no statements")),
    }
}
