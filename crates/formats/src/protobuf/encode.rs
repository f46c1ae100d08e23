//! From columns to messages.
//!
//! For each batch the columns are bound to the fields once; then each row is written in one pass. A message
//! within a message is written where it will be, and its length put before it.

use arrow::array::*;
use arrow::buffer::NullBuffer;
use flott_batch::ChangeBatch;
use flott_connector::format::MessageEncoder;
use flott_plan::Schema;
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::resolve::{Field, Message, Scalar, Shape, Symbols, Value, Width};
use super::wire::Form;
use super::{Protobuf, invalid};
use crate::encode::each_row;

pub(super) struct ProtobufEncoder {
    message: Message,
    types: Vec<LogicalType>,
    /// What a NULL text in a collection is written as.
    null: String,
    out: Vec<u8>,
}

impl ProtobufEncoder {
    pub(super) fn new(format: &Protobuf, schema: &Schema) -> Result<Self> {
        let message = Message::new(&format.message, schema.iter()).map_err(invalid)?;
        let types = schema.iter().map(|(_, ty)| ty.clone()).collect();
        Ok(ProtobufEncoder { message, types, null: format.null.clone(), out: Vec::new() })
    }
}

impl MessageEncoder for ProtobufEncoder {
    fn encode(
        &mut self,
        batch: &ChangeBatch,
        message: &mut dyn FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let bound = Bound::message(&self.message, &self.types, batch.columns().columns())?;
        each_row(batch, |row| {
            self.out.clear();
            bound.iter().try_for_each(|field| field.write(row, &self.null, &mut self.out))?;
            message(row, &self.out)
        })
    }
}

/// A field, and the column that it is written of.
struct Bound<'a> {
    field: &'a Field,
    nulls: Option<&'a NullBuffer>,
    values: Values<'a>,
}

enum Values<'a> {
    Scalar(&'a Scalar, Column<'a>),
    Message(Vec<Bound<'a>>),
    List(&'a ListArray, Items<'a>),
    Map(&'a MapArray, (&'a Scalar, Column<'a>), Items<'a>),
}

/// The elements of a collection, or the values of a map.
struct Items<'a> {
    nulls: Option<&'a NullBuffer>,
    values: Box<Values<'a>>,
}

/// An array of one of the types that fields have.
enum Column<'a> {
    TinyInt(&'a Int8Array),
    SmallInt(&'a Int16Array),
    Int(&'a Int32Array),
    Long(&'a Int64Array),
    Float(&'a Float32Array),
    Double(&'a Float64Array),
    Boolean(&'a BooleanArray),
    Text(&'a StringArray),
    Bytes(&'a BinaryArray),
}

fn mismatch() -> Error {
    Error::internal("a column does not fit its field of protobuf's")
}

impl<'a> Bound<'a> {
    fn message(
        message: &'a Message,
        types: impl IntoIterator<Item = &'a LogicalType>,
        arrays: &'a [ArrayRef],
    ) -> Result<Vec<Self>> {
        let bound = |((field, ty), array): ((&'a Field, &'a LogicalType), &'a ArrayRef)| {
            let values = match (&field.shape, &ty.kind) {
                (Shape::One(value), _) => Values::new(value, ty, array.as_ref())?,
                (Shape::List { element, .. }, TypeKind::Array(ty)) => {
                    let list = array.as_list::<i32>();
                    Values::List(list, Items::new(element, ty, list.values().as_ref())?)
                }
                (Shape::Map { key, value }, TypeKind::Map(key_ty, ty)) => {
                    let map = array.as_map();
                    let keys = Column::new(key_ty, map.keys().as_ref())?;
                    Values::Map(map, (key, keys), Items::new(value, ty, map.values().as_ref())?)
                }
                (Shape::List { .. } | Shape::Map { .. }, _) => return Err(mismatch()),
            };
            Ok(Bound { field, nulls: array.nulls(), values })
        };
        message.fields.iter().zip(types).zip(arrays).map(bound).collect()
    }

    fn write(&self, row: usize, null: &str, out: &mut Vec<u8>) -> Result<()> {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(());
        }
        let number = self.field.number;
        let written = match &self.values {
            Values::Scalar(scalar, array) => {
                let begin = out.len();
                put_tag(out, number, scalar.form());
                let value = out.len();
                let written = scalar.write(array, row, out);
                // What is the default anyway is not written, unless that says something.
                let is_default = match scalar.form() {
                    Form::Sized => out.len() == value + 1,
                    _ => out.get(value..).is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0)),
                };
                if is_default && !self.field.has_presence {
                    out.truncate(begin);
                }
                written
            }
            Values::Message(fields) => {
                put_tag(out, number, Form::Sized);
                put_within(out, |out| fields.iter().try_for_each(|field| field.write(row, null, out)))
            }
            Values::List(list, items) => {
                let range = range(list.value_offsets(), row);
                match (&self.field.shape, &*items.values) {
                    (Shape::List { packed: true, .. }, Values::Scalar(scalar, array)) => {
                        if range.is_empty() {
                            return Ok(());
                        }
                        put_tag(out, number, Form::Sized);
                        put_within(out, |out| {
                            range.into_iter().try_for_each(|item| match items.is_null(item) {
                                true => scalar.write_null(null, out),
                                false => scalar.write(array, item, out),
                            })
                        })
                    }
                    _ => range.into_iter().try_for_each(|item| items.write(number, item, null, out)),
                }
            }
            Values::Map(map, (scalar, keys), items) => {
                range(map.value_offsets(), row).into_iter().try_for_each(|item| {
                    put_tag(out, number, Form::Sized);
                    put_within(out, |out| {
                        put_tag(out, 1, scalar.form());
                        scalar.write(keys, item, out)?;
                        items.write(2, item, null, out)
                    })
                })
            }
        };
        written.map_err(|error| error.context(format_args!("field '{}'", self.field.name)))
    }
}

impl<'a> Items<'a> {
    fn new(value: &'a Value, ty: &'a LogicalType, array: &'a dyn Array) -> Result<Self> {
        Ok(Items { nulls: array.nulls(), values: Box::new(Values::new(value, ty, array)?) })
    }

    fn is_null(&self, item: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(item))
    }

    /// An item with its tag. There is no NULL in a collection: it is the default of its type.
    fn write(&self, number: u32, item: usize, null: &str, out: &mut Vec<u8>) -> Result<()> {
        match &*self.values {
            Values::Scalar(scalar, array) => {
                put_tag(out, number, scalar.form());
                if self.is_null(item) { scalar.write_null(null, out) } else { scalar.write(array, item, out) }
            }
            Values::Message(fields) => {
                put_tag(out, number, Form::Sized);
                put_within(out, |out| match self.is_null(item) {
                    true => Ok(()),
                    false => fields.iter().try_for_each(|field| field.write(item, null, out)),
                })
            }
            Values::List(..) | Values::Map(..) => Err(mismatch()),
        }
    }
}

impl<'a> Values<'a> {
    fn new(value: &'a Value, ty: &'a LogicalType, array: &'a dyn Array) -> Result<Self> {
        match (value, &ty.kind) {
            (Value::Scalar(scalar), _) => Ok(Values::Scalar(scalar, Column::new(ty, array)?)),
            (Value::Message(message), TypeKind::Row(fields)) => {
                let types = fields.iter().map(|field| &field.ty);
                Bound::message(message, types, array.as_struct().columns()).map(Values::Message)
            }
            (Value::Message(_), _) => Err(mismatch()),
        }
    }
}

impl<'a> Column<'a> {
    fn new(ty: &LogicalType, array: &'a dyn Array) -> Result<Self> {
        Ok(match &ty.kind {
            TypeKind::TinyInt => Column::TinyInt(array.as_primitive()),
            TypeKind::SmallInt => Column::SmallInt(array.as_primitive()),
            TypeKind::Int => Column::Int(array.as_primitive()),
            TypeKind::BigInt => Column::Long(array.as_primitive()),
            TypeKind::Float => Column::Float(array.as_primitive()),
            TypeKind::Double => Column::Double(array.as_primitive()),
            TypeKind::Boolean => Column::Boolean(array.as_boolean()),
            TypeKind::Char(_) | TypeKind::Varchar(_) => Column::Text(array.as_string()),
            TypeKind::Binary(_) | TypeKind::Varbinary(_) => Column::Bytes(array.as_binary()),
            _ => return Err(mismatch()),
        })
    }

    fn number(&self, row: usize) -> Option<i64> {
        Some(match self {
            Column::TinyInt(array) => array.value(row).into(),
            Column::SmallInt(array) => array.value(row).into(),
            Column::Int(array) => array.value(row).into(),
            Column::Long(array) => array.value(row),
            Column::Boolean(array) => array.value(row).into(),
            Column::Float(_) | Column::Double(_) | Column::Text(_) | Column::Bytes(_) => return None,
        })
    }
}

impl Scalar {
    /// A value, without a tag.
    fn write(&self, array: &Column<'_>, row: usize, out: &mut Vec<u8>) -> Result<()> {
        match (self, array) {
            (Scalar::Double, Column::Double(array)) => out.extend_from_slice(&array.value(row).to_le_bytes()),
            (Scalar::Float, Column::Float(array)) => out.extend_from_slice(&array.value(row).to_le_bytes()),
            (Scalar::Text, Column::Text(array)) => put_sized(out, array.value(row).as_bytes()),
            (Scalar::Bytes, Column::Bytes(array)) => put_sized(out, array.value(row)),
            (Scalar::Enum(symbols), Column::Text(array)) => {
                put_varint(out, symbols.number(array.value(row))? as i64 as u64);
            }
            (scalar, array) => scalar.put_number(array.number(row).ok_or_else(mismatch)?, out)?,
        }
        Ok(())
    }

    fn put_number(&self, value: i64, out: &mut Vec<u8>) -> Result<()> {
        let bits = |width: Width| {
            let sign = if width == Width::Unsigned { "without a sign" } else { "with a sign" };
            width.write(value).ok_or_else(|| Error::data(format!("{value} does not fit into 32 bits {sign}")))
        };
        match self {
            Scalar::Varint(width) => put_varint(out, bits(*width)?),
            Scalar::Enum(_) => put_varint(out, bits(Width::Signed)?),
            Scalar::Bool => put_varint(out, value as u64),
            Scalar::Zigzag(width) => {
                let value = bits(*width)? as i64;
                put_varint(out, ((value << 1) ^ (value >> 63)) as u64);
            }
            Scalar::Fixed32(width) => out.extend_from_slice(&(bits(*width)? as u32).to_le_bytes()),
            Scalar::Fixed64 => out.extend_from_slice(&value.to_le_bytes()),
            Scalar::Double | Scalar::Float | Scalar::Text | Scalar::Bytes => return Err(mismatch()),
        }
        Ok(())
    }

    /// What stands for NULL in a collection.
    fn write_null(&self, null: &str, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Scalar::Text => put_sized(out, null.as_bytes()),
            Scalar::Bytes => put_sized(out, &[]),
            Scalar::Double => out.extend_from_slice(&[0; 8]),
            Scalar::Float => out.extend_from_slice(&[0; 4]),
            scalar => scalar.put_number(0, out)?,
        }
        Ok(())
    }
}

impl Symbols {
    fn number(&self, name: &str) -> Result<i32> {
        self.numbers
            .get(name)
            .copied()
            .ok_or_else(|| Error::data(format!("'{name}' is no value of the enum")))
    }
}

fn range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    let at = |index: usize| offsets.get(index).map_or(0, |offset| *offset as usize);
    at(row)..at(row + 1)
}

fn put_tag(out: &mut Vec<u8>, number: u32, form: Form) {
    let form = match form {
        Form::Varint => 0,
        Form::Fixed64 => 1,
        Form::Sized => 2,
        Form::Fixed32 => 5,
    };
    put_varint(out, u64::from(number) << 3 | form);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push((value as u8 & 0x7f) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Writes something with its length before it, which is one byte for nearly everything.
fn put_within(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
    let begin = out.len();
    out.push(0);
    write(out)?;
    let length = out.len() - begin - 1;
    let mut head = Vec::new();
    match out.get_mut(begin) {
        Some(byte) if length <= 0x7f => *byte = length as u8,
        _ => {
            put_varint(&mut head, length as u64);
            out.splice(begin..=begin, head);
        }
    }
    Ok(())
}
