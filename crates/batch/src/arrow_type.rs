//! How Flink's logical types are represented in memory.
//!
//! | logical | arrow |
//! |---|---|
//! | CHAR, VARCHAR, STRING | Utf8 |
//! | BINARY, VARBINARY, BYTES | Binary |
//! | BOOLEAN, TINYINT, SMALLINT, INT, BIGINT, FLOAT, DOUBLE | Boolean, Int8, Int16, Int32, Int64, Float32, Float64 |
//! | DECIMAL(p, s) | Decimal128(p, s) |
//! | DATE | Date32 |
//! | TIME(p) | Time32(Millisecond) |
//! | TIMESTAMP(p) | Timestamp(Microsecond) up to p = 6; above a Decimal128 of nanoseconds, because eight bytes of them end in 2262 |
//! | TIMESTAMP_LTZ(p) | the same, microseconds with time zone "UTC" |
//! | INTERVAL YEAR TO MONTH | Interval(YearMonth) |
//! | INTERVAL DAY TO SECOND | Duration(Millisecond) |
//! | ARRAY, MAP, ROW | List, Map, Struct |
//! | MULTISET of T | Map of T to Int32 (how often) |
//! | STRUCTURED | Struct |
//! | VARIANT | Binary ([`crate::variant`]) |
//! | BITMAP | Binary ([`crate::bitmap`]) |
//! | NULL | Null |
//!
//! Every field is nullable in arrow; only the planner knows about NOT NULL. A value of TIMESTAMP(3) in a
//! microsecond array is a whole number of milliseconds: whoever creates such a value truncates it.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Decimal128Array};
use arrow::datatypes::{
    DataType, Decimal128Type, Field, FieldRef, IntervalUnit, Schema, SchemaRef, TimeUnit,
    TimestampMicrosecondType,
};
use flott_types::{LogicalType, TypeKind};

/// The arrow type that holds values of a logical type.
pub fn to_arrow(ty: &LogicalType) -> DataType {
    match &ty.kind {
        TypeKind::Char(_) | TypeKind::Varchar(_) => DataType::Utf8,
        TypeKind::Boolean => DataType::Boolean,
        TypeKind::Binary(_) | TypeKind::Varbinary(_) => DataType::Binary,
        TypeKind::Decimal(precision, scale) => DataType::Decimal128(*precision, *scale as i8),
        TypeKind::TinyInt => DataType::Int8,
        TypeKind::SmallInt => DataType::Int16,
        TypeKind::Int => DataType::Int32,
        TypeKind::BigInt => DataType::Int64,
        TypeKind::Float => DataType::Float32,
        TypeKind::Double => DataType::Float64,
        TypeKind::Date => DataType::Date32,
        TypeKind::Time(_) => DataType::Time32(TimeUnit::Millisecond),
        TypeKind::Timestamp(precision) | TypeKind::TimestampLtz(precision) if in_nanos(*precision) => NANOS,
        TypeKind::Timestamp(_) => DataType::Timestamp(TimeUnit::Microsecond, None),
        TypeKind::TimestampLtz(_) => DataType::Timestamp(TimeUnit::Microsecond, Some(utc())),
        TypeKind::IntervalYearMonth => DataType::Interval(IntervalUnit::YearMonth),
        TypeKind::IntervalDaySecond => DataType::Duration(TimeUnit::Millisecond),
        TypeKind::Array(element) => DataType::List(list_item(element)),
        TypeKind::Map(key, value) => map_of(to_arrow(key), to_arrow(value)),
        TypeKind::Multiset(element) => map_of(to_arrow(element), DataType::Int32),
        TypeKind::Variant | TypeKind::Bitmap => DataType::Binary,
        TypeKind::Row(fields) | TypeKind::Structured(_, fields) => {
            DataType::Struct(fields.iter().map(|field| self::field(&field.name, &field.ty)).collect())
        }
        _ => DataType::Null,
    }
}

/// The time zone tag of TIMESTAMP_LTZ arrays.
pub fn utc() -> Arc<str> {
    Arc::from("UTC")
}

/// The representation of timestamps with more than six digits: nanoseconds since the epoch.
const NANOS: DataType = DataType::Decimal128(38, 0);

/// Whether timestamps of a precision are held in nanoseconds rather than microseconds.
pub fn in_nanos(precision: u8) -> bool {
    precision > 6
}

/// Timestamps of more than six digits, from nanoseconds since the epoch.
pub fn nanos_array(values: impl IntoIterator<Item = Option<i128>>) -> Decimal128Array {
    values.into_iter().collect::<Decimal128Array>().with_data_type(NANOS)
}

/// Nanoseconds since the epoch of the timestamp in a row that is not NULL; `None` if the array holds no
/// timestamps.
pub fn nanos_at(array: &dyn Array, row: usize) -> Option<i128> {
    match array.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(micros) => Some(i128::from(micros.value(row)) * 1_000),
        None => Some(array.as_primitive_opt::<Decimal128Type>()?.value(row)),
    }
}

/// A column's arrow field.
pub fn field(name: &str, ty: &LogicalType) -> FieldRef {
    Arc::new(Field::new(name, to_arrow(ty), true))
}

/// The arrow schema of named, typed columns.
pub fn schema<'a>(columns: impl IntoIterator<Item = (&'a str, &'a LogicalType)>) -> SchemaRef {
    Arc::new(Schema::new(columns.into_iter().map(|(name, ty)| field(name, ty)).collect::<Vec<_>>()))
}

/// The element field of a List.
pub fn list_item(element: &LogicalType) -> FieldRef {
    Arc::new(Field::new_list_field(to_arrow(element), true))
}

fn map_of(key: DataType, value: DataType) -> DataType {
    let entries = [Field::new("keys", key, false), Field::new("values", value, true)];
    DataType::Map(
        Arc::new(Field::new("entries", DataType::Struct(entries.into_iter().collect()), false)),
        false,
    )
}
