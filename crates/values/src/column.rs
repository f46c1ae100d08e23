//! Values of a type as one column.

use std::any::type_name;
use std::fmt::Display;
use std::marker::PhantomData;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{Field, FieldRef};
use flott_batch::hash::hash_columns;
use flott_state::{Migration, Stored};
use flott_types::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::changes::FieldChanges;
use super::json::WriteError;
use super::key_hash::key_hash;
use super::read::Reader;
use super::schema_text::{SchemaText, type_text};
use super::shape::Shape;
use super::trace::trace;
use super::write::Column;

/// Turns values of a type into a column of a snapshot and back.
///
/// ```
/// use flott_values::ColumnCodec;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, PartialEq, Debug)]
/// struct Payment {
///     user: String,
///     amount: i64,
/// }
///
/// let codec = ColumnCodec::<Payment>::new("last_payment")?;
/// assert_eq!(codec.type_text(), "{user: STRING, amount: BIGINT}");
/// let payments = [Payment { user: "ann".to_owned(), amount: 7 }];
/// let column = codec.encode(payments.iter())?;
/// assert_eq!(codec.decode(&column)?, payments);
/// # Ok::<(), flott_types::Error>(())
/// ```
pub struct ColumnCodec<T> {
    shape: Shape,
    field: FieldRef,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for ColumnCodec<T> {
    fn clone(&self) -> Self {
        ColumnCodec { shape: self.shape.clone(), field: self.field.clone(), of: PhantomData }
    }
}

impl<T> std::fmt::Debug for ColumnCodec<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ColumnCodec({} {})", self.field.name(), self.type_text())
    }
}

impl<T> ColumnCodec<T> {
    /// The column's field. It may hold NULL, and so may everything in it.
    pub fn field(&self) -> &FieldRef {
        &self.field
    }

    /// How a stored column differs from this codec's, if it does.
    pub fn migration(&self, stored: &Field) -> Option<Migration> {
        let (from, to) = (type_text(stored), self.type_text());
        (from != to).then(|| {
            let FieldChanges { dropped, new } = FieldChanges::between(stored, &self.shape);
            Migration { from, to, dropped, new }
        })
    }

    /// The values of a state's column, and how they were stored if that was with another type.
    pub fn restore(&self, stored: &Stored) -> Result<(Vec<T>, Option<Migration>)>
    where
        T: DeserializeOwned + Serialize,
    {
        Ok((self.decode_stored(&stored.field, &stored.column)?, self.migration(&stored.field)))
    }

    /// The column's type as a person would write it: `{user: STRING, amount: BIGINT}`.
    pub fn type_text(&self) -> String {
        SchemaText(&self.field).to_string()
    }
}

impl<T: Serialize + DeserializeOwned> ColumnCodec<T> {
    /// A column of that name.
    ///
    /// # Errors
    ///
    /// A type that no column can store faithfully: an `Option` within an `Option`.
    pub fn new(name: &str) -> Result<Self> {
        Ok(Self::with_sample(name)?.0)
    }

    /// A column of keys: [`key_hash`] of a key is the hash of its row.
    ///
    /// # Errors
    ///
    /// Types whose form is known only from data, and those that [`ColumnCodec::new`] refuses.
    pub fn for_keys(name: &str) -> Result<Self> {
        let (codec, sample) = Self::with_sample(name)?;
        let refuse = |why: &dyn Display| {
            Error::unsupported(format!(
                "the type {} cannot be a key: {why}; use numbers, strings, enums, and structs, tuples and lists of them",
                type_name::<T>()
            ))
        };
        if let Some((path, reason)) = codec.shape.not_a_key() {
            let reason = reason.reason();
            return Err(match path.as_str() {
                "" => refuse(&reason),
                path => refuse(&format!("its part '{path}' has no column of its own, since {reason}")),
            });
        }
        if let Some(key) = sample {
            // A type may serialise differently from how it deserialises.
            let column = codec.encode(std::iter::once(&key)).map_err(|e| refuse(&e))?;
            let mut hashes = Vec::new();
            hash_columns(&[column], 1, &mut hashes);
            if key_hash(&key).map_err(|e| refuse(&e))? != hashes[0] {
                return Err(refuse(&"it is not written with the fields that it is read with"));
            }
        }
        Ok(codec)
    }

    fn with_sample(name: &str) -> Result<(Self, Option<T>)> {
        let (shape, sample) = trace::<T>().map_err(|e| e.context(format!("column '{name}'")))?;
        let field = shape.field(name);
        Ok((ColumnCodec { shape, field, of: PhantomData }, sample))
    }

    /// The column of the values.
    ///
    /// # Errors
    ///
    /// A value that would not come back unchanged; see [the module](super). A type that serialises
    /// differently from how it deserialises. [`ErrorKind::TooLarge`](flott_types::ErrorKind::TooLarge) if
    /// this many values are too large for one column.
    pub fn encode<'a>(&self, values: impl IntoIterator<Item = &'a T>) -> Result<ArrayRef>
    where
        T: 'a,
    {
        let values = values.into_iter();
        let mut column = Column::new(&self.shape, values.size_hint().0);
        let failed = |e: WriteError| {
            let name = self.field.name();
            Error::unsupported(format!("column '{name}': a value of {} cannot be stored", type_name::<T>()))
                .with_source(e)
        };
        for (number, value) in values.enumerate() {
            value.serialize(&mut column).map_err(|error| match error.too_large && number > 0 {
                true => Error::too_large().with_source(error),
                false => failed(error),
            })?;
        }
        column.finish().map_err(failed)
    }

    /// The values of a column of this codec.
    ///
    /// # Errors
    ///
    /// As [`ColumnCodec::decode_stored`].
    pub fn decode(&self, column: &ArrayRef) -> Result<Vec<T>> {
        self.decode_stored(&self.field, column)
    }

    /// The values of a column that another version of the type wrote, whose field was `stored`.
    ///
    /// Fields are found by name. A field that is not stored gets its default (`Option`, `#[serde(default)]`),
    /// a field that the type no longer has is ignored, and numbers may have become wider.
    ///
    /// # Errors
    ///
    /// The stored type cannot be read as this type; the error shows both.
    pub fn decode_stored(&self, stored: &Field, column: &ArrayRef) -> Result<Vec<T>> {
        let stored = stored.clone().with_data_type(column.data_type().clone());
        let failed = |why: &dyn Display| {
            Error::state(format!(
                "column '{}' was stored as {} and is read as {} ({}): {why}",
                self.field.name(),
                SchemaText(&stored),
                self.type_text(),
                type_name::<T>()
            ))
        };
        let reader = Reader::new(&stored, column, &self.shape).map_err(|why| failed(&why))?;
        let mut values = Vec::with_capacity(column.len());
        for row in 0..column.len() {
            values.push(T::deserialize(reader.cell(row)).map_err(|why| failed(&why))?);
        }
        Ok(values)
    }
}
