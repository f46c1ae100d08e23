//! Catalogs: databases with tables, views and functions, kept by a session or by an external service.
//!
//! A [`CatalogFactory`] is found by the name in `CREATE CATALOG c WITH ('type' = '...')` and creates a
//! [`Catalog`]. Every session starts with one in memory ([`InMemoryCatalog`]).
//!
//! A catalog stores objects and functions and lists them. The meaning of statements (`IF NOT EXISTS`, temporary objects,
//! the current database) is up to the session, which checks before it changes something. A catalog that
//! others change too refuses changes that have become invalid: creating an object that exists, changing or
//! dropping one that does not.
//!
//! Calls may wait for an external service: they are made while a statement is planned, and never while a job
//! runs.

mod functions;
mod materialized;
mod memory;
mod objects;
mod store;

use std::fmt;

use flott_types::Result;

pub use functions::{CatalogFunction, FunctionLanguage, FunctionResource, FunctionResourceKind};
pub use materialized::{Freshness, FreshnessUnit, Materialized, MaterializedMode, MaterializedStatus};
pub use memory::{InMemoryCatalog, InMemoryCatalogFactory};
pub use objects::{
    CatalogObject, Database, DistributionKind, Model, ObjectPath, PrimaryKeyDef, Table, TableColumn,
    TableColumnKind, TableDistribution, TablePartition, TimeAttribute, View, WatermarkDef,
};

pub use store::{CatalogDescription, CatalogStore};

use crate::{Manual, Options};

/// The database that a catalog opens unless it says another.
pub const DEFAULT_DATABASE: &str = "default_database";

/// Makes catalogs.
pub trait CatalogFactory: Send + Sync {
    /// The name in `'type' = '...'`.
    fn name(&self) -> &'static str;

    /// What it says of itself, with the list of its options.
    fn manual(&self) -> Manual;

    /// The catalog of this name: with what its options say, which are read by the keys of the manual.
    ///
    /// # Errors
    /// What is wrong with the options, or if there is no way to the catalog.
    fn catalog(&self, name: &str, options: &Options<'_>) -> Result<Box<dyn Catalog>>;
}

/// Databases with tables, views and functions.
pub trait Catalog: Send + Sync + fmt::Debug {
    /// The database that USE CATALOG opens.
    ///
    /// # Errors
    /// If the catalog cannot be reached; so do all calls.
    fn default_database(&self) -> Result<String>;

    /// The names of the databases, sorted.
    fn databases(&self) -> Result<Vec<String>>;

    /// The database of this name, if there is one.
    fn database(&self, name: &str) -> Result<Option<Database>>;

    /// A database that was not there.
    fn create_database(&mut self, name: &str, database: Database) -> Result<()>;

    /// The description of a database has changed.
    fn alter_database(&mut self, name: &str, database: Database) -> Result<()>;

    /// A database goes, with all that is in it.
    fn drop_database(&mut self, name: &str) -> Result<()>;

    /// The names of tables and views in a database, sorted; with whether each is a view.
    fn objects(&self, database: &str) -> Result<Vec<(String, bool)>>;

    /// The table or view of this name, if there is one. Nothing is in a database that there is not.
    fn object(&self, database: &str, name: &str) -> Result<Option<CatalogObject>>;

    /// A table or view of a name that was free.
    fn create_object(&mut self, database: &str, name: &str, object: CatalogObject) -> Result<()>;

    /// A table or view has changed.
    fn alter_object(&mut self, database: &str, name: &str, object: CatalogObject) -> Result<()>;

    /// A table or view goes.
    fn drop_object(&mut self, database: &str, name: &str) -> Result<()>;

    /// The names of the functions in a database, sorted. A function may have the name of a table.
    fn functions(&self, database: &str) -> Result<Vec<String>>;

    /// The function of this name, if there is one. Nothing is in a database that there is not.
    fn function(&self, database: &str, name: &str) -> Result<Option<CatalogFunction>>;

    /// A function of a name that was free.
    fn create_function(&mut self, database: &str, name: &str, function: CatalogFunction) -> Result<()>;

    /// A function has changed.
    fn alter_function(&mut self, database: &str, name: &str, function: CatalogFunction) -> Result<()>;

    /// A function goes.
    fn drop_function(&mut self, database: &str, name: &str) -> Result<()>;

    /// The names of the models in a database, sorted. A model may have the name of a table.
    fn models(&self, database: &str) -> Result<Vec<String>>;

    /// The model of this name, if there is one. Nothing is in a database that there is not.
    fn model(&self, database: &str, name: &str) -> Result<Option<Model>>;

    /// A model of a name that was free.
    fn create_model(&mut self, database: &str, name: &str, model: Model) -> Result<()>;

    /// A model has changed.
    fn alter_model(&mut self, database: &str, name: &str, model: Model) -> Result<()>;

    /// A model goes.
    fn drop_model(&mut self, database: &str, name: &str) -> Result<()>;
}
