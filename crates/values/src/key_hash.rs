//! The hash of a key, from the key itself.
//!
//! It equals [`flott_batch::hash::hash_columns`] over the column of the key, whose definition is a storage
//! format. A key is hashed once per record, so nothing is allocated for numbers, strings, and structs, tuples
//! and lists of them; for those of fixed size the compiler leaves nothing but the hash.

use flott_types::{Error, Result};
use serde::ser::{self, Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::json::{Frame, Json, WriteError, write_unit_variant};

/// The hash that decides which subtask owns a key.
///
/// # Errors
///
/// Keys that do not know how many elements they have, or whose serialisation fails. Types that cannot be keys
/// at all are refused by [`ColumnCodec::for_keys`](crate::column::ColumnCodec::for_keys), not here.
#[inline]
pub fn key_hash<K: Serialize + ?Sized>(key: &K) -> Result<u64> {
    match key.serialize(Chain(0)) {
        Ok(hash) => Ok(hash),
        Err(error) => Err(failed(error)),
    }
}

#[cold]
fn failed(error: WriteError) -> Error {
    Error::unsupported("a key cannot be hashed").with_source(error)
}

type Hashed<T = u64> = std::result::Result<T, WriteError>;

/// The chain up to a value; see [`flott_batch::hash`].
#[derive(Clone, Copy)]
struct Chain(u64);

impl Chain {
    #[inline]
    fn bytes(self, bytes: &[u8]) -> Hashed {
        Ok(xxh3_64_with_seed(bytes, self.0))
    }

    #[inline]
    fn null(self) -> Hashed {
        Ok(xxh3_64_with_seed(&[], !self.0))
    }

    /// Begins a list or map of that many elements.
    #[inline]
    fn length(self, len: Option<usize>) -> Hashed<Chain> {
        match len {
            Some(len) => Ok(Chain(xxh3_64_with_seed(&(len as u64).to_le_bytes(), self.0))),
            None => Err(WriteError::new("a sequence or map that does not know its length")),
        }
    }

    fn text(self, write: impl FnOnce(&mut String) -> Hashed<()>) -> Hashed {
        let mut text = String::new();
        write(&mut text)?;
        self.bytes(text.as_bytes())
    }

    fn variant(self, variant: &str, open: &str, close: &'static str) -> Hashed<Variant> {
        let mut text = String::new();
        let frame = Frame::variant(&mut text, variant, open, close, 0)?;
        Ok(Variant { chain: self, text, frame })
    }
}

macro_rules! integers {
    ($($method:ident: $type:ty),*) => {
        $(#[inline]
        fn $method(self, value: $type) -> Hashed {
            // Signed ones are extended by their sign, unsigned ones by zeros.
            self.bytes(&(value as u64).to_le_bytes())
        })*
    };
}

impl Serializer for Chain {
    type Ok = u64;
    type Error = WriteError;
    type SerializeSeq = List;
    type SerializeTuple = Row;
    type SerializeTupleStruct = Row;
    type SerializeTupleVariant = Variant;
    type SerializeMap = Map;
    type SerializeStruct = Row;
    type SerializeStructVariant = Variant;

    integers!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_u8: u8,
        serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);

    fn serialize_i128(self, value: i128) -> Hashed {
        self.text(|text| value.serialize(Json::new(text)))
    }

    fn serialize_u128(self, value: u128) -> Hashed {
        self.text(|text| value.serialize(Json::new(text)))
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Hashed {
        self.bytes(&[value.into()])
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Hashed {
        self.serialize_f64(value.into())
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Hashed {
        // One zero, and one NaN.
        let canonical = if value.is_nan() { f64::from_bits(0x7ff8_0000_0000_0000) } else { value + 0.0 };
        self.bytes(&canonical.to_le_bytes())
    }

    #[inline]
    fn serialize_char(self, value: char) -> Hashed {
        self.bytes(value.encode_utf8(&mut [0; 4]).as_bytes())
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Hashed {
        self.bytes(value.as_bytes())
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Hashed {
        self.bytes(value)
    }

    #[inline]
    fn serialize_none(self) -> Hashed {
        self.null()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Hashed {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Hashed {
        self.null()
    }

    #[inline]
    fn serialize_unit_struct(self, _: &'static str) -> Hashed {
        self.null()
    }

    #[inline]
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Hashed {
        match variant.as_bytes().first() {
            Some(b'{' | b'"') => self.text(|text| write_unit_variant(text, variant)),
            _ => self.bytes(variant.as_bytes()),
        }
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Hashed {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Hashed {
        self.text(|text| Json::new(text).serialize_newtype_variant("", 0, variant, value))
    }

    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Hashed<List> {
        Ok(List { chain: self.length(len)?, left: len.unwrap_or_default() })
    }

    #[inline]
    fn serialize_tuple(self, _: usize) -> Hashed<Row> {
        Ok(Row(self))
    }

    #[inline]
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Hashed<Row> {
        Ok(Row(self))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Hashed<Variant> {
        self.variant(variant, "[", "]}")
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Hashed<Map> {
        let left = len.unwrap_or_default();
        Ok(Map { chain: self.length(len)?, left, key: Chain(0), sum: 0 })
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Hashed<Row> {
        Ok(Row(self))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Hashed<Variant> {
        self.variant(variant, "{", "}}")
    }
}

/// A struct or tuple: the chain goes through its fields.
struct Row(Chain);

impl Row {
    #[inline]
    fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Hashed<()> {
        self.0 = Chain(value.serialize(self.0)?);
        Ok(())
    }
}

impl ser::SerializeTuple for Row {
    type Ok = u64;
    type Error = WriteError;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Hashed<()> {
        self.part(value)
    }

    #[inline]
    fn end(self) -> Hashed {
        Ok(self.0.0)
    }
}

impl ser::SerializeTupleStruct for Row {
    type Ok = u64;
    type Error = WriteError;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Hashed<()> {
        self.part(value)
    }

    #[inline]
    fn end(self) -> Hashed {
        Ok(self.0.0)
    }
}

impl ser::SerializeStruct for Row {
    type Ok = u64;
    type Error = WriteError;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Hashed<()> {
        self.part(value)
    }

    /// In its column it is NULL.
    fn skip_field(&mut self, _: &'static str) -> Hashed<()> {
        self.0 = Chain(self.0.null()?);
        Ok(())
    }

    #[inline]
    fn end(self) -> Hashed {
        Ok(self.0.0)
    }
}

#[cold]
fn wrong_length() -> WriteError {
    WriteError::new("a sequence or map has another length than it said")
}

/// A sequence: the chain goes through its length and its elements.
struct List {
    chain: Chain,
    left: usize,
}

impl ser::SerializeSeq for List {
    type Ok = u64;
    type Error = WriteError;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Hashed<()> {
        self.left = self.left.checked_sub(1).ok_or_else(wrong_length)?;
        self.chain = Chain(value.serialize(self.chain)?);
        Ok(())
    }

    #[inline]
    fn end(self) -> Hashed {
        if self.left == 0 { Ok(self.chain.0) } else { Err(wrong_length()) }
    }
}

/// A map: the chain goes through its length and the sum of its entries, whatever their order.
struct Map {
    chain: Chain,
    left: usize,
    key: Chain,
    sum: u64,
}

impl ser::SerializeMap for Map {
    type Ok = u64;
    type Error = WriteError;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Hashed<()> {
        self.left = self.left.checked_sub(1).ok_or_else(wrong_length)?;
        self.key = Chain(key.serialize(Chain(0))?);
        Ok(())
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Hashed<()> {
        self.sum = self.sum.wrapping_add(value.serialize(self.key)?);
        Ok(())
    }

    #[inline]
    fn end(self) -> Hashed {
        if self.left == 0 { self.chain.bytes(&self.sum.to_le_bytes()) } else { Err(wrong_length()) }
    }
}

/// A variant with data: the hash of its text.
struct Variant {
    chain: Chain,
    text: String,
    frame: Frame,
}

impl Variant {
    fn finish(mut self) -> Hashed {
        self.frame.end(&mut self.text)?;
        self.chain.bytes(self.text.as_bytes())
    }
}

impl ser::SerializeTupleVariant for Variant {
    type Ok = u64;
    type Error = WriteError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Hashed<()> {
        self.frame.element(&mut self.text, value)
    }

    fn end(self) -> Hashed {
        self.finish()
    }
}

impl ser::SerializeStructVariant for Variant {
    type Ok = u64;
    type Error = WriteError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Hashed<()> {
        self.frame.field(&mut self.text, name, value)
    }

    fn end(self) -> Hashed {
        self.finish()
    }
}
