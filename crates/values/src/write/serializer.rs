//! What a value says of itself, appended to the column that its type's shape made.

use arrow::array::StringBuilder;
use serde::ser::{Serialize, Serializer};

use super::column::{Column, check_room};
use super::compound::Compound;
use crate::json::{Json, WriteError, write_unit_variant};

type Written<T = ()> = Result<T, WriteError>;

impl Column {
    /// The value differs from what its type requested when it was deserialised.
    #[cold]
    fn mismatch(&self, what: &str) -> WriteError {
        let column = match self {
            Column::Unit(_) => "nothing",
            Column::Bool(_) => "a boolean",
            Column::I8(_) | Column::I16(_) | Column::I32(_) | Column::I64(_) => "an integer",
            Column::U8(_) | Column::U16(_) | Column::U32(_) | Column::U64(_) => "an unsigned integer",
            Column::F32(_) | Column::F64(_) => "a float",
            Column::Text(_) => "a string",
            Column::Enum(_) => "an enum",
            Column::Json(_) => "anything",
            Column::Bytes(_) => "bytes",
            Column::List(_) => "a sequence",
            Column::Map(_) => "a map",
            Column::Tuple(_) => "a tuple",
            Column::Struct(_) => "a struct",
        };
        WriteError::new(format!(
            "the type is read as {column} and written as {what}; its Serialize and Deserialize must agree"
        ))
    }
}

/// Ends the text of a row.
pub(super) fn end_text(text: &mut StringBuilder) -> Written {
    check_room(text.values_slice().len(), 0)?;
    text.append_value("");
    Ok(())
}

fn json<T: Serialize + ?Sized>(text: &mut StringBuilder, value: &T) -> Written {
    value.serialize(Json::new(text))?;
    end_text(text)
}

fn fit<T, U: TryFrom<T>>(value: T) -> Written<U> {
    U::try_from(value).map_err(|_| WriteError::new("a number is out of the range of the type it is read as"))
}

macro_rules! integers {
    ($($method:ident: $type:ty),*) => {
        $(#[inline]
        fn $method(self, value: $type) -> Written {
            match self {
                Column::I8(builder) => builder.append_value(fit(value)?),
                Column::I16(builder) => builder.append_value(fit(value)?),
                Column::I32(builder) => builder.append_value(fit(value)?),
                Column::I64(builder) => builder.append_value(fit(value)?),
                Column::U8(builder) => builder.append_value(fit(value)?),
                Column::U16(builder) => builder.append_value(fit(value)?),
                Column::U32(builder) => builder.append_value(fit(value)?),
                Column::U64(builder) => builder.append_value(fit(value)?),
                Column::Json(text) => return json(text, &value),
                other => return Err(other.mismatch("an integer")),
            }
            Ok(())
        })*
    };
}

impl<'a> Serializer for &'a mut Column {
    type Ok = ();
    type Error = WriteError;
    type SerializeSeq = Compound<'a>;
    type SerializeTuple = Compound<'a>;
    type SerializeTupleStruct = Compound<'a>;
    type SerializeTupleVariant = Compound<'a>;
    type SerializeMap = Compound<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeStructVariant = Compound<'a>;

    integers!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_u8: u8,
        serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);

    #[inline]
    fn serialize_bool(self, value: bool) -> Written {
        match self {
            Column::Bool(builder) => builder.append_value(value),
            Column::Json(text) => return json(text, &value),
            other => return Err(other.mismatch("a boolean")),
        }
        Ok(())
    }

    fn serialize_i128(self, value: i128) -> Written {
        match self {
            Column::Json(text) => json(text, &value),
            other => Err(other.mismatch("an integer of 128 bits")),
        }
    }

    fn serialize_u128(self, value: u128) -> Written {
        match self {
            Column::Json(text) => json(text, &value),
            other => Err(other.mismatch("an integer of 128 bits")),
        }
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Written {
        match self {
            Column::F32(builder) => builder.append_value(value),
            Column::F64(builder) => builder.append_value(value.into()),
            Column::Json(text) => return json(text, &value),
            other => return Err(other.mismatch("a float")),
        }
        Ok(())
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Written {
        match self {
            Column::F64(builder) => builder.append_value(value),
            Column::Json(text) => return json(text, &value),
            other => return Err(other.mismatch("a double")),
        }
        Ok(())
    }

    fn serialize_char(self, value: char) -> Written {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Written {
        match self {
            Column::Text(text) => {
                check_room(text.values_slice().len(), value.len())?;
                text.append_value(value);
                Ok(())
            }
            Column::Enum(text) => {
                write_unit_variant(text, value)?;
                end_text(text)
            }
            Column::Json(text) => json(text, value),
            other => Err(other.mismatch("a string")),
        }
    }

    fn serialize_bytes(self, value: &[u8]) -> Written {
        match self {
            Column::Bytes(builder) => {
                check_room(builder.values_slice().len(), value.len())?;
                builder.append_value(value);
                Ok(())
            }
            Column::Json(text) => json(text, value),
            other => Err(other.mismatch("bytes")),
        }
    }

    #[inline]
    fn serialize_none(self) -> Written {
        self.push_null();
        Ok(())
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        match self {
            Column::Unit(len) => *len += 1,
            Column::Json(text) => return json(text, &()),
            other => return Err(other.mismatch("nothing")),
        }
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Written {
        match self {
            Column::Enum(text) | Column::Json(text) => {
                Json::new(text).serialize_newtype_variant("", 0, variant, value)?;
                end_text(text)
            }
            other => Err(other.mismatch("an enum")),
        }
    }

    #[inline]
    fn serialize_seq(self, _: Option<usize>) -> Written<Compound<'a>> {
        match self {
            Column::List(list) => Ok(Compound::List { list, count: 0 }),
            Column::Json(text) => Compound::json(text, "[", "]"),
            other => Err(other.mismatch("a sequence")),
        }
    }

    #[inline]
    fn serialize_tuple(self, _: usize) -> Written<Compound<'a>> {
        match self {
            Column::Tuple(row) => Ok(Compound::row(row)),
            Column::List(list) => Ok(Compound::List { list, count: 0 }),
            Column::Json(text) => Compound::json(text, "[", "]"),
            other => Err(other.mismatch("a tuple")),
        }
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Written<Compound<'a>> {
        self.serialize_tuple(len)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Written<Compound<'a>> {
        match self {
            Column::Enum(text) | Column::Json(text) => Compound::variant(text, variant, "[", "]}"),
            other => Err(other.mismatch("an enum")),
        }
    }

    #[inline]
    fn serialize_map(self, _: Option<usize>) -> Written<Compound<'a>> {
        match self {
            Column::Map(map) => Ok(Compound::Map { map, count: 0 }),
            Column::Json(text) => Compound::json(text, "{", "}"),
            other => Err(other.mismatch("a map")),
        }
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Written<Compound<'a>> {
        match self {
            Column::Struct(row) => Ok(Compound::row(row)),
            Column::Json(text) => Compound::json(text, "{", "}"),
            other => Err(other.mismatch("a struct")),
        }
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Written<Compound<'a>> {
        match self {
            Column::Enum(text) | Column::Json(text) => Compound::variant(text, variant, "{", "}}"),
            other => Err(other.mismatch("an enum")),
        }
    }
}
