//! ALTER TABLE, VIEW, DATABASE, CATALOG. Running jobs are not affected, as in Flink.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_sql_parser::ast::{
    AlterCatalog, AlterCatalogOperation, AlterDatabase, AlterTable, AlterTableOperation, AlterView,
    AlterViewOperation, ColumnPlace, Ident, ObjectName, PartitionValue, SchemaChange,
};
use flott_types::{Error, Result};

use super::Session;
use super::create::{
    declared_column, last_part, options_map, primary_key_def, table_distribution, watermark_def,
};
use super::query::partition_values;
use crate::catalog::{
    CatalogDescription, CatalogObject, DEFAULT_CATALOG, ObjectPath, Table, TableColumnKind, TablePartition,
};

impl Session {
    pub(super) fn alter_table(&mut self, alter: &AlterTable) -> Result<()> {
        let path = self.path(&alter.name)?;
        let temporary = self.catalogs.temporary.contains_key(&path);
        let table = match self.catalogs.lookup(&path)? {
            Some(CatalogObject::Table(table)) if table.materialized.is_some() => {
                return Err(Error::invalid(format!(
                    "ALTER TABLE for a materialized table is not allowed: {path} at {}",
                    alter.position
                )));
            }
            Some(CatalogObject::Table(table)) => Table::clone(&table),
            Some(CatalogObject::View(_)) => {
                return Err(Error::invalid(format!(
                    "ALTER TABLE for a view is not allowed: {path} at {}",
                    alter.position
                )));
            }
            None if alter.if_exists => return Ok(()),
            None => {
                return Err(Error::invalid(format!(
                    "Table {path} doesn't exist or is a temporary table, at {}",
                    alter.position
                )));
            }
        };
        if let AlterTableOperation::RenameTo(name) = &alter.operation {
            return self.rename(&path, name, temporary);
        }
        let mut changed = table;
        change(&mut changed, &alter.operation)
            .map_err(|error| error.context(format!("Failed to execute ALTER TABLE at {}", alter.position)))?;
        self.check(&mut changed)?;
        self.put(path, CatalogObject::Table(Arc::new(changed)), temporary)
    }

    fn rename(&mut self, path: &ObjectPath, name: &ObjectName, temporary: bool) -> Result<()> {
        let target = ObjectPath { object: last_part(name), ..path.clone() };
        if self.exists(&target, temporary)? {
            return Err(Error::invalid(format!("Table (or view) {target} already exists.")));
        }
        match self.remove(path, temporary)? {
            Some(object) => self.put(target, object, temporary),
            None => Ok(()),
        }
    }

    pub(super) fn alter_view(&mut self, alter: &AlterView) -> Result<()> {
        let path = self.path(&alter.name)?;
        let temporary = self.catalogs.temporary.contains_key(&path);
        let comment = match self.catalogs.lookup(&path)? {
            Some(CatalogObject::View(view)) => view.comment.clone(),
            Some(CatalogObject::Table(_)) => {
                return Err(Error::invalid(format!("ALTER VIEW for a table is not allowed: {path}")));
            }
            None => return Err(Error::invalid(format!("View {path} doesn't exist."))),
        };
        match &alter.operation {
            AlterViewOperation::RenameTo(name) => self.rename(&path, name, temporary),
            AlterViewOperation::As(query) => {
                let view = self.resolved_view(query, &[], comment)?;
                self.put(path, CatalogObject::View(Arc::new(view)), temporary)
            }
        }
    }

    pub(super) fn alter_database(&mut self, alter: &AlterDatabase) -> Result<()> {
        let (catalog, database) = self.database_path(&alter.name)?;
        let options = options_map(&alter.options);
        let mut changed = self.catalogs.database(&catalog, &database)?;
        changed.options.extend(options);
        self.catalogs.catalog_mut(&catalog)?.catalog.alter_database(&database, changed)
    }

    pub(super) fn alter_catalog(&mut self, alter: &AlterCatalog) -> Result<()> {
        let name = &alter.name.value;
        let catalog = self.catalogs.catalog(name)?;
        let (mut options, mut comment) = (catalog.options.clone(), catalog.comment.clone());
        match &alter.operation {
            AlterCatalogOperation::Set(set) => options.extend(options_map(set)),
            AlterCatalogOperation::Reset(keys) => {
                for key in keys {
                    if key.value == "type" {
                        return Err(Error::invalid("ALTER CATALOG RESET does not support changing 'type'."));
                    }
                    options.remove(&key.value);
                }
            }
            AlterCatalogOperation::Comment(text) => comment = Some(text.value.clone()),
        }
        // The default catalog is not in the store.
        if let Some(store) = self.store.as_mut().filter(|_| name != DEFAULT_CATALOG) {
            // A catalog that the next session could not open is not stored.
            self.connectors.catalog(name, &options)?;
            store.alter(name, &CatalogDescription { options: options.clone(), comment: comment.clone() })?;
        }
        let catalog = self.catalogs.catalog_mut(name)?;
        (catalog.options, catalog.comment) = (options, comment);
        Ok(())
    }
}

fn change(table: &mut Table, operation: &AlterTableOperation) -> Result<()> {
    match operation {
        AlterTableOperation::RenameTo(_) => Ok(()),
        AlterTableOperation::RenameColumn { from, to } => rename_column(table, single(from)?, &to.value),
        AlterTableOperation::Set(options) => {
            table.options.extend(options_map(options));
            Ok(())
        }
        AlterTableOperation::Reset(keys) => {
            for key in keys {
                if key.value == "connector" {
                    return Err(Error::invalid("ALTER TABLE RESET does not support changing 'connector'."));
                }
                table.options.remove(&key.value);
            }
            Ok(())
        }
        AlterTableOperation::Add(added) => add(table, added),
        AlterTableOperation::Modify(modified) => modify(table, modified),
        AlterTableOperation::DropColumns(columns) => {
            let names = columns.iter().map(|column| single(column)).collect::<Result<Vec<_>>>()?;
            drop_columns(table, &names)
        }
        AlterTableOperation::DropWatermark => match table.watermark.take() {
            Some(_) => Ok(()),
            None => Err(Error::invalid("The base table does not define any watermark strategy.")),
        },
        AlterTableOperation::DropPrimaryKey => match table.primary_key.take() {
            Some(_) => Ok(()),
            None => Err(Error::invalid("The base table does not define any primary key.")),
        },
        AlterTableOperation::DropConstraint(name) => match &table.primary_key {
            Some(key) if key.name == name.value => {
                table.primary_key = None;
                Ok(())
            }
            _ => Err(Error::invalid(format!(
                "The base table does not define a constraint named '{}'.",
                name.value
            ))),
        },
        AlterTableOperation::DropDistribution => match table.distribution.take() {
            Some(_) => Ok(()),
            None => Err(Error::invalid("The base table does not define any distribution.")),
        },
        AlterTableOperation::AddPartitions { if_not_exists, partitions } => {
            partitions.iter().try_for_each(|(values, options)| {
                let values = whole_partition(table, values)?;
                let partition = TablePartition { values, options: options_map(options) };
                let known = table.partitions.iter().any(|other| other.values == partition.values);
                match known {
                    false => table.partitions.push(partition),
                    true if *if_not_exists => {}
                    true => {
                        return Err(Error::invalid(format!(
                            "Partition {} already exists.",
                            partition.name()
                        )));
                    }
                }
                Ok(())
            })
        }
        AlterTableOperation::DropPartitions { if_exists, partitions } => {
            partitions.iter().try_for_each(|values| {
                let partition =
                    TablePartition { values: whole_partition(table, values)?, options: BTreeMap::new() };
                let before = table.partitions.len();
                table.partitions.retain(|other| other.values != partition.values);
                match before == table.partitions.len() && !if_exists {
                    true => Err(Error::invalid(format!("Partition {} does not exist.", partition.name()))),
                    false => Ok(()),
                }
            })
        }
    }
}

/// A value for each partition column, in order.
fn whole_partition(table: &Table, values: &[PartitionValue]) -> Result<Vec<(String, String)>> {
    if table.partition_keys.is_empty() {
        return Err(Error::invalid("the table is not partitioned"));
    }
    let given = partition_values(values, table)?;
    let value_of = |key: &String| {
        let found = given.iter().find(|(name, _)| name == key);
        found.cloned().ok_or_else(|| Error::invalid(format!("PARTITION lacks a value for '{key}'")))
    };
    table.partition_keys.iter().map(value_of).collect()
}

fn single(path: &[Ident]) -> Result<&str> {
    match path {
        [name] => Ok(&name.value),
        _ => Err(Error::unsupported("ALTER of a nested field is not supported")),
    }
}

fn add(table: &mut Table, added: &SchemaChange) -> Result<()> {
    if let Some(distribution) = &added.distribution {
        if table.distribution.is_some() {
            return Err(Error::invalid(
                "The base table has already defined a distribution. You can modify it or drop it before adding a new one.",
            ));
        }
        table.distribution = Some(table_distribution(distribution));
    }
    for (column, place) in &added.columns {
        let column = declared_column(column);
        if table.column(&column.name).is_some() {
            return Err(Error::invalid(format!(
                "Try to add a column '{}' which already exists in the table.",
                column.name
            )));
        }
        let at = place_of(table, place.as_ref())?.unwrap_or(table.columns.len());
        table.columns.insert(at, column);
    }
    if let Some(watermark) = &added.watermark {
        if table.watermark.is_some() {
            return Err(Error::invalid(
                "The base table has already defined the watermark strategy. Use ALTER TABLE MODIFY.",
            ));
        }
        table.watermark = Some(watermark_def(watermark)?);
    }
    if let Some(key) = &added.primary_key {
        if table.primary_key.is_some() {
            return Err(Error::invalid(
                "The base table has already defined the primary key. Use ALTER TABLE MODIFY.",
            ));
        }
        table.primary_key = Some(primary_key_def(key));
    }
    Ok(())
}

fn modify(table: &mut Table, modified: &SchemaChange) -> Result<()> {
    if let Some(distribution) = &modified.distribution {
        if table.distribution.is_none() {
            return Err(Error::invalid(
                "The base table does not define any distribution. You might want to add a new one.",
            ));
        }
        table.distribution = Some(table_distribution(distribution));
    }
    for (column, place) in &modified.columns {
        let column = declared_column(column);
        let Some(index) = table.columns.iter().position(|known| known.name == column.name) else {
            return Err(Error::invalid(format!(
                "Try to modify a column '{}' which does not exist in the table.",
                column.name
            )));
        };
        let comment = column.comment.clone().or_else(|| table.columns[index].comment.clone());
        table.columns.remove(index);
        let at = place_of(table, place.as_ref())?.unwrap_or(index);
        table.columns.insert(at, crate::catalog::TableColumn { comment, ..column });
    }
    if let Some(watermark) = &modified.watermark {
        if table.watermark.is_none() {
            return Err(Error::invalid("The base table does not define any watermark. Use ALTER TABLE ADD."));
        }
        table.watermark = Some(watermark_def(watermark)?);
    }
    if let Some(key) = &modified.primary_key {
        if table.primary_key.is_none() {
            return Err(Error::invalid(
                "The base table does not define any primary key. Use ALTER TABLE ADD.",
            ));
        }
        table.primary_key = Some(primary_key_def(key));
    }
    Ok(())
}

fn place_of(table: &Table, place: Option<&ColumnPlace>) -> Result<Option<usize>> {
    match place {
        None => Ok(None),
        Some(ColumnPlace::First) => Ok(Some(0)),
        Some(ColumnPlace::After(name)) => {
            match table.columns.iter().position(|column| column.name == name.value) {
                Some(index) => Ok(Some(index + 1)),
                None => Err(Error::invalid(format!(
                    "Referenced column '{}' by 'AFTER' does not exist in the table.",
                    name.value
                ))),
            }
        }
    }
}

/// Other parts of the table that use a column.
fn users_of(table: &Table, name: &str) -> Option<String> {
    if table
        .watermark
        .as_ref()
        .is_some_and(|watermark| watermark.column == name || mentions(&watermark.text, name))
    {
        return Some("the watermark".to_owned());
    }
    if table.primary_key.as_ref().is_some_and(|key| key.columns.iter().any(|column| column == name)) {
        return Some("the primary key".to_owned());
    }
    if table.partition_keys.iter().any(|column| column == name) {
        return Some("the partition keys".to_owned());
    }
    table.columns.iter().find_map(|column| match &column.kind {
        TableColumnKind::Computed { text } if column.name != name && mentions(text, name) => {
            Some(format!("the computed column '{}'", column.name))
        }
        _ => None,
    })
}

/// Whether an expression's text contains the name as a word.
fn mentions(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let before = text[..at].chars().next_back().is_some_and(is_word);
        let after = text[at + name.len()..].chars().next().is_some_and(is_word);
        !before && !after
    })
}

fn rename_column(table: &mut Table, from: &str, to: &str) -> Result<()> {
    if table.column(to).is_some() {
        return Err(Error::invalid(format!("The column '{to}' already existed in table schema.")));
    }
    if let Some(user) =
        users_of(table, from).filter(|user| user.starts_with("the computed") || user == "the watermark")
    {
        return Err(Error::invalid(format!("The column '{from}' is referenced by {user}.")));
    }
    let Some(column) = table.columns.iter_mut().find(|column| column.name == from) else {
        return Err(Error::invalid(format!("The column '{from}' does not exist in the base table.")));
    };
    to.clone_into(&mut column.name);
    let keys = table.primary_key.iter_mut().flat_map(|key| &mut key.columns).chain(&mut table.partition_keys);
    for key in keys.filter(|key| *key == from) {
        to.clone_into(key);
    }
    Ok(())
}

/// Drops columns together, so that a column can be dropped with those computed from it.
fn drop_columns(table: &mut Table, names: &[&str]) -> Result<()> {
    let mut left = table.clone();
    left.columns.retain(|column| !names.contains(&column.name.as_str()));
    for (index, name) in names.iter().enumerate() {
        if table.column(name).is_none() {
            return Err(Error::invalid(format!("The column '{name}' does not exist in the base table.")));
        }
        if names[..index].contains(name) {
            return Err(Error::invalid(format!("Duplicate column '{name}' in DROP.")));
        }
        if let Some(user) = users_of(&left, name) {
            return Err(Error::invalid(format!("The column '{name}' is referenced by {user}.")));
        }
    }
    if left.columns.is_empty() {
        return Err(Error::invalid("a table keeps at least one column"));
    }
    *table = left;
    Ok(())
}
