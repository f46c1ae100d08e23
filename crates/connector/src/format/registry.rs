//! Formats by name.

use std::sync::Arc;

use flott_types::config::similar;
use flott_types::{Error, FastMap, FastSet, Result};
use parking_lot::Mutex;

use super::Format;
use crate::{Manual, Options};

/// Makes formats. Everything wrong with a table's options is said when the format is made, at planning.
pub trait FormatFactory: Send + Sync {
    /// The name in `'format' = '...'`.
    fn name(&self) -> &'static str;

    /// What it says of itself, with the list of its options. Their keys are without the format's name.
    fn manual(&self) -> Manual;

    /// The format of a table: with what its options say, which are read by the keys of the manual.
    ///
    /// # Errors
    /// What is wrong with the options.
    fn format(&self, options: &Options<'_>) -> Result<Arc<dyn Format>>;
}

/// The formats of a process.
#[derive(Clone, Default)]
pub struct Formats {
    factories: FastMap<&'static str, Arc<dyn FormatFactory>>,
    /// What was warned of: a statement makes the format of a table several times.
    warned: Arc<Mutex<FastSet<String>>>,
}

/// Formats of Flink's: where there is none of the name, it is not the name that is wrong.
const FLINKS: [&str; 13] = [
    "avro",
    "avro-confluent",
    "canal-json",
    "csv",
    "debezium-avro-confluent",
    "debezium-json",
    "json",
    "maxwell-json",
    "ogg-json",
    "orc",
    "parquet",
    "protobuf",
    "raw",
];

impl Formats {
    /// Adds a format; one of the same name is replaced.
    pub fn register(&mut self, factory: Arc<dyn FormatFactory>) {
        self.factories.insert(factory.name(), factory);
    }

    /// Warns of something for the first time.
    pub(crate) fn warn_once(&self, warning: String) {
        let mut warned = self.warned.lock();
        if !warned.contains(&warning) {
            tracing::warn!("{warning}");
            warned.insert(warning);
        }
    }

    /// All formats, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn FormatFactory>> {
        self.names().into_iter().filter_map(|name| self.factories.get(name))
    }

    fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = self.factories.keys().copied().collect();
        names.sort_unstable();
        names
    }

    /// The format of this name.
    ///
    /// # Errors
    /// If there is none; the error lists those that there are.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn FormatFactory>> {
        self.factories.get(name).ok_or_else(|| {
            let names = self.names();
            if FLINKS.contains(&name) {
                return Error::unsupported(format!(
                    "the format '{name}' is not built yet; there are: {}",
                    names.join(", ")
                ));
            }
            let hint = similar(names.iter().copied(), name);
            let hint = hint.map(|near| format!(" (did you mean '{near}'?)")).unwrap_or_default();
            Error::invalid(format!("there is no format '{name}'{hint}; there are: {}", names.join(", ")))
        })
    }
}
