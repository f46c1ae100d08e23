//! Connectors by name.

use std::sync::Arc;

use flott_plan::{SinkSpec, SourceSpec};
use flott_types::{Error, FastMap, Result};

/// What a connector may ask when a statement is planned.
#[derive(Clone, Debug)]
pub struct TableContext {
    /// Whether the job is bounded by choice (`execution.runtime-mode: batch`).
    pub batch: bool,
    /// The session time zone's name (`table.local-time-zone`).
    pub zone: String,
    /// The configuration of the session.
    pub configuration: flott_types::Configuration,
}

/// A connector. Everything wrong with a table's options is said when the source or sink is made, at planning.
pub trait Connector: Send + Sync {
    /// The name in `'connector' = '...'`.
    fn name(&self) -> &'static str;

    /// Reads a table. The default refuses.
    fn source(&self, spec: &SourceSpec, context: &TableContext) -> Result<Arc<dyn Source>> {
        let _ = context;
        Err(Error::invalid(format!(
            "connector '{}' cannot be read from (table {})",
            self.name(),
            spec.table.name
        )))
    }

    /// Writes to a table. The default refuses.
    fn sink(&self, spec: &SinkSpec, context: &TableContext) -> Result<Arc<dyn Sink>> {
        let _ = context;
        Err(Error::invalid(format!(
            "connector '{}' cannot be written to (table {})",
            self.name(),
            spec.table.name
        )))
    }

    /// The metadata columns that can be read: key and type as Flink spells it.
    fn readable_metadata(&self, spec: &flott_plan::TableSpec) -> Vec<(String, flott_types::LogicalType)> {
        let _ = spec;
        Vec::new()
    }

    /// Whether a source of this table produces fields of ROWs as columns of their own (`SourceSpec::paths`), so that the other fields
    /// need not be read.
    fn projects_fields(&self, spec: &flott_plan::TableSpec) -> bool {
        let _ = spec;
        false
    }

    /// The kinds of changes a source of this table produces.
    fn source_changelog(&self, spec: &flott_plan::TableSpec) -> Changelog {
        let _ = spec;
        Changelog::InsertOnly
    }

    /// The kinds of changes a sink of this table takes.
    fn sink_changelog(&self, spec: &flott_plan::TableSpec) -> Changelog {
        let _ = spec;
        Changelog::InsertOnly
    }
}

/// Which row kinds a stream has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Changelog {
    /// +I
    InsertOnly,
    /// +I, +U, -D: the last row of each key counts
    Upsert,
    /// +I, -U, +U, -D
    Retract,
}

use crate::{Sink, Source};

/// The connectors of a process.
#[derive(Clone, Default)]
pub struct Registry {
    connectors: FastMap<&'static str, Arc<dyn Connector>>,
}

impl Registry {
    /// Adds a connector; one of the same name is replaced.
    pub fn register(&mut self, connector: Arc<dyn Connector>) {
        self.connectors.insert(connector.name(), connector);
    }

    /// All connectors, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Connector>> {
        self.connectors.values()
    }

    /// The connector of this name, or an error that lists the names there are.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn Connector>> {
        self.connectors.get(name).ok_or_else(|| {
            let mut names: Vec<&str> = self.connectors.keys().copied().collect();
            names.sort_unstable();
            Error::invalid(format!("there is no connector '{name}'; there are: {}", names.join(", ")))
        })
    }

    /// The source of a spec.
    pub fn source(&self, spec: &SourceSpec, context: &TableContext) -> Result<Arc<dyn Source>> {
        self.get(&spec.table.connector)?.source(spec, context)
    }

    /// The sink of a spec.
    pub fn sink(&self, spec: &SinkSpec, context: &TableContext) -> Result<Arc<dyn Sink>> {
        self.get(&spec.table.connector)?.sink(spec, context)
    }
}
