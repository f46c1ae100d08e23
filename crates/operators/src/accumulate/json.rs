//! Writes values as JSON.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float32Type, Float64Type};
use chrono_tz::Tz;
use flott_batch::json::number::canonical;
use flott_batch::json::write_text;
use flott_batch::text::{self, write_value};
use flott_types::{LogicalType, TypeKind};

/// Appends a value.
pub(super) fn write_json(out: &mut String, array: &dyn Array, row: usize, ty: &LogicalType) {
    if array.is_null(row) {
        out.push_str("null");
        return;
    }
    match &ty.kind {
        TypeKind::Boolean => out.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
        TypeKind::Float => write_double(out, f64::from(array.as_primitive::<Float32Type>().value(row))),
        TypeKind::Double => write_double(out, array.as_primitive::<Float64Type>().value(row)),
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
        TypeKind::Timestamp(_) => write_text(out, &iso(array, row, ty)),
        TypeKind::TimestampLtz(_) => write_text(out, &format!("{}Z", iso(array, row, ty))),
        _ => {
            let mut text = String::new();
            write_value(&mut text, array, row, ty, Tz::UTC);
            write_text(out, &text);
        }
    }
}

/// `2020-01-01T12:34:56.5`, without zeros at the end of the fraction.
fn iso(array: &dyn Array, row: usize, ty: &LogicalType) -> String {
    let mut text = String::new();
    write_value(&mut text, array, row, ty, Tz::UTC);
    let text = text.replacen(' ', "T", 1);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// Writes a number as Java's `BigDecimal` shows its shortest text: `1.0E+10`, `0.000010`. NaN and infinity
/// become strings.
fn write_double(out: &mut String, value: f64) {
    let mut shortest = String::new();
    text::write_double(&mut shortest, value);
    if !value.is_finite() {
        return write_text(out, &shortest);
    }
    out.push_str(&canonical(&shortest).unwrap_or(shortest));
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_written_as_big_decimals() {
        let shown = |value: f64| {
            let mut out = String::new();
            super::write_double(&mut out, value);
            out
        };
        let values =
            [1e10, 1.7e308, 1e-5, 0.001, 1e-7, 123_456_789.5, 100.0, -1.5e20, 1e7, 0.0, f64::from(1e-5_f32)];
        assert_eq!(
            values.map(shown).join(" "),
            "1.0E+10 1.7E+308 0.000010 0.001 1.0E-7 123456789.5 100.0 -1.5E+20 1.0E+7 0.0 0.000009999999747378752"
        );
        assert_eq!(shown(f64::NAN), "\"NaN\"");
    }
}
