//! Unwraps changed rows from the envelopes of change-data-capture tools.

use flott_batch::RowKind;
use flott_batch::json::{Cursor, Kind, NotJson, Span, unescape};
use flott_types::TypeKind;

use super::Envelope;
use super::decode::{Wrong, end};
use super::shape::{RowShape, Slots};

/// A changed row.
pub(super) struct Change<'a> {
    pub(super) kind: RowKind,
    /// The row, an object.
    pub(super) row: &'a [u8],
    /// Members that had other values, where the row is the old half of an update that lists only these.
    pub(super) old: Option<&'a [u8]>,
}

/// Opens the envelopes of one tool.
pub(super) struct Opener {
    envelope: Envelope,
    payload: RowShape,
    members: RowShape,
    slots: Slots,
}

impl Opener {
    pub(super) fn new(envelope: Envelope) -> Self {
        let names: &[&'static str] = match &envelope {
            Envelope::None => &[],
            Envelope::Debezium { .. } => &["before", "after", "op"],
            Envelope::Canal { .. } => &["data", "old", "type", "database", "table"],
            Envelope::Maxwell => &["data", "old", "type"],
            Envelope::Ogg => &["before", "after", "op_type"],
        };
        // Only positions are wanted: the types do not matter.
        let any = TypeKind::Null.nullable();
        let shape = |names: &[&'static str]| RowShape::from_fields(names.iter().map(|name| (*name, &any)));
        Opener { envelope, payload: shape(&["payload"]), members: shape(names), slots: Vec::new() }
    }

    /// Gives the changes of a record, all of them or none.
    pub(super) fn open(
        &mut self,
        record: &[u8],
        emit: &mut dyn FnMut(Change<'_>) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        let mut cursor = Cursor::new(record);
        if cursor.peek() == Some(b'n') {
            cursor.value()?;
            return end(&mut cursor);
        }
        let mut text = record;
        if let Envelope::Debezium { schema: true } = self.envelope {
            self.payload.find(record, &mut cursor, &mut self.slots)?;
            end(&mut cursor)?;
            text = object(record, self.slots[0], "payload")?;
            cursor = Cursor::new(text);
            self.members.find(text, &mut cursor, &mut self.slots)?;
        } else {
            self.members.find(record, &mut cursor, &mut self.slots)?;
            end(&mut cursor)?;
        }
        match &self.envelope {
            Envelope::None => Ok(()),
            Envelope::Debezium { .. } => debezium(text, &self.slots, emit),
            Envelope::Canal { database, table } => {
                for (pattern, slot, name) in [(database, 3, "database"), (table, 4, "table")] {
                    let Some(pattern) = pattern else { continue };
                    if !pattern.is_match(&string(text, self.slots[slot], name)?) {
                        return Ok(());
                    }
                }
                canal(text, &self.slots, emit)
            }
            Envelope::Maxwell => maxwell(text, &self.slots, emit),
            Envelope::Ogg => ogg(text, &self.slots, emit),
        }
    }
}

type Emit<'e> = &'e mut dyn FnMut(Change<'_>) -> Result<(), Wrong>;

fn debezium(text: &[u8], slots: &Slots, emit: Emit<'_>) -> Result<(), Wrong> {
    let before = || {
        object(text, slots[0], "before").map_err(|wrong| match wrong {
            Wrong::Envelope(what) => Wrong::Envelope(format!(
                "{what}: Debezium must send whole old rows (in Postgres: REPLICA IDENTITY FULL)"
            )),
            other => other,
        })
    };
    let after = || object(text, slots[1], "after");
    match string(text, slots[2], "op")?.as_str() {
        "c" | "r" => emit(Change { kind: RowKind::Insert, row: after()?, old: None }),
        "u" => {
            let (before, after) = (before()?, after()?);
            emit(Change { kind: RowKind::UpdateBefore, row: before, old: None })?;
            emit(Change { kind: RowKind::UpdateAfter, row: after, old: None })
        }
        "d" => emit(Change { kind: RowKind::Delete, row: before()?, old: None }),
        other => Err(Wrong::Envelope(format!("unknown \"op\" value \"{other}\" of Debezium's"))),
    }
}

fn ogg(text: &[u8], slots: &Slots, emit: Emit<'_>) -> Result<(), Wrong> {
    let (before, after) = (|| object(text, slots[0], "before"), || object(text, slots[1], "after"));
    match string(text, slots[2], "op_type")?.as_str() {
        "I" => emit(Change { kind: RowKind::Insert, row: after()?, old: None }),
        "U" => {
            let (before, after) = (before()?, after()?);
            emit(Change { kind: RowKind::UpdateBefore, row: before, old: None })?;
            emit(Change { kind: RowKind::UpdateAfter, row: after, old: None })
        }
        "D" => emit(Change { kind: RowKind::Delete, row: before()?, old: None }),
        other => Err(Wrong::Envelope(format!("unknown \"op_type\" value \"{other}\" of GoldenGate's"))),
    }
}

fn canal(text: &[u8], slots: &Slots, emit: Emit<'_>) -> Result<(), Wrong> {
    let rows = |slot: usize, name: &str| -> Result<Vec<&[u8]>, Wrong> {
        let Some(span) = slots[slot].filter(|span| span.kind == Kind::Array) else {
            return Err(Wrong::Envelope(format!("the member \"{name}\" is not an array")));
        };
        let array = span.of(text);
        let mut cursor = Cursor::new(array);
        cursor.eat(b'[');
        let mut rows = Vec::new();
        while let Some(row) = cursor.element(rows.is_empty())? {
            rows.push(object(array, Some(row), name)?);
        }
        Ok(rows)
    };
    let all = |kind: RowKind, emit: Emit<'_>| {
        let rows = rows(0, "data")?;
        rows.into_iter().try_for_each(|row| emit(Change { kind, row, old: None }))
    };
    match string(text, slots[2], "type")?.as_str() {
        "INSERT" => all(RowKind::Insert, emit),
        "DELETE" => all(RowKind::Delete, emit),
        "UPDATE" => {
            let (data, old) = (rows(0, "data")?, rows(1, "old")?);
            if data.len() != old.len() {
                return Err(Wrong::Envelope("\"data\" and \"old\" have different lengths".to_owned()));
            }
            data.into_iter().zip(old).try_for_each(|(row, old)| update(row, old, emit))
        }
        "CREATE" => Ok(()),
        other => Err(Wrong::Envelope(format!("unknown \"type\" value \"{other}\" of Canal's"))),
    }
}

fn maxwell(text: &[u8], slots: &Slots, emit: Emit<'_>) -> Result<(), Wrong> {
    let data = || object(text, slots[0], "data");
    match string(text, slots[2], "type")?.as_str() {
        "insert" => emit(Change { kind: RowKind::Insert, row: data()?, old: None }),
        "delete" => emit(Change { kind: RowKind::Delete, row: data()?, old: None }),
        "update" => update(data()?, object(text, slots[1], "old")?, emit),
        other => Err(Wrong::Envelope(format!("unknown \"type\" value \"{other}\" of Maxwell's"))),
    }
}

fn update(row: &[u8], old: &[u8], emit: Emit<'_>) -> Result<(), Wrong> {
    emit(Change { kind: RowKind::UpdateBefore, row, old: Some(old) })?;
    emit(Change { kind: RowKind::UpdateAfter, row, old: None })
}

fn object<'a>(text: &'a [u8], slot: Option<Span>, name: &str) -> Result<&'a [u8], Wrong> {
    match slot {
        Some(span) if span.kind == Kind::Object => Ok(span.of(text)),
        Some(Span { kind: Kind::Null, .. }) | None => {
            Err(Wrong::Envelope(format!("the member \"{name}\" is null or missing")))
        }
        Some(span) => Err(NotJson { at: span.start, expected: "an object" }.into()),
    }
}

fn string(text: &[u8], slot: Option<Span>, name: &str) -> Result<String, Wrong> {
    match slot {
        Some(span @ Span { kind: Kind::Text { .. }, .. }) => {
            let mut out = Vec::new();
            unescape(span.of(text), &mut out);
            Ok(String::from_utf8_lossy(&out).into_owned())
        }
        _ => Err(Wrong::Envelope(format!("the member \"{name}\" is not a text"))),
    }
}
