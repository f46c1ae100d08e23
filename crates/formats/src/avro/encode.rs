//! Values, from columns into bytes.
//!
//! For each batch the columns are looked at once and bound to the types that they are written as
//! ([`Bound`]); then each row is written in one pass, without an allocation.

use arrow::array::*;
use arrow::buffer::NullBuffer;
use arrow::datatypes::TimestampMicrosecondType;
use flott_batch::arrow_type::in_nanos;
use flott_types::{Error, LogicalType, Result, RowField, TypeKind};

use super::schema::{Record, Schema, Unit};

/// A record's fields, bound to the columns of a batch.
pub(super) struct BoundRecord<'a>(Vec<Bound<'a>>);

/// A column, and how its values are written.
struct Bound<'a> {
    name: &'a str,
    nulls: Option<&'a NullBuffer>,
    /// Of a union, the numbers of null's branch, if it has one, and of the value's.
    union: Option<(Option<i64>, i64)>,
    values: Values<'a>,
}

enum Values<'a> {
    Null,
    Boolean(&'a BooleanArray),
    TinyInt(&'a Int8Array),
    SmallInt(&'a Int16Array),
    Int(&'a Int32Array),
    Long(&'a Int64Array),
    Float(&'a Float32Array),
    Double(&'a Float64Array),
    Text(&'a StringArray),
    Bytes(&'a BinaryArray),
    Date(&'a Date32Array),
    Time(&'a Time32MillisecondArray, Unit),
    Micros(&'a TimestampMicrosecondArray, Unit),
    Nanos(&'a Decimal128Array, Unit),
    Decimal(&'a Decimal128Array, Option<usize>),
    List(&'a ListArray, Box<Bound<'a>>),
    /// The keys are text.
    Map(&'a MapArray, &'a StringArray, Box<Bound<'a>>),
    Row(BoundRecord<'a>),
}

impl<'a> BoundRecord<'a> {
    /// The columns with these names and types.
    ///
    /// # Errors
    /// If the record has a field that is no column, or of another type; or has no field for a column.
    pub(super) fn new(
        record: &'a Record,
        columns: impl Iterator<Item = (&'a str, &'a LogicalType)>,
        arrays: &'a [ArrayRef],
    ) -> Result<Self, String> {
        let columns: Vec<((&str, &LogicalType), &ArrayRef)> = columns.zip(arrays).collect();
        if let Some(((name, _), _)) =
            columns.iter().find(|((name, _), _)| record.fields.iter().all(|(field, _)| field != name))
        {
            return Err(format!("the Avro record {} has no field for column '{name}'", record.name));
        }
        let mut fields = Vec::with_capacity(record.fields.len());
        for (name, schema) in &record.fields {
            let found = columns.iter().find(|((column, _), _)| column == name);
            let Some(&((_, ty), array)) = found else {
                return Err(format!("the field '{name}' of the Avro record {} is no column", record.name));
            };
            fields.push(Bound::new(name, schema, ty, array.as_ref())?);
        }
        Ok(BoundRecord(fields))
    }

    /// Appends a row.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        self.0.iter().try_for_each(|field| field.write(row, out))
    }
}

impl<'a> Bound<'a> {
    fn new(
        name: &'a str,
        schema: &'a Schema,
        ty: &'a LogicalType,
        array: &'a dyn Array,
    ) -> Result<Self, String> {
        let nulls = array.nulls();
        if let Schema::Union(branches) = schema {
            let null = branches.iter().position(|branch| *branch == Schema::Null).map(|at| at as i64);
            let mut why = format!("the field '{name}' is a union without a value");
            for (at, branch) in branches.iter().enumerate().filter(|(_, branch)| **branch != Schema::Null) {
                match Values::new(name, branch, ty, array) {
                    Ok(values) => return Ok(Bound { name, nulls, union: Some((null, at as i64)), values }),
                    Err(wrong) => why = wrong,
                }
            }
            return Err(why);
        }
        Ok(Bound { name, nulls, union: None, values: Values::new(name, schema, ty, array)? })
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        let is_null = self.nulls.is_some_and(|nulls| nulls.is_null(row));
        match (self.union, is_null) {
            (Some((Some(null), _)), true) => {
                put_long(out, null);
                return Ok(());
            }
            (Some((_, value)), false) => put_long(out, value),
            (None, false) => {}
            (None, true) if matches!(self.values, Values::Null) => return Ok(()),
            (Some((None, _)) | None, true) => {
                return Err(Error::data(format!(
                    "column '{}' is NULL, and its Avro type has no null",
                    self.name
                )));
            }
        }
        match &self.values {
            Values::Null => {}
            Values::Boolean(array) => out.push(array.value(row).into()),
            Values::TinyInt(array) => put_long(out, array.value(row).into()),
            Values::SmallInt(array) => put_long(out, array.value(row).into()),
            Values::Int(array) => put_long(out, array.value(row).into()),
            Values::Long(array) => put_long(out, array.value(row)),
            Values::Float(array) => out.extend_from_slice(&array.value(row).to_le_bytes()),
            Values::Double(array) => out.extend_from_slice(&array.value(row).to_le_bytes()),
            Values::Text(array) => put_sized(out, array.value(row).as_bytes()),
            Values::Bytes(array) => put_sized(out, array.value(row)),
            Values::Date(array) => put_long(out, array.value(row).into()),
            Values::Time(array, unit) => {
                let millis = i64::from(array.value(row));
                put_long(out, if *unit == Unit::Millis { millis } else { millis * 1_000 });
            }
            Values::Micros(array, unit) => {
                let micros = array.value(row);
                put_long(out, in_unit(micros.into(), 1_000, *unit, self.name)?);
            }
            Values::Nanos(array, unit) => put_long(out, in_unit(array.value(row), 1, *unit, self.name)?),
            Values::Decimal(array, fixed) => put_decimal(out, array.value(row), *fixed, self.name)?,
            Values::List(array, element) => {
                let offsets = array.value_offsets();
                let (first, end) = range(offsets, row);
                put_items(out, first, end, |item, out| element.write(item, out))?;
            }
            Values::Map(array, keys, value) => {
                let (first, end) = range(array.value_offsets(), row);
                put_items(out, first, end, |item, out| {
                    put_sized(out, keys.value(item).as_bytes());
                    value.write(item, out)
                })?;
            }
            Values::Row(record) => record.write(row, out)?,
        }
        Ok(())
    }
}

impl<'a> Values<'a> {
    fn new(
        name: &'a str,
        schema: &'a Schema,
        ty: &'a LogicalType,
        array: &'a dyn Array,
    ) -> Result<Self, String> {
        use TypeKind as Kind;
        Ok(match (schema, &ty.kind) {
            (Schema::Null, Kind::Null) => Values::Null,
            (Schema::Boolean, Kind::Boolean) => Values::Boolean(array.as_boolean()),
            (Schema::Int | Schema::Long, Kind::TinyInt) => Values::TinyInt(array.as_primitive()),
            (Schema::Int | Schema::Long, Kind::SmallInt) => Values::SmallInt(array.as_primitive()),
            (Schema::Int | Schema::Long, Kind::Int) => Values::Int(array.as_primitive()),
            (Schema::Long, Kind::BigInt) => Values::Long(array.as_primitive()),
            (Schema::Float, Kind::Float) => Values::Float(array.as_primitive()),
            (Schema::Double, Kind::Double) => Values::Double(array.as_primitive()),
            (Schema::Text, Kind::Char(_) | Kind::Varchar(_)) => Values::Text(array.as_string()),
            (Schema::Bytes, Kind::Binary(_) | Kind::Varbinary(_)) => Values::Bytes(array.as_binary()),
            (Schema::Date, Kind::Date) => Values::Date(array.as_primitive()),
            (Schema::Time(unit @ (Unit::Millis | Unit::Micros)), Kind::Time(_)) => {
                Values::Time(array.as_primitive(), *unit)
            }
            (Schema::Timestamp(unit, _), Kind::Timestamp(precision) | Kind::TimestampLtz(precision)) => {
                if in_nanos(*precision) {
                    Values::Nanos(array.as_primitive(), *unit)
                } else {
                    Values::Micros(array.as_primitive::<TimestampMicrosecondType>(), *unit)
                }
            }
            (Schema::Decimal { scale, fixed, .. }, Kind::Decimal(_, own)) if own == scale => {
                Values::Decimal(array.as_primitive(), *fixed)
            }
            (Schema::Array(items), Kind::Array(element)) => {
                let list = array.as_list::<i32>();
                Values::List(list, Box::new(Bound::new(name, items, element, list.values().as_ref())?))
            }
            (Schema::Map(values), Kind::Map(key, value)) if key.kind.is_character() => {
                let map = array.as_map();
                let value = Bound::new(name, values, value, map.values().as_ref())?;
                Values::Map(map, map.keys().as_string(), Box::new(value))
            }
            (Schema::Map(values), Kind::Multiset(element)) if element.kind.is_character() => {
                let (map, count) = (array.as_map(), count());
                let value = Bound::new(name, values, count, map.values().as_ref())?;
                Values::Map(map, map.keys().as_string(), Box::new(value))
            }
            (Schema::Record(record), Kind::Row(fields)) => {
                let fields = fields.iter().map(|RowField { name, ty, .. }| (name.as_str(), ty));
                Values::Row(BoundRecord::new(record, fields, array.as_struct().columns())?)
            }
            (schema, kind) => {
                return Err(format!("column '{name}': {kind} is not written as {}", schema.describe()));
            }
        })
    }
}

/// The type of a MULTISET's counts.
fn count() -> &'static LogicalType {
    static COUNT: std::sync::LazyLock<LogicalType> = std::sync::LazyLock::new(|| TypeKind::Int.not_null());
    &COUNT
}

fn range(offsets: &[i32], row: usize) -> (usize, usize) {
    let at = |index: usize| offsets.get(index).map_or(0, |offset| *offset as usize);
    (at(row), at(row + 1))
}

fn put_items(
    out: &mut Vec<u8>,
    first: usize,
    end: usize,
    mut item: impl FnMut(usize, &mut Vec<u8>) -> Result<()>,
) -> Result<()> {
    if first < end {
        put_long(out, (end - first) as i64);
        (first..end).try_for_each(|at| item(at, out))?;
    }
    out.push(0);
    Ok(())
}

/// A time of so many nanoseconds each as a number of this unit; what is smaller is cut off.
fn in_unit(time: i128, nanos: i128, unit: Unit, column: &str) -> Result<i64> {
    let of_unit = match unit {
        Unit::Millis => 1_000_000,
        Unit::Micros => 1_000,
        Unit::Nanos => 1,
    };
    let number = (time * nanos).div_euclid(of_unit);
    i64::try_from(number).map_err(|_| Error::data(format!("column '{column}': a timestamp is too far away")))
}

pub(super) fn put_long(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest > 0x7f {
        out.push((rest as u8 & 0x7f) | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

pub(super) fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    put_long(out, bytes.len() as i64);
    out.extend_from_slice(bytes);
}

/// As few bytes as there must be, as Java's `BigInteger` writes it; or that many.
fn put_decimal(out: &mut Vec<u8>, value: i128, fixed: Option<usize>, column: &str) -> Result<()> {
    let all = value.to_be_bytes();
    let sign = if value < 0 { 0xff } else { 0 };
    let mut bytes = all.as_slice();
    while let [first, second, ..] = bytes
        && *first == sign
        && (second & 0x80 == sign & 0x80)
        && let [_, rest @ ..] = bytes
    {
        bytes = rest;
    }
    match fixed {
        None => put_sized(out, bytes),
        Some(size) => {
            let fill = size.checked_sub(bytes.len()).ok_or_else(|| {
                Error::data(format!("column '{column}': a decimal does not fit into {size} bytes"))
            })?;
            out.extend(std::iter::repeat_n(sign, fill));
            out.extend_from_slice(bytes);
        }
    }
    Ok(())
}
