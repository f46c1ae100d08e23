//! From csv to columns.

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use flott_batch::{ChangeBatch, arrow_type};
use flott_connector::format::{Decoder, MessageDecoder, Progress, RecordDecoder};
use flott_plan::{Column as PlanColumn, Schema};
use flott_types::{Error, LogicalType, Result, TypeKind};
use memchr::memmem;

use super::Csv;
use super::scan::{Scanned, Scanner};
use crate::column::{Column, NotAValue};
use crate::decode::{malformed, not_a_value};
use crate::scalar::TimeStyle;

pub(super) struct CsvDecoder {
    csv: Csv,
    scanner: Scanner,
    /// How many columns a record has.
    arity: usize,
    columns: Vec<Wanted>,
    schema: SchemaRef,
    rows: usize,
    skipped: u64,
}

/// A column of the result.
struct Wanted {
    /// Its position in the record.
    position: usize,
    declared: PlanColumn,
    builder: Column,
}

impl CsvDecoder {
    pub(super) fn new(csv: Csv, schema: &Schema, projection: &[usize]) -> Result<Self> {
        let wanted = |position: &usize| {
            let declared = schema.columns.get(*position).cloned();
            let declared =
                declared.ok_or_else(|| Error::internal(format!("there is no column {position}")))?;
            Ok(Wanted { position: *position, builder: Column::new(&declared.ty), declared })
        };
        let columns = projection.iter().map(wanted).collect::<Result<Vec<_>>>()?;
        let names = columns.iter().map(|wanted| (wanted.declared.name.as_str(), &wanted.declared.ty));
        Ok(CsvDecoder {
            scanner: Scanner::new(&csv),
            schema: arrow_type::schema(names),
            csv,
            arity: schema.len(),
            columns,
            rows: 0,
            skipped: 0,
        })
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
        for wanted in &mut self.columns {
            let Some(field) = self.scanner.field(input, wanted.position) else {
                wanted.builder.append_null();
                continue;
            };
            if null_literal == Some(field) {
                wanted.builder.append_null();
                continue;
            }
            if append_field(&mut wanted.builder, &wanted.declared.ty, field, &self.csv).is_err() {
                if !self.csv.ignore_errors {
                    return Err(wrong_field(&wanted.declared, field, &input[..len]));
                }
                self.skipped += 1;
                wanted.builder.append_null();
            }
        }
        self.rows += 1;
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
        } else if self.csv.ignore_errors {
            return Ok(true);
        }
        Err(malformed(
            format!("row length mismatch: {expected} fields expected but there are {found}"),
            &input[..len],
        ))
    }

    fn fail<T>(&mut self, error: Error, line: u64) -> Result<T> {
        self.rows = 0;
        self.columns.iter_mut().for_each(|wanted| wanted.builder = Column::new(&wanted.declared.ty));
        Err(error.context(format!("line {line}")))
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
        while self.rows < max_rows && progress.consumed < bytes.len() {
            let input = &bytes[progress.consumed..];
            match self.scanner.scan(input, end) {
                Scanned::Record { len, consumed, lines } => {
                    if let Err(error) = self.append(input, len) {
                        return self.fail(error, line + progress.lines);
                    }
                    progress.consumed += consumed;
                    progress.lines += lines;
                }
                Scanned::Comment { consumed } => {
                    progress.consumed += consumed;
                    progress.lines += 1;
                }
                Scanned::Broken { len, consumed, lines, why } => {
                    if !self.csv.ignore_errors {
                        return self.fail(malformed(why, &input[..len]), line + progress.lines);
                    }
                    self.skipped += 1;
                    progress.consumed += consumed;
                    progress.lines += lines;
                }
                Scanned::Incomplete => break,
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
        RecordDecoder::decode(self, message, true, 1, self.rows + 1).map(|_| ())
    }
}

impl Decoder for CsvDecoder {
    fn rows(&self) -> usize {
        self.rows
    }

    fn finish(&mut self) -> Result<Option<ChangeBatch>> {
        if self.rows == 0 {
            return Ok(None);
        }
        let columns =
            self.columns.iter_mut().map(|wanted| wanted.builder.finish()).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(std::mem::take(&mut self.rows)));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(|error| Error::internal("columns of a csv batch").with_source(error))?;
        Ok(Some(ChangeBatch::insert_only(batch)))
    }

    fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }
}
