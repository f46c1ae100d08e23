//! Numbers: decimals with their full scale, floating point as Java prints it.

use std::fmt::{self, Display, LowerExp, Write};

/// A decimal with all digits of its scale, never with an exponent: `-0.50`.
pub fn write_decimal(out: &mut String, unscaled: i128, scale: u8) {
    if unscaled < 0 {
        out.push('-');
    }
    let digits = unscaled.unsigned_abs();
    let Some(power) = 10u128.checked_pow(scale.into()).filter(|_| scale > 0) else {
        let _ = write!(out, "{digits}");
        return;
    };
    let _ = write!(out, "{}.{:0width$}", digits / power, digits % power, width = usize::from(scale));
}

/// A DOUBLE as Java's `Double.toString` prints it: `1.0`, `1.0E7`, `NaN`, `-Infinity`.
pub fn write_double(out: &mut String, value: f64) {
    if value.is_finite() {
        write_finite(out, value, value.is_sign_negative(), value == 0.0);
    } else {
        write_special(out, value.is_nan(), value.is_sign_negative());
    }
}

/// A FLOAT as Java's `Float.toString` prints it.
///
/// A whole number that is too large for 24 bits shows more digits than necessary: Java prints it as an
/// integer and rounds off only digits that are entirely below the float's precision.
pub fn write_float(out: &mut String, value: f32) {
    let magnitude = value.abs();
    if (FLOAT_WHOLE..LONG_END).contains(&magnitude) {
        let whole = magnitude as u64;
        let unit = 10u64.pow((1u64 << (whole.ilog2() - 25)).ilog10());
        let rounded = (whole + unit / 2) / unit * unit;
        write_finite(out, f64::from(value).signum() * rounded as f64, value.is_sign_negative(), false);
    } else if value.is_finite() {
        write_finite(out, value, value.is_sign_negative(), value == 0.0);
    } else {
        write_special(out, value.is_nan(), value.is_sign_negative());
    }
}

/// From here on a float is a whole number with more bits than its mantissa.
const FLOAT_WHOLE: f32 = (1u64 << 25) as f32;
/// The first float that does not fit into a long.
const LONG_END: f32 = (1u64 << 63) as f32;

fn write_special(out: &mut String, nan: bool, negative: bool) {
    out.push_str(match (nan, negative) {
        (true, _) => "NaN",
        (false, false) => "Infinity",
        (false, true) => "-Infinity",
    });
}

/// The shortest digits that read back as the same number, laid out as Java does: plain from 0.001 up to below
/// ten million, else one digit before the point and an exponent. Where one digit would be enough, Java takes
/// the closest with two (4.9E-324).
fn write_finite(out: &mut String, value: impl LowerExp + Display, negative: bool, zero: bool) {
    if zero {
        out.push_str(if negative { "-0.0" } else { "0.0" });
        return;
    }
    let mut text = Short::default();
    let _ = write!(text, "{value:e}");
    if !text.as_str().contains('.') {
        text = Short::default();
        let _ = write!(text, "{value:.1e}");
    }
    let text = text.as_str();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let mantissa = match mantissa.strip_prefix('-') {
        Some(rest) => {
            out.push('-');
            rest
        }
        None => mantissa,
    };
    if !(-3..7).contains(&exponent) {
        let _ = write!(out, "{mantissa}E{exponent}");
        return;
    }
    let (first, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let rest = if rest == "0" { "" } else { rest };
    if exponent < 0 {
        out.push_str("0.");
        (1..-exponent).for_each(|_| out.push('0'));
        out.push_str(first);
        out.push_str(rest);
        return;
    }
    let whole = exponent as usize;
    out.push_str(first);
    if rest.len() <= whole {
        out.push_str(rest);
        (rest.len()..whole).for_each(|_| out.push('0'));
        out.push_str(".0");
    } else {
        out.push_str(&rest[..whole]);
        out.push('.');
        out.push_str(&rest[whole..]);
    }
}

/// Text on the stack; longer text is cut off, but no number is that long.
#[derive(Default)]
struct Short {
    bytes: [u8; 32],
    len: usize,
}

impl Short {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or("")
    }
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn double(value: f64) -> String {
        let mut out = String::new();
        write_double(&mut out, value);
        out
    }

    fn float(value: f32) -> String {
        let mut out = String::new();
        write_float(&mut out, value);
        out
    }

    fn decimal(unscaled: i128, scale: u8) -> String {
        let mut out = String::new();
        write_decimal(&mut out, unscaled, scale);
        out
    }

    #[test]
    fn doubles_are_javas() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (100.0, "100.0"),
            (123.456, "123.456"),
            (0.001, "0.001"),
            (0.000_999, "9.99E-4"),
            (0.012_5, "0.0125"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (12_345_678.9, "1.23456789E7"),
            (1e23, "1.0E23"),
            (2e23, "2.0E23"),
            (5e-324, "4.9E-324"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(double(value), text);
        }
    }

    #[test]
    fn floats_are_javas() {
        for (value, text) in [
            (1.1f32, "1.1"),
            (1e10, "1.0E10"),
            (3.402_823_5e38, "3.4028235E38"),
            (1.4e-45, "1.4E-45"),
            (16_777_216.0, "1.6777216E7"),
            (0.3, "0.3"),
            (-2_147_483_648.0, "-2.14748365E9"),
            (1_234_567_890_123.0, "1.23456795E12"),
            (4.2e11, "4.20000006E11"),
            (9_223_372_036_854_775_807.0, "9.223372E18"),
        ] {
            assert_eq!(float(value), text);
        }
    }

    #[test]
    fn decimals_keep_their_scale() {
        assert_eq!(decimal(0, 2), "0.00");
        assert_eq!(decimal(-7, 0), "-7");
        assert_eq!(decimal(-1, 3), "-0.001");
        assert_eq!(decimal(123_400, 2), "1234.00");
        assert_eq!(decimal(i128::MIN, 38), "-1.70141183460469231731687303715884105728");
    }
}
