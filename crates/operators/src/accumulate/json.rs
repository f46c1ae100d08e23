//! Values as JSON.

use arrow::array::{Array, AsArray};
use chrono_tz::Tz;
use flott_batch::text::write_value;
use flott_types::{LogicalType, TypeKind};

/// Appends a value.
pub(super) fn write_json(out: &mut String, array: &dyn Array, row: usize, ty: &LogicalType) {
    if array.is_null(row) {
        out.push_str("null");
        return;
    }
    match &ty.kind {
        TypeKind::Boolean => out.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
        kind if kind.is_numeric() => write_value(out, array, row, ty, Tz::UTC),
        TypeKind::Array(element) => {
            let elements = array.as_list::<i32>().value(row);
            out.push('[');
            for at in 0..elements.len() {
                if at > 0 {
                    out.push(',');
                }
                write_json(out, elements.as_ref(), at, element);
            }
            out.push(']');
        }
        TypeKind::Row(fields) => {
            let columns = array.as_struct();
            out.push('{');
            for (at, (field, column)) in fields.iter().zip(columns.columns()).enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_string(out, &field.name);
                out.push(':');
                write_json(out, column.as_ref(), row, &field.ty);
            }
            out.push('}');
        }
        _ => {
            let mut text = String::new();
            write_value(&mut text, array, row, ty, Tz::UTC);
            write_string(out, &text);
        }
    }
}

/// Appends a string with quotes and escapes.
pub(super) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
