//! One value of a text batch.

use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::*;
use flott_types::{Error, LogicalType, Result, TypeKind};

use crate::{arrow_type, text};

/// A value as it was written.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    Null,
    Text(String),
    Row(Vec<Cell>),
    Map(Vec<(Cell, Cell)>),
}

/// Reads the values of a line one after the other.
pub(super) struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Scanner { rest: line }
    }

    pub(super) fn at_end(&mut self) -> bool {
        self.rest = self.rest.trim_start();
        self.rest.is_empty()
    }

    /// Up to the next blank.
    pub(super) fn word(&mut self) -> &'a str {
        let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
        self.cut(end)
    }

    /// The next value, which should be of this type.
    pub(super) fn cell(&mut self, kind: &TypeKind) -> Result<Cell, String> {
        if self.at_end() {
            return Err(format!("a value of {kind} is missing"));
        }
        self.value(kind, char::is_whitespace)
    }

    fn value(&mut self, kind: &TypeKind, ends: fn(char) -> bool) -> Result<Cell, String> {
        match kind {
            TypeKind::Array(element) if self.eat('[') => self.list(']', |_| &element.kind),
            TypeKind::Row(fields) if self.eat('(') => {
                self.list(')', |i| fields.get(i).map_or(&TypeKind::Null, |field| &field.ty.kind))
            }
            TypeKind::Map(key, value) if self.eat('{') => self.map(&key.kind, &value.kind),
            TypeKind::Multiset(element) if self.eat('{') => self.map(&element.kind, &TypeKind::Int),
            _ if self.rest.starts_with('\'') => self.quoted().map(Cell::Text),
            _ => {
                // The quotes of x'..' belong to the word: there can be no blank or comma between them.
                let end = self.rest.find(ends).unwrap_or(self.rest.len());
                let word = self.cut(end);
                Ok(if word == "NULL" { Cell::Null } else { Cell::Text(word.to_owned()) })
            }
        }
    }

    fn list<'k>(&mut self, close: char, kind: impl Fn(usize) -> &'k TypeKind) -> Result<Cell, String> {
        let mut cells = Vec::new();
        while !self.eat(close) {
            if !cells.is_empty() {
                self.expect(',')?;
            }
            cells.push(self.value(kind(cells.len()), ends_nested)?);
        }
        Ok(Cell::Row(cells))
    }

    fn map(&mut self, key: &TypeKind, value: &TypeKind) -> Result<Cell, String> {
        let mut entries = Vec::new();
        while !self.eat('}') {
            if !entries.is_empty() {
                self.expect(',')?;
            }
            let key = self.value(key, ends_nested)?;
            self.expect('=')?;
            entries.push((key, self.value(value, ends_nested)?));
        }
        Ok(Cell::Map(entries))
    }

    fn quoted(&mut self) -> Result<String, String> {
        let mut text = String::new();
        self.expect('\'')?;
        loop {
            let end = self.rest.find('\'').ok_or("a quote is not closed")?;
            text.push_str(self.cut(end));
            self.expect('\'')?;
            if !self.eat('\'') {
                return Ok(text);
            }
            text.push('\'');
        }
    }

    fn cut(&mut self, end: usize) -> &'a str {
        let (head, rest) = self.rest.split_at(end);
        self.rest = rest;
        head
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.rest.strip_prefix(wanted);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if self.eat(wanted) { Ok(()) } else { Err(format!("expected '{wanted}' before '{}'", self.rest)) }
    }
}

fn ends_nested(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ']' | ')' | '}' | '=')
}

/// Values of one type as an array.
pub(super) fn to_array(cells: &[Cell], ty: &LogicalType) -> Result<ArrayRef> {
    let refs: Vec<&Cell> = cells.iter().collect();
    column(&refs, &ty.kind)
}

fn column(cells: &[&Cell], kind: &TypeKind) -> Result<ArrayRef> {
    let arrow = arrow_type::to_arrow(&kind.clone().nullable());
    let nulls = NullBuffer::from_iter(cells.iter().map(|cell| !matches!(cell, Cell::Null)));
    let array_error = |error| Error::internal("array of text values").with_source(error);
    Ok(match (kind, &arrow) {
        (TypeKind::Char(_) | TypeKind::Varchar(_), _) => {
            Arc::new(StringArray::from_iter(scalars(cells, kind, |text| Some(text.to_owned()))?))
        }
        (TypeKind::Boolean, _) => Arc::new(BooleanArray::from_iter(scalars(cells, kind, |text| {
            text.to_ascii_lowercase().parse::<bool>().ok()
        })?)),
        (TypeKind::Binary(_) | TypeKind::Varbinary(_), _) => {
            Arc::new(BinaryArray::from_iter(scalars(cells, kind, from_hex)?))
        }
        (TypeKind::Decimal(precision, scale), _) => {
            let values =
                scalars(cells, kind, |text| text::parse_decimal(text.as_bytes(), *precision, *scale))?;
            let array = Decimal128Array::from_iter(values);
            Arc::new(array.with_precision_and_scale(*precision, *scale as i8).map_err(array_error)?)
        }
        (TypeKind::TinyInt, _) => numbers::<Int8Type>(cells, kind)?,
        (TypeKind::SmallInt, _) => numbers::<Int16Type>(cells, kind)?,
        (TypeKind::Int, _) => numbers::<Int32Type>(cells, kind)?,
        (TypeKind::BigInt, _) => numbers::<Int64Type>(cells, kind)?,
        (TypeKind::Float, _) => numbers::<Float32Type>(cells, kind)?,
        (TypeKind::Double, _) => numbers::<Float64Type>(cells, kind)?,
        (TypeKind::IntervalYearMonth, _) => numbers::<IntervalYearMonthType>(cells, kind)?,
        (TypeKind::IntervalDaySecond, _) => numbers::<DurationMillisecondType>(cells, kind)?,
        (TypeKind::Date, _) => {
            Arc::new(Date32Array::from_iter(scalars(cells, kind, |text| text::parse_date(text.as_bytes()))?))
        }
        (TypeKind::Time(_), _) => {
            let millis =
                |text: &str| text::parse_time(text.as_bytes()).map(|nanos| (nanos / 1_000_000) as i32);
            Arc::new(Time32MillisecondArray::from_iter(scalars(cells, kind, millis)?))
        }
        (TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_), DataType::Decimal128(..)) => {
            let values = scalars(cells, kind, |text| {
                text::parse_timestamp(text.as_bytes(), b'T')
                    .map(|(seconds, nanos)| i128::from(seconds) * 1_000_000_000 + i128::from(nanos))
            })?;
            Arc::new(arrow_type::nanos_array(values))
        }
        (TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_), DataType::Timestamp(_, zone)) => {
            let values = scalars(cells, kind, |text| {
                text::parse_timestamp(text.as_bytes(), b'T')
                    .and_then(|(seconds, nanos)| seconds.checked_mul(1_000_000)?.checked_add(nanos / 1_000))
            })?;
            Arc::new(TimestampMicrosecondArray::from_iter(values).with_timezone_opt(zone.clone()))
        }
        (TypeKind::Array(element), DataType::List(field)) => {
            let lists: Vec<&[Cell]> =
                cells.iter().map(|cell| if let Cell::Row(list) = cell { list } else { &[][..] }).collect();
            let values: Vec<&Cell> = lists.iter().copied().flatten().collect();
            let offsets = OffsetBuffer::from_lengths(lists.iter().map(|list| list.len()));
            Arc::new(
                ListArray::try_new(field.clone(), offsets, column(&values, &element.kind)?, Some(nulls))
                    .map_err(array_error)?,
            )
        }
        (TypeKind::Map(..) | TypeKind::Multiset(_), DataType::Map(field, _)) => {
            let (key, value) = match kind {
                TypeKind::Map(key, value) => (&key.kind, &value.kind),
                TypeKind::Multiset(element) => (&element.kind, &TypeKind::Int),
                _ => (&TypeKind::Null, &TypeKind::Null),
            };
            let maps: Vec<&[(Cell, Cell)]> =
                cells.iter().map(|cell| if let Cell::Map(map) = cell { map } else { &[][..] }).collect();
            let keys: Vec<&Cell> = maps.iter().flat_map(|map| map.iter().map(|(key, _)| key)).collect();
            let values: Vec<&Cell> = maps.iter().flat_map(|map| map.iter().map(|(_, value)| value)).collect();
            let offsets = OffsetBuffer::from_lengths(maps.iter().map(|map| map.len()));
            let DataType::Struct(fields) = field.data_type() else {
                return Err(not_a_value("{", kind));
            };
            let columns = vec![column(&keys, key)?, column(&values, value)?];
            let entries = StructArray::try_new(fields.clone(), columns, None).map_err(array_error)?;
            Arc::new(
                MapArray::try_new(field.clone(), offsets, entries, Some(nulls), false)
                    .map_err(array_error)?,
            )
        }
        (TypeKind::Row(types), DataType::Struct(fields)) => {
            let columns = types.iter().enumerate().map(|(i, field)| {
                let values: Vec<&Cell> = cells
                    .iter()
                    .map(|cell| {
                        if let Cell::Row(row) = cell {
                            row.get(i).unwrap_or(&Cell::Null)
                        } else {
                            &Cell::Null
                        }
                    })
                    .collect();
                column(&values, &field.ty.kind)
            });
            let columns = columns.collect::<Result<Vec<_>>>()?;
            Arc::new(
                StructArray::try_new_with_length(fields.clone(), columns, Some(nulls), cells.len())
                    .map_err(array_error)?,
            )
        }
        _ => Arc::new(NullArray::new(cells.len())),
    })
}

fn scalars<T>(cells: &[&Cell], kind: &TypeKind, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<Option<T>>> {
    let scalar = |cell: &&Cell| match cell {
        Cell::Null => Ok(None),
        Cell::Text(text) => parse(text).map(Some).ok_or_else(|| not_a_value(text, kind)),
        Cell::Row(_) | Cell::Map(_) => Err(not_a_value("a collection", kind)),
    };
    cells.iter().map(scalar).collect()
}

fn numbers<T: ArrowPrimitiveType>(cells: &[&Cell], kind: &TypeKind) -> Result<ArrayRef>
where
    T::Native: std::str::FromStr,
{
    let values = scalars(cells, kind, |text| text.parse::<T::Native>().ok())?;
    Ok(Arc::new(PrimitiveArray::<T>::from_iter(values)))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("x'")?.strip_suffix('\'')?.as_bytes();
    let pairs = digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    pairs.collect()
}

fn not_a_value(text: &str, kind: &TypeKind) -> Error {
    Error::invalid(format!("'{text}' is not a value of {kind}"))
}

/// Appends a value as [`Scanner::cell`] reads it.
pub(super) fn print(out: &mut String, array: &dyn Array, row: usize, ty: &LogicalType) {
    if array.is_null(row) {
        out.push_str("NULL");
        return;
    }
    let list =
        |out: &mut String, close: char, cells: &mut dyn Iterator<Item = (ArrayRef, usize, &LogicalType)>| {
            for (i, (array, row, ty)) in cells.enumerate() {
                if i > 0 {
                    out.push(',');
                }
                print(out, array.as_ref(), row, ty);
            }
            out.push(close);
        };
    match &ty.kind {
        TypeKind::Char(_) | TypeKind::Varchar(_) => print_text(out, array.as_string::<i32>().value(row)),
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => {
            let start = out.len();
            text::write_value(out, array, row, ty, chrono_tz::UTC);
            if let Some(blank) = out[start..].find(' ') {
                out.replace_range(start + blank..=start + blank, "T");
            }
        }
        TypeKind::IntervalYearMonth => {
            text::write_integer(out, array.as_primitive::<IntervalYearMonthType>().value(row).into());
        }
        TypeKind::IntervalDaySecond => {
            text::write_integer(out, array.as_primitive::<DurationMillisecondType>().value(row));
        }
        TypeKind::Array(element) => {
            let values = array.as_list::<i32>().value(row);
            out.push('[');
            list(out, ']', &mut (0..values.len()).map(|i| (values.clone(), i, element.as_ref())));
        }
        TypeKind::Row(fields) => {
            out.push('(');
            let columns = array.as_struct().columns().iter().cloned().zip(fields);
            list(out, ')', &mut columns.map(|(column, field)| (column, row, &field.ty)));
        }
        TypeKind::Map(key, value) => print_map(out, array, row, key, value),
        TypeKind::Multiset(element) => print_map(out, array, row, element, &TypeKind::Int.nullable()),
        _ => text::write_value(out, array, row, ty, chrono_tz::UTC),
    }
}

fn print_map(out: &mut String, array: &dyn Array, row: usize, key: &LogicalType, value: &LogicalType) {
    let entries = array.as_map().value(row);
    out.push('{');
    for i in 0..entries.len() {
        if i > 0 {
            out.push(',');
        }
        print(out, entries.column(0), i, key);
        out.push('=');
        print(out, entries.column(1), i, value);
    }
    out.push('}');
}

fn print_text(out: &mut String, text: &str) {
    let plain = !text.is_empty()
        && text != "NULL"
        && !text.contains(|c: char| c.is_whitespace() || "'[](){},=".contains(c));
    if plain {
        out.push_str(text);
    } else {
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    }
}
