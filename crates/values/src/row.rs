//! Values of a type as rows of a table, and rows as values.
//!
//! A struct has a column for each field, a tuple the columns `f0`, `f1`, ..., and any other type one column,
//! `f0`. What the columns of a snapshot can hold and those of a table cannot, is held by the next wider type:
//!
//! | type | column |
//! |---|---|
//! | `bool`, `i8`, `i16`, `i32`, `i64`, `f32`, `f64` | BOOLEAN, TINYINT, SMALLINT, INT, BIGINT, FLOAT, DOUBLE |
//! | `u8`, `u16`, `u32`, `u64` | SMALLINT, INT, BIGINT, DECIMAL(20, 0) |
//! | `String` and what serialises as text, enums without data | STRING |
//! | bytes (`serde_bytes`) | BYTES |
//! | sequences, maps, structs and tuples | ARRAY, MAP, ROW |
//! | what only its data tells | STRING: JSON |
//!
//! The other way round a table may have other types than these: numbers are read as any type of number that
//! they fit into, points in time as milliseconds since the epoch by integers, and everything as text.

mod convert;

use std::any::type_name;
use std::fmt::Display;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use flott_batch::arrow_type;
use flott_types::{Error, LogicalType, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use self::convert::{from_table, written};
use crate::read::Reader;
use crate::shape::{Kind, Shape, tuple_field};
use crate::trace::trace;
use crate::write::Column;

/// Turns values of a type into rows of a table, and rows of a table into values.
///
/// ```
/// use flott_values::RowCodec;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, PartialEq, Debug)]
/// struct Payment {
///     user: String,
///     cents: u32,
/// }
///
/// let codec = RowCodec::<Payment>::new()?;
/// let columns: Vec<String> = codec.columns().iter().map(|(name, ty)| format!("{name} {ty}")).collect();
/// assert_eq!(columns, ["user STRING", "cents BIGINT"]);
/// let payments = [Payment { user: "ann".to_owned(), cents: 7 }];
/// let rows = codec.encode(&payments)?;
/// assert_eq!(codec.reader(codec.columns())?.read(&rows)?, payments);
/// # Ok::<(), flott_types::Error>(())
/// ```
pub struct RowCodec<T> {
    /// Of a struct or tuple.
    shape: Shape,
    /// The type is a value of one column, which the shape wraps.
    is_single: bool,
    columns: Vec<(String, LogicalType)>,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for RowCodec<T> {
    fn clone(&self) -> Self {
        let (shape, columns) = (self.shape.clone(), self.columns.clone());
        RowCodec { shape, is_single: self.is_single, columns, of: PhantomData }
    }
}

impl<T: Serialize + DeserializeOwned> RowCodec<T> {
    /// Asks the type for its columns.
    ///
    /// # Errors
    /// If a part of the type has no column: `()`, or an `Option` within an `Option`.
    pub fn new() -> Result<Self> {
        let (shape, _) = trace::<T>()?;
        let is_single = !matches!(shape.kind, Kind::Struct(_) | Kind::Tuple(_)) || shape.optional;
        let shape = match is_single {
            true => Shape { kind: Kind::Tuple(vec![shape]), optional: false },
            false => shape,
        };
        let columns = convert::columns(&shape).map_err(|part| {
            Error::unsupported(format!(
                "the type {} cannot be the row of a table: its part '{part}' holds nothing",
                type_name::<T>()
            ))
        })?;
        Ok(RowCodec { shape, is_single, columns, of: PhantomData })
    }

    /// Names and types of the columns that [`RowCodec::encode`] writes.
    pub fn columns(&self) -> &[(String, LogicalType)] {
        &self.columns
    }

    /// The rows of the values.
    ///
    /// # Errors
    /// A value that would not come back unchanged.
    pub fn encode(&self, values: &[T]) -> Result<RecordBatch> {
        let columns = self.columns.iter().enumerate().map(|(at, (_, ty))| (at, ty));
        let schema = arrow_type::schema(self.columns.iter().map(|(name, ty)| (name.as_str(), ty)));
        self.rows(values, columns, schema)
    }

    /// What writes values into rows with these columns, each of which is a field of the type. A point in time
    /// may be written from an `i64` of milliseconds since the epoch, and a number as a wider one.
    ///
    /// # Errors
    /// If there is no field of a column's name, or the column cannot hold it.
    pub fn writer(&self, columns: &[(String, LogicalType)]) -> Result<RowWriter<T>> {
        let mut picks = Vec::with_capacity(columns.len());
        for (name, ty) in columns {
            let Some(at) = self.columns.iter().position(|(own, _)| own == name) else {
                let own: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
                return Err(Error::invalid(format!(
                    "the column '{name}' is no field of {}; there are: {}",
                    type_name::<T>(),
                    own.join(", ")
                )));
            };
            convert::check_written(&self.columns[at].1, ty).map_err(|why| {
                Error::invalid(format!(
                    "column '{name}' cannot hold the field of {}: {why}",
                    type_name::<T>()
                ))
            })?;
            picks.push((at, ty.clone()));
        }
        let schema = arrow_type::schema(columns.iter().map(|(name, ty)| (name.as_str(), ty)));
        Ok(RowWriter { codec: self.clone(), picks, schema })
    }

    fn rows<'a>(
        &self,
        values: &[T],
        picks: impl Iterator<Item = (usize, &'a LogicalType)>,
        schema: SchemaRef,
    ) -> Result<RecordBatch> {
        let failed = |why: &dyn Display| {
            Error::unsupported(format!("a value of {} cannot be the row of a table: {why}", type_name::<T>()))
        };
        let mut column = Column::new(&self.shape, values.len());
        for value in values {
            match self.is_single {
                true => (value,).serialize(&mut column),
                false => value.serialize(&mut column),
            }
            .map_err(|error| failed(&error))?;
        }
        let rows = column.finish().map_err(|error| failed(&error))?;
        let rows = rows.as_struct();
        let column = |(at, ty): (usize, &LogicalType)| {
            let (_, own) = &self.columns[at];
            written(rows.column(at), own, ty).map_err(|error| failed(&error))
        };
        let arrays = picks.map(column).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(values.len()));
        RecordBatch::try_new_with_options(schema, arrays, &options).map_err(|error| failed(&error))
    }

    /// The columns that no field reads, by position, and the fields that are not read from any column and
    /// cannot be left out.
    pub fn unmatched(&self, columns: &[(String, LogicalType)]) -> (Vec<usize>, Vec<&'static str>) {
        let Kind::Struct(members) = &self.shape.kind else { return (Vec::new(), Vec::new()) };
        let unread = (0..columns.len()).filter(|at| self.field(*at, &columns[*at].0).is_none());
        let filled = |member: &crate::shape::Member<Shape>| {
            columns.iter().any(|(name, _)| member.name == name || member.aliases.contains(&name.as_str()))
        };
        let missing = members.iter().filter(|member| !member.value.optional && !filled(member));
        (unread.collect(), missing.map(|member| member.name).collect())
    }

    /// What reads values from rows with these columns: fields of a struct by name, others by position.
    ///
    /// # Errors
    /// If a column has a type that cannot be read as the field's, or a tuple has another number of columns.
    pub fn reader(&self, columns: &[(String, LogicalType)]) -> Result<RowReader<T>> {
        let is_row = matches!(self.shape.kind, Kind::Tuple(_));
        if is_row && columns.len() != self.columns.len() {
            return Err(Error::invalid(format!(
                "rows of {} columns cannot be read as {}, which has {}",
                columns.len(),
                type_name::<T>(),
                self.columns.len()
            )));
        }
        for (at, (name, ty)) in columns.iter().enumerate() {
            if let Some(shape) = self.field(at, name) {
                convert::check(ty, shape).map_err(|why| {
                    Error::invalid(format!("column '{name}' cannot be read by {}: {why}", type_name::<T>()))
                })?;
            }
        }
        Ok(RowReader { codec: self.clone(), columns: columns.to_vec() })
    }

    /// The field that a column is read as.
    fn field(&self, at: usize, name: &str) -> Option<&Shape> {
        match &self.shape.kind {
            Kind::Tuple(items) => items.get(at),
            Kind::Struct(members) => {
                let named = |member: &&crate::shape::Member<Shape>| {
                    member.name == name || member.aliases.contains(&name)
                };
                members.iter().find(named).map(|member| &member.value)
            }
            _ => None,
        }
    }
}

/// Writes values into rows of a table. See [`RowCodec::writer`].
pub struct RowWriter<T> {
    codec: RowCodec<T>,
    /// For each column, the field, and the column's type.
    picks: Vec<(usize, LogicalType)>,
    schema: SchemaRef,
}

impl<T> Clone for RowWriter<T> {
    fn clone(&self) -> Self {
        let (picks, schema) = (self.picks.clone(), self.schema.clone());
        RowWriter { codec: self.codec.clone(), picks, schema }
    }
}

impl<T: Serialize + DeserializeOwned> RowWriter<T> {
    /// The rows of the values.
    ///
    /// # Errors
    /// A value that would not come back unchanged.
    pub fn write(&self, values: &[T]) -> Result<RecordBatch> {
        let picks = self.picks.iter().map(|(at, ty)| (*at, ty));
        self.codec.rows(values, picks, self.schema.clone())
    }
}

/// Reads values from the rows of a table. See [`RowCodec::reader`].
pub struct RowReader<T> {
    codec: RowCodec<T>,
    columns: Vec<(String, LogicalType)>,
}

impl<T> Clone for RowReader<T> {
    fn clone(&self) -> Self {
        RowReader { codec: self.codec.clone(), columns: self.columns.clone() }
    }
}

impl<T: Serialize + DeserializeOwned> RowReader<T> {
    /// The values of the rows.
    ///
    /// # Errors
    /// If a row cannot be read: NULL in a field that is no `Option`, a number that does not fit.
    pub fn read(&self, rows: &RecordBatch) -> Result<Vec<T>> {
        let RowReader { codec, columns } = self;
        let failed =
            |why: &dyn Display| Error::data(format!("a row cannot be read as {}: {why}", type_name::<T>()));
        let (mut fields, mut arrays): (Vec<FieldRef>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
        for (at, ((name, ty), array)) in columns.iter().zip(rows.columns()).enumerate() {
            let Some(shape) = codec.field(at, name) else { continue };
            let array = from_table(array, ty, shape)
                .map_err(|why| failed(&format_args!("column '{name}': {why}")))?;
            let is_tuple = matches!(codec.shape.kind, Kind::Tuple(_));
            let name = if is_tuple { tuple_field(at) } else { name.clone() };
            let field = Field::clone(&shape.field(&name)).with_data_type(array.data_type().clone());
            fields.push(Arc::new(field));
            arrays.push(array);
        }
        let stored = Field::new("row", DataType::Struct(fields.clone().into()), true);
        let rows: ArrayRef = match arrays.is_empty() {
            true => Arc::new(StructArray::new_empty_fields(rows.num_rows(), None)),
            false => {
                Arc::new(StructArray::try_new(fields.into(), arrays, None).map_err(|error| failed(&error))?)
            }
        };
        let reader = Reader::new(&stored, &rows, &codec.shape).map_err(|why| failed(&why))?;
        let mut values = Vec::with_capacity(rows.len());
        for row in 0..rows.len() {
            let cell = reader.cell(row);
            values.push(match codec.is_single {
                true => <(T,)>::deserialize(cell).map_err(|why| failed(&why))?.0,
                false => T::deserialize(cell).map_err(|why| failed(&why))?,
            });
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests;
