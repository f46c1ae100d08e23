//! From csv to columns.

use flott_batch::ChangeBatch;
use flott_connector::format::{Decoder, MessageDecoder, Progress, RecordDecoder};
use flott_plan::{Column as PlanColumn, Schema};
use flott_types::{Error, LogicalType, Result, TypeKind};
use memchr::memmem;

use super::Csv;
use super::scan::{Scanned, Scanner};
use crate::column::{Column, NotAValue};
use crate::decode::{malformed, not_a_value, step};
use crate::rows::{Rows, projected};
use crate::scalar::TimeStyle;

pub(super) struct CsvDecoder {
    csv: Csv,
    scanner: Scanner,
    /// How many columns a record has.
    arity: usize,
    columns: Vec<Wanted>,
    rows: Rows,
    skipped: u64,
}

/// A column of the result.
struct Wanted {
    /// Its position in the record.
    position: usize,
    declared: PlanColumn,
}

impl CsvDecoder {
    pub(super) fn new(csv: Csv, schema: &Schema, projection: &[usize]) -> Result<Self> {
        let declared = projected(schema, projection)?;
        let rows = Rows::new(&declared);
        let wanted = |(position, declared): (&usize, PlanColumn)| Wanted { position: *position, declared };
        let columns = projection.iter().zip(declared).map(wanted).collect();
        Ok(CsvDecoder { scanner: Scanner::new(&csv), csv, arity: schema.len(), columns, rows, skipped: 0 })
    }

    /// Appends the record scanned last, which is at the start of `input`.
    #[inline]
    fn append(&mut self, input: &[u8], len: usize) -> Result<()> {
        let found = self.scanner.len();
        if found != self.arity && !self.has_right_arity(input, len, found)? {
            self.skipped += 1;
            return Ok(());
        }
        let null_literal = self.csv.null_literal.as_deref().map(str::as_bytes);
        for (wanted, builder) in self.columns.iter().zip(&mut self.rows.columns) {
            let Some(field) = self.scanner.field(input, wanted.position) else {
                builder.append_null();
                continue;
            };
            if null_literal == Some(field) {
                builder.append_null();
                continue;
            }
            if append_field(builder, &wanted.declared.ty, field, &self.csv).is_err() {
                if !self.csv.ignore_errors {
                    return Err(wrong_field(&wanted.declared, field, &input[..len]));
                }
                self.skipped += 1;
                builder.append_null();
            }
        }
        self.rows.commit();
        Ok(())
    }

    /// Whether a record with another number of fields may pass.
    fn has_right_arity(&self, input: &[u8], len: usize, found: usize) -> Result<bool> {
        let expected = self.arity;
        if found > expected {
            let last = self.scanner.field(input, expected).unwrap_or_default();
            if found == expected + 1 && last.iter().all(|byte| *byte <= b' ') {
                return Ok(true);
            }
            if self.csv.ignore_errors {
                return Ok(false);
            }
        } else if self.csv.ignore_errors || self.columns.len() < self.arity {
            // As Flink's reader does, which counts the fields only where it reads them all.
            return Ok(true);
        }
        Err(malformed(
            format!("row length mismatch: {expected} fields expected but there are {found}"),
            &input[..len],
        ))
    }
}

fn wrong_field(column: &PlanColumn, field: &[u8], record: &[u8]) -> Error {
    let error = not_a_value(&column.name, &column.ty, field, record);
    if field.is_empty() {
        return error.context("a field is empty (the option csv.null-literal says what stands for NULL)");
    }
    error
}

#[inline]
fn append_field(builder: &mut Column, ty: &LogicalType, field: &[u8], csv: &Csv) -> Result<(), NotAValue> {
    match builder {
        Column::List(_) | Column::Row(_) => append_nested(builder, ty, field, csv),
        _ => builder.append_text(field, TimeStyle::Sql),
    }
}

/// ARRAY and ROW: elements with a delimiter between them. As in Flink, an element that cannot be read is NULL
/// where errors are ignored.
fn append_nested(builder: &mut Column, ty: &LogicalType, field: &[u8], csv: &Csv) -> Result<(), NotAValue> {
    if field.is_empty() && matches!(builder, Column::Row(_)) {
        builder.append_null();
        return Ok(());
    }
    let null_literal = csv.null_literal.as_deref().map(str::as_bytes);
    let append =
        |element: &mut Column, text: Option<&[u8]>| match text.filter(|text| Some(*text) != null_literal) {
            None => {
                element.append_null();
                Ok(())
            }
            Some(text) => match element.append_text(text, TimeStyle::Sql) {
                Err(NotAValue) if csv.ignore_errors => {
                    element.append_null();
                    Ok(())
                }
                result => result,
            },
        };
    let elements = split(field, csv.element_delimiter.as_bytes());
    match (builder, &ty.kind) {
        (Column::List(list), _) => {
            for element in elements {
                append(&mut list.elements, Some(element))?;
            }
            list.end(true);
        }
        (Column::Row(row), TypeKind::Row(fields)) => {
            let elements: Vec<&[u8]> = elements.collect();
            if elements.len() != fields.len() && !csv.ignore_errors {
                return Err(NotAValue);
            }
            for (index, column) in row.fields.iter_mut().enumerate() {
                append(column, elements.get(index).copied())?;
            }
            row.end(true);
        }
        _ => return Err(NotAValue),
    }
    Ok(())
}

/// The parts of a field; none if it is empty.
fn split<'a>(field: &'a [u8], delimiter: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = (!field.is_empty()).then_some(field);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        match memmem::find(text, delimiter).filter(|_| !delimiter.is_empty()) {
            None => Some(text),
            Some(at) => {
                rest = Some(&text[at + delimiter.len()..]);
                Some(&text[..at])
            }
        }
    })
}

impl RecordDecoder for CsvDecoder {
    fn decode(&mut self, bytes: &[u8], end: bool, line: u64, max_rows: usize) -> Result<Progress> {
        let mut progress = Progress::default();
        while self.rows.len() < max_rows && progress.consumed < bytes.len() {
            let input = &bytes[progress.consumed..];
            let (size, result) = match self.scanner.scan(input, end) {
                Scanned::Record { len, consumed, lines } => {
                    let result = self.append(input, len);
                    if result.is_err() {
                        self.rows.abandon(self.rows.len());
                    }
                    ((len, consumed, lines), result)
                }
                Scanned::Comment { consumed } => ((consumed, consumed, 1), Ok(())),
                Scanned::Broken { len, consumed, lines, .. } if self.csv.ignore_errors => {
                    self.skipped += 1;
                    ((len, consumed, lines), Ok(()))
                }
                Scanned::Broken { len, consumed, lines, why } => {
                    ((len, consumed, lines), Err(malformed(why, &input[..len])))
                }
                Scanned::Incomplete => break,
            };
            if !step(&mut progress, size, line, result)? {
                break;
            }
        }
        Ok(progress)
    }
}

impl MessageDecoder for CsvDecoder {
    fn decode(&mut self, message: &[u8]) -> Result<()> {
        if message.is_empty() {
            return Ok(());
        }
        let progress = RecordDecoder::decode(self, message, true, 1, self.rows.len() + 1)?;
        progress.unreadable.map_or(Ok(()), |unreadable| Err(unreadable.error))
    }
}

impl Decoder for CsvDecoder {
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
