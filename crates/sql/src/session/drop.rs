//! DROP.

use flott_sql_parser::ast::{DropCatalog, DropDatabase, DropRelation};
use flott_types::{Error, Result};

use super::Session;
use crate::catalog::{CatalogObject, ObjectPath};

impl Session {
    pub(super) fn drop_relation(&mut self, drop: &DropRelation, view: bool) -> Result<()> {
        let path = self.path(&drop.name)?;
        let what = if view { "View" } else { "Table" };
        let found = if drop.temporary {
            self.catalogs.temporary.get(&path).cloned()
        } else {
            if self.catalogs.temporary.get(&path).is_some_and(|hiding| hiding.is_view() == view) {
                return Err(Error::invalid(format!(
                    "Temporary {} with identifier '{path}' exists. Drop it first before removing the permanent {}.",
                    what.to_lowercase(),
                    what.to_lowercase()
                )));
            }
            self.catalogs.permanent(&path)?
        };
        match found {
            Some(object) if object.is_view() == view && !object.is_materialized() => {}
            _ if drop.if_exists => return Ok(()),
            _ => {
                let temporary = if drop.temporary { "Temporary " } else { "" };
                return Err(Error::invalid(format!(
                    "{temporary}{what} with identifier '{path}' does not exist."
                )));
            }
        }
        self.remove(&path, drop.temporary).map(|_| ())
    }

    /// Removes an object from the catalog.
    pub(super) fn remove(&mut self, path: &ObjectPath, temporary: bool) -> Result<Option<CatalogObject>> {
        if temporary {
            return Ok(self.catalogs.temporary.remove(path));
        }
        self.catalogs.remove(path)
    }

    pub(super) fn drop_database(&mut self, drop: &DropDatabase) -> Result<()> {
        let (catalog, database) = self.database_path(&drop.name)?;
        if drop.if_exists && self.catalogs.database(&catalog, &database).is_err() {
            return Ok(());
        }
        if self.catalogs.current_catalog == catalog && self.catalogs.current_database == database {
            return Err(Error::invalid("Cannot drop a database which is currently in use."));
        }
        self.catalogs.database(&catalog, &database)?;
        let found = &mut self.catalogs.catalog_mut(&catalog)?.catalog;
        for (name, _) in found.objects(&database)? {
            if drop.cascade && found.object(&database, &name)?.is_some_and(|object| object.is_materialized())
            {
                return Err(Error::invalid(format!(
                    "The database {database} in catalog {catalog} holds the materialized table {name}, which has a job: DROP \
                     MATERIALIZED TABLE it first."
                )));
            }
        }
        let is_empty = found.objects(&database)?.is_empty() && found.functions(&database)?.is_empty();
        if !drop.cascade && !is_empty {
            return Err(Error::invalid(format!(
                "Database {database} in catalog {catalog} is not empty: drop its tables, views and functions, or add CASCADE"
            )));
        }
        found.drop_database(&database)
    }

    pub(super) fn drop_catalog(&mut self, drop: &DropCatalog) -> Result<()> {
        let name = &drop.name.value;
        if !self.catalogs.catalogs.contains_key(name) {
            return if drop.if_exists { Ok(()) } else { self.catalogs.catalog(name).map(|_| ()) };
        }
        if self.catalogs.current_catalog == *name {
            return Err(Error::invalid("Cannot drop a catalog which is currently in use."));
        }
        if let Some(store) = &mut self.store {
            store.remove(name)?;
        }
        self.catalogs.catalogs.remove(name);
        Ok(())
    }
}
