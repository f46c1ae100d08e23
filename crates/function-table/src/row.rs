//! A row of a table, and the columns that a function reads of it.

use std::marker::PhantomData;

use arrow::array::ArrayRef;
use flott_batch::RowKind;
use flott_expr::user::SqlType;
use flott_types::{Error, LogicalType, Result, TypeKind};

/// A table that was given to a function.
#[derive(Clone, Debug)]
pub struct Table {
    /// The parameter.
    pub name: String,
    /// Its columns.
    pub columns: Vec<(String, LogicalType)>,
    /// The columns of PARTITION BY; `None` with row semantics.
    pub partition: Option<Vec<usize>>,
}

/// A column that a function reads, as a value of this type.
#[derive(Clone, PartialEq, Debug)]
pub struct Wanted {
    /// Its position in the table.
    pub column: usize,
    /// Its name.
    pub name: String,
    /// The type as which it is read.
    pub kind: TypeKind,
}

/// A column of a table, which a function resolves when it is opened ([`OpenContext::column`](crate::OpenContext::column)).
pub struct Column<T> {
    table: u32,
    /// Among the columns of the table that the function reads.
    place: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Column<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Column<T> {}

/// A column that was not resolved; reading it is an error.
impl<T> Default for Column<T> {
    fn default() -> Self {
        Column { table: u32::MAX, place: u32::MAX, of: PhantomData }
    }
}

impl<T> Column<T> {
    pub(crate) fn new(table: usize, place: usize) -> Self {
        Column { table: table as u32, place: place as u32, of: PhantomData }
    }
}

/// A row of one of the function's tables.
pub struct Row<'a> {
    pub(crate) number: usize,
    pub(crate) table: &'a Table,
    pub(crate) wanted: &'a [Wanted],
    /// By place.
    pub(crate) columns: &'a [ArrayRef],
    pub(crate) row: usize,
    pub(crate) kind: RowKind,
}

impl Row<'_> {
    /// The parameter for which the table was given.
    pub fn table(&self) -> &str {
        &self.table.name
    }

    /// How the row changes its table: an insertion, unless the parameter takes updates.
    pub fn kind(&self) -> RowKind {
        self.kind
    }

    /// The value of a column.
    ///
    /// # Errors
    /// If it is NULL and the Rust type is no `Option`; if the column is that of another table or was not resolved.
    #[inline]
    pub fn get<T: SqlType>(&self, column: Column<T>) -> Result<T> {
        let array = match self.columns.get(column.place as usize) {
            Some(array) if column.table as usize == self.number => array,
            _ => return Err(self.elsewhere(column)),
        };
        if !T::NULLABLE && array.is_null(self.row) {
            return Err(self.null(column));
        }
        T::read(array.as_ref(), self.row)
    }

    #[cold]
    fn elsewhere<T>(&self, column: Column<T>) -> Error {
        let table = &self.table.name;
        Error::invalid(match column.table {
            u32::MAX => format!(
                "a column of '{table}' is read that was not resolved; resolve it in `open`, with \
                 `self.amount = context.column(\"{table}\", \"amount\")?` for example"
            ),
            _ => format!(
                "a column of another table is read of a row of '{table}'; `row.table()` says whose row it is"
            ),
        })
    }

    #[cold]
    fn null<T>(&self, column: Column<T>) -> Error {
        let name = self.wanted.get(column.place as usize).map_or("", |wanted| wanted.name.as_str());
        Error::data(format!("the column '{name}' of '{}' is NULL; read it as an Option", self.table.name))
    }
}
