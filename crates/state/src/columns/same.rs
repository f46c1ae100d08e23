//! Whether a value of one column is that of another, where it stands.

use arrow::array::{Array, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMillisecondType, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalUnit, IntervalYearMonthType, Time32MillisecondType, TimeUnit, TimestampMicrosecondType,
};

/// Calls a macro with the arrow type of numbers of which equal ones have equal bits.
macro_rules! with_number {
    ($data_type:expr, $call:ident, $else:expr) => {
        match $data_type {
            DataType::Int8 => $call!(Int8Type),
            DataType::Int16 => $call!(Int16Type),
            DataType::Int32 => $call!(Int32Type),
            DataType::Int64 => $call!(Int64Type),
            DataType::Date32 => $call!(Date32Type),
            DataType::Decimal128(..) => $call!(Decimal128Type),
            DataType::Time32(TimeUnit::Millisecond) => $call!(Time32MillisecondType),
            DataType::Timestamp(TimeUnit::Microsecond, _) => $call!(TimestampMicrosecondType),
            DataType::Duration(TimeUnit::Millisecond) => $call!(DurationMillisecondType),
            DataType::Interval(IntervalUnit::YearMonth) => $call!(IntervalYearMonthType),
            _ => $else,
        }
    };
}

/// Whether values of a type can be compared where they stand: not floating point numbers, which have several zeros,
/// and nothing nested.
pub(crate) fn comparable(data_type: &DataType) -> bool {
    macro_rules! known {
        ($ty:ty) => {
            true
        };
    }
    with_number!(data_type, known, matches!(data_type, DataType::Boolean | DataType::Utf8 | DataType::Binary))
}

/// Whether two values are equal; NULL equals NULL. Of columns of one type that is [`comparable`].
pub(crate) fn same(left: &dyn Array, at: usize, right: &dyn Array, row: usize) -> bool {
    match (left.is_null(at), right.is_null(row)) {
        (false, false) => (),
        (left, right) => return left == right,
    }
    macro_rules! numbers {
        ($ty:ty) => {
            number::<$ty>(left, at) == number::<$ty>(right, row)
        };
    }
    match left.data_type() {
        DataType::Utf8 => left.as_string::<i32>().value(at) == right.as_string::<i32>().value(row),
        DataType::Binary => left.as_binary::<i32>().value(at) == right.as_binary::<i32>().value(row),
        DataType::Boolean => left.as_boolean().value(at) == right.as_boolean().value(row),
        data_type => with_number!(data_type, numbers, false),
    }
}

fn number<T: ArrowPrimitiveType>(array: &dyn Array, at: usize) -> T::Native {
    array.as_primitive::<T>().value(at)
}
