//! Values as JSON.

use arrow::array::{Array, AsArray};
use chrono_tz::Tz;
use flott_batch::json::write_text;
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
                write_text(out, &field.name);
                out.push(':');
                write_json(out, column.as_ref(), row, &field.ty);
            }
            out.push('}');
        }
        _ => {
            let mut text = String::new();
            write_value(&mut text, array, row, ty, Tz::UTC);
            write_text(out, &text);
        }
    }
}
