//! Columns under construction: one typed arrow builder per column, and for collections a tree of them.
//!
//! This is the per-field path of every decoder: one `match` on the column's type, then a typed append.

use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::*;
use base64::Engine;
use flott_batch::arrow_type::{in_nanos, to_arrow, utc};
use flott_batch::text::{is_decimal, parse_date, parse_decimal};
use flott_types::{Error, LogicalType, Result, TypeKind};

use crate::scalar::{self, TimeStyle};

/// Values of one logical type, collected.
pub(crate) enum Column {
    Boolean(BooleanBuilder),
    TinyInt(Int8Builder),
    SmallInt(Int16Builder),
    Int(Int32Builder),
    BigInt(Int64Builder),
    Float(Float32Builder),
    Double(Float64Builder),
    Decimal(Decimal128Builder, u8, u8),
    Text(StringBuilder),
    Binary(BinaryBuilder),
    Date(Date32Builder),
    Time(Time32MillisecondBuilder, u8),
    Micros(TimestampMicrosecondBuilder, u8, bool),
    Nanos(Decimal128Builder, u8, bool),
    Months(IntervalYearMonthBuilder),
    Millis(DurationMillisecondBuilder),
    List(Box<ListColumn>),
    Map(Box<MapColumn>),
    Row(RowColumn),
    Null(usize),
}

/// An ARRAY.
pub(crate) struct ListColumn {
    pub(crate) elements: Column,
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
    field: FieldRef,
}

/// A MAP or MULTISET.
pub(crate) struct MapColumn {
    pub(crate) keys: Column,
    pub(crate) values: Column,
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
    field: FieldRef,
}

/// A ROW.
pub(crate) struct RowColumn {
    pub(crate) fields: Vec<Column>,
    nulls: NullBufferBuilder,
    len: usize,
    types: Fields,
}

/// Why text did not become a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NotAValue;

impl Column {
    /// An empty column of a type.
    pub(crate) fn new(ty: &LogicalType) -> Self {
        let arrow = to_arrow(ty);
        match (&ty.kind, arrow) {
            (TypeKind::Boolean, _) => Column::Boolean(BooleanBuilder::new()),
            (TypeKind::TinyInt, _) => Column::TinyInt(Int8Builder::new()),
            (TypeKind::SmallInt, _) => Column::SmallInt(Int16Builder::new()),
            (TypeKind::Int, _) => Column::Int(Int32Builder::new()),
            (TypeKind::BigInt, _) => Column::BigInt(Int64Builder::new()),
            (TypeKind::Float, _) => Column::Float(Float32Builder::new()),
            (TypeKind::Double, _) => Column::Double(Float64Builder::new()),
            (TypeKind::Decimal(precision, scale), arrow) => {
                Column::Decimal(Decimal128Builder::new().with_data_type(arrow), *precision, *scale)
            }
            (TypeKind::Char(_) | TypeKind::Varchar(_), _) => Column::Text(StringBuilder::new()),
            (TypeKind::Binary(_) | TypeKind::Varbinary(_), _) => Column::Binary(BinaryBuilder::new()),
            (TypeKind::Date, _) => Column::Date(Date32Builder::new()),
            (TypeKind::Time(precision), _) => Column::Time(Time32MillisecondBuilder::new(), *precision),
            (TypeKind::Timestamp(precision) | TypeKind::TimestampLtz(precision), _) => {
                let local = matches!(ty.kind, TypeKind::TimestampLtz(_));
                let zone = local.then(utc);
                if in_nanos(*precision) {
                    Column::Nanos(Decimal128Builder::new().with_data_type(to_arrow(ty)), *precision, local)
                } else {
                    let builder = TimestampMicrosecondBuilder::new().with_timezone_opt(zone);
                    Column::Micros(builder, *precision, local)
                }
            }
            (TypeKind::IntervalYearMonth, _) => Column::Months(IntervalYearMonthBuilder::new()),
            (TypeKind::IntervalDaySecond, _) => Column::Millis(DurationMillisecondBuilder::new()),
            (TypeKind::Array(element), DataType::List(field)) => Column::List(Box::new(ListColumn {
                elements: Column::new(element),
                ends: vec![0],
                nulls: NullBufferBuilder::new(0),
                field,
            })),
            (TypeKind::Map(key, value), DataType::Map(field, _)) => Column::map(key, value, field),
            (TypeKind::Multiset(element), DataType::Map(field, _)) => {
                Column::map(element, &TypeKind::Int.nullable(), field)
            }
            (TypeKind::Row(fields), DataType::Struct(types)) => Column::Row(RowColumn {
                fields: fields.iter().map(|field| Column::new(&field.ty)).collect(),
                nulls: NullBufferBuilder::new(0),
                len: 0,
                types,
            }),
            _ => Column::Null(0),
        }
    }

    fn map(key: &LogicalType, value: &LogicalType, field: FieldRef) -> Self {
        Column::Map(Box::new(MapColumn {
            keys: Column::new(key),
            values: Column::new(value),
            ends: vec![0],
            nulls: NullBufferBuilder::new(0),
            field,
        }))
    }

    /// Appends NULL.
    pub(crate) fn append_null(&mut self) {
        match self {
            Column::Boolean(builder) => builder.append_null(),
            Column::TinyInt(builder) => builder.append_null(),
            Column::SmallInt(builder) => builder.append_null(),
            Column::Int(builder) => builder.append_null(),
            Column::BigInt(builder) => builder.append_null(),
            Column::Float(builder) => builder.append_null(),
            Column::Double(builder) => builder.append_null(),
            Column::Decimal(builder, ..) => builder.append_null(),
            Column::Text(builder) => builder.append_null(),
            Column::Binary(builder) => builder.append_null(),
            Column::Date(builder) => builder.append_null(),
            Column::Time(builder, _) => builder.append_null(),
            Column::Micros(builder, ..) => builder.append_null(),
            Column::Nanos(builder, ..) => builder.append_null(),
            Column::Months(builder) => builder.append_null(),
            Column::Millis(builder) => builder.append_null(),
            Column::List(list) => list.end(false),
            Column::Map(map) => map.end(false),
            Column::Row(row) => {
                row.fields.iter_mut().for_each(Column::append_null);
                row.end(false);
            }
            Column::Null(rows) => *rows += 1,
        }
    }

    /// Appends the value of the text; numbers may have blanks around them. Collections are not read here.
    /// Appends nothing when the text does not fit. A number too large for a DECIMAL is NULL, as in Flink.
    #[inline]
    pub(crate) fn append_text(&mut self, text: &[u8], style: TimeStyle) -> Result<(), NotAValue> {
        use scalar::{parse_float, parse_integer, trim};
        match self {
            Column::Text(builder) => builder.append_value(std::str::from_utf8(text).map_err(|_| NotAValue)?),
            Column::Int(builder) => builder.append_value(parse_integer(trim(text)).ok_or(NotAValue)?),
            Column::BigInt(builder) => builder.append_value(scalar::parse_long(trim(text)).ok_or(NotAValue)?),
            Column::Double(builder) => builder.append_value(parse_float(trim(text)).ok_or(NotAValue)?),
            Column::Decimal(builder, precision, scale) => match parse_decimal(trim(text), *precision, *scale)
            {
                Some(value) => builder.append_value(value),
                None if is_decimal(trim(text)) => builder.append_null(),
                None => return Err(NotAValue),
            },
            Column::Micros(builder, precision, local) => {
                let (seconds, nanos) = scalar::parse_timestamp(trim(text), style, *local).ok_or(NotAValue)?;
                builder.append_value(micros(seconds, nanos, *precision).ok_or(NotAValue)?);
            }
            Column::Nanos(builder, precision, local) => {
                let (seconds, nanos) = scalar::parse_timestamp(trim(text), style, *local).ok_or(NotAValue)?;
                let nanos = scalar::truncate_nanos(nanos, *precision);
                builder.append_value(i128::from(seconds) * 1_000_000_000 + i128::from(nanos));
            }
            Column::Date(builder) => {
                let days = parse_date(text).or_else(|| scalar::parse_loose_date(trim(text)));
                builder.append_value(days.ok_or(NotAValue)?);
            }
            Column::Time(builder, precision) => {
                let nanos = scalar::parse_loose_time(trim(text)).ok_or(NotAValue)?;
                let step = 10i64.pow(9 - u32::from((*precision).min(3)));
                builder.append_value((nanos / step * step / 1_000_000) as i32);
            }
            Column::Boolean(builder) => builder.append_value(scalar::parse_boolean(trim(text))),
            Column::TinyInt(builder) => builder.append_value(parse_integer(trim(text)).ok_or(NotAValue)?),
            Column::SmallInt(builder) => builder.append_value(parse_integer(trim(text)).ok_or(NotAValue)?),
            Column::Float(builder) => builder.append_value(parse_float(trim(text)).ok_or(NotAValue)?),
            Column::Binary(builder) => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(text).map_err(|_| NotAValue)?;
                builder.append_value(bytes);
            }
            Column::Months(builder) => builder.append_value(parse_integer(trim(text)).ok_or(NotAValue)?),
            Column::Millis(builder) => builder.append_value(scalar::parse_long(trim(text)).ok_or(NotAValue)?),
            Column::Null(rows) => *rows += 1,
            Column::List(_) | Column::Map(_) | Column::Row(_) => return Err(NotAValue),
        }
        Ok(())
    }

    /// The number of values.
    pub(crate) fn len(&self) -> usize {
        match self {
            Column::Boolean(builder) => builder.len(),
            Column::TinyInt(builder) => builder.len(),
            Column::SmallInt(builder) => builder.len(),
            Column::Int(builder) => builder.len(),
            Column::BigInt(builder) => builder.len(),
            Column::Float(builder) => builder.len(),
            Column::Double(builder) => builder.len(),
            Column::Decimal(builder, ..) => builder.len(),
            Column::Text(builder) => builder.len(),
            Column::Binary(builder) => builder.len(),
            Column::Date(builder) => builder.len(),
            Column::Time(builder, _) => builder.len(),
            Column::Micros(builder, ..) => builder.len(),
            Column::Nanos(builder, ..) => builder.len(),
            Column::Months(builder) => builder.len(),
            Column::Millis(builder) => builder.len(),
            Column::List(list) => list.ends.len() - 1,
            Column::Map(map) => map.ends.len() - 1,
            Column::Row(row) => row.len,
            Column::Null(rows) => *rows,
        }
    }

    /// The number of values, with one that is begun: something went wrong in its middle.
    pub(crate) fn reached(&self) -> usize {
        match self {
            Column::List(list) => self.len() + usize::from(list.elements.reached() > last(&list.ends)),
            Column::Map(map) => {
                let entries = map.keys.reached().max(map.values.reached());
                self.len() + usize::from(entries > last(&map.ends))
            }
            Column::Row(row) => row.fields.iter().map(Column::reached).fold(row.len, usize::max),
            _ => self.len(),
        }
    }

    /// Ends what is begun and appends NULLs until there are this many values: for a row that was given up.
    pub(crate) fn fill(&mut self, values: usize) {
        while self.len() < values {
            match self {
                Column::List(list) => {
                    list.elements.fill(list.elements.reached());
                    list.end(false);
                }
                Column::Map(map) => {
                    // A key is whole before its value begins, so it is a value that is missing, and never a key.
                    let entries = map.keys.reached().max(map.values.reached());
                    map.keys.fill(entries);
                    map.values.fill(entries);
                    map.end(false);
                }
                Column::Row(row) => {
                    let values = row.len + 1;
                    row.fields.iter_mut().for_each(|field| field.fill(values));
                    row.end(false);
                }
                _ => self.append_null(),
            }
        }
    }

    /// The values so far; the column is empty after.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef> {
        Ok(match self {
            Column::Boolean(builder) => Arc::new(builder.finish()),
            Column::TinyInt(builder) => Arc::new(builder.finish()),
            Column::SmallInt(builder) => Arc::new(builder.finish()),
            Column::Int(builder) => Arc::new(builder.finish()),
            Column::BigInt(builder) => Arc::new(builder.finish()),
            Column::Float(builder) => Arc::new(builder.finish()),
            Column::Double(builder) => Arc::new(builder.finish()),
            Column::Decimal(builder, ..) => Arc::new(builder.finish()),
            Column::Text(builder) => Arc::new(builder.finish()),
            Column::Binary(builder) => Arc::new(builder.finish()),
            Column::Date(builder) => Arc::new(builder.finish()),
            Column::Time(builder, _) => Arc::new(builder.finish()),
            Column::Micros(builder, ..) => Arc::new(builder.finish()),
            Column::Nanos(builder, ..) => Arc::new(builder.finish()),
            Column::Months(builder) => Arc::new(builder.finish()),
            Column::Millis(builder) => Arc::new(builder.finish()),
            Column::List(list) => Arc::new(list.finish()?),
            Column::Map(map) => Arc::new(map.finish()?),
            Column::Row(row) => Arc::new(row.finish()?),
            Column::Null(rows) => Arc::new(NullArray::new(std::mem::take(rows))),
        })
    }
}

/// Where the last value of a collection ends among the elements.
fn last(ends: &[i32]) -> usize {
    ends.last().map_or(0, |end| usize::try_from(*end).unwrap_or(0))
}

fn micros(seconds: i64, nanos: i64, precision: u8) -> Option<i64> {
    seconds.checked_mul(1_000_000)?.checked_add(scalar::truncate_nanos(nanos, precision) / 1_000)
}

impl ListColumn {
    /// The elements appended since the last list are one list, or none of them exist and the list is NULL.
    pub(crate) fn end(&mut self, valid: bool) {
        self.ends.push(self.elements.len() as i32);
        self.nulls.append(valid);
    }

    fn finish(&mut self) -> Result<ListArray> {
        let (offsets, nulls) = take_offsets(&mut self.ends, &mut self.nulls);
        ListArray::try_new(self.field.clone(), offsets, self.elements.finish()?, nulls).map_err(array_error)
    }
}

impl MapColumn {
    /// The entries appended since the last map are one map.
    pub(crate) fn end(&mut self, valid: bool) {
        self.ends.push(self.keys.len() as i32);
        self.nulls.append(valid);
    }

    fn finish(&mut self) -> Result<MapArray> {
        let (offsets, nulls) = take_offsets(&mut self.ends, &mut self.nulls);
        let DataType::Struct(fields) = self.field.data_type() else {
            return Err(Error::internal("a map's entries are not a struct"));
        };
        let columns = vec![self.keys.finish()?, self.values.finish()?];
        let entries = StructArray::try_new(fields.clone(), columns, None).map_err(array_error)?;
        MapArray::try_new(self.field.clone(), offsets, entries, nulls, false).map_err(array_error)
    }
}

impl RowColumn {
    /// One value was appended to each field: they are one row, or NULL.
    pub(crate) fn end(&mut self, valid: bool) {
        self.len += 1;
        self.nulls.append(valid);
    }

    fn finish(&mut self) -> Result<StructArray> {
        let columns = self.fields.iter_mut().map(Column::finish).collect::<Result<Vec<_>>>()?;
        let len = std::mem::take(&mut self.len);
        StructArray::try_new_with_length(self.types.clone(), columns, self.nulls.finish(), len)
            .map_err(array_error)
    }
}

fn take_offsets(
    ends: &mut Vec<i32>,
    nulls: &mut NullBufferBuilder,
) -> (OffsetBuffer<i32>, Option<NullBuffer>) {
    let offsets = std::mem::replace(ends, vec![0]);
    (OffsetBuffer::new(offsets.into()), nulls.finish())
}

fn array_error(error: arrow::error::ArrowError) -> Error {
    Error::internal("array of decoded values").with_source(error)
}

/// One value of a type that is not a collection, from its text as the formats write it; `None` is NULL. For
/// values that lie outside of records, such as those in names of directories.
pub fn single_value(ty: &LogicalType, text: Option<&str>) -> Result<ArrayRef> {
    let mut column = Column::new(ty);
    match text {
        None => column.append_null(),
        Some(text) => {
            let appended = column.append_text(text.as_bytes(), TimeStyle::Sql);
            appended.map_err(|NotAValue| Error::data(format!("'{text}' is not a value of {ty}")))?;
        }
    }
    column.finish()
}
