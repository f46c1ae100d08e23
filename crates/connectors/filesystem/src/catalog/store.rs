//! A catalog store in a folder: a file for each catalog, `<folder>/<catalog>.json`.

use std::collections::BTreeMap;
use std::fmt;

use flott_connector::catalog::{CatalogDescription, CatalogStore};
use flott_storage::{Folder, block_on};
use flott_types::{Error, Result};

use super::files::{create, file_of, named, read, replace};

/// `table.catalog-store.kind` = `file`
pub struct FileCatalogStore {
    folder: Folder,
}

impl FileCatalogStore {
    /// The store in this folder, which is created if there is none.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn open(path: &str) -> Result<Self> {
        Ok(FileCatalogStore { folder: Folder::create(path)? })
    }
}

impl fmt::Debug for FileCatalogStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileCatalogStore").field("folder", &self.folder.url()).finish_non_exhaustive()
    }
}

impl CatalogStore for FileCatalogStore {
    fn catalogs(&self) -> Result<BTreeMap<String, CatalogDescription>> {
        let mut found = BTreeMap::new();
        for file in block_on(self.folder.list())?.files {
            let Some(name) = named(&file) else { continue };
            if let Some(description) = read(&self.folder, &file)? {
                found.insert(name, description);
            }
        }
        Ok(found)
    }

    fn create(&mut self, name: &str, description: &CatalogDescription) -> Result<()> {
        match create(&self.folder, &file_of(name), description)? {
            true => Ok(()),
            false => Err(Error::invalid(format!(
                "another session has created the catalog '{name}' in the catalog store"
            ))),
        }
    }

    fn alter(&mut self, name: &str, description: &CatalogDescription) -> Result<()> {
        replace(&self.folder, &file_of(name), description)
    }

    fn remove(&mut self, name: &str) -> Result<()> {
        block_on(self.folder.delete(&file_of(name)))
    }
}
