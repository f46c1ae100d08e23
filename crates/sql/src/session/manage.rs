//! Modules, and statements that Flink knows but no table of ours supports: they are refused for the reason
//! that Flink gives.

use std::sync::Arc;

use flott_sql_parser::ast::{
    AnalyzeTable, CallProcedure, ChangeRows, Ident, LoadModule, ObjectName, RowChange,
};
use flott_types::{Error, Result};

use super::{Session, settings};
use crate::catalog::{CatalogObject, ObjectPath, Table};

/// The module with Flink's functions.
const CORE: &str = "core";

/// The modules of a session. There is only one; it can be loaded, unloaded and used. As in Flink, its
/// functions are found in any case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Modules {
    loaded: bool,
    used: bool,
}

impl Default for Modules {
    fn default() -> Self {
        Modules { loaded: true, used: true }
    }
}

impl Modules {
    pub(super) fn load(&mut self, load: &LoadModule) -> Result<()> {
        let name = &load.name.value;
        if name != CORE {
            return Err(Error::invalid(format!(
                "Could not execute LOAD MODULE {name}. There is no module of this name. Available modules are: {CORE}"
            )));
        }
        if self.loaded {
            return Err(Error::invalid(format!(
                "Could not execute LOAD MODULE {name}. A module with name '{CORE}' already exists"
            )));
        }
        if let Some(option) = load.options.first() {
            return Err(Error::invalid(format!(
                "Could not execute LOAD MODULE {name}. Unsupported option '{}', at {}",
                option.key.value, option.key.position
            )));
        }
        *self = Modules::default();
        Ok(())
    }

    pub(super) fn unload(&mut self, name: &Ident) -> Result<()> {
        if !self.is_loaded(&name.value) {
            return Err(Error::invalid(format!(
                "Could not execute UNLOAD MODULE {0}. No module with name '{0}' exists",
                name.value
            )));
        }
        *self = Modules { loaded: false, used: false };
        Ok(())
    }

    pub(super) fn set_used(&mut self, names: &[Ident]) -> Result<()> {
        let all = || names.iter().map(|name| name.value.as_str()).collect::<Vec<_>>().join(", ");
        for (index, name) in names.iter().enumerate() {
            let name = &name.value;
            if names[..index].iter().any(|other| other.value == *name) {
                let all = all();
                return Err(Error::invalid(format!(
                    "Could not execute USE MODULES: [{all}]. Module '{name}' appears more than once"
                )));
            }
            if !self.is_loaded(name) {
                let all = all();
                return Err(Error::invalid(format!(
                    "Could not execute USE MODULES: [{all}]. No module with name '{name}' exists"
                )));
            }
        }
        self.used = !names.is_empty();
        Ok(())
    }

    /// The loaded modules, and whether they are used.
    pub(super) fn all(&self) -> Vec<(&'static str, bool)> {
        if self.loaded { vec![(CORE, self.used)] } else { vec![] }
    }

    fn is_loaded(&self, name: &str) -> bool {
        self.loaded && name == CORE
    }
}

impl Session {
    /// TRUNCATE, DELETE, UPDATE: no connector can change rows that it has written.
    pub(super) fn change_rows(&self, change: &ChangeRows) -> Error {
        let (statement, ability) = match change.kind {
            RowChange::Truncate => ("TRUNCATE TABLE", "truncate"),
            RowChange::Delete => ("DELETE", "delete"),
            RowChange::Update => ("UPDATE", "update"),
        };
        if settings::streaming(&self.configuration) {
            return Error::unsupported(format!("{statement} statement is not supported in streaming mode."));
        }
        match self.stored_table(&change.table) {
            Err(error) => error,
            Ok((path, table)) => Error::unsupported(format!(
                "Can't perform {ability} operation of the table {}: its connector '{}' cannot change rows that are written.",
                path.plain(),
                table.options.get("connector").map_or("", String::as_str),
            )),
        }
    }

    /// ANALYZE TABLE is only checked: plans here do not depend on statistics.
    pub(super) fn analyze(&self, analyze: &AnalyzeTable) -> Result<()> {
        if settings::streaming(&self.configuration) {
            return Err(Error::unsupported("ANALYZE TABLE is not supported for streaming mode now"));
        }
        let (path, table) = self.stored_table(&analyze.table)?;
        if table.partition_keys.is_empty() && !analyze.partition.is_empty() {
            return Err(Error::invalid(format!(
                "Invalid ANALYZE TABLE statement. Table: {path} is not a partition table, while partition values are given."
            )));
        }
        if let Some(key) = analyze
            .partition
            .iter()
            .map(|value| &value.column.value)
            .find(|name| !table.partition_keys.contains(name))
        {
            return Err(Error::invalid(format!(
                "Invalid ANALYZE TABLE statement. For partition table, '{key}' is no partition column of {path}."
            )));
        }
        match analyze.columns.iter().find(|column| table.column(&column.value).is_none()) {
            Some(column) => {
                Err(Error::invalid(format!("Column: {} does not exist in the table: {path}.", column.value)))
            }
            None => Ok(()),
        }
    }

    /// CALL: none of our catalogs has procedures.
    pub(super) fn call(&self, call: &CallProcedure) -> Error {
        Error::invalid(format!(
            "there is no procedure {}, at {}: the catalogs here have no procedures",
            call.procedure, call.position
        ))
    }

    fn stored_table(&self, name: &ObjectName) -> Result<(ObjectPath, Arc<Table>)> {
        let path = self.path(name)?;
        match self.catalogs.lookup(&path)? {
            Some(CatalogObject::Table(table)) => Ok((path, table)),
            Some(CatalogObject::View(_)) => {
                Err(Error::invalid(format!("{path} is a view, and this statement needs a table.")))
            }
            None => Err(Error::invalid(format!(
                "Cannot find table '{path}' in any of the catalogs [{}], nor as a temporary table.",
                self.catalogs.catalogs.keys().cloned().collect::<Vec<_>>().join(", ")
            ))),
        }
    }
}
