//! From messages to columns.
//!
//! A message is looked through once, which finds where the values of the wanted fields are; then they are
//! appended in the order of the columns. So fields may come in any order and number, the last one counts, and
//! what stands for no column is passed over. The places are kept from message to message: nothing is
//! allocated for a message, except where a message within it comes in several pieces, or a map has several
//! entries.

use std::ops::Range;

use flott_batch::ChangeBatch;
use flott_connector::format::{Decoder, MessageDecoder};
use flott_plan::Schema;
use flott_types::{Error, FastMap, Result};

use super::resolve::{Absent, Field, Message, Scalar, Shape, Value, Width};
use super::wire::{Form, Part, Parts, varint};
use super::{Protobuf, invalid};
use crate::bad::Bad;
use crate::bytes::{self, ends};
use crate::column::{Column, MapColumn};
use crate::rows::{Rows, projected};

pub(super) struct ProtobufDecoder {
    reader: Reader,
    rows: Rows,
    read_defaults: bool,
    ignore_errors: bool,
    skipped: u64,
}

impl ProtobufDecoder {
    pub(super) fn new(format: &Protobuf, schema: &Schema, projection: &[usize]) -> Result<Self> {
        // All columns are checked, also those that are not wanted.
        Message::new(&format.message, schema.iter()).map_err(invalid)?;
        let columns = projected(schema, projection)?;
        let named = columns.iter().map(|column| (column.name.as_str(), &column.ty));
        let message = Message::new(&format.message, named).map_err(invalid)?;
        Ok(ProtobufDecoder {
            reader: Reader::new(message),
            rows: Rows::new(&columns),
            read_defaults: format.read_defaults,
            ignore_errors: format.ignore_errors,
            skipped: 0,
        })
    }
}

impl MessageDecoder for ProtobufDecoder {
    fn decode(&mut self, message: &[u8]) -> Result<()> {
        match self.reader.read(message, &mut self.rows.columns, self.read_defaults) {
            Ok(()) => {
                self.rows.commit();
                Ok(())
            }
            Err(bad) => {
                self.rows.abandon(self.rows.len());
                if self.ignore_errors {
                    self.skipped += 1;
                    return Ok(());
                }
                Err(Error::data(format!("a message is none of protobuf's of the table's definition: {bad}")))
            }
        }
    }
}

impl Decoder for ProtobufDecoder {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn finish(&mut self) -> Result<Option<ChangeBatch>> {
        self.rows.finish()
    }

    fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }
}

/// Reads messages of a kind.
struct Reader {
    fields: Vec<Field>,
    places: FastMap<u32, usize>,
    rivals: FastMap<u32, (Form, Vec<usize>)>,
    /// For each field, where its values are in the message.
    slots: Vec<Vec<(Form, Range<usize>)>>,
    /// Readers of the messages within, for each field.
    inner: Vec<Option<Reader>>,
}

impl Reader {
    fn new(message: Message) -> Self {
        let Message { fields, places, rivals } = message;
        let inner = |field: &Field| match &field.shape {
            Shape::One(Value::Message(message))
            | Shape::List { element: Value::Message(message), .. }
            | Shape::Map { value: Value::Message(message), .. } => Some(Reader::new(message.clone())),
            Shape::One(Value::Scalar(_))
            | Shape::List { element: Value::Scalar(_), .. }
            | Shape::Map { value: Value::Scalar(_), .. } => None,
        };
        let inner = fields.iter().map(inner).collect();
        Reader { slots: vec![Vec::new(); fields.len()], fields, places, rivals, inner }
    }

    /// Appends a value to each column.
    fn read(&mut self, message: &[u8], columns: &mut [Column], defaults: bool) -> Result<(), Bad> {
        self.slots.iter_mut().for_each(Vec::clear);
        let mut parts = Parts::new(message);
        while let Some(Part { number, form, value }) = parts.next()? {
            if let Some((as_written, others)) = self.rivals.get(&number)
                && *as_written == form
            {
                for other in others {
                    self.slots.get_mut(*other).into_iter().for_each(Vec::clear);
                }
            }
            let Some(place) = self.places.get(&number) else { continue };
            let Some(field) = self.fields.get(*place) else { continue };
            // A value of another form is one that is not known.
            if !field.shape.takes(form) {
                continue;
            }
            if let Some(slot) = self.slots.get_mut(*place) {
                slot.push((form, value));
            }
        }
        for (((field, slot), inner), column) in
            self.fields.iter().zip(&self.slots).zip(&mut self.inner).zip(columns)
        {
            field
                .append(message, slot, inner.as_mut(), column, defaults)
                .map_err(|bad| bad.within(&field.name))?;
        }
        Ok(())
    }

    /// Appends a message as a row.
    fn row(&mut self, message: &[u8], column: &mut Column, defaults: bool) -> Result<(), Bad> {
        let Column::Row(row) = column else { return Err(mismatch()) };
        self.read(message, &mut row.fields, defaults)?;
        row.end(true);
        Ok(())
    }
}

impl Field {
    fn append(
        &self,
        message: &[u8],
        slot: &[(Form, Range<usize>)],
        inner: Option<&mut Reader>,
        column: &mut Column,
        defaults: bool,
    ) -> Result<(), Bad> {
        let bytes = |range: &Range<usize>| message.get(range.clone()).unwrap_or_default();
        match (&self.shape, inner) {
            (Shape::One(Value::Scalar(scalar)), _) => match slot.last() {
                Some((_, range)) if scalar.is_known(bytes(range)) => scalar.append(bytes(range), column),
                _ if self.has_presence && !defaults => {
                    column.append_null();
                    Ok(())
                }
                _ => scalar.append_default(&self.default, column),
            },
            (Shape::One(Value::Message(_)), Some(reader)) => match slot {
                [] if !defaults => {
                    column.append_null();
                    Ok(())
                }
                [] => reader.row(&[], column, defaults),
                [(_, one)] => reader.row(bytes(one), column, defaults),
                // Pieces of a message one after the other are the message.
                pieces => {
                    let whole: Vec<&[u8]> = pieces.iter().map(|(_, range)| bytes(range)).collect();
                    reader.row(&whole.concat(), column, defaults)
                }
            },
            (Shape::List { element, .. }, mut inner) => {
                let Column::List(list) = column else { return Err(mismatch()) };
                for (form, range) in slot {
                    match (element, &mut inner) {
                        (Value::Message(_), Some(reader)) => {
                            reader.row(bytes(range), &mut list.elements, defaults)?;
                        }
                        (Value::Message(_), None) => return Err(mismatch()),
                        (Value::Scalar(scalar), _) => {
                            scalar.append_all(bytes(range), *form, &mut list.elements)?;
                        }
                    }
                }
                list.end(defaults || !slot.is_empty());
                Ok(())
            }
            (Shape::Map { key, value }, mut inner) => {
                let Column::Map(map) = column else { return Err(mismatch()) };
                // Of several entries of a key the last one counts.
                let mut last = FastMap::default();
                let are_several = slot.len() > 1;
                for (at, (_, range)) in slot.iter().enumerate().filter(|_| are_several) {
                    last.insert(Entry::new(bytes(range), key, value)?.identity(key)?, at);
                }
                for (at, (_, range)) in slot.iter().enumerate() {
                    let entry = Entry::new(bytes(range), key, value)?;
                    if !are_several || last.get(&entry.identity(key)?) == Some(&at) {
                        entry.append(key, value, inner.as_deref_mut(), map, defaults)?;
                    }
                }
                map.end(defaults || !slot.is_empty());
                Ok(())
            }
            (Shape::One(Value::Message(_)), None) => Err(mismatch()),
        }
    }
}

impl Shape {
    /// Whether a value is written so.
    fn takes(&self, form: Form) -> bool {
        match self {
            Shape::One(Value::Scalar(scalar)) => scalar.form() == form,
            Shape::List { element: Value::Scalar(scalar), .. } => {
                scalar.form() == form || form == Form::Sized
            }
            Shape::One(Value::Message(_))
            | Shape::List { element: Value::Message(_), .. }
            | Shape::Map { .. } => form == Form::Sized,
        }
    }
}

/// An entry of a map.
struct Entry<'a> {
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
}

/// A key, however it is written: a number may have more bytes than it needs, and what is a default may be left
/// out.
#[derive(PartialEq, Eq, Hash)]
enum Identity<'a> {
    Number(i64),
    Bytes(&'a [u8]),
}

impl<'a> Entry<'a> {
    fn identity(&self, key: &Scalar) -> Result<Identity<'a>, Bad> {
        let Some(bytes) = self.key else {
            return Ok(match key.form() {
                Form::Sized => Identity::Bytes(&[]),
                Form::Varint | Form::Fixed32 | Form::Fixed64 => Identity::Number(0),
            });
        };
        Ok(match key {
            Scalar::Varint(width) => Identity::Number(width.read(varint(bytes, &mut 0)?)),
            Scalar::Zigzag(width) => Identity::Number(zigzag(*width, varint(bytes, &mut 0)?)),
            Scalar::Bool => Identity::Number((varint(bytes, &mut 0)? != 0).into()),
            Scalar::Fixed32(width) => Identity::Number(width.read(u32::from_le_bytes(fixed(bytes)?).into())),
            Scalar::Fixed64 => Identity::Number(i64::from_le_bytes(fixed(bytes)?)),
            Scalar::Text | Scalar::Bytes => Identity::Bytes(bytes),
            // No map has such keys.
            Scalar::Double | Scalar::Float | Scalar::Enum(_) => return Err(mismatch()),
        })
    }

    fn new(entry: &'a [u8], key: &Scalar, value: &Value) -> Result<Self, Bad> {
        let of_value = match value {
            Value::Scalar(scalar) => scalar.form(),
            Value::Message(_) => Form::Sized,
        };
        let mut found = Entry { key: None, value: None };
        let mut parts = Parts::new(entry);
        while let Some(Part { number, form, value }) = parts.next()? {
            let bytes = entry.get(value);
            match number {
                1 if form == key.form() => found.key = bytes,
                2 if form == of_value => found.value = bytes,
                _ => {}
            }
        }
        Ok(found)
    }

    fn append(
        &self,
        key: &Scalar,
        value: &Value,
        inner: Option<&mut Reader>,
        map: &mut MapColumn,
        defaults: bool,
    ) -> Result<(), Bad> {
        match self.key {
            Some(bytes) => key.append(bytes, &mut map.keys),
            None => key.append_default(&Absent::Empty, &mut map.keys),
        }
        .map_err(|bad| bad.within("key"))?;
        match (value, inner, self.value) {
            (Value::Scalar(scalar), _, Some(bytes)) if scalar.is_known(bytes) => {
                scalar.append(bytes, &mut map.values)
            }
            (Value::Scalar(scalar), ..) => scalar.append_default(&Absent::Empty, &mut map.values),
            (Value::Message(_), Some(reader), bytes) => {
                reader.row(bytes.unwrap_or_default(), &mut map.values, defaults)
            }
            (Value::Message(_), None, _) => Err(mismatch()),
        }
        .map_err(|bad| bad.within("value"))
    }
}

/// Columns are made of the same types.
fn mismatch() -> Bad {
    Bad::new("a column does not fit its field")
}

impl Scalar {
    pub(super) fn form(&self) -> Form {
        match self {
            Scalar::Double | Scalar::Fixed64 => Form::Fixed64,
            Scalar::Float | Scalar::Fixed32(_) => Form::Fixed32,
            Scalar::Varint(_) | Scalar::Zigzag(_) | Scalar::Bool | Scalar::Enum(_) => Form::Varint,
            Scalar::Text | Scalar::Bytes => Form::Sized,
        }
    }

    /// Whether a value is one of those that the definition has.
    fn is_known(&self, bytes: &[u8]) -> bool {
        match self {
            Scalar::Enum(symbols) if symbols.closed => {
                varint(bytes, &mut 0).is_ok_and(|number| symbols.names.contains_key(&(number as i32)))
            }
            _ => true,
        }
    }

    /// Appends one value, which is all of the bytes.
    fn append(&self, bytes: &[u8], column: &mut Column) -> Result<(), Bad> {
        match (self, column) {
            (Scalar::Double, Column::Double(builder)) => {
                builder.append_value(f64::from_le_bytes(fixed(bytes)?))
            }
            (Scalar::Float, Column::Float(builder)) => {
                builder.append_value(f32::from_le_bytes(fixed(bytes)?))
            }
            (Scalar::Fixed32(width), column) => {
                number(width.read(u32::from_le_bytes(fixed(bytes)?).into()), column)?;
            }
            (Scalar::Fixed64, column) => number(i64::from_le_bytes(fixed(bytes)?), column)?,
            (Scalar::Varint(width), column) => number(width.read(varint(bytes, &mut 0)?), column)?,
            (Scalar::Zigzag(width), column) => number(zigzag(*width, varint(bytes, &mut 0)?), column)?,
            (Scalar::Bool, Column::Boolean(builder)) => builder.append_value(varint(bytes, &mut 0)? != 0),
            (Scalar::Text, Column::Text(builder)) => {
                builder
                    .append_value(std::str::from_utf8(bytes).map_err(|_| Bad::new("a text is not UTF-8"))?);
            }
            (Scalar::Bytes, Column::Binary(builder)) => builder.append_value(bytes),
            (Scalar::Enum(symbols), column) => symbol(symbols, varint(bytes, &mut 0)? as i32, column)?,
            _ => return Err(mismatch()),
        }
        Ok(())
    }

    /// Appends values that stand one after the other, or the only one.
    fn append_all(&self, bytes: &[u8], form: Form, column: &mut Column) -> Result<(), Bad> {
        if form == self.form() {
            return self.append_known(bytes, column);
        }
        let mut at = 0;
        while at < bytes.len() {
            let begin = at;
            match self.form() {
                Form::Fixed64 => at += 8,
                Form::Fixed32 => at += 4,
                Form::Varint => _ = varint(bytes, &mut at)?,
                Form::Sized => return Err(mismatch()),
            }
            self.append_known(bytes.get(begin..at).ok_or_else(ends)?, column)?;
        }
        Ok(())
    }

    fn append_known(&self, bytes: &[u8], column: &mut Column) -> Result<(), Bad> {
        if self.is_known(bytes) { self.append(bytes, column) } else { Ok(()) }
    }

    /// Appends what counts where there is no value.
    fn append_default(&self, default: &Absent, column: &mut Column) -> Result<(), Bad> {
        match (self, column, default) {
            (Scalar::Text, Column::Text(builder), Absent::Bytes(bytes)) => {
                builder.append_value(String::from_utf8_lossy(bytes));
            }
            (Scalar::Text, Column::Text(builder), _) => builder.append_value(""),
            (Scalar::Bytes, Column::Binary(builder), Absent::Bytes(bytes)) => builder.append_value(bytes),
            (Scalar::Bytes, Column::Binary(builder), _) => builder.append_value([]),
            (Scalar::Double, Column::Double(builder), Absent::Real(value)) => builder.append_value(*value),
            (Scalar::Double, Column::Double(builder), _) => builder.append_value(0.0),
            (Scalar::Float, Column::Float(builder), Absent::Real(value)) => {
                builder.append_value(*value as f32)
            }
            (Scalar::Float, Column::Float(builder), _) => builder.append_value(0.0),
            (Scalar::Bool, Column::Boolean(builder), default) => {
                builder.append_value(*default == Absent::Number(1));
            }
            (Scalar::Enum(symbols), column, default) => symbol(symbols, whole(default) as i32, column)?,
            (Scalar::Varint(width) | Scalar::Fixed32(width), column, default) => {
                number(width.read(whole(default) as u64), column)?;
            }
            (_, column, default) => number(whole(default), column)?,
        }
        Ok(())
    }
}

fn whole(default: &Absent) -> i64 {
    if let Absent::Number(number) = default { *number } else { 0 }
}

/// Of 32 bits only those count.
fn zigzag(width: Width, value: u64) -> i64 {
    bytes::zigzag(if width == Width::Long { value } else { u64::from(value as u32) })
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Bad> {
    bytes.try_into().map_err(|_| ends())
}

fn number(value: i64, column: &mut Column) -> Result<(), Bad> {
    let too_large = || Bad::new(format!("{value} is too large for the column"));
    match column {
        Column::Int(builder) => builder.append_value(i32::try_from(value).map_err(|_| too_large())?),
        Column::BigInt(builder) => builder.append_value(value),
        Column::SmallInt(builder) => builder.append_value(i16::try_from(value).map_err(|_| too_large())?),
        Column::TinyInt(builder) => builder.append_value(i8::try_from(value).map_err(|_| too_large())?),
        _ => return Err(mismatch()),
    }
    Ok(())
}

/// A number without a name is called as Java's classes call it.
fn symbol(symbols: &super::resolve::Symbols, value: i32, column: &mut Column) -> Result<(), Bad> {
    match column {
        Column::Text(builder) => {
            builder.append_value(symbols.names.get(&value).map_or("UNRECOGNIZED", String::as_str));
            Ok(())
        }
        column => number(value.into(), column),
    }
}
