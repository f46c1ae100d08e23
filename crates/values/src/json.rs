//! The text of what has no columnar form: JSON as `serde_json` reads it, and nothing that it could not give
//! back.
//!
//! The text of enums with data and of numbers of 128 bits is part of keys and so decides their key group: it
//! must not change. No white space, fields in the order in which they are serialised, `"\uXXXX"` for control
//! characters, floats in their shortest form that reads back the same.

use std::fmt::{self, Write};

use serde::ser::{self, Serialize};

/// Why a value cannot be serialised.
#[derive(Debug)]
pub(super) struct WriteError {
    message: Box<str>,
    /// Fewer values may fit into one column.
    pub too_large: bool,
}

impl WriteError {
    pub fn new(message: impl Into<Box<str>>) -> Self {
        WriteError { message: message.into(), too_large: false }
    }

    pub fn too_large(message: impl Into<Box<str>>) -> Self {
        WriteError { message: message.into(), too_large: true }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for WriteError {}

impl ser::Error for WriteError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        WriteError::new(message.to_string())
    }
}

impl From<fmt::Error> for WriteError {
    fn from(_: fmt::Error) -> Self {
        WriteError::new("text cannot be written")
    }
}

type Written<T = ()> = Result<T, WriteError>;

/// The text of a variant without data. A name that could be taken for JSON is written as JSON.
pub(super) fn write_unit_variant(out: &mut impl Write, variant: &str) -> Written {
    if is_json_variant(variant) { write_string(out, variant) } else { Ok(out.write_str(variant)?) }
}

/// Whether the text of an enum is JSON rather than the name of a variant.
pub(super) fn is_json_variant(text: &str) -> bool {
    text.starts_with(['{', '"'])
}

fn write_string(out: &mut impl Write, text: &str) -> Written {
    out.write_char('"')?;
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.write_str(&text[plain..at])?;
        plain = at + 1;
        match byte {
            b'"' => out.write_str("\\\"")?,
            b'\\' => out.write_str("\\\\")?,
            control => write!(out, "\\u{control:04x}")?,
        }
    }
    out.write_str(&text[plain..])?;
    Ok(out.write_char('"')?)
}

/// Writes a value as JSON.
pub(super) struct Json<'a, W> {
    out: &'a mut W,
    /// Whether the value is in an `Option`, which cannot contain another one.
    optional: bool,
    /// How many arrays and objects are open around it.
    depth: u8,
}

/// A value as JSON.
pub fn json_text<T: Serialize + ?Sized>(value: &T) -> flott_types::Result<String> {
    let mut text = String::new();
    let failed = |why| {
        flott_types::Error::unsupported(format!("a value of {} cannot be stored", std::any::type_name::<T>()))
            .with_source(why)
    };
    value.serialize(Json::new(&mut text)).map_err(failed)?;
    Ok(text)
}

/// As deep as `serde_json` reads.
const MAX_DEPTH: u8 = 127;

impl<'a, W: Write> Json<'a, W> {
    pub fn new(out: &'a mut W) -> Self {
        Json { out, optional: false, depth: 0 }
    }

    fn null(self) -> Written {
        if self.optional {
            return Err(WriteError::new(
                "JSON cannot tell Some(None) and Some(()) from None; use a type without an Option in an Option",
            ));
        }
        Ok(self.out.write_str("null")?)
    }

    fn float(self, value: f64, text: fmt::Arguments<'_>) -> Written {
        if !value.is_finite() {
            return Err(WriteError::new(format!(
                "JSON has no {value}, and this type has no columnar form; put the number in a struct's field of its own"
            )));
        }
        Ok(self.out.write_fmt(text)?)
    }

    fn open(self, open: &str, close: &'static str) -> Written<Compound<'a, W>> {
        let frame = Frame::open(self.out, open, close, self.depth)?;
        Ok(Compound { out: self.out, frame })
    }

    fn variant(self, variant: &str, open: &str, close: &'static str) -> Written<Compound<'a, W>> {
        let frame = Frame::variant(self.out, variant, open, close, self.depth)?;
        Ok(Compound { out: self.out, frame })
    }
}

/// An array or object under construction.
pub(super) struct Frame {
    empty: bool,
    close: &'static str,
    depth: u8,
}

impl Frame {
    /// Within `depth` others.
    pub fn open(out: &mut impl Write, open: &str, close: &'static str, depth: u8) -> Written<Self> {
        if depth >= MAX_DEPTH {
            return Err(WriteError::new(format!(
                "a value nested deeper than {MAX_DEPTH} cannot be read back from JSON"
            )));
        }
        out.write_str(open)?;
        Ok(Frame { empty: true, close, depth: depth + 1 })
    }

    /// The data of a variant; `close` must close the object around it, too.
    pub fn variant(
        out: &mut impl Write,
        variant: &str,
        open: &str,
        close: &'static str,
        depth: u8,
    ) -> Written<Self> {
        out.write_char('{')?;
        write_string(out, variant)?;
        out.write_char(':')?;
        Frame::open(out, open, close, depth + u8::from(!open.is_empty()))
    }

    pub fn element<T: Serialize + ?Sized>(&mut self, out: &mut impl Write, value: &T) -> Written {
        if !std::mem::replace(&mut self.empty, false) {
            out.write_char(',')?;
        }
        value.serialize(Json { out, optional: false, depth: self.depth })
    }

    pub fn key<T: Serialize + ?Sized>(&mut self, out: &mut impl Write, key: &T) -> Written {
        if !std::mem::replace(&mut self.empty, false) {
            out.write_char(',')?;
        }
        let mut text = String::new();
        key.serialize(Json::new(&mut text))?;
        match text.as_bytes().first() {
            Some(b'"') => out.write_str(&text)?,
            None | Some(b'{' | b'[' | b'n') => {
                return Err(WriteError::new(format!(
                    "a key of a map in JSON must be a string, a number or a boolean, not {text}"
                )));
            }
            Some(_) => write!(out, "\"{text}\"")?,
        }
        Ok(())
    }

    pub fn value<T: Serialize + ?Sized>(&mut self, out: &mut impl Write, value: &T) -> Written {
        out.write_char(':')?;
        value.serialize(Json { out, optional: false, depth: self.depth })
    }

    pub fn field<T: Serialize + ?Sized>(&mut self, out: &mut impl Write, name: &str, value: &T) -> Written {
        if !std::mem::replace(&mut self.empty, false) {
            out.write_char(',')?;
        }
        write_string(out, name)?;
        self.value(out, value)
    }

    pub fn end(self, out: &mut impl Write) -> Written {
        Ok(out.write_str(self.close)?)
    }
}

macro_rules! numbers {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, value: $type) -> Written {
            Ok(write!(self.out, "{value}")?)
        })*
    };
}

impl<'a, W: Write> ser::Serializer for Json<'a, W> {
    type Ok = ();
    type Error = WriteError;
    type SerializeSeq = Compound<'a, W>;
    type SerializeTuple = Compound<'a, W>;
    type SerializeTupleStruct = Compound<'a, W>;
    type SerializeTupleVariant = Compound<'a, W>;
    type SerializeMap = Compound<'a, W>;
    type SerializeStruct = Compound<'a, W>;
    type SerializeStructVariant = Compound<'a, W>;

    numbers!(serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_u128: u128);

    fn serialize_f32(self, value: f32) -> Written {
        self.float(value.into(), format_args!("{value:?}"))
    }

    fn serialize_f64(self, value: f64) -> Written {
        self.float(value, format_args!("{value:?}"))
    }

    fn serialize_char(self, value: char) -> Written {
        write_string(self.out, value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Written {
        write_string(self.out, value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Written {
        value.serialize(self)
    }

    fn serialize_none(self) -> Written {
        self.null()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(Json { optional: true, ..self })
    }

    fn serialize_unit(self) -> Written {
        self.null()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.null()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        write_string(self.out, variant)
    }

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
        let mut frame = Frame::variant(self.out, variant, "", "}", self.depth)?;
        frame.element(self.out, value)?;
        frame.end(self.out)
    }

    fn serialize_seq(self, _: Option<usize>) -> Written<Compound<'a, W>> {
        self.open("[", "]")
    }

    fn serialize_tuple(self, _: usize) -> Written<Compound<'a, W>> {
        self.open("[", "]")
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Written<Compound<'a, W>> {
        self.open("[", "]")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Written<Compound<'a, W>> {
        self.variant(variant, "[", "]}")
    }

    fn serialize_map(self, _: Option<usize>) -> Written<Compound<'a, W>> {
        self.open("{", "}")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Written<Compound<'a, W>> {
        self.open("{", "}")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Written<Compound<'a, W>> {
        self.variant(variant, "{", "}}")
    }
}

/// An array or object, and where it is written.
pub(super) struct Compound<'a, W> {
    out: &'a mut W,
    frame: Frame,
}

macro_rules! elements {
    ($($trait:ident $method:ident),*) => {
        $(impl<W: Write> ser::$trait for Compound<'_, W> {
            type Ok = ();
            type Error = WriteError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
                self.frame.element(self.out, value)
            }

            fn end(self) -> Written {
                self.frame.end(self.out)
            }
        })*
    };
}

elements!(SerializeSeq serialize_element, SerializeTuple serialize_element, SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field);

macro_rules! fields {
    ($($trait:ident),*) => {
        $(impl<W: Write> ser::$trait for Compound<'_, W> {
            type Ok = ();
            type Error = WriteError;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
                self.frame.field(self.out, name, value)
            }

            fn end(self) -> Written {
                self.frame.end(self.out)
            }
        })*
    };
}

fields!(SerializeStruct, SerializeStructVariant);

impl<W: Write> ser::SerializeMap for Compound<'_, W> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        self.frame.key(self.out, key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.frame.value(self.out, value)
    }

    fn end(self) -> Written {
        self.frame.end(self.out)
    }
}
