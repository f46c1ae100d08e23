//! Accumulators: each subtask of a job has its own part, and the parts are merged on request.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use flott_types::{Error, Result};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// What one subtask has added to an accumulator so far.
pub trait LocalAccumulator: Send + Sync {
    /// The accumulator's type: one with another type is not the same accumulator.
    fn kind(&self) -> &'static str;
    /// The value so far, as text that the type can parse.
    ///
    /// # Errors
    /// If the value cannot be written.
    fn value(&self) -> Result<String>;
}

/// The accumulators of an operator. Cloning shares them.
#[derive(Clone, Default)]
pub struct Accumulators(Arc<Mutex<BTreeMap<String, Arc<dyn LocalAccumulator>>>>);

/// What one subtask has added to one accumulator at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccumulatorReport {
    /// Its name.
    pub name: String,
    /// See [`LocalAccumulator::kind`].
    pub kind: String,
    /// See [`LocalAccumulator::value`]; or the reason why there is none.
    pub value: std::result::Result<String, String>,
}

impl Accumulators {
    /// Adds an accumulator.
    ///
    /// # Errors
    /// If there is already one with that name.
    pub fn add(&self, name: &str, accumulator: Arc<dyn LocalAccumulator>) -> Result<()> {
        match self.0.lock().insert(name.to_owned(), accumulator) {
            None => Ok(()),
            Some(_) => Err(Error::invalid(format!("accumulator '{name}' is created twice in one operator"))),
        }
    }

    /// The current values of all of them, by name.
    pub fn report(&self) -> Vec<AccumulatorReport> {
        let report = |(name, accumulator): (&String, &Arc<dyn LocalAccumulator>)| AccumulatorReport {
            name: name.clone(),
            kind: accumulator.kind().to_owned(),
            value: accumulator.value().map_err(|error| error.to_string()),
        };
        self.0.lock().iter().map(report).collect()
    }
}

impl fmt::Debug for Accumulators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.lock().keys()).finish()
    }
}
