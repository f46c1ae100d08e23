//! Converts constants to arrays and back.

use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::{
    Date32Type, Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalYearMonthType, Time32MillisecondType, TimestampMicrosecondType,
};
use flott_batch::arrow_type::{nanos_array, to_arrow, utc};
use flott_plan::Literal;
use flott_types::{Error, LogicalType, Result, TypeKind};

use crate::value::repeat;

/// An array that repeats the constant for this many rows.
pub fn to_array(value: &Literal, ty: &LogicalType, rows: usize) -> Result<ArrayRef> {
    if *value == Literal::Null {
        return Ok(new_null_array(&to_arrow(ty), rows));
    }
    let one =
        one(value, ty).ok_or_else(|| Error::internal(format!("{value:?} is not a value of type {ty}")))?;
    repeat(&one, rows)
}

fn one(value: &Literal, ty: &LogicalType) -> Option<ArrayRef> {
    use TypeKind::*;
    Some(match (&ty.kind, value) {
        (Char(_) | Varchar(_), Literal::String(text)) => Arc::new(StringArray::from(vec![text.as_str()])),
        (Binary(_) | Varbinary(_) | Variant | Bitmap, Literal::Binary(bytes)) => {
            Arc::new(BinaryArray::from(vec![bytes.as_slice()]))
        }
        (Boolean, Literal::Boolean(value)) => Arc::new(BooleanArray::from(vec![*value])),
        (TinyInt, Literal::Integer(value)) => Arc::new(Int8Array::from(vec![i8::try_from(*value).ok()?])),
        (SmallInt, Literal::Integer(value)) => Arc::new(Int16Array::from(vec![i16::try_from(*value).ok()?])),
        (Int, Literal::Integer(value)) => Arc::new(Int32Array::from(vec![i32::try_from(*value).ok()?])),
        (BigInt, Literal::Integer(value)) => Arc::new(Int64Array::from(vec![*value])),
        (Float, Literal::Double(value)) => Arc::new(Float32Array::from(vec![*value as f32])),
        (Double, Literal::Double(value)) => Arc::new(Float64Array::from(vec![*value])),
        (Decimal(precision, scale), Literal::Decimal(value)) => Arc::new(
            Decimal128Array::from(vec![*value]).with_precision_and_scale(*precision, *scale as i8).ok()?,
        ),
        (Date, Literal::Integer(value)) => Arc::new(Date32Array::from(vec![i32::try_from(*value).ok()?])),
        (Time(_), Literal::Integer(value)) => {
            Arc::new(Time32MillisecondArray::from(vec![i32::try_from(*value).ok()?]))
        }
        (IntervalYearMonth, Literal::Integer(value)) => {
            Arc::new(IntervalYearMonthArray::from(vec![i32::try_from(*value).ok()?]))
        }
        (IntervalDaySecond, Literal::Integer(value)) => {
            Arc::new(DurationMillisecondArray::from(vec![*value]))
        }
        (Timestamp(precision) | TimestampLtz(precision), Literal::Timestamp(nanos)) => {
            let zone = matches!(ty.kind, TimestampLtz(_)).then(utc);
            if *precision <= 6 {
                let micros = i64::try_from(nanos.div_euclid(1_000)).ok()?;
                Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_timezone_opt(zone))
            } else {
                Arc::new(nanos_array([Some(*nanos)]))
            }
        }
        _ => return None,
    })
}

/// The value of a row as a constant; `None` for types that have no constants (ARRAY, MAP, MULTISET, ROW).
pub fn from_array(array: &ArrayRef, row: usize, ty: &LogicalType) -> Option<Literal> {
    use TypeKind::*;
    if array.is_null(row) || ty.kind == Null {
        return (!is_constructed(&ty.kind)).then_some(Literal::Null);
    }
    Some(match &ty.kind {
        Char(_) | Varchar(_) => Literal::String(array.as_string_opt::<i32>()?.value(row).to_owned()),
        Binary(_) | Varbinary(_) | Variant | Bitmap => {
            Literal::Binary(array.as_binary_opt::<i32>()?.value(row).to_owned())
        }
        Boolean => Literal::Boolean(array.as_boolean_opt()?.value(row)),
        TinyInt => Literal::Integer(array.as_primitive_opt::<Int8Type>()?.value(row).into()),
        SmallInt => Literal::Integer(array.as_primitive_opt::<Int16Type>()?.value(row).into()),
        Int => Literal::Integer(array.as_primitive_opt::<Int32Type>()?.value(row).into()),
        BigInt => Literal::Integer(array.as_primitive_opt::<Int64Type>()?.value(row)),
        Float => Literal::Double(array.as_primitive_opt::<Float32Type>()?.value(row).into()),
        Double => Literal::Double(array.as_primitive_opt::<Float64Type>()?.value(row)),
        Decimal(..) => Literal::Decimal(array.as_primitive_opt::<Decimal128Type>()?.value(row)),
        Date => Literal::Integer(array.as_primitive_opt::<Date32Type>()?.value(row).into()),
        Time(_) => Literal::Integer(array.as_primitive_opt::<Time32MillisecondType>()?.value(row).into()),
        IntervalYearMonth => {
            Literal::Integer(array.as_primitive_opt::<IntervalYearMonthType>()?.value(row).into())
        }
        IntervalDaySecond => {
            Literal::Integer(array.as_primitive_opt::<DurationMillisecondType>()?.value(row))
        }
        Timestamp(precision) | TimestampLtz(precision) => Literal::Timestamp(if *precision <= 6 {
            i128::from(array.as_primitive_opt::<TimestampMicrosecondType>()?.value(row)) * 1_000
        } else {
            array.as_primitive_opt::<Decimal128Type>()?.value(row)
        }),
        _ => return None,
    })
}

fn is_constructed(kind: &TypeKind) -> bool {
    matches!(
        kind,
        TypeKind::Array(_)
            | TypeKind::Map(..)
            | TypeKind::Multiset(_)
            | TypeKind::Row(_)
            | TypeKind::Structured(..)
    )
}
