//! From columns to csv, quoted as Jackson does: longer text always, and text with a character that could be
//! mistaken for a delimiter, a quote or a line end.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    Date32Type, Decimal128Type, DurationMillisecondType, IntervalYearMonthType, Time32MillisecondType,
};
use base64::Engine;
use flott_batch::{ChangeBatch, text};
use flott_plan::Schema;
use flott_types::{LogicalType, Result, TypeKind};

use super::Csv;
use crate::encode::RowWriter;
use crate::scalar::TimeStyle;
use crate::write;

/// Text longer than this is quoted without looking at it.
const LONGEST_UNQUOTED: usize = 24;

pub(super) struct CsvEncoder {
    csv: Csv,
    types: Vec<LogicalType>,
    /// The text between fields, and for NULL.
    delimiter: String,
    null: String,
    /// Characters from here on need no quotes.
    safe: char,
    /// The field in progress.
    field: String,
}

impl CsvEncoder {
    pub(super) fn new(csv: Csv, schema: &Schema) -> Self {
        let special = [Some(csv.delimiter), csv.quote, csv.escape, Some('\r')];
        let highest = special.into_iter().flatten().max().unwrap_or(',');
        let safe = char::from_u32(highest as u32 + 1).unwrap_or(char::MAX);
        CsvEncoder {
            delimiter: csv.delimiter.to_string(),
            null: csv.null_literal.clone().unwrap_or_default(),
            csv,
            types: schema.iter().map(|(_, ty)| ty.clone()).collect(),
            safe,
            field: String::new(),
        }
    }

    /// Ends a text field, unquoted or quoted.
    fn push_text(&self, out: &mut Vec<u8>) {
        let long = self.field.chars().count() > LONGEST_UNQUOTED;
        let Some(quote) = self.csv.quote.filter(|_| long || self.field.chars().any(|c| c < self.safe)) else {
            self.push_escaped(out, None);
            return;
        };
        out.push(quote as u8);
        self.push_escaped(out, Some(quote));
        out.push(quote as u8);
    }

    /// The text with quotes doubled and the escape character escaped.
    fn push_escaped(&self, out: &mut Vec<u8>, quote: Option<char>) {
        if self.csv.escape.is_none() && quote.is_none_or(|quote| !self.field.contains(quote)) {
            out.extend_from_slice(self.field.as_bytes());
            return;
        }
        let mut bytes = [0; 4];
        for character in self.field.chars() {
            if Some(character) == quote {
                out.push(character as u8);
            } else if let Some(escape) = self.csv.escape {
                let special = character == escape
                    || quote.is_none()
                        && (character == self.csv.delimiter || matches!(character, '\n' | '\r'));
                if special {
                    out.push(escape as u8);
                    let letter = match character {
                        '\n' => 'n',
                        '\r' => 'r',
                        other => other,
                    };
                    out.extend_from_slice(letter.encode_utf8(&mut bytes).as_bytes());
                    continue;
                }
            }
            out.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
        }
    }
}

impl RowWriter for CsvEncoder {
    fn write(&mut self, batch: &ChangeBatch, row: usize, out: &mut Vec<u8>) -> Result<()> {
        for (index, (column, ty)) in batch.columns().columns().iter().zip(&self.types).enumerate() {
            if index > 0 {
                out.extend_from_slice(self.delimiter.as_bytes());
            }
            if column.is_null(row) {
                out.extend_from_slice(self.null.as_bytes());
                continue;
            }
            self.field.clear();
            if write_field(&mut self.field, column.as_ref(), row, ty, &self.csv) {
                self.push_text(out);
            } else {
                out.extend_from_slice(self.field.as_bytes());
            }
        }
        Ok(())
    }
}

/// Appends a value's text; says whether it is text that may need quotes.
fn write_field(out: &mut String, array: &dyn Array, row: usize, ty: &LogicalType, csv: &Csv) -> bool {
    match &ty.kind {
        TypeKind::Char(_) | TypeKind::Varchar(_) => out.push_str(array.as_string::<i32>().value(row)),
        TypeKind::Binary(_) | TypeKind::Varbinary(_) => {
            base64::engine::general_purpose::STANDARD.encode_string(array.as_binary::<i32>().value(row), out);
        }
        TypeKind::Date => text::write_date(out, array.as_primitive::<Date32Type>().value(row).into()),
        TypeKind::Time(_) => write::iso_time(out, array.as_primitive::<Time32MillisecondType>().value(row)),
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => {
            write::timestamp(out, array, row, ty, TimeStyle::Sql)
        }
        TypeKind::Boolean => {
            out.push_str(if array.as_boolean().value(row) { "true" } else { "false" });
            return false;
        }
        TypeKind::Decimal(_, scale) => {
            let value = array.as_primitive::<Decimal128Type>().value(row);
            if csv.scientific {
                write::big_decimal(out, value, *scale)
            } else {
                text::write_decimal(out, value, *scale)
            }
            return false;
        }
        TypeKind::IntervalYearMonth => {
            text::write_integer(out, array.as_primitive::<IntervalYearMonthType>().value(row).into());
            return false;
        }
        TypeKind::IntervalDaySecond => {
            text::write_integer(out, array.as_primitive::<DurationMillisecondType>().value(row));
            return false;
        }
        TypeKind::Array(element) => {
            let elements = array.as_list::<i32>().value(row);
            for index in 0..elements.len() {
                write_element(out, elements.as_ref(), index, index, element, csv);
            }
        }
        TypeKind::Row(fields) => {
            for (index, (column, field)) in array.as_struct().columns().iter().zip(fields).enumerate() {
                write_element(out, column.as_ref(), row, index, &field.ty, csv);
            }
        }
        _ => {
            text::write_value(out, array, row, ty, chrono_tz::UTC);
            return false;
        }
    }
    true
}

fn write_element(out: &mut String, array: &dyn Array, row: usize, index: usize, ty: &LogicalType, csv: &Csv) {
    if index > 0 {
        out.push_str(&csv.element_delimiter);
    }
    if array.is_null(row) {
        out.push_str(csv.null_literal.as_deref().unwrap_or(""));
    } else {
        write_field(out, array, row, ty, csv);
    }
}
