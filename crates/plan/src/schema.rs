//! Named, typed columns.

use flott_types::LogicalType;
use serde::{Deserialize, Serialize};

/// A column.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name, case preserved.
    pub name: String,
    /// Its type.
    pub ty: LogicalType,
}

/// The columns of a stream or table.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema {
    /// In order.
    pub columns: Vec<Column>,
}

impl Schema {
    /// From names and types.
    pub fn new<N: Into<String>>(columns: impl IntoIterator<Item = (N, LogicalType)>) -> Self {
        let columns = columns.into_iter().map(|(name, ty)| Column { name: name.into(), ty }).collect();
        Schema { columns }
    }

    /// The number of columns.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there are no columns.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The position of the column with this exact name.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Names and types, as `flott_batch::arrow_type::schema` takes them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &LogicalType)> {
        self.columns.iter().map(|column| (column.name.as_str(), &column.ty))
    }
}
