//! The parts of sequences, maps and structs, one after the other.

use arrow::array::StringBuilder;
use serde::ser::{self, Serialize};

use super::column::{ListColumn, MapColumn, RowColumn};
use super::serializer::end_text;
use crate::json::{Frame, WriteError};

type Written<T = ()> = Result<T, WriteError>;

/// A value with parts, being written.
pub(crate) enum Compound<'a> {
    List { list: &'a mut ListColumn, count: usize },
    Map { map: &'a mut MapColumn, count: usize },
    Row { row: &'a mut RowColumn, next: usize, in_order: bool },
    Text { text: &'a mut StringBuilder, frame: Frame },
}

impl<'a> Compound<'a> {
    pub fn row(row: &'a mut RowColumn) -> Self {
        Compound::Row { row, next: 0, in_order: true }
    }

    pub fn json(text: &'a mut StringBuilder, open: &str, close: &'static str) -> Written<Self> {
        let frame = Frame::open(text, open, close, 0)?;
        Ok(Compound::Text { text, frame })
    }

    pub fn variant(
        text: &'a mut StringBuilder,
        variant: &str,
        open: &str,
        close: &'static str,
    ) -> Written<Self> {
        let frame = Frame::variant(text, variant, open, close, 0)?;
        Ok(Compound::Text { text, frame })
    }

    #[inline]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        match self {
            Compound::List { list, count } => {
                *count += 1;
                value.serialize(&mut list.item)
            }
            Compound::Row { row, next, .. } => {
                let Some(member) = row.members.get_mut(*next) else {
                    return Err(WriteError::new("a tuple is longer than when it was read"));
                };
                *next += 1;
                value.serialize(&mut member.column)
            }
            Compound::Text { text, frame } => frame.element(*text, value),
            Compound::Map { .. } => Err(WriteError::new("an element in a map")),
        }
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
        let Compound::Row { row, next, in_order } = self else {
            return match self {
                Compound::Text { text, frame } => frame.field(*text, name, value),
                _ => Err(WriteError::new("a field outside of a struct")),
            };
        };
        let at = match row.members.get(*next) {
            Some(member) if std::ptr::eq(member.name, name) || member.name == name => *next,
            _ => {
                *in_order = false;
                match row.members.iter().position(|member| member.is_called(name)) {
                    Some(at) => at,
                    // It is never read: `#[serde(skip_deserializing)]`.
                    None => return Ok(()),
                }
            }
        };
        *next = at + 1;
        value.serialize(&mut row.members[at].column)
    }

    #[inline]
    fn finish(self) -> Written {
        match self {
            Compound::List { list, count } => list.ends.push(count),
            Compound::Map { map, count } => map.ends.push(count),
            Compound::Row { row, next, in_order } => {
                row.end(in_order && next == row.members.len());
                Ok(())
            }
            Compound::Text { text, frame } => {
                frame.end(text)?;
                end_text(text)
            }
        }
    }
}

macro_rules! elements {
    ($($trait:ident $method:ident),*) => {
        $(impl ser::$trait for Compound<'_> {
            type Ok = ();
            type Error = WriteError;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
                self.element(value)
            }

            #[inline]
            fn end(self) -> Written {
                self.finish()
            }
        })*
    };
}

elements!(SerializeSeq serialize_element, SerializeTuple serialize_element, SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field);

macro_rules! fields {
    ($($trait:ident),*) => {
        $(impl ser::$trait for Compound<'_> {
            type Ok = ();
            type Error = WriteError;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
                self.field(name, value)
            }

            #[inline]
            fn end(self) -> Written {
                self.finish()
            }
        })*
    };
}

fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        match self {
            Compound::Map { map, count } => {
                *count += 1;
                key.serialize(&mut map.key)
            }
            Compound::Text { text, frame } => frame.key(*text, key),
            _ => Err(WriteError::new("a key outside of a map")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        match self {
            Compound::Map { map, .. } => value.serialize(&mut map.value),
            Compound::Text { text, frame } => frame.value(*text, value),
            _ => Err(WriteError::new("a value outside of a map")),
        }
    }

    fn end(self) -> Written {
        self.finish()
    }
}
