//! What types expect of a JSON value, and how a value gets into columns. A row remembers the last order of
//! keys: records mostly repeat it, and then a key costs one comparison and no hash.

use flott_batch::json::{Cursor, Kind, NotJson, Span, compact, unescape};
use flott_types::{FastMap, LogicalType, RowField, TypeKind};

use crate::column::{Column, NotAValue};
use crate::scalar::{self, TimeStyle};

/// Why a value was not taken.
#[derive(Debug)]
pub(super) enum Bad {
    /// The value's text, and the type that it should have been of.
    Value(Vec<u8>, String),
    /// The field that is missing.
    Missing(String),
}

/// How values are read, and what was given up.
pub(super) struct Reading {
    pub(super) style: TimeStyle,
    pub(super) ignore_errors: bool,
    pub(super) fail_on_missing: bool,
    pub(super) skipped: u64,
    scratch: Vec<u8>,
}

impl Reading {
    pub(super) fn new(json: &super::Json) -> Self {
        Reading {
            style: json.style,
            ignore_errors: json.ignore_errors,
            fail_on_missing: json.fail_on_missing,
            skipped: 0,
            scratch: Vec::new(),
        }
    }
}

/// The parts of a type that have a structure of their own.
pub(super) enum Shape {
    Scalar(TypeKind),
    List(Box<Shape>),
    Map(Box<Shape>),
    Row(RowShape),
}

impl Shape {
    pub(super) fn new(ty: &LogicalType) -> Self {
        match &ty.kind {
            TypeKind::Array(element) => Shape::List(Box::new(Shape::new(element))),
            TypeKind::Map(_, value) => Shape::Map(Box::new(Shape::new(value))),
            TypeKind::Multiset(_) => Shape::Map(Box::new(Shape::Scalar(TypeKind::Int))),
            TypeKind::Row(fields) => Shape::Row(RowShape::new(fields)),
            other => Shape::Scalar(other.clone()),
        }
    }
}

/// The locations of the requested members of an object, one per field.
pub(super) type Slots = Vec<Option<Span>>;

/// The fields of a row.
pub(super) struct RowShape {
    pub(super) fields: Vec<(String, Shape)>,
    positions: FastMap<Vec<u8>, usize>,
    /// The keys of the last object in order, each with its field.
    order: Vec<(Vec<u8>, Option<usize>)>,
    slots: Slots,
}

/// Objects with more keys than this are not remembered.
const MOST_KEYS: usize = 1_000;

impl RowShape {
    fn new(fields: &[RowField]) -> Self {
        RowShape::from_fields(fields.iter().map(|field| (field.name.as_str(), &field.ty)))
    }

    pub(super) fn from_fields<'a>(fields: impl Iterator<Item = (&'a str, &'a LogicalType)>) -> Self {
        let fields: Vec<_> = fields.map(|(name, ty)| (name.to_owned(), Shape::new(ty))).collect();
        let positions =
            fields.iter().enumerate().map(|(index, (name, _))| (name.clone().into_bytes(), index));
        RowShape { positions: positions.collect(), fields, order: Vec::new(), slots: Vec::new() }
    }

    /// Finds the members of the object at the cursor.
    pub(super) fn find(
        &mut self,
        text: &[u8],
        cursor: &mut Cursor<'_>,
        slots: &mut Slots,
    ) -> Result<(), NotJson> {
        slots.clear();
        slots.resize(self.fields.len(), None);
        if !cursor.eat(b'{') {
            return cursor.wrong("an object");
        }
        let mut count = 0;
        while let Some(key) = cursor.key(count == 0)? {
            let name = key.of(text);
            let field = match self.order.get(count) {
                Some((known, field)) if known == name => *field,
                _ => self.look_up(name, key.kind, count),
            };
            let value = cursor.value()?;
            if let Some(field) = field {
                slots[field] = Some(value);
            }
            count += 1;
        }
        Ok(())
    }

    #[cold]
    fn look_up(&mut self, name: &[u8], kind: Kind, count: usize) -> Option<usize> {
        let mut plain = Vec::new();
        match kind {
            Kind::Text { escaped: true } => unescape(name, &mut plain),
            _ => plain.extend_from_slice(name),
        }
        let field = self.positions.get(&plain).copied();
        if count < MOST_KEYS {
            self.order.truncate(count);
            if self.order.len() == count {
                self.order.push((name.to_vec(), field));
            }
        }
        field
    }

    /// Appends the object's members to the fields.
    fn append(&mut self, columns: &mut [Column], text: &[u8], reading: &mut Reading) -> Result<(), Bad> {
        let mut slots = std::mem::take(&mut self.slots);
        let found = self.find(text, &mut Cursor::new(text), &mut slots);
        let result = match found {
            Err(_) => Err(Bad::Value(text.to_vec(), "a ROW".to_owned())),
            Ok(()) => self.append_slots(columns, text, &slots, reading),
        };
        self.slots = slots;
        result
    }

    fn append_slots(
        &mut self,
        columns: &mut [Column],
        text: &[u8],
        slots: &Slots,
        reading: &mut Reading,
    ) -> Result<(), Bad> {
        for (((name, shape), column), slot) in self.fields.iter_mut().zip(columns).zip(slots) {
            append_member(name, shape, column, text, *slot, reading)?;
        }
        Ok(())
    }
}

/// Appends a member that may be missing.
#[inline]
pub(super) fn append_member(
    name: &str,
    shape: &mut Shape,
    column: &mut Column,
    text: &[u8],
    slot: Option<Span>,
    reading: &mut Reading,
) -> Result<(), Bad> {
    match slot {
        Some(span) => append(shape, column, text, span, reading),
        None if reading.fail_on_missing => Err(Bad::Missing(name.to_owned())),
        None => {
            column.append_null();
            Ok(())
        }
    }
}

/// Appends a value. Where errors are ignored, one that does not fit is NULL.
fn append(
    shape: &mut Shape,
    column: &mut Column,
    text: &[u8],
    span: Span,
    reading: &mut Reading,
) -> Result<(), Bad> {
    if span.kind == Kind::Null {
        column.append_null();
        return Ok(());
    }
    match append_not_null(shape, column, text, span, reading) {
        // Nothing was appended: what is inside a collection is NULL on its own, so a collection is refused at
        // once or never.
        Err(_) if reading.ignore_errors => {
            reading.skipped += 1;
            column.append_null();
            Ok(())
        }
        result => result,
    }
}

fn append_not_null(
    shape: &mut Shape,
    column: &mut Column,
    text: &[u8],
    span: Span,
    reading: &mut Reading,
) -> Result<(), Bad> {
    let value = span.of(text);
    match (shape, column) {
        (Shape::List(element), Column::List(list)) if span.kind == Kind::Array => {
            let mut cursor = Cursor::new(value);
            cursor.eat(b'[');
            let mut first = true;
            while let Ok(Some(span)) = cursor.element(first) {
                append(element, &mut list.elements, value, span, reading)?;
                first = false;
            }
            list.end(true);
            Ok(())
        }
        (Shape::Map(shape), Column::Map(map)) if span.kind == Kind::Object => {
            for (key, span) in entries(value) {
                map.keys
                    .append_text(&key, reading.style)
                    .map_err(|NotAValue| Bad::Value(key, "a key of a MAP".to_owned()))?;
                append(shape, &mut map.values, value, span, reading)?;
            }
            map.end(true);
            Ok(())
        }
        (Shape::Row(shape), Column::Row(row)) if span.kind == Kind::Object => {
            shape.append(&mut row.fields, value, reading)?;
            row.end(true);
            Ok(())
        }
        (Shape::Scalar(kind), column) => append_scalar(column, span.kind, value, reading)
            .map_err(|NotAValue| Bad::Value(value.to_vec(), kind.to_string())),
        (Shape::List(_), _) => Err(Bad::Value(value.to_vec(), "an ARRAY".to_owned())),
        (Shape::Map(_), _) => Err(Bad::Value(value.to_vec(), "a MAP".to_owned())),
        (Shape::Row(_), _) => Err(Bad::Value(value.to_vec(), "a ROW".to_owned())),
    }
}

fn append_scalar(
    column: &mut Column,
    kind: Kind,
    value: &[u8],
    reading: &mut Reading,
) -> Result<(), NotAValue> {
    match kind {
        Kind::Text { escaped: false } => column.append_text(value, reading.style),
        Kind::Text { escaped: true } => {
            reading.scratch.clear();
            unescape(value, &mut reading.scratch);
            column.append_text(&reading.scratch, reading.style)
        }
        Kind::Number => append_number(column, value, reading.style),
        Kind::Object | Kind::Array => {
            if !matches!(column, Column::Text(_)) {
                return Err(NotAValue);
            }
            reading.scratch.clear();
            compact(value, &mut reading.scratch);
            column.append_text(&reading.scratch, reading.style)
        }
        Kind::True | Kind::False | Kind::Null => column.append_text(value, reading.style),
    }
}

/// A number with a fraction loses it in an INT or BIGINT, as in Jackson.
fn append_number(column: &mut Column, value: &[u8], style: TimeStyle) -> Result<(), NotAValue> {
    let appended = column.append_text(value, style);
    let whole = || {
        let number = scalar::parse_float::<f64>(value).map(f64::trunc);
        number.filter(|number| number.abs() < 9.2e18).map(|number| number as i64)
    };
    match column {
        Column::Int(builder) if appended.is_err() => {
            let number = whole().and_then(|number| i32::try_from(number).ok());
            builder.append_value(number.ok_or(NotAValue)?);
            Ok(())
        }
        Column::BigInt(builder) if appended.is_err() => {
            // Digits alone that did not fit do not fit.
            let number = whole().filter(|_| !value.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-'));
            builder.append_value(number.ok_or(NotAValue)?);
            Ok(())
        }
        Column::Binary(_) => Err(NotAValue),
        _ => appended,
    }
}

/// The members of an object whose keys are any; of several with the same key the last one, at the first one's
/// place. Keys that are not UTF-8 are repaired.
fn entries(object: &[u8]) -> Vec<(Vec<u8>, Span)> {
    let mut cursor = Cursor::new(object);
    cursor.eat(b'{');
    let mut found: Vec<(Vec<u8>, Span)> = Vec::new();
    let mut seen: FastMap<Vec<u8>, usize> = FastMap::default();
    while let Ok(Some(key)) = cursor.key(found.is_empty()) {
        let Ok(value) = cursor.value() else { break };
        let mut name = Vec::new();
        unescape(key.of(object), &mut name);
        if std::str::from_utf8(&name).is_err() {
            name = String::from_utf8_lossy(&name).into_owned().into_bytes();
        }
        match seen.get(&name) {
            Some(index) => found[*index].1 = value,
            None => {
                seen.insert(name.clone(), found.len());
                found.push((name, value));
            }
        }
    }
    found
}
