//! What is stored, brought together with what a type asks for.

use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields};

use crate::schema_text::SchemaText;
use crate::shape::{ENCODING, ENUM, JSON, Kind, Shape, tuple_field};

/// A column to read values of a type from.
pub(crate) struct Reader {
    pub(super) values: Values,
    /// Whether the type is an `Option`. Otherwise NULL in a struct means that the field is missing.
    pub(super) optional: bool,
    pub(super) nulls: Option<NullBuffer>,
}

pub(super) enum Values {
    Unit,
    Bool(BooleanArray),
    I8(Int8Array),
    I16(Int16Array),
    I32(Int32Array),
    I64(Int64Array),
    U8(UInt8Array),
    U16(UInt16Array),
    U32(UInt32Array),
    U64(UInt64Array),
    F32(Float32Array),
    F64(Float64Array),
    Text(StringArray),
    Enum(StringArray),
    Json(StringArray),
    Bytes(BinaryArray),
    List(OffsetBuffer<i32>, Box<Reader>),
    Map(OffsetBuffer<i32>, Box<[Reader; 2]>),
    Tuple(Vec<Reader>),
    Struct(Vec<(String, Reader)>),
}

impl Reader {
    /// For values of a shape. An error says what does not match, and where.
    pub fn new(stored: &Field, array: &ArrayRef, shape: &Shape) -> Result<Self, String> {
        let encoding = stored.metadata().get(ENCODING).map(String::as_str);
        let values = match (array.data_type(), &shape.kind) {
            // JSON can be read as anything, and anything can be read as JSON.
            (DataType::Utf8, _) if encoding == Some(JSON) => Values::Json(array.as_string().clone()),
            (DataType::Utf8, Kind::Json(_)) if encoding.is_none() => Values::Json(array.as_string().clone()),
            (_, Kind::Json(_)) => Reader::as_stored(stored, array)?.values,
            (DataType::Null, Kind::Unit) => Values::Unit,
            (DataType::Null, _) if shape.optional => Values::Unit,
            (DataType::Utf8, Kind::Text) => Values::Text(array.as_string().clone()),
            (DataType::Utf8, Kind::Enum) => Values::Enum(array.as_string().clone()),
            (DataType::Binary, Kind::Bytes) => Values::Bytes(array.as_binary().clone()),
            (DataType::List(field), Kind::List(item)) => {
                let list = array.as_list::<i32>();
                let item = Reader::new(field, list.values(), item)?;
                Values::List(list.offsets().clone(), Box::new(item))
            }
            (DataType::Map(..), Kind::Map(key, value)) => {
                let map = array.as_map();
                let (keys, values) = entry_fields(array.data_type())?;
                let key = Reader::new(keys, map.keys(), key)?;
                let value = Reader::new(values, map.values(), value)?;
                Values::Map(map.offsets().clone(), Box::new([key, value]))
            }
            (DataType::Struct(fields), Kind::Tuple(items)) if is_tuple(fields, items.len()) => {
                let columns = fields.iter().zip(array.as_struct().columns()).zip(items);
                let items = columns.map(|((field, column), item)| Reader::new(field, column, item));
                Values::Tuple(items.collect::<Result<_, _>>()?)
            }
            (DataType::Struct(fields), Kind::Struct(members)) => {
                let columns = array.as_struct();
                let mut readers = Vec::with_capacity(members.len());
                for member in members {
                    let names = std::iter::once(&member.name).chain(&member.aliases);
                    let Some((at, field)) = names.into_iter().find_map(|name| fields.find(name)) else {
                        continue;
                    };
                    let reader = Reader::new(field, columns.column(at), &member.value)
                        .map_err(|why| format!("field '{}': {why}", member.name))?;
                    readers.push((member.name.to_owned(), reader));
                }
                Values::Struct(readers)
            }
            (data_type, kind) => match number(kind).filter(|wanted| widens(data_type, wanted)) {
                Some(wanted) => numbers(&cast(array, &wanted).map_err(|e| e.to_string())?)?,
                None => {
                    let expected = shape.field(stored.name());
                    return Err(format!(
                        "{} cannot be read as {}",
                        SchemaText(stored),
                        SchemaText(&expected)
                    ));
                }
            },
        };
        Ok(Reader { values, optional: shape.optional, nulls: array.logical_nulls() })
    }

    /// For self-describing types.
    fn as_stored(stored: &Field, array: &ArrayRef) -> Result<Self, String> {
        let encoding = stored.metadata().get(ENCODING).map(String::as_str);
        let values = match array.data_type() {
            DataType::Null => Values::Unit,
            DataType::Utf8 if encoding == Some(JSON) => Values::Json(array.as_string().clone()),
            DataType::Utf8 if encoding == Some(ENUM) => Values::Enum(array.as_string().clone()),
            DataType::Utf8 => Values::Text(array.as_string().clone()),
            DataType::Binary => Values::Bytes(array.as_binary().clone()),
            DataType::List(field) => {
                let list = array.as_list::<i32>();
                Values::List(list.offsets().clone(), Box::new(Reader::as_stored(field, list.values())?))
            }
            DataType::Map(..) => {
                let map = array.as_map();
                let (keys, values) = entry_fields(array.data_type())?;
                let entry = [Reader::as_stored(keys, map.keys())?, Reader::as_stored(values, map.values())?];
                Values::Map(map.offsets().clone(), Box::new(entry))
            }
            DataType::Struct(fields) => {
                let columns = fields.iter().zip(array.as_struct().columns());
                let readers = columns.map(|(field, column)| {
                    Ok::<_, String>((field.name().clone(), Reader::as_stored(field, column)?))
                });
                Values::Struct(readers.collect::<Result<_, _>>()?)
            }
            _ => numbers(array)?,
        };
        Ok(Reader { values, optional: false, nulls: array.logical_nulls() })
    }
}

/// Whether the fields are those of a tuple, and not of a struct with the same number.
fn is_tuple(fields: &Fields, len: usize) -> bool {
    fields.len() == len && fields.iter().enumerate().all(|(at, field)| *field.name() == tuple_field(at))
}

fn entry_fields(map: &DataType) -> Result<(&Field, &Field), String> {
    if let DataType::Map(entries, _) = map
        && let DataType::Struct(fields) = entries.data_type()
        && let [key, value] = fields.as_ref()
    {
        return Ok((key, value));
    }
    Err(format!("{map} is not a map"))
}

/// The arrow type of a kind of number or of booleans.
fn number<C>(kind: &Kind<C>) -> Option<DataType> {
    Some(match kind {
        Kind::Bool => DataType::Boolean,
        Kind::I8 => DataType::Int8,
        Kind::I16 => DataType::Int16,
        Kind::I32 => DataType::Int32,
        Kind::I64 => DataType::Int64,
        Kind::U8 => DataType::UInt8,
        Kind::U16 => DataType::UInt16,
        Kind::U32 => DataType::UInt32,
        Kind::U64 => DataType::UInt64,
        Kind::F32 => DataType::Float32,
        Kind::F64 => DataType::Float64,
        _ => return None,
    })
}

/// Whether every number of one type is also a number of the other.
fn widens(from: &DataType, to: &DataType) -> bool {
    use DataType::*;
    from == to
        || match to {
            Int16 => matches!(from, Int8 | UInt8),
            Int32 => matches!(from, Int8 | Int16 | UInt8 | UInt16),
            Int64 => matches!(from, Int8 | Int16 | Int32 | UInt8 | UInt16 | UInt32),
            UInt16 => matches!(from, UInt8),
            UInt32 => matches!(from, UInt8 | UInt16),
            UInt64 => matches!(from, UInt8 | UInt16 | UInt32),
            Float32 => matches!(from, Int8 | Int16 | UInt8 | UInt16),
            Float64 => matches!(from, Float32 | Int8 | Int16 | Int32 | UInt8 | UInt16 | UInt32),
            _ => false,
        }
}

fn numbers(array: &ArrayRef) -> Result<Values, String> {
    Ok(match array.data_type() {
        DataType::Boolean => Values::Bool(array.as_boolean().clone()),
        DataType::Int8 => Values::I8(array.as_primitive().clone()),
        DataType::Int16 => Values::I16(array.as_primitive().clone()),
        DataType::Int32 => Values::I32(array.as_primitive().clone()),
        DataType::Int64 => Values::I64(array.as_primitive().clone()),
        DataType::UInt8 => Values::U8(array.as_primitive().clone()),
        DataType::UInt16 => Values::U16(array.as_primitive().clone()),
        DataType::UInt32 => Values::U32(array.as_primitive().clone()),
        DataType::UInt64 => Values::U64(array.as_primitive().clone()),
        DataType::Float32 => Values::F32(array.as_primitive().clone()),
        DataType::Float64 => Values::F64(array.as_primitive().clone()),
        other => return Err(format!("{other} is no type that state is stored in")),
    })
}
