//! Scalars as Java's formatters write them, where that differs from the SQL client's printing.

use std::fmt::Write;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{TimeUnit, TimestampMicrosecondType};
use chrono_tz::Tz;
use flott_batch::arrow_type::nanos_at;
use flott_batch::text;
use flott_types::{LogicalType, TypeKind};

use crate::scalar::TimeStyle;

/// As `BigDecimal.toString`: with an exponent where there would be more than five zeros after the point.
pub(crate) fn big_decimal(out: &mut String, unscaled: i128, scale: u8) {
    let digits = unscaled.unsigned_abs().to_string();
    let exponent = digits.len() as i64 - 1 - i64::from(scale);
    if exponent >= -6 {
        text::write_decimal(out, unscaled, scale);
        return;
    }
    let sign = if unscaled < 0 { "-" } else { "" };
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let _ = write!(out, "{sign}{first}{point}{rest}E{exponent}");
}

/// A time of day with as many digits of the fraction as needed: `12:34:56`, `12:34:56.7`.
pub(crate) fn iso_time(out: &mut String, millis: i32) {
    let precision = match millis {
        _ if millis % 1_000 == 0 => 0,
        _ if millis % 100 == 0 => 1,
        _ if millis % 10 == 0 => 2,
        _ => 3,
    };
    text::write_time(out, millis, precision);
}

/// A timestamp with as many digits of the fraction as needed, with a `Z` at the end for TIMESTAMP_LTZ.
pub(crate) fn timestamp(out: &mut String, array: &dyn Array, row: usize, ty: &LogicalType, style: TimeStyle) {
    let micros = array.as_primitive_opt::<TimestampMicrosecondType>().map(|micros| micros.value(row));
    let nanos = || nanos_at(array, row).unwrap_or_default();
    let (mut fraction, mut digits) = match micros {
        Some(micros) => (micros.rem_euclid(1_000_000), 6),
        None => (nanos().rem_euclid(1_000_000_000) as i64, 9),
    };
    while digits > 0 && fraction % 10 == 0 {
        fraction /= 10;
        digits -= 1;
    }
    let start = out.len();
    match micros {
        Some(micros) => text::write_timestamp(out, micros, TimeUnit::Microsecond, digits),
        None => text::write_timestamp_nanos(out, nanos(), digits, Tz::UTC),
    }
    if style == TimeStyle::Iso
        && let Some(blank) = out[start..].find(' ')
    {
        out.replace_range(start + blank..=start + blank, "T");
    }
    if matches!(ty.kind, TypeKind::TimestampLtz(_)) {
        out.push('Z');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_javas() {
        let text = |unscaled, scale| {
            let mut out = String::new();
            big_decimal(&mut out, unscaled, scale);
            out
        };
        assert_eq!(text(-150, 2), "-1.50");
        assert_eq!(text(1, 6), "0.000001");
        assert_eq!(text(1, 7), "1E-7");
        assert_eq!(text(-123, 10), "-1.23E-8");
        assert_eq!(text(0, 7), "0E-7");
    }
}
