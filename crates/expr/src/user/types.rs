//! Rust types as values of SQL.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Float32Array, Float64Array, Int8Array,
    Int16Array, Int32Array, Int64Array, StringArray, Time32MillisecondArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Date32Type;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use flott_batch::arrow_type;
use flott_types::{Error, Result, TypeKind};

use super::Typed;

/// A Rust type whose values are values of an SQL type: numbers, `bool`, `String`, `Vec<u8>` (BYTES),
/// `NaiveDate`, and `Option` of them, which also has NULL.
pub trait SqlType: Sized + Send + 'static {
    /// Whether NULL is one of its values.
    const NULLABLE: bool = false;

    /// The SQL type.
    fn kind() -> TypeKind;

    /// The value of a row. Only types that include NULL are read at NULLs.
    ///
    /// # Errors
    /// If the array is of another type.
    fn read(array: &dyn Array, row: usize) -> Result<Self>;

    /// An array of these values; `None` is NULL.
    fn array(values: Vec<Option<Self>>) -> ArrayRef;
}

fn other(array: &dyn Array) -> Error {
    Error::internal(format!("the argument of a function is a {} array", array.data_type()))
}

macro_rules! sql_types {
    ($($rust:ty, $kind:expr, $array:ty, $own:expr;)*) => {
        $(impl SqlType for $rust {
            fn kind() -> TypeKind {
                $kind
            }

            fn read(array: &dyn Array, row: usize) -> Result<Self> {
                let array = array.as_any().downcast_ref::<$array>().ok_or_else(|| other(array))?;
                Ok($own(array.value(row)))
            }

            fn array(values: Vec<Option<Self>>) -> ArrayRef {
                Arc::new(values.into_iter().collect::<$array>())
            }
        })*
    };
}

sql_types! {
    bool, TypeKind::Boolean, BooleanArray, |value: bool| value;
    i8, TypeKind::TinyInt, Int8Array, |value: i8| value;
    i16, TypeKind::SmallInt, Int16Array, |value: i16| value;
    i32, TypeKind::Int, Int32Array, |value: i32| value;
    i64, TypeKind::BigInt, Int64Array, |value: i64| value;
    f32, TypeKind::Float, Float32Array, |value: f32| value;
    f64, TypeKind::Double, Float64Array, |value: f64| value;
    String, TypeKind::STRING, StringArray, |value: &str| value.to_owned();
    Vec<u8>, TypeKind::BYTES, BinaryArray, |value: &[u8]| value.to_owned();
}

impl SqlType for NaiveTime {
    fn kind() -> TypeKind {
        TypeKind::Time(3)
    }

    fn read(array: &dyn Array, row: usize) -> Result<Self> {
        let millis = array.as_any().downcast_ref::<Time32MillisecondArray>().ok_or_else(|| other(array))?;
        millis.value_as_time(row).ok_or_else(|| Error::data("a time is beyond the end of the day"))
    }

    fn array(values: Vec<Option<Self>>) -> ArrayRef {
        let millis = |time: NaiveTime| {
            let seconds = time.num_seconds_from_midnight();
            // A leap second is the last moment of its minute.
            (seconds * 1000 + (time.nanosecond() / 1_000_000).min(999)) as i32
        };
        Arc::new(values.into_iter().map(|time| time.map(millis)).collect::<Time32MillisecondArray>())
    }
}

impl SqlType for NaiveDateTime {
    fn kind() -> TypeKind {
        TypeKind::Timestamp(6)
    }

    fn read(array: &dyn Array, row: usize) -> Result<Self> {
        let micros =
            array.as_any().downcast_ref::<TimestampMicrosecondArray>().ok_or_else(|| other(array))?;
        let instant = DateTime::from_timestamp_micros(micros.value(row));
        instant.map(|instant| instant.naive_utc()).ok_or_else(beyond)
    }

    fn array(values: Vec<Option<Self>>) -> ArrayRef {
        let micros = values.into_iter().map(|time| time.map(|time| time.and_utc().timestamp_micros()));
        Arc::new(micros.collect::<TimestampMicrosecondArray>())
    }
}

impl SqlType for DateTime<Utc> {
    fn kind() -> TypeKind {
        TypeKind::TimestampLtz(6)
    }

    fn read(array: &dyn Array, row: usize) -> Result<Self> {
        let micros =
            array.as_any().downcast_ref::<TimestampMicrosecondArray>().ok_or_else(|| other(array))?;
        DateTime::from_timestamp_micros(micros.value(row)).ok_or_else(beyond)
    }

    fn array(values: Vec<Option<Self>>) -> ArrayRef {
        let micros = values.into_iter().map(|time| time.map(|time| time.timestamp_micros()));
        let ty = arrow_type::to_arrow(&Self::kind().nullable());
        Arc::new(micros.collect::<TimestampMicrosecondArray>().with_data_type(ty))
    }
}

fn beyond() -> Error {
    Error::data("a timestamp is beyond what chrono can hold")
}

impl SqlType for NaiveDate {
    fn kind() -> TypeKind {
        TypeKind::Date
    }

    fn read(array: &dyn Array, row: usize) -> Result<Self> {
        let days = array.as_any().downcast_ref::<Date32Array>().ok_or_else(|| other(array))?;
        days.value_as_date(row).ok_or_else(|| Error::data("a date is beyond what NaiveDate can hold"))
    }

    fn array(values: Vec<Option<Self>>) -> ArrayRef {
        Arc::new(
            values.into_iter().map(|date| date.map(Date32Type::from_naive_date)).collect::<Date32Array>(),
        )
    }
}

impl<T: SqlType> SqlType for Option<T> {
    const NULLABLE: bool = true;

    fn kind() -> TypeKind {
        T::kind()
    }

    fn read(array: &dyn Array, row: usize) -> Result<Self> {
        match array.is_valid(row) {
            true => T::read(array, row).map(Some),
            false => Ok(None),
        }
    }

    fn array(values: Vec<Option<Self>>) -> ArrayRef {
        T::array(values.into_iter().map(Option::flatten).collect())
    }
}

/// A row of a table function: a value, or a tuple of values with one column each.
pub trait SqlRow: Sized + Send + 'static {
    /// The types of the columns.
    fn types() -> Vec<Typed>;

    /// The columns.
    fn columns(rows: Vec<Self>) -> Vec<ArrayRef>;
}

/// A type as a parameter or a result.
pub fn typed<T: SqlType>() -> Typed {
    Typed { kind: T::kind(), nullable: T::NULLABLE }
}

impl<T: SqlType> SqlRow for T {
    fn types() -> Vec<Typed> {
        vec![typed::<T>()]
    }

    fn columns(rows: Vec<Self>) -> Vec<ArrayRef> {
        vec![T::array(rows.into_iter().map(Some).collect())]
    }
}

macro_rules! tuples {
    ($(($($name:ident $at:tt),*))*) => {
        $(impl<$($name: SqlType),*> SqlRow for ($($name,)*) {
            fn types() -> Vec<Typed> {
                vec![$(typed::<$name>()),*]
            }

            fn columns(rows: Vec<Self>) -> Vec<ArrayRef> {
                let mut columns = ($(Vec::<Option<$name>>::with_capacity(rows.len()),)*);
                for row in rows {
                    $(columns.$at.push(Some(row.$at));)*
                }
                vec![$($name::array(columns.$at)),*]
            }
        })*
    };
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
}
