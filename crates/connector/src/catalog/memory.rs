//! A catalog in memory.

use std::collections::BTreeMap;

use flott_types::{Error, Result};

use super::{Catalog, CatalogFactory, CatalogFunction, CatalogObject, DEFAULT_DATABASE, Database, Model};
use crate::{AnyOption, Manual, Options, TableOption, WithDefault};

const OPENED: TableOption<String, WithDefault> = TableOption::text(
    "default-database",
    "the database that exists from the start, and that USE CATALOG selects",
)
.or("default");

/// `generic_in_memory`
#[derive(Clone, Copy, Default, Debug)]
pub struct InMemoryCatalogFactory;

impl CatalogFactory for InMemoryCatalogFactory {
    fn name(&self) -> &'static str {
        "generic_in_memory"
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[&OPENED];
        Manual {
            summary: "Databases, tables, views, functions and models in the memory of a session.",
            details: "\
It ends with the session.
Every session starts with one: `default_catalog`.",
            example: "CREATE CATALOG lake WITH (
  'type' = 'generic_in_memory',
  'default-database' = 'main'
);",
            options: OPTIONS,
        }
    }

    fn catalog(&self, _: &str, options: &Options<'_>) -> Result<Box<dyn Catalog>> {
        let database = options.get(&OPENED)?;
        Ok(Box::new(InMemoryCatalog::new(if database.is_empty() { DEFAULT_DATABASE } else { &database })))
    }
}

/// A catalog in memory.
#[derive(Debug)]
pub struct InMemoryCatalog {
    opened: String,
    databases: BTreeMap<String, Content>,
}

#[derive(Default, Debug)]
struct Content {
    database: Database,
    objects: BTreeMap<String, CatalogObject>,
    functions: BTreeMap<String, CatalogFunction>,
    models: BTreeMap<String, Model>,
}

impl InMemoryCatalog {
    /// With one database, which it opens.
    pub fn new(database: &str) -> Self {
        let databases = BTreeMap::from([(database.to_owned(), Content::default())]);
        InMemoryCatalog { opened: database.to_owned(), databases }
    }

    fn content(&mut self, database: &str) -> Result<&mut Content> {
        self.databases.get_mut(database).ok_or_else(|| no_database(database))
    }
}

fn no_database(name: &str) -> Error {
    Error::invalid(format!("there is no database '{name}'"))
}

fn taken(name: &str) -> Error {
    Error::invalid(format!("'{name}' is there already"))
}

fn missing(name: &str) -> Error {
    Error::invalid(format!("there is no '{name}'"))
}

impl Catalog for InMemoryCatalog {
    fn default_database(&self) -> Result<String> {
        let first = || self.databases.keys().next().cloned().unwrap_or_else(|| DEFAULT_DATABASE.to_owned());
        Ok(if self.databases.contains_key(&self.opened) { self.opened.clone() } else { first() })
    }

    fn databases(&self) -> Result<Vec<String>> {
        Ok(self.databases.keys().cloned().collect())
    }

    fn database(&self, name: &str) -> Result<Option<Database>> {
        Ok(self.databases.get(name).map(|content| content.database.clone()))
    }

    fn create_database(&mut self, name: &str, database: Database) -> Result<()> {
        if self.databases.contains_key(name) {
            return Err(taken(name));
        }
        self.databases.insert(name.to_owned(), Content { database, ..Content::default() });
        Ok(())
    }

    fn alter_database(&mut self, name: &str, database: Database) -> Result<()> {
        self.content(name)?.database = database;
        Ok(())
    }

    fn drop_database(&mut self, name: &str) -> Result<()> {
        self.databases.remove(name).map(|_| ()).ok_or_else(|| no_database(name))
    }

    fn objects(&self, database: &str) -> Result<Vec<(String, bool)>> {
        let content = self.databases.get(database).ok_or_else(|| no_database(database))?;
        Ok(content.objects.iter().map(|(name, object)| (name.clone(), object.is_view())).collect())
    }

    fn object(&self, database: &str, name: &str) -> Result<Option<CatalogObject>> {
        Ok(self.databases.get(database).and_then(|content| content.objects.get(name)).cloned())
    }

    fn create_object(&mut self, database: &str, name: &str, object: CatalogObject) -> Result<()> {
        let objects = &mut self.content(database)?.objects;
        if objects.contains_key(name) {
            return Err(taken(name));
        }
        objects.insert(name.to_owned(), object);
        Ok(())
    }

    fn alter_object(&mut self, database: &str, name: &str, object: CatalogObject) -> Result<()> {
        let known = self.content(database)?.objects.get_mut(name).ok_or_else(|| missing(name))?;
        *known = object;
        Ok(())
    }

    fn drop_object(&mut self, database: &str, name: &str) -> Result<()> {
        self.content(database)?.objects.remove(name).map(|_| ()).ok_or_else(|| missing(name))
    }

    fn functions(&self, database: &str) -> Result<Vec<String>> {
        let content = self.databases.get(database).ok_or_else(|| no_database(database))?;
        Ok(content.functions.keys().cloned().collect())
    }

    fn function(&self, database: &str, name: &str) -> Result<Option<CatalogFunction>> {
        Ok(self.databases.get(database).and_then(|content| content.functions.get(name)).cloned())
    }

    fn create_function(&mut self, database: &str, name: &str, function: CatalogFunction) -> Result<()> {
        let functions = &mut self.content(database)?.functions;
        if functions.contains_key(name) {
            return Err(taken(name));
        }
        functions.insert(name.to_owned(), function);
        Ok(())
    }

    fn alter_function(&mut self, database: &str, name: &str, function: CatalogFunction) -> Result<()> {
        let known = self.content(database)?.functions.get_mut(name).ok_or_else(|| missing(name))?;
        *known = function;
        Ok(())
    }

    fn drop_function(&mut self, database: &str, name: &str) -> Result<()> {
        self.content(database)?.functions.remove(name).map(|_| ()).ok_or_else(|| missing(name))
    }
    fn models(&self, database: &str) -> Result<Vec<String>> {
        let content = self.databases.get(database).ok_or_else(|| no_database(database))?;
        Ok(content.models.keys().cloned().collect())
    }

    fn model(&self, database: &str, name: &str) -> Result<Option<Model>> {
        Ok(self.databases.get(database).and_then(|content| content.models.get(name)).cloned())
    }

    fn create_model(&mut self, database: &str, name: &str, model: Model) -> Result<()> {
        let models = &mut self.content(database)?.models;
        if models.contains_key(name) {
            return Err(taken(name));
        }
        models.insert(name.to_owned(), model);
        Ok(())
    }

    fn alter_model(&mut self, database: &str, name: &str, model: Model) -> Result<()> {
        let known = self.content(database)?.models.get_mut(name).ok_or_else(|| missing(name))?;
        *known = model;
        Ok(())
    }

    fn drop_model(&mut self, database: &str, name: &str) -> Result<()> {
        self.content(database)?.models.remove(name).map(|_| ()).ok_or_else(|| missing(name))
    }
}
