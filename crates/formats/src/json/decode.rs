//! From JSON to columns.

use flott_batch::json::{Cursor, Kind, NotJson};
use flott_batch::{ChangeBatch, RowKind};
use flott_connector::format::{Decoder, MessageDecoder, Progress, RecordDecoder};
use flott_plan::{Column as PlanColumn, Schema};
use flott_types::{Error, Result};

use super::envelope::{Change, Opener};
use super::shape::{Bad, Reading, RowShape, Slots, append_member};
use super::{Envelope, Json};
use crate::decode::{malformed, next_line, not_a_value, step};
use crate::rows::{Rows, projected};

pub(super) struct JsonDecoder {
    json: Json,
    reading: Reading,
    /// Takes changes out of their envelopes; `None` where a record is a row.
    opener: Option<Opener>,
    shape: RowShape,
    columns: Vec<PlanColumn>,
    rows: Rows,
    slots: Slots,
    old_slots: Slots,
}

/// Why a record was not taken.
pub(super) enum Wrong {
    NotJson(NotJson),
    /// The column, and what is wrong with its value.
    Value(usize, Bad),
    /// The envelope is not as it should be.
    Envelope(String),
}

impl From<NotJson> for Wrong {
    fn from(error: NotJson) -> Self {
        Wrong::NotJson(error)
    }
}

impl JsonDecoder {
    pub(super) fn new(json: Json, schema: &Schema, projection: &[usize]) -> Result<Self> {
        let columns = projected(schema, projection)?;
        let named = || columns.iter().map(|column| (column.name.as_str(), &column.ty));
        Ok(JsonDecoder {
            reading: Reading::new(&json),
            opener: (!matches!(json.envelope, Envelope::None)).then(|| Opener::new(json.envelope.clone())),
            shape: RowShape::from_fields(named()),
            rows: Rows::new(&columns),
            json,
            columns,
            slots: Vec::new(),
            old_slots: Vec::new(),
        })
    }

    /// Appends what a record holds.
    fn record(&mut self, record: &[u8]) -> Result<()> {
        let before = self.rows.len();
        let result = match self.opener.take() {
            None => self.plain(record),
            Some(mut opener) => {
                let result = opener.open(record, &mut |change| self.change(change));
                self.opener = Some(opener);
                result
            }
        };
        let Err(wrong) = result else { return Ok(()) };
        // A record is taken whole or not at all.
        self.rows.abandon(before);
        if self.json.ignore_errors {
            self.reading.skipped += 1;
            return Ok(());
        }
        Err(self.error(wrong, record))
    }

    /// A record without an envelope: an object, an array of objects, or null.
    fn plain(&mut self, record: &[u8]) -> Result<(), Wrong> {
        let mut cursor = Cursor::new(record);
        match cursor.peek() {
            Some(b'[') => {
                let value = cursor.value()?;
                end(&mut cursor)?;
                let array = value.of(record);
                let mut elements = Cursor::new(array);
                elements.eat(b'[');
                let mut objects = Vec::new();
                while let Some(element) = elements.element(objects.is_empty())? {
                    if !matches!(element.kind, Kind::Object | Kind::Null) {
                        return Err(NotJson { at: element.start, expected: "an object" }.into());
                    }
                    objects.push(element);
                }
                for object in objects.into_iter().filter(|element| element.kind == Kind::Object) {
                    let object = object.of(array);
                    self.shape.find(object, &mut Cursor::new(object), &mut self.slots)?;
                    self.append(object, RowKind::Insert)?;
                }
                Ok(())
            }
            Some(b'n') => {
                cursor.value()?;
                end(&mut cursor)
            }
            _ => {
                self.shape.find(record, &mut cursor, &mut self.slots)?;
                end(&mut cursor)?;
                self.append(record, RowKind::Insert)
            }
        }
    }

    /// A row out of an envelope; for the old half of an update perhaps only what has changed.
    fn change(&mut self, change: Change<'_>) -> Result<(), Wrong> {
        let Change { kind, row, old } = change;
        self.shape.find(row, &mut Cursor::new(row), &mut self.slots)?;
        let Some(old) = old else {
            return self.append(row, kind);
        };
        let mut old_slots = std::mem::take(&mut self.old_slots);
        self.shape.find(old, &mut Cursor::new(old), &mut old_slots)?;
        for (index, builder) in self.rows.columns.iter_mut().enumerate() {
            let (name, shape) = &mut self.shape.fields[index];
            let (text, slot) = match old_slots[index] {
                Some(slot) => (old, Some(slot)),
                None => (row, self.slots[index]),
            };
            append_member(name, shape, builder, text, slot, &mut self.reading)
                .map_err(|bad| Wrong::Value(index, bad))?;
        }
        self.old_slots = old_slots;
        self.rows.commit_change(kind);
        Ok(())
    }

    /// Appends the row whose members were found.
    fn append(&mut self, text: &[u8], kind: RowKind) -> Result<(), Wrong> {
        for (index, builder) in self.rows.columns.iter_mut().enumerate() {
            let (name, shape) = &mut self.shape.fields[index];
            append_member(name, shape, builder, text, self.slots[index], &mut self.reading)
                .map_err(|bad| Wrong::Value(index, bad))?;
        }
        self.rows.commit_change(kind);
        Ok(())
    }

    fn error(&self, wrong: Wrong, record: &[u8]) -> Error {
        match wrong {
            Wrong::NotJson(NotJson { at, expected }) => {
                malformed(format!("not JSON: expected {expected} at byte {}", at + 1), record)
            }
            Wrong::Envelope(what) => malformed(what, record),
            Wrong::Value(_, Bad::Missing(name)) => {
                malformed(format!("the field '{name}' is missing"), record)
            }
            Wrong::Value(index, Bad::Value(text, expected)) => {
                let column = &self.columns[index];
                let error = not_a_value(&column.name, &column.ty, &text, record);
                if expected == column.ty.kind.to_string() {
                    error
                } else {
                    error.context(format!("expected {expected}"))
                }
            }
        }
    }
}

/// Nothing may follow a record.
pub(super) fn end(cursor: &mut Cursor<'_>) -> Result<(), Wrong> {
    if cursor.peek().is_none() { Ok(()) } else { Ok(cursor.wrong("the end of the record")?) }
}

impl RecordDecoder for JsonDecoder {
    fn decode(&mut self, bytes: &[u8], end: bool, line: u64, max_rows: usize) -> Result<Progress> {
        let mut progress = Progress::default();
        while self.rows.len() < max_rows {
            let input = &bytes[progress.consumed..];
            let Some((len, consumed)) = next_line(input, end) else {
                break;
            };
            let record = &input[..len];
            let result = if record.trim_ascii().is_empty() { Ok(()) } else { self.record(record) };
            if !step(&mut progress, (len, consumed, 1), line, result)? {
                break;
            }
        }
        Ok(progress)
    }
}

impl MessageDecoder for JsonDecoder {
    fn decode(&mut self, message: &[u8]) -> Result<()> {
        if message.trim_ascii().is_empty() { Ok(()) } else { self.record(message) }
    }
}

impl Decoder for JsonDecoder {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn finish(&mut self) -> Result<Option<ChangeBatch>> {
        self.rows.finish()
    }

    fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.reading.skipped)
    }
}
