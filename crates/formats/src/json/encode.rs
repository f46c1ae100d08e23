//! From columns to JSON, as Jackson writes it.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    Date32Type, Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, IntervalYearMonthType,
    Time32MillisecondType,
};
use base64::Engine;
use flott_batch::json::write_text;
use flott_batch::{ChangeBatch, text};
use flott_plan::Schema;
use flott_types::{LogicalType, Result, TypeKind};

use super::{Envelope, Json};
use crate::encode::RowWriter;
use crate::write;

pub(super) struct JsonEncoder {
    json: Json,
    columns: Vec<(String, LogicalType)>,
    /// The row in progress.
    text: String,
}

impl JsonEncoder {
    pub(super) fn new(json: Json, schema: &Schema) -> Self {
        let columns = schema.iter().map(|(name, ty)| (name.to_owned(), ty.clone())).collect();
        JsonEncoder { json, columns, text: String::new() }
    }

    fn envelope(&self, out: &mut String, addition: bool, row: impl FnOnce(&mut String)) {
        let skip = self.json.ignore_nulls;
        let (head, tail) = match (&self.json.envelope, addition) {
            (Envelope::None, _) => ("", ""),
            (Envelope::Debezium { .. }, true) if skip => ("{\"after\":", ",\"op\":\"c\"}"),
            (Envelope::Debezium { .. }, true) => ("{\"before\":null,\"after\":", ",\"op\":\"c\"}"),
            (Envelope::Debezium { .. }, false) if skip => ("{\"before\":", ",\"op\":\"d\"}"),
            (Envelope::Debezium { .. }, false) => ("{\"before\":", ",\"after\":null,\"op\":\"d\"}"),
            (Envelope::Canal { .. }, true) => ("{\"data\":[", "],\"type\":\"INSERT\"}"),
            (Envelope::Canal { .. }, false) => ("{\"data\":[", "],\"type\":\"DELETE\"}"),
            (Envelope::Ogg, true) if skip => ("{\"after\":", ",\"op_type\":\"I\"}"),
            (Envelope::Ogg, true) => ("{\"before\":null,\"after\":", ",\"op_type\":\"I\"}"),
            (Envelope::Ogg, false) if skip => ("{\"before\":", ",\"op_type\":\"D\"}"),
            (Envelope::Ogg, false) => ("{\"before\":", ",\"after\":null,\"op_type\":\"D\"}"),
            (Envelope::Maxwell, true) => ("{\"data\":", ",\"type\":\"insert\"}"),
            (Envelope::Maxwell, false) => ("{\"data\":", ",\"type\":\"delete\"}"),
        };
        out.push_str(head);
        row(out);
        out.push_str(tail);
    }
}

impl RowWriter for JsonEncoder {
    fn write(&mut self, batch: &ChangeBatch, row: usize, out: &mut Vec<u8>) -> Result<()> {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        self.envelope(&mut text, batch.kind(row).is_addition(), |text| {
            let names = self.columns.iter().map(|(name, ty)| (name.as_str(), ty));
            write_object(text, names.zip(batch.columns().columns()), row, &self.json);
        });
        out.extend_from_slice(text.as_bytes());
        self.text = text;
        Ok(())
    }
}

fn write_object<'a>(
    out: &mut String,
    fields: impl Iterator<Item = ((&'a str, &'a LogicalType), &'a ArrayRef)>,
    row: usize,
    json: &Json,
) {
    out.push('{');
    let mut first = true;
    for ((name, ty), column) in fields {
        if json.ignore_nulls && column.is_null(row) {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        write_text(out, name);
        out.push(':');
        write_value(out, column.as_ref(), row, ty, json);
    }
    out.push('}');
}

fn write_value(out: &mut String, array: &dyn Array, row: usize, ty: &LogicalType, json: &Json) {
    if array.is_null(row) {
        out.push_str("null");
        return;
    }
    match &ty.kind {
        TypeKind::Char(_) | TypeKind::Varchar(_) => write_text(out, array.as_string::<i32>().value(row)),
        TypeKind::Boolean => out.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
        TypeKind::Decimal(_, scale) => {
            let value = array.as_primitive::<Decimal128Type>().value(row);
            if json.plain_decimals {
                text::write_decimal(out, value, *scale);
            } else {
                write::big_decimal(out, value, *scale);
            }
        }
        TypeKind::Float => {
            let value = array.as_primitive::<Float32Type>().value(row);
            quoted_if(out, !value.is_finite(), |out| text::write_float(out, value));
        }
        TypeKind::Double => {
            let value = array.as_primitive::<Float64Type>().value(row);
            quoted_if(out, !value.is_finite(), |out| text::write_double(out, value));
        }
        TypeKind::Binary(_) | TypeKind::Varbinary(_) => quoted_if(out, true, |out| {
            base64::engine::general_purpose::STANDARD.encode_string(array.as_binary::<i32>().value(row), out);
        }),
        TypeKind::Date => {
            quoted_if(out, true, |out| {
                text::write_date(out, array.as_primitive::<Date32Type>().value(row).into())
            });
        }
        TypeKind::Time(_) => quoted_if(out, true, |out| {
            write::iso_time(out, array.as_primitive::<Time32MillisecondType>().value(row));
        }),
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => {
            quoted_if(out, true, |out| write::timestamp(out, array, row, ty, json.style));
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
            for index in 0..values.len() {
                if index > 0 {
                    out.push(',');
                }
                write_value(out, values.as_ref(), index, element, json);
            }
            out.push(']');
        }
        TypeKind::Map(_, value) => write_map(out, array, row, value, json),
        TypeKind::Multiset(_) => write_map(out, array, row, &TypeKind::Int.not_null(), json),
        TypeKind::Row(fields) => {
            let names = fields.iter().map(|field| (field.name.as_str(), &field.ty));
            write_object(out, names.zip(array.as_struct().columns()), row, json);
        }
        _ => text::write_value(out, array, row, ty, chrono_tz::UTC),
    }
}

fn write_map(out: &mut String, array: &dyn Array, row: usize, value: &LogicalType, json: &Json) {
    let entries = array.as_map().value(row);
    let keys = entries.column(0).as_string::<i32>();
    out.push('{');
    for index in 0..entries.len() {
        if index > 0 {
            out.push(',');
        }
        write_text(out, keys.value(index));
        out.push(':');
        write_value(out, entries.column(1).as_ref(), index, value, json);
    }
    out.push('}');
}

fn quoted_if(out: &mut String, quoted: bool, write: impl FnOnce(&mut String)) {
    if quoted {
        out.push('"');
    }
    write(out);
    if quoted {
        out.push('"');
    }
}
