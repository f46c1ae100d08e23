//! Values as JSON.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float32Type, Float64Type};
use chrono_tz::Tz;
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
        _ => {
            let mut text = String::new();
            write_value(&mut text, array, row, ty, Tz::UTC);
            write_text(out, &text);
        }
    }
}

/// A number as Java's `BigDecimal` shows the shortest text of it: `1.0E+10`, `0.000010`. What is no number is text.
fn write_double(out: &mut String, value: f64) {
    let mut shortest = String::new();
    text::write_double(&mut shortest, value);
    if !value.is_finite() {
        return write_text(out, &shortest);
    }
    let (mantissa, exponent) = shortest.split_once('E').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let scale = fraction.len() as i32 - exponent;
    let digits = format!("{whole}{fraction}");
    let digits = match digits.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    out.push_str(sign);
    let leading = digits.len() as i32 - 1 - scale;
    if scale == 0 {
        out.push_str(digits);
    } else if scale > 0 && leading >= -6 {
        let padded = format!("{digits:0>width$}", width = scale as usize + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale as usize);
        out.push_str(whole);
        out.push('.');
        out.push_str(fraction);
    } else {
        let (first, rest) = digits.split_at(1);
        out.push_str(first);
        if !rest.is_empty() {
            out.push('.');
            out.push_str(rest);
        }
        out.push_str(&format!("E{leading:+}"));
    }
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
