//! Between the columns of a snapshot and those of a table.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StringBuilder, StructArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use flott_batch::{arrow_type, text};
use flott_types::{LogicalType, RowField, TypeKind};

use crate::shape::{Kind, Shape, tuple_field};

/// A number that does not fit is an error.
const EXACT: CastOptions<'_> =
    CastOptions { safe: false, format_options: arrow::util::display::FormatOptions::new() };

/// The columns of a struct or tuple; an error names a part that has none.
pub(super) fn columns(shape: &Shape) -> Result<Vec<(String, LogicalType)>, String> {
    let column = |name: String, shape: &Shape| {
        let ty = logical(shape).map_err(|part| match part.is_empty() {
            true => name.clone(),
            false => format!("{name}.{part}"),
        })?;
        Ok((name, ty))
    };
    match &shape.kind {
        Kind::Struct(members) => {
            members.iter().map(|member| column(member.name.to_owned(), &member.value)).collect()
        }
        Kind::Tuple(items) => {
            items.iter().enumerate().map(|(at, item)| column(tuple_field(at), item)).collect()
        }
        _ => Err(String::new()),
    }
}

fn logical(shape: &Shape) -> Result<LogicalType, String> {
    let boxed = |shape: &Shape| logical(shape).map(Box::new);
    let kind = match &shape.kind {
        Kind::Unit => return Err(String::new()),
        Kind::Bool => TypeKind::Boolean,
        Kind::I8 => TypeKind::TinyInt,
        Kind::I16 | Kind::U8 => TypeKind::SmallInt,
        Kind::I32 | Kind::U16 => TypeKind::Int,
        Kind::I64 | Kind::U32 => TypeKind::BigInt,
        Kind::U64 => TypeKind::Decimal(20, 0),
        Kind::F32 => TypeKind::Float,
        Kind::F64 => TypeKind::Double,
        Kind::Text | Kind::Enum | Kind::Json(_) => TypeKind::Varchar(TypeKind::MAX_LENGTH),
        Kind::Bytes => TypeKind::Varbinary(TypeKind::MAX_LENGTH),
        Kind::List(item) => TypeKind::Array(boxed(item)?),
        Kind::Map(key, value) => TypeKind::Map(boxed(key)?, boxed(value)?),
        Kind::Tuple(_) | Kind::Struct(_) => {
            let fields = columns(shape)?.into_iter();
            TypeKind::Row(fields.map(|(name, ty)| RowField { name, ty, comment: None }).collect())
        }
    };
    Ok(kind.nullable())
}

/// A column of a snapshot as the array of a table's column.
pub(super) fn to_table(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, String> {
    let wrong = |error: arrow::error::ArrowError| error.to_string();
    Ok(match (array.data_type(), to) {
        (from, to) if from == to => array.clone(),
        (DataType::List(_), DataType::List(field)) => {
            let list = array.as_list::<i32>();
            let values = to_table(list.values(), field.data_type())?;
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            Arc::new(ListArray::try_new(field.clone(), offsets, values, nulls).map_err(wrong)?)
        }
        (DataType::Map(..), DataType::Map(entries, sorted)) => {
            let map = array.as_map();
            let DataType::Struct(fields) = entries.data_type() else { return Err(format!("{to}")) };
            let columns = map.entries().columns().iter().zip(fields);
            let columns = columns.map(|(column, field)| to_table(column, field.data_type()));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            let values = StructArray::try_new(fields.clone(), columns, None).map_err(wrong)?;
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            Arc::new(MapArray::try_new(entries.clone(), offsets, values, nulls, *sorted).map_err(wrong)?)
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let row = array.as_struct();
            let columns = row.columns().iter().zip(fields);
            let columns = columns.map(|(column, field)| to_table(column, field.data_type()));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            let nulls = row.nulls().cloned();
            Arc::new(StructArray::try_new(fields.clone(), columns, nulls).map_err(wrong)?)
        }
        _ => cast_with_options(array, to, &EXACT).map_err(wrong)?,
    })
}

/// Whether a column of a type can hold what is of the field's own type.
pub(super) fn check_written(own: &LogicalType, to: &LogicalType) -> Result<(), String> {
    use TypeKind as T;
    let digits = |kind: &T| match kind {
        T::TinyInt => Some(3),
        T::SmallInt => Some(5),
        T::Int => Some(10),
        T::BigInt => Some(19),
        T::Decimal(precision, 0) => Some(*precision),
        _ => None,
    };
    let fits = match (&own.kind, &to.kind) {
        (own, to) if own == to => true,
        (T::BigInt, T::Timestamp(3..) | T::TimestampLtz(3..)) | (T::Float, T::Double) => true,
        (own, to) => digits(own).is_some_and(|own| digits(to).is_some_and(|to| own <= to)),
    };
    match fits {
        true => Ok(()),
        false => Err(format!("it is {to}, and the field is {own}")),
    }
}

/// The column of a snapshot as that of a table's column, whose type may be wider than the field's own.
pub(super) fn written(array: &ArrayRef, own: &LogicalType, to: &LogicalType) -> Result<ArrayRef, String> {
    let arrow = arrow_type::to_arrow(to);
    match (&own.kind, &to.kind) {
        (TypeKind::BigInt, TypeKind::Timestamp(precision) | TypeKind::TimestampLtz(precision)) => {
            // Milliseconds since the epoch.
            let millis = array.as_primitive::<Int64Type>();
            let too_far = |millis: i64| format!("{millis} ms is no time that {to} can hold");
            if arrow_type::in_nanos(*precision) {
                let nanos = millis.iter().map(|millis| millis.map(|millis| i128::from(millis) * 1_000_000));
                return Ok(Arc::new(arrow_type::nanos_array(nanos)));
            }
            let micros = millis.try_unary::<_, TimestampMicrosecondType, _>(|millis| {
                millis.checked_mul(1_000).ok_or_else(|| ArrowError::ComputeError(too_far(millis)))
            });
            let micros = micros.map_err(|error| error.to_string())?;
            Ok(Arc::new(micros.with_data_type(arrow)))
        }
        _ => to_table(array, &arrow),
    }
}

/// What a type of table is read as.
enum Way {
    AsIs,
    Number(DataType),
    Millis,
    Text,
    Parts,
}

fn way(ty: &LogicalType, shape: &Shape) -> Result<Way, String> {
    use TypeKind as T;
    let number = match &shape.kind {
        Kind::I8 => Some(DataType::Int8),
        Kind::I16 => Some(DataType::Int16),
        Kind::I32 => Some(DataType::Int32),
        Kind::I64 => Some(DataType::Int64),
        Kind::U8 => Some(DataType::UInt8),
        Kind::U16 => Some(DataType::UInt16),
        Kind::U32 => Some(DataType::UInt32),
        Kind::U64 => Some(DataType::UInt64),
        Kind::F32 => Some(DataType::Float32),
        Kind::F64 => Some(DataType::Float64),
        _ => None,
    };
    let is_float = matches!(shape.kind, Kind::F32 | Kind::F64);
    Ok(match (&ty.kind, &shape.kind) {
        (T::Boolean, Kind::Bool) => Way::AsIs,
        (T::TinyInt | T::SmallInt | T::Int | T::BigInt | T::Decimal(_, 0), _) if number.is_some() => {
            Way::Number(number.unwrap_or(DataType::Null))
        }
        (T::Float | T::Double | T::Decimal(..), _) if is_float => {
            Way::Number(number.unwrap_or(DataType::Null))
        }
        (T::Timestamp(_) | T::TimestampLtz(_), Kind::I64) => Way::Millis,
        (T::Char(_) | T::Varchar(_), Kind::Text | Kind::Enum | Kind::Json(_)) => Way::AsIs,
        (T::Binary(_) | T::Varbinary(_), Kind::Bytes) => Way::AsIs,
        (T::Array(item), Kind::List(own)) => parts([(&**item, &**own)])?,
        (T::Map(key, value), Kind::Map(own_key, own_value)) => {
            parts([(&**key, &**own_key), (&**value, &**own_value)])?
        }
        (T::Row(fields), Kind::Tuple(items)) if fields.len() == items.len() => {
            parts(fields.iter().map(|field| &field.ty).zip(items))?
        }
        (T::Row(fields), Kind::Struct(members)) => {
            let own = |field: &RowField| members.iter().find(|member| member.name == field.name);
            parts(fields.iter().filter_map(|field| Some((&field.ty, &own(field)?.value))))?
        }
        (T::Array(_) | T::Map(..) | T::Row(_) | T::Null, _) => return Err(refused(ty, shape)),
        (_, Kind::Text) => Way::Text,
        _ => return Err(refused(ty, shape)),
    })
}

fn parts<'a>(parts: impl IntoIterator<Item = (&'a LogicalType, &'a Shape)>) -> Result<Way, String> {
    parts.into_iter().try_for_each(|(ty, shape)| check(ty, shape))?;
    Ok(Way::Parts)
}

fn refused(ty: &LogicalType, shape: &Shape) -> String {
    match logical(shape) {
        Ok(own) => format!("it is {ty}, and the field is {own}"),
        Err(_) => format!("it is {ty}, and the field holds nothing"),
    }
}

/// Whether a column of a type can be read.
pub(super) fn check(ty: &LogicalType, shape: &Shape) -> Result<(), String> {
    way(ty, shape).map(|_| ())
}

/// The column of a table as one that a value is read from.
pub(super) fn from_table(array: &ArrayRef, ty: &LogicalType, shape: &Shape) -> Result<ArrayRef, String> {
    let wrong = |error: arrow::error::ArrowError| error.to_string();
    Ok(match way(ty, shape)? {
        Way::AsIs => array.clone(),
        Way::Number(to) => cast_with_options(array, &to, &EXACT).map_err(wrong)?,
        Way::Millis => {
            let nanos = (0..array.len())
                .map(|row| array.is_valid(row).then(|| arrow_type::nanos_at(array.as_ref(), row)).flatten());
            let millis = |nanos: Option<i128>| nanos.map(|nanos| nanos.div_euclid(1_000_000) as i64);
            Arc::new(nanos.map(millis).collect::<arrow::array::Int64Array>())
        }
        Way::Text => {
            let mut texts = StringBuilder::with_capacity(array.len(), 0);
            let mut line = String::new();
            for row in 0..array.len() {
                if array.is_null(row) {
                    texts.append_null();
                    continue;
                }
                line.clear();
                text::write_value(&mut line, array.as_ref(), row, ty, chrono_tz::UTC);
                texts.append_value(&line);
            }
            Arc::new(texts.finish())
        }
        Way::Parts => from_parts(array, ty, shape)?,
    })
}

fn from_parts(array: &ArrayRef, ty: &LogicalType, shape: &Shape) -> Result<ArrayRef, String> {
    let wrong = |error: arrow::error::ArrowError| error.to_string();
    let field = |name: &str, shape: &Shape, array: &ArrayRef| {
        Arc::new(Field::clone(&shape.field(name)).with_data_type(array.data_type().clone()))
    };
    Ok(match (&ty.kind, &shape.kind) {
        (TypeKind::Array(item), Kind::List(own)) => {
            let list = array.as_list::<i32>();
            let values = from_table(list.values(), item, own)?;
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            let item = field("item", own, &values);
            Arc::new(ListArray::try_new(item, offsets, values, nulls).map_err(wrong)?)
        }
        (TypeKind::Map(key, value), Kind::Map(own_key, own_value)) => {
            let map = array.as_map();
            let columns =
                vec![from_table(map.keys(), key, own_key)?, from_table(map.values(), value, own_value)?];
            let key = Field::clone(&field("key", own_key, &columns[0])).with_nullable(false);
            let fields = vec![Arc::new(key), field("value", own_value, &columns[1])];
            let entries = StructArray::try_new(fields.clone().into(), columns, None).map_err(wrong)?;
            let field = Field::new("entries", DataType::Struct(fields.into()), false);
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            Arc::new(MapArray::try_new(Arc::new(field), offsets, entries, nulls, false).map_err(wrong)?)
        }
        (TypeKind::Row(row_fields), Kind::Tuple(_) | Kind::Struct(_)) => {
            let row = array.as_struct();
            let (mut fields, mut columns) = (Vec::new(), Vec::new());
            for (at, (row_field, column)) in row_fields.iter().zip(row.columns()).enumerate() {
                let (name, own) = match &shape.kind {
                    Kind::Tuple(items) => (tuple_field(at), items.get(at)),
                    Kind::Struct(members) => {
                        let member = members.iter().find(|member| member.name == row_field.name);
                        (row_field.name.clone(), member.map(|member| &member.value))
                    }
                    _ => continue,
                };
                let Some(own) = own else { continue };
                let column = from_table(column, &row_field.ty, own)?;
                fields.push(field(&name, own, &column));
                columns.push(column);
            }
            match columns.is_empty() {
                true => Arc::new(StructArray::new_empty_fields(row.len(), row.nulls().cloned())),
                false => Arc::new(
                    StructArray::try_new(fields.into(), columns, row.nulls().cloned()).map_err(wrong)?,
                ),
            }
        }
        _ => return Err(refused(ty, shape)),
    })
}
