//! The catalogs of a session: the registered ones, temporary objects on top of them, and the current ones
//! (USE).

use std::collections::BTreeMap;

use flott_connector::catalog::Catalog;
use flott_expr::user::FunctionName;
use flott_types::{Error, Result};

pub use flott_connector::catalog::{
    CatalogDescription, CatalogFunction, CatalogObject, CatalogStore, DEFAULT_DATABASE, Database,
    DistributionKind, Freshness, FreshnessUnit, FunctionLanguage, FunctionResource, FunctionResourceKind,
    InMemoryCatalog, Materialized, MaterializedMode, MaterializedStatus, Model, ObjectPath, PrimaryKeyDef,
    Table, TableColumn, TableColumnKind, TableDistribution, TablePartition, View, WatermarkDef,
};

/// The catalog that always exists.
pub const DEFAULT_CATALOG: &str = "default_catalog";

/// A catalog, and its properties in the session.
#[derive(Debug)]
pub struct NamedCatalog {
    /// What is in it.
    pub catalog: Box<dyn Catalog>,
    /// COMMENT
    pub comment: Option<String>,
    /// WITH
    pub options: BTreeMap<String, String>,
}

/// All catalogs of a session, its temporary objects, and what USE chose.
#[derive(Debug)]
pub struct Catalogs {
    /// Catalogs by name.
    pub catalogs: BTreeMap<String, NamedCatalog>,
    /// Temporary tables and views; they hide permanent ones of the same path.
    pub temporary: BTreeMap<ObjectPath, CatalogObject>,
    /// Temporary functions that statements have created; they hide permanent ones of the same name.
    pub temporary_functions: BTreeMap<FunctionName, CatalogFunction>,
    /// Temporary models; they hide permanent ones of the same path.
    pub temporary_models: BTreeMap<ObjectPath, Model>,
    /// USE CATALOG
    pub current_catalog: String,
    /// USE
    pub current_database: String,
}

impl Default for Catalogs {
    fn default() -> Self {
        let catalog = Box::new(InMemoryCatalog::new(DEFAULT_DATABASE));
        let catalog = NamedCatalog { catalog, comment: None, options: BTreeMap::new() };
        Catalogs {
            catalogs: BTreeMap::from([(DEFAULT_CATALOG.to_owned(), catalog)]),
            temporary: BTreeMap::new(),
            temporary_functions: BTreeMap::new(),
            temporary_models: BTreeMap::new(),
            current_catalog: DEFAULT_CATALOG.to_owned(),
            current_database: DEFAULT_DATABASE.to_owned(),
        }
    }
}

impl Catalogs {
    /// The full path of a name of one to three parts.
    pub fn qualify(&self, parts: &[String]) -> Result<ObjectPath> {
        let (catalog, database, object) = match parts {
            [object] => (&self.current_catalog, &self.current_database, object),
            [database, object] => (&self.current_catalog, database, object),
            [catalog, database, object] => (catalog, database, object),
            _ => {
                return Err(Error::invalid(format!(
                    "'{}' is not a name of one to three parts",
                    parts.join(".")
                )));
            }
        };
        Ok(ObjectPath { catalog: catalog.clone(), database: database.clone(), object: object.clone() })
    }

    /// The object at a path, temporary ones first.
    pub fn lookup(&self, path: &ObjectPath) -> Result<Option<CatalogObject>> {
        match self.temporary.get(path) {
            Some(object) => Ok(Some(object.clone())),
            None => self.permanent(path),
        }
    }

    /// The model at a path, temporary ones first.
    pub fn model(&self, path: &ObjectPath) -> Result<Option<Model>> {
        match (self.temporary_models.get(path), self.catalogs.get(&path.catalog)) {
            (Some(model), _) => Ok(Some(model.clone())),
            (None, Some(named)) => named.catalog.model(&path.database, &path.object),
            (None, None) => Ok(None),
        }
    }

    /// The permanent object at a path.
    pub fn permanent(&self, path: &ObjectPath) -> Result<Option<CatalogObject>> {
        match self.catalogs.get(&path.catalog) {
            Some(named) => named.catalog.object(&path.database, &path.object),
            None => Ok(None),
        }
    }

    /// The permanent function of this name.
    pub fn function(&self, name: &FunctionName) -> Result<Option<CatalogFunction>> {
        match name {
            FunctionName::System(_) => Ok(None),
            FunctionName::Catalog(catalog, database, name) => match self.catalogs.get(catalog) {
                Some(named) => named.catalog.function(database, name),
                None => Ok(None),
            },
        }
    }

    /// The catalog of this name.
    pub fn catalog(&self, name: &str) -> Result<&NamedCatalog> {
        self.catalogs.get(name).ok_or_else(|| no_catalog(name))
    }

    /// The catalog of this name, to change it.
    pub fn catalog_mut(&mut self, name: &str) -> Result<&mut NamedCatalog> {
        self.catalogs.get_mut(name).ok_or_else(|| no_catalog(name))
    }

    /// The database at this place.
    pub fn database(&self, catalog: &str, name: &str) -> Result<Database> {
        let found = self.catalog(catalog)?.catalog.database(name)?;
        found.ok_or_else(|| Error::invalid(format!("there is no database '{name}' in catalog '{catalog}'")))
    }

    /// Stores an object, replacing an existing one.
    pub fn put(&mut self, path: &ObjectPath, object: CatalogObject) -> Result<()> {
        self.database(&path.catalog, &path.database)?;
        let exists = self.permanent(path)?.is_some();
        let catalog = &mut self.catalog_mut(&path.catalog)?.catalog;
        match exists {
            true => catalog.alter_object(&path.database, &path.object, object),
            false => catalog.create_object(&path.database, &path.object, object),
        }
    }

    /// Removes an object, if it exists.
    pub fn remove(&mut self, path: &ObjectPath) -> Result<Option<CatalogObject>> {
        self.database(&path.catalog, &path.database)?;
        let found = self.permanent(path)?;
        if found.is_some() {
            self.catalog_mut(&path.catalog)?.catalog.drop_object(&path.database, &path.object)?;
        }
        Ok(found)
    }
}

fn no_catalog(name: &str) -> Error {
    Error::invalid(format!("there is no catalog '{name}'"))
}
