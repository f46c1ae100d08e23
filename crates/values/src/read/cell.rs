//! One row of a column, read as the type requires.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{Deserializer, Visitor};

use super::ReadError;
use super::parts::{Elements, Entries, Fields, Items, Range};
use super::plan::{Reader, Values};
use crate::json::is_json_variant;

type Read<T> = Result<T, ReadError>;

/// One row of a column.
#[derive(Clone, Copy)]
pub(crate) struct Cell<'a> {
    reader: &'a Reader,
    row: usize,
}

impl Reader {
    /// The value of a row.
    #[inline]
    pub fn cell(&self, row: usize) -> Cell<'_> {
        Cell { reader: self, row }
    }

    /// Whether a struct does not have the field in that row.
    #[inline]
    pub(super) fn is_missing(&self, row: usize) -> bool {
        !self.optional && !matches!(self.values, Values::Unit) && self.cell(row).is_null()
    }
}

impl<'a> Cell<'a> {
    #[inline]
    fn is_null(self) -> bool {
        match self.reader.values {
            Values::Unit => true,
            _ => self.reader.nulls.as_ref().is_some_and(|nulls| nulls.is_null(self.row)),
        }
    }

    /// How it is stored.
    #[inline]
    fn visit<V: Visitor<'a>>(self, visitor: V) -> Read<V::Value> {
        let row = self.row;
        if self.is_null() {
            return match self.reader.values {
                Values::Unit => visitor.visit_unit(),
                _ => visitor.visit_none(),
            };
        }
        match &self.reader.values {
            Values::Unit => visitor.visit_unit(),
            Values::Bool(array) => visitor.visit_bool(array.value(row)),
            Values::I8(array) => visitor.visit_i8(array.value(row)),
            Values::I16(array) => visitor.visit_i16(array.value(row)),
            Values::I32(array) => visitor.visit_i32(array.value(row)),
            Values::I64(array) => visitor.visit_i64(array.value(row)),
            Values::U8(array) => visitor.visit_u8(array.value(row)),
            Values::U16(array) => visitor.visit_u16(array.value(row)),
            Values::U32(array) => visitor.visit_u32(array.value(row)),
            Values::U64(array) => visitor.visit_u64(array.value(row)),
            Values::F32(array) => visitor.visit_f32(array.value(row)),
            Values::F64(array) => visitor.visit_f64(array.value(row)),
            Values::Text(array) => visitor.visit_borrowed_str(array.value(row)),
            Values::Enum(array) => match array.value(row) {
                text if is_json_variant(text) => json(text, |de| de.deserialize_any(visitor)),
                name => visitor.visit_borrowed_str(name),
            },
            Values::Json(array) => json(array.value(row), |de| de.deserialize_any(visitor)),
            Values::Bytes(array) => visitor.visit_borrowed_bytes(array.value(row)),
            Values::List(offsets, item) => visitor.visit_seq(Items { item, range: Range::of(offsets, row) }),
            Values::Map(offsets, entry) => {
                visitor.visit_map(Entries { entry, range: Range::of(offsets, row) })
            }
            Values::Tuple(items) => visitor.visit_seq(Elements { rest: items.iter(), row }),
            Values::Struct(members) => visitor.visit_map(Fields { rest: members.iter(), value: None, row }),
        }
    }

    /// The text, if it is JSON.
    #[inline]
    fn json(self) -> Option<&'a str> {
        match &self.reader.values {
            Values::Json(array) if !self.is_null() => Some(array.value(self.row)),
            _ => None,
        }
    }
}

fn json<'a, T>(
    text: &'a str,
    read: impl FnOnce(&mut serde_json::Deserializer<serde_json::de::StrRead<'a>>) -> serde_json::Result<T>,
) -> Read<T> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = read(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

macro_rules! forward {
    ($($method:ident($($name:ident: $type:ty),*)),* $(,)?) => {
        $(#[inline]
        fn $method<V: Visitor<'a>>(self, $($name: $type,)* visitor: V) -> Read<V::Value> {
            match self.json() {
                Some(text) => json(text, |de| de.$method($($name,)* visitor)),
                None => self.visit(visitor),
            }
        })*
    };
}

impl<'a> Deserializer<'a> for Cell<'a> {
    type Error = ReadError;

    forward! {
        deserialize_any(), deserialize_bool(), deserialize_i8(), deserialize_i16(), deserialize_i32(), deserialize_i64(),
        deserialize_i128(), deserialize_u8(), deserialize_u16(), deserialize_u32(), deserialize_u64(), deserialize_u128(),
        deserialize_f32(), deserialize_f64(), deserialize_char(), deserialize_str(), deserialize_string(),
        deserialize_bytes(), deserialize_byte_buf(), deserialize_unit(), deserialize_unit_struct(name: &'static str),
        deserialize_seq(), deserialize_tuple(len: usize),
        deserialize_tuple_struct(name: &'static str, len: usize), deserialize_map(),
        deserialize_struct(name: &'static str, fields: &'static [&'static str]), deserialize_identifier(),
        deserialize_ignored_any(),
    }

    #[inline]
    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Read<V::Value> {
        if self.is_null() {
            return visitor.visit_none();
        }
        match self.json() {
            Some(text) => json(text, |de| de.deserialize_option(visitor)),
            None => visitor.visit_some(self),
        }
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'a>>(self, _: &'static str, visitor: V) -> Read<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        match &self.reader.values {
            Values::Enum(_) | Values::Text(_) | Values::Json(_) if self.is_null() => visitor.visit_none(),
            Values::Enum(array) | Values::Text(array) if !is_json_variant(array.value(self.row)) => {
                let name: BorrowedStrDeserializer<'a, ReadError> =
                    BorrowedStrDeserializer::new(array.value(self.row));
                visitor.visit_enum(name)
            }
            Values::Enum(array) | Values::Json(array) => {
                json(array.value(self.row), |de| de.deserialize_enum(name, variants, visitor))
            }
            _ => self.visit(visitor),
        }
    }
}
