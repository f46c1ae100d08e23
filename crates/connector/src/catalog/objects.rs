//! What is in a catalog.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use flott_types::LogicalType;
use serde::{Deserialize, Serialize};

use super::materialized::Materialized;

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
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
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
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatermarkDef {
    /// The time column.
    pub column: String,
    /// The expression's source.
    pub text: String,
    /// The expression's type.
    pub ty: LogicalType,
}

/// PRIMARY KEY ... NOT ENFORCED
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrimaryKeyDef {
    /// The constraint's name.
    pub name: String,
    /// The columns.
    pub columns: Vec<String>,
}

/// A table.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// The partitions that ALTER TABLE ADD PARTITION has made known; a connector finds its own beyond them.
    pub partitions: Vec<TablePartition>,
    /// The query that it follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub materialized: Option<Materialized>,
}

/// A partition that a catalog knows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TablePartition {
    /// The values of the partition columns, in their order.
    pub values: Vec<(String, String)>,
    /// WITH
    pub options: BTreeMap<String, String>,
}

impl TablePartition {
    /// `day=2020-01-01/hour=5`
    pub fn name(&self) -> String {
        self.values.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("/")
    }
}

/// How rows find their bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DistributionKind {
    /// HASH
    Hash,
    /// RANGE
    Range,
}

/// DISTRIBUTED [BY [HASH | RANGE] (...)] [INTO n BUCKETS]: kept and shown; no connector writes into buckets.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

/// A model: what goes in, what comes out, and who answers.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// What goes in.
    pub input: Vec<TableColumn>,
    /// What comes out.
    pub output: Vec<TableColumn>,
    /// WITH
    pub options: BTreeMap<String, String>,
    /// COMMENT
    pub comment: Option<String>,
}

/// What a name can stand for.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum CatalogObject {
    /// A table.
    Table(Arc<Table>),
    /// A view.
    View(Arc<View>),
}

impl CatalogObject {
    /// Whether it is a materialized table.
    pub fn is_materialized(&self) -> bool {
        matches!(self, CatalogObject::Table(table) if table.materialized.is_some())
    }

    /// Whether it is a view.
    pub fn is_view(&self) -> bool {
        matches!(self, CatalogObject::View(_))
    }
}

/// A database.
#[derive(Clone, Default, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// COMMENT
    pub comment: Option<String>,
    /// WITH
    pub options: BTreeMap<String, String>,
}

/// A column that carries the time of its rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeAttribute {
    /// Event time: there is a watermark for it.
    Event,
    /// Processing time.
    Processing,
}
