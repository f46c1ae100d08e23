//! Catalogs in memory: catalog -> database -> tables and views, and temporary objects above them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use flott_sql_parser::ast::DistributionKind;
use flott_types::{Error, LogicalType, Result};

use crate::logical::TimeAttribute;

/// The catalog that is there from the start.
pub const DEFAULT_CATALOG: &str = "default_catalog";
/// The database that is there from the start.
pub const DEFAULT_DATABASE: &str = "default_database";

/// The full name of a table or view.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ObjectPath {
    /// The catalog.
    pub catalog: String,
    /// The database.
    pub database: String,
    /// The object.
    pub object: String,
}

impl fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |name: &str| name.replace('`', "``");
        write!(f, "`{}`.`{}`.`{}`", quoted(&self.catalog), quoted(&self.database), quoted(&self.object))
    }
}

impl ObjectPath {
    /// `catalog.database.object`, as messages and plans name it.
    pub fn plain(&self) -> String {
        format!("{}.{}.{}", self.catalog, self.database, self.object)
    }
}

/// A column of a table.
#[derive(Clone, PartialEq, Debug)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Where its values come from.
    pub kind: TableColumnKind,
    /// Its type. Of a computed column: the type of its expression.
    pub ty: LogicalType,
    /// COMMENT
    pub comment: Option<String>,
}

/// Where a column's values come from.
#[derive(Clone, PartialEq, Debug)]
pub enum TableColumnKind {
    /// From the row.
    Physical,
    /// From an expression over the other columns, kept as text.
    Computed {
        /// The expression's source.
        text: String,
    },
    /// From the connector.
    Metadata {
        /// The connector's key, when it is not the column's name.
        key: Option<String>,
        /// Read only.
        is_virtual: bool,
    },
}

/// WATERMARK FOR
#[derive(Clone, PartialEq, Debug)]
pub struct WatermarkDef {
    /// The time column.
    pub column: String,
    /// The expression's source.
    pub text: String,
    /// The expression's type.
    pub ty: LogicalType,
}

/// PRIMARY KEY ... NOT ENFORCED
#[derive(Clone, PartialEq, Debug)]
pub struct PrimaryKeyDef {
    /// The constraint's name.
    pub name: String,
    /// The columns.
    pub columns: Vec<String>,
}

/// A table.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Table {
    /// The columns in declared order.
    pub columns: Vec<TableColumn>,
    /// The watermark.
    pub watermark: Option<WatermarkDef>,
    /// The primary key.
    pub primary_key: Option<PrimaryKeyDef>,
    /// The partition columns.
    pub partition_keys: Vec<String>,
    /// WITH
    pub options: BTreeMap<String, String>,
    /// COMMENT
    pub comment: Option<String>,
    /// DISTRIBUTED
    pub distribution: Option<TableDistribution>,
}

/// DISTRIBUTED [BY [HASH | RANGE] (...)] [INTO n BUCKETS]: kept and shown; no connector writes into buckets.
#[derive(Clone, PartialEq, Debug)]
pub struct TableDistribution {
    /// HASH or RANGE, if said.
    pub kind: Option<DistributionKind>,
    /// The bucket key.
    pub columns: Vec<String>,
    /// The number of buckets.
    pub buckets: Option<u64>,
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&TableColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// A view.
#[derive(Clone, PartialEq, Debug)]
pub struct View {
    /// The query's source text.
    pub text: String,
    /// The columns, renamed if the view renames them.
    pub columns: Vec<(String, LogicalType)>,
    /// Which of the columns are time attributes.
    pub times: Vec<Option<TimeAttribute>>,
    /// The query's own names of those columns, by which they are found when the tables below have got more.
    pub sources: Vec<String>,
    /// COMMENT
    pub comment: Option<String>,
    /// Where names in the query are looked up.
    pub catalog: String,
    /// Where names in the query are looked up.
    pub database: String,
}

/// What a name can stand for.
#[derive(Clone, PartialEq, Debug)]
pub enum CatalogObject {
    /// A table.
    Table(Arc<Table>),
    /// A view.
    View(Arc<View>),
}

impl CatalogObject {
    /// Whether it is a view.
    pub fn is_view(&self) -> bool {
        matches!(self, CatalogObject::View(_))
    }
}

/// A database.
#[derive(Clone, Default, Debug)]
pub struct Database {
    /// Tables and views by name.
    pub objects: BTreeMap<String, CatalogObject>,
    /// COMMENT
    pub comment: Option<String>,
    /// WITH
    pub options: BTreeMap<String, String>,
}

/// A catalog.
#[derive(Clone, Default, Debug)]
pub struct Catalog {
    /// Databases by name.
    pub databases: BTreeMap<String, Database>,
    /// COMMENT
    pub comment: Option<String>,
    /// WITH
    pub options: BTreeMap<String, String>,
}

impl Catalog {
    /// The database that USE CATALOG opens.
    pub fn default_database(&self) -> &str {
        match self.options.get("default-database").filter(|name| !name.is_empty()) {
            Some(name) => name,
            None if self.databases.contains_key(DEFAULT_DATABASE) => DEFAULT_DATABASE,
            None => self.databases.keys().next().map_or(DEFAULT_DATABASE, String::as_str),
        }
    }
}

/// All catalogs of a session, its temporary objects, and what USE chose.
#[derive(Clone, Debug)]
pub struct Catalogs {
    /// Catalogs by name.
    pub catalogs: BTreeMap<String, Catalog>,
    /// Temporary tables and views; they hide permanent ones of the same path.
    pub temporary: BTreeMap<ObjectPath, CatalogObject>,
    /// USE CATALOG
    pub current_catalog: String,
    /// USE
    pub current_database: String,
}

impl Default for Catalogs {
    fn default() -> Self {
        let databases = BTreeMap::from([(DEFAULT_DATABASE.to_owned(), Database::default())]);
        let catalog = Catalog { databases, ..Catalog::default() };
        Catalogs {
            catalogs: BTreeMap::from([(DEFAULT_CATALOG.to_owned(), catalog)]),
            temporary: BTreeMap::new(),
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
    pub fn lookup(&self, path: &ObjectPath) -> Option<&CatalogObject> {
        self.temporary.get(path).or_else(|| self.permanent(path))
    }

    /// The permanent object at a path.
    pub fn permanent(&self, path: &ObjectPath) -> Option<&CatalogObject> {
        self.catalogs.get(&path.catalog)?.databases.get(&path.database)?.objects.get(&path.object)
    }

    /// The catalog of this name.
    pub fn catalog(&self, name: &str) -> Result<&Catalog> {
        self.catalogs.get(name).ok_or_else(|| Error::invalid(format!("there is no catalog '{name}'")))
    }

    /// The database at this place.
    pub fn database(&self, catalog: &str, name: &str) -> Result<&Database> {
        self.catalog(catalog)?
            .databases
            .get(name)
            .ok_or_else(|| Error::invalid(format!("there is no database '{name}' in catalog '{catalog}'")))
    }

    /// The database at this place, to change it.
    pub fn database_mut(&mut self, catalog: &str, name: &str) -> Result<&mut Database> {
        self.catalogs
            .get_mut(catalog)
            .ok_or_else(|| Error::invalid(format!("there is no catalog '{catalog}'")))?
            .databases
            .get_mut(name)
            .ok_or_else(|| Error::invalid(format!("there is no database '{name}' in catalog '{catalog}'")))
    }
}
