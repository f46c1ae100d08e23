//! What a program declares of a table.

use std::collections::BTreeMap;

use flott_connector::catalog::{PrimaryKeyDef, Table, TableColumn, TableColumnKind, WatermarkDef};
use flott_datastream::planned::Columns;
use flott_sql_parser::parse_type;
use flott_types::{Error, Result, TypeKind};

/// The columns of a stream that becomes a table, beyond those that its type has.
///
/// ```
/// use flott::table::Schema;
///
/// let schema = Schema::new()
///     .column_by_expression("total", "price * amount")
///     .column_by_metadata("rowtime", "TIMESTAMP_LTZ(3)", "rowtime")
///     .watermark("rowtime", "SOURCE_WATERMARK()");
/// # let _ = schema;
/// ```
///
/// Unless columns are declared with [`Schema::column`], the table has one for each field of the type.
#[derive(Clone, Default, Debug)]
pub struct Schema {
    columns: Vec<Declared>,
    watermark: Option<(String, String)>,
    primary_key: Vec<String>,
}

#[derive(Clone, Debug)]
enum Declared {
    Physical { name: String, ty: String },
    Computed { name: String, expression: String },
    Metadata { name: String, ty: String, key: String },
}

impl Schema {
    /// Nothing declared.
    pub fn new() -> Self {
        Schema::default()
    }

    fn with(mut self, column: Declared) -> Self {
        self.columns.push(column);
        self
    }

    /// A field of the type as a column of this SQL type. `TIMESTAMP_LTZ(3)` and `TIMESTAMP(3)` hold an `i64`
    /// of milliseconds since the epoch.
    #[must_use]
    pub fn column(self, field: &str, ty: &str) -> Self {
        self.with(Declared::Physical { name: field.to_owned(), ty: ty.to_owned() })
    }

    /// A column that an SQL expression over the other columns computes: `PROCTIME()`, `price * amount`.
    #[must_use]
    pub fn column_by_expression(self, name: &str, expression: &str) -> Self {
        self.with(Declared::Computed { name: name.to_owned(), expression: expression.to_owned() })
    }

    /// A column with metadata of the records; there is `rowtime`, their timestamp.
    #[must_use]
    pub fn column_by_metadata(self, name: &str, ty: &str, key: &str) -> Self {
        self.with(Declared::Metadata { name: name.to_owned(), ty: ty.to_owned(), key: key.to_owned() })
    }

    /// Makes a column event time. The watermark is an SQL expression, or `SOURCE_WATERMARK()`: the stream's
    /// own watermarks.
    #[must_use]
    pub fn watermark(self, column: &str, expression: &str) -> Self {
        Schema { watermark: Some((column.to_owned(), expression.to_owned())), ..self }
    }

    /// The columns that tell rows apart.
    #[must_use]
    pub fn primary_key<S: Into<String>>(self, columns: impl IntoIterator<Item = S>) -> Self {
        Schema { primary_key: columns.into_iter().map(Into::into).collect(), ..self }
    }

    /// The table of a stream whose type has these columns.
    pub(super) fn table(&self, own: &Columns, options: BTreeMap<String, String>) -> Result<Table> {
        let column = |name: &str, kind, ty| TableColumn { name: name.to_owned(), kind, ty, comment: None };
        let physical = |declared: &Declared| matches!(declared, Declared::Physical { .. });
        let mut columns: Vec<TableColumn> = Vec::new();
        if !self.columns.iter().any(physical) {
            columns.extend(own.iter().map(|(name, ty)| column(name, TableColumnKind::Physical, ty.clone())));
        }
        let parsed = |name: &str, ty: &str| {
            parse_type(ty).map_err(|error| Error::from(error).context(format!("the type of column '{name}'")))
        };
        for declared in &self.columns {
            columns.push(match declared {
                Declared::Physical { name, ty } => column(name, TableColumnKind::Physical, parsed(name, ty)?),
                Declared::Computed { name, expression } => {
                    // Its type is found out when the table is registered.
                    let kind = TableColumnKind::Computed { text: expression.clone() };
                    column(name, kind, TypeKind::Null.nullable())
                }
                Declared::Metadata { name, ty, key } => {
                    let kind = TableColumnKind::Metadata { key: Some(key.clone()), is_virtual: true };
                    column(name, kind, parsed(name, ty)?)
                }
            });
        }
        let watermark = self.watermark.as_ref().map(|(column, text)| WatermarkDef {
            column: column.clone(),
            text: text.clone(),
            ty: TypeKind::Null.nullable(),
        });
        let primary_key = (!self.primary_key.is_empty()).then(|| PrimaryKeyDef {
            name: format!("PK_{}", self.primary_key.join("_")),
            columns: self.primary_key.clone(),
        });
        Ok(Table { columns, watermark, primary_key, options, ..Table::default() })
    }
}
