//! Prints values as Flink's SQL client does.
//!
//! The scalar helpers ([`write_decimal`], [`write_double`], [`write_timestamp`] ...) are the basis of CAST to
//! STRING, the text formats and the shell, so that a value looks the same everywhere. All of them append to a
//! `String` that the caller reuses; none allocates. The `parse_*` functions read the plain forms back, for
//! the formats.

mod number;
mod parse;
mod time;

use std::fmt::Write;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, DurationMillisecondType, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, IntervalYearMonthType, Time32MillisecondType, TimeUnit,
    TimestampMicrosecondType,
};
use chrono_tz::Tz;
use flott_types::{LogicalType, TypeKind};

use crate::arrow_type::nanos_at;

pub use number::{write_decimal, write_double, write_float};
pub use parse::{is_decimal, parse_date, parse_decimal, parse_fraction, parse_time, parse_timestamp};
pub use time::{
    civil_from_days, days_from_civil, days_of_month, offset_of_instant, to_local, write_date,
    write_day_second_interval, write_time, write_timestamp, write_timestamp_ltz, write_timestamp_nanos,
    write_year_month_interval,
};

/// A value as text; `None` is NULL.
pub fn cell(array: &dyn Array, row: usize, ty: &LogicalType, zone: Tz) -> Option<String> {
    if array.is_null(row) || array.data_type().is_null() {
        return None;
    }
    let mut text = String::new();
    write_value(&mut text, array, row, ty, zone);
    Some(text)
}

/// Appends the value of a row as Flink's SQL client prints it; `NULL` for NULL. TIMESTAMP_LTZ is shown in
/// `zone`.
///
/// The array must have the arrow type of `ty` ([`crate::arrow_type::to_arrow`]).
pub fn write_value(out: &mut String, array: &dyn Array, row: usize, ty: &LogicalType, zone: Tz) {
    if array.is_null(row) || write_valid(out, array, row, &ty.kind, zone).is_none() {
        debug_assert!(
            array.is_null(row) || ty.kind == TypeKind::Null,
            "a {} array does not hold values of {ty}",
            array.data_type()
        );
        out.push_str("NULL");
    }
}

/// `None` if the array's type does not match the logical type.
fn write_valid(out: &mut String, array: &dyn Array, row: usize, kind: &TypeKind, zone: Tz) -> Option<()> {
    match kind {
        TypeKind::Char(_) | TypeKind::Varchar(_) => out.push_str(array.as_string_opt::<i32>()?.value(row)),
        TypeKind::Boolean => out.push_str(if array.as_boolean_opt()?.value(row) { "TRUE" } else { "FALSE" }),
        TypeKind::Binary(_) | TypeKind::Varbinary(_) => {
            write_binary(out, array.as_binary_opt::<i32>()?.value(row))
        }
        TypeKind::Decimal(_, scale) => write_decimal(out, value::<Decimal128Type>(array, row)?, *scale),
        TypeKind::TinyInt => write_integer(out, value::<Int8Type>(array, row)?.into()),
        TypeKind::SmallInt => write_integer(out, value::<Int16Type>(array, row)?.into()),
        TypeKind::Int => write_integer(out, value::<Int32Type>(array, row)?.into()),
        TypeKind::BigInt => write_integer(out, value::<Int64Type>(array, row)?),
        TypeKind::Float => write_float(out, value::<Float32Type>(array, row)?),
        TypeKind::Double => write_double(out, value::<Float64Type>(array, row)?),
        TypeKind::Date => write_date(out, value::<Date32Type>(array, row)?.into()),
        TypeKind::Time(precision) => write_time(out, value::<Time32MillisecondType>(array, row)?, *precision),
        TypeKind::Timestamp(precision) => match value::<TimestampMicrosecondType>(array, row) {
            Some(micros) => write_timestamp(out, micros, TimeUnit::Microsecond, *precision),
            None => write_timestamp_nanos(out, nanos_at(array, row)?, *precision, Tz::UTC),
        },
        TypeKind::TimestampLtz(precision) => match value::<TimestampMicrosecondType>(array, row) {
            Some(micros) => write_timestamp_ltz(out, micros, TimeUnit::Microsecond, *precision, zone),
            None => write_timestamp_nanos(out, nanos_at(array, row)?, *precision, zone),
        },
        TypeKind::IntervalYearMonth => {
            write_year_month_interval(out, value::<IntervalYearMonthType>(array, row)?)
        }
        TypeKind::IntervalDaySecond => {
            write_day_second_interval(out, value::<DurationMillisecondType>(array, row)?)
        }
        TypeKind::Array(element) => {
            let values = array.as_list_opt::<i32>()?.value(row);
            out.push('[');
            for i in 0..values.len() {
                separate(out, i);
                write_value(out, &values, i, element, zone);
            }
            out.push(']');
        }
        TypeKind::Map(key, value) => write_map(out, array, row, key, value, zone)?,
        TypeKind::Multiset(element) => write_map(out, array, row, element, &TypeKind::Int.not_null(), zone)?,
        TypeKind::Row(fields) => {
            let row_array = array.as_struct_opt()?;
            out.push('(');
            for (i, (column, field)) in row_array.columns().iter().zip(fields).enumerate() {
                separate(out, i);
                write_value(out, column, row, &field.ty, zone);
            }
            out.push(')');
        }
        TypeKind::Structured(_, fields) => {
            let row_array = array.as_struct_opt()?;
            out.push('(');
            for (i, (column, field)) in row_array.columns().iter().zip(fields).enumerate() {
                separate(out, i);
                out.push_str(&field.name);
                out.push('=');
                write_value(out, column, row, &field.ty, zone);
            }
            out.push(')');
        }
        TypeKind::Variant => crate::variant::write_json(out, array.as_binary_opt::<i32>()?.value(row))?,
        TypeKind::Bitmap => crate::bitmap::write_text(out, array.as_binary_opt::<i32>()?.value(row)).ok()?,
        _ => return None,
    }
    Some(())
}

fn write_map(
    out: &mut String,
    array: &dyn Array,
    row: usize,
    key: &LogicalType,
    value: &LogicalType,
    zone: Tz,
) -> Option<()> {
    let entries = array.as_map_opt()?.value(row);
    let (keys, values) = (entries.column(0), entries.column(1));
    out.push('{');
    for i in 0..entries.len() {
        separate(out, i);
        write_value(out, keys, i, key, zone);
        out.push('=');
        write_value(out, values, i, value, zone);
    }
    out.push('}');
    Some(())
}

fn separate(out: &mut String, position: usize) {
    if position > 0 {
        out.push_str(", ");
    }
}

#[inline]
fn value<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> Option<T::Native> {
    Some(array.as_primitive_opt::<T>()?.value(row))
}

/// An integer in decimal digits.
#[inline]
pub fn write_integer(out: &mut String, value: i64) {
    let _ = write!(out, "{value}");
}

/// Bytes as `x'0a1b'`.
pub fn write_binary(out: &mut String, bytes: &[u8]) {
    out.push_str("x'");
    write_hex(out, bytes);
    out.push('\'');
}

/// Bytes as lower-case hexadecimal digits.
pub fn write_hex(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)] as char);
        out.push(DIGITS[usize::from(byte & 15)] as char);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::*;
    use arrow::datatypes::Field;
    use flott_types::RowField;

    use super::*;
    use crate::arrow_type::to_arrow;

    fn all(array: &dyn Array, ty: TypeKind) -> Vec<String> {
        let ty = ty.nullable();
        assert_eq!(array.data_type(), &to_arrow(&ty));
        let print = |row| {
            let mut out = String::new();
            write_value(&mut out, array, row, &ty, chrono_tz::America::New_York);
            out
        };
        (0..array.len()).map(print).collect()
    }

    #[test]
    fn scalars() {
        assert_eq!(
            all(&BooleanArray::from(vec![Some(true), Some(false), None]), TypeKind::Boolean),
            ["TRUE", "FALSE", "NULL"]
        );
        assert_eq!(all(&Int8Array::from(vec![i8::MIN]), TypeKind::TinyInt), ["-128"]);
        assert_eq!(all(&BinaryArray::from(vec![&b"\x0a\xff"[..]]), TypeKind::BYTES), ["x'0aff'"]);
        let decimals = Decimal128Array::from(vec![-5, 12345]).with_precision_and_scale(10, 3).unwrap();
        assert_eq!(all(&decimals, TypeKind::Decimal(10, 3)), ["-0.005", "12.345"]);
        let ltz = TimestampMicrosecondArray::from(vec![0]).with_timezone("UTC");
        assert_eq!(all(&ltz, TypeKind::TimestampLtz(3)), ["1969-12-31 19:00:00.000"]);
        let nanos = crate::arrow_type::nanos_array([Some(1_000_000_001), Some(253_402_300_799_999_999_999)]);
        assert_eq!(
            all(&nanos, TypeKind::Timestamp(9)),
            ["1970-01-01 00:00:01.000000001", "9999-12-31 23:59:59.999999999"]
        );
    }

    #[test]
    fn collections() {
        let list =
            ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), Some(vec![])]);
        assert_eq!(all(&list, TypeKind::Array(Box::new(TypeKind::Int.nullable()))), ["[1, NULL]", "[]"]);

        let row = TypeKind::Row(vec![
            RowField { name: "a".into(), ty: TypeKind::Int.nullable(), comment: None },
            RowField { name: "b".into(), ty: TypeKind::STRING.nullable(), comment: None },
        ]);
        let arrow::datatypes::DataType::Struct(fields) = to_arrow(&row.clone().nullable()) else { panic!() };
        let columns: Vec<ArrayRef> =
            vec![Arc::new(Int32Array::from(vec![1, 2])), Arc::new(StringArray::from(vec![Some("x"), None]))];
        assert_eq!(all(&StructArray::new(fields, columns, None), row), ["(1, x)", "(2, NULL)"]);

        let multiset = TypeKind::Multiset(Box::new(TypeKind::STRING.nullable()));
        let names = MapFieldNames { entry: "entries".into(), key: "keys".into(), value: "values".into() };
        let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), Int32Builder::new())
            .with_values_field(Arc::new(Field::new("values", arrow::datatypes::DataType::Int32, true)));
        builder.keys().append_value("a");
        builder.values().append_value(2);
        builder.append(true).unwrap();
        builder.append(false).unwrap();
        assert_eq!(all(&builder.finish(), multiset), ["{a=2}", "NULL"]);
    }
}
