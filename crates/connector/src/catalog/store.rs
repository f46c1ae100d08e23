//! Which catalogs there are, kept outside of a session.

use std::collections::BTreeMap;
use std::fmt;

use flott_types::Result;
use serde::{Deserialize, Serialize};

/// What CREATE CATALOG said of a catalog.
#[derive(Clone, Default, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogDescription {
    /// WITH
    pub options: BTreeMap<String, String>,
    /// COMMENT
    pub comment: Option<String>,
}

/// Keeps the descriptions of catalogs, so that another session has the same ones. What is in a catalog is the catalog's own.
pub trait CatalogStore: Send + Sync + fmt::Debug {
    /// All descriptions by name.
    ///
    /// # Errors
    /// If the store cannot be reached or read; so do all calls.
    fn catalogs(&self) -> Result<BTreeMap<String, CatalogDescription>>;

    /// Keeps a new description.
    ///
    /// # Errors
    /// If there is one of this name.
    fn create(&mut self, name: &str, description: &CatalogDescription) -> Result<()>;

    /// Keeps a description in place of the one of the same name.
    fn alter(&mut self, name: &str, description: &CatalogDescription) -> Result<()>;

    /// Removes a description, if there is one.
    fn remove(&mut self, name: &str) -> Result<()>;
}
