//! What a program does with tables beyond statements: tables that are its streams, and plans that are parts of
//! its job.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_connector::TableContext;
use flott_connector::catalog::TimeAttribute;
use flott_plan::{Schema, SinkSpec, StreamGraph, TableSpec};
use flott_sql_parser::ast::{Insert, QueryText};
use flott_sql_parser::{Position, parse_query};
use flott_types::{Configuration, Error, Result, TypeKind};

use super::{Planned, Session};
use crate::catalog::{CatalogObject, ObjectPath, Table, View};
use crate::logical::Rel;
use crate::plan::SinkTarget;

/// A query whose names are resolved: what a program holds of a table.
#[derive(Clone, Debug)]
pub struct BoundTable {
    rel: Rel,
    view: View,
}

impl BoundTable {
    /// Its columns.
    pub fn schema(&self) -> Schema {
        Schema::new(self.rel.fields.iter().map(|field| (field.name.clone(), field.ty.clone())))
    }

    /// The columns that are event time.
    pub fn rowtimes(&self) -> Vec<usize> {
        let is_event = |at: &usize| self.rel.fields[*at].time == Some(TimeAttribute::Event);
        (0..self.rel.fields.len()).filter(is_event).collect()
    }

    /// The query's text.
    pub fn text(&self) -> &str {
        &self.view.text
    }
}

/// Operators that run as a part of a program's job.
#[derive(Clone, Debug)]
pub struct PlannedPart {
    /// The operators.
    pub graph: StreamGraph,
    /// What their connectors may ask.
    pub context: TableContext,
    /// The settings that operators read when they run.
    pub configuration: BTreeMap<String, String>,
    /// The tables that are written to.
    pub targets: Vec<String>,
}

impl Session {
    /// Binds a query.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn bound_table(&self, text: &str) -> Result<BoundTable> {
        let text = text.trim().trim_end_matches(';');
        let query = QueryText { query: parse_query(text)?, text: text.to_owned(), position: Position::START };
        super::stack::deep(|| {
            let rel = self.bound(&query.query)?;
            if let Some(field) = rel.fields.iter().find(|field| field.ty.kind == TypeKind::Null) {
                return Err(Error::invalid(format!(
                    "Illegal use of 'NULL': column '{}' has no type; write CAST(NULL AS type)",
                    field.name
                )));
            }
            Ok(BoundTable { view: self.resolved_view(&query, &[], None)?, rel })
        })
    }

    /// The full path of a name with dots.
    ///
    /// # Errors
    /// If it is none of one to three parts, or there is no such database.
    pub fn path_of(&self, name: &str) -> Result<ObjectPath> {
        let parts: Vec<String> = name.split('.').map(str::to_owned).collect();
        let path = self.catalogs.qualify(&parts)?;
        self.catalogs.database(&path.catalog, &path.database)?;
        Ok(path)
    }

    /// Registers a temporary table. Types of computed columns and of the watermark are found out.
    ///
    /// # Errors
    /// If the name is taken, or a part of the table is wrong.
    pub fn create_temporary_table(&mut self, path: &ObjectPath, mut table: Table) -> Result<()> {
        self.is_free(path)?;
        self.check(&mut table)?;
        self.put(path.clone(), CatalogObject::Table(Arc::new(table)), true)
    }

    /// Registers a query as a temporary view.
    ///
    /// # Errors
    /// If the name is taken.
    pub fn create_temporary_view(&mut self, path: &ObjectPath, table: &BoundTable) -> Result<()> {
        self.is_free(path)?;
        self.put(path.clone(), CatalogObject::View(Arc::new(table.view.clone())), true)
    }

    fn is_free(&self, path: &ObjectPath) -> Result<()> {
        match self.exists(path, true)? {
            true => Err(Error::invalid(format!("Temporary table (or view) {path} already exists."))),
            false => Ok(()),
        }
    }

    /// Takes over the settings of the program, except for those that statements have changed.
    pub fn follow(&mut self, settings: &Configuration) {
        let own: Vec<(String, Option<String>)> = {
            let changed = |key: &&str| self.configuration.get(key) != self.initial.get(key);
            let keys = self.configuration.iter().chain(self.initial.iter()).map(|(key, _)| key);
            let value = |key: &str| (key.to_owned(), self.configuration.get(key).map(str::to_owned));
            keys.filter(changed).map(value).collect()
        };
        self.initial = settings.clone();
        self.configuration = settings.clone();
        for (key, value) in own {
            match value {
                // It was checked when it was set.
                Some(value) => drop(self.configuration.set_any(&key, &value)),
                None => self.configuration.reset(&key),
            }
        }
    }

    /// The operators of a query whose rows go to this table.
    ///
    /// # Errors
    /// If it cannot be planned, or the table cannot take its changes.
    pub fn plan_into(&self, query: &BoundTable, table: TableSpec) -> Result<PlannedPart> {
        let spec = SinkSpec {
            table,
            metadata: Schema::default(),
            overwrite: false,
            static_partition: BTreeMap::new(),
            drop_update_before: false,
        };
        self.part(&[(query.rel.clone(), SinkTarget::Table(Box::new(spec), None))])
    }

    /// The operators of INSERTs.
    ///
    /// # Errors
    /// If one of them is wrong.
    pub fn plan_inserts(&self, inserts: &[Insert]) -> Result<PlannedPart> {
        super::stack::deep(|| self.part(&self.bound_inserts(inserts)?))
    }

    fn part(&self, roots: &[(Rel, SinkTarget)]) -> Result<PlannedPart> {
        super::stack::deep(|| {
            let options = self.plan_options()?;
            let Planned { graph, targets, .. } = self.planned(roots, &options)?;
            let mut configuration = options.configuration_map();
            configuration.retain(|key, _| key.starts_with("table."));
            configuration.insert("table.local-time-zone".to_owned(), options.zone.clone());
            Ok(PlannedPart { graph, context: options.table_context(), configuration, targets })
        })
    }
}
