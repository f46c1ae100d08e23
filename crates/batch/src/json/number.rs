//! Decimal numbers as Java's `BigDecimal.toString` writes them.

/// A number of JSON, or one that Java's `Double.toString` wrote. `None` if the exponent is absurd.
pub fn canonical(text: &str) -> Option<String> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String = whole.chars().chain(fraction.chars()).collect();
    let digits = digits.trim_start_matches('0');
    let scale = i64::try_from(fraction.len()).ok()? - i64::from(exponent);
    Some(unscaled(negative && !digits.is_empty(), if digits.is_empty() { "0" } else { digits }, scale))
}

/// `digits * 10^-scale`.
pub fn unscaled(negative: bool, digits: &str, scale: i64) -> String {
    let mut out = String::with_capacity(digits.len() + 8);
    if negative {
        out.push('-');
    }
    let count = digits.len() as i64;
    let exponent = count - 1 - scale;
    if scale == 0 {
        out.push_str(digits);
    } else if scale > 0 && exponent >= -6 {
        let point = count - scale;
        if point > 0 {
            let (whole, fraction) = digits.split_at(point as usize);
            out.push_str(whole);
            out.push('.');
            out.push_str(fraction);
        } else {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', (-point) as usize));
            out.push_str(digits);
        }
    } else {
        let (first, rest) = digits.split_at(1);
        out.push_str(first);
        if !rest.is_empty() {
            out.push('.');
            out.push_str(rest);
        }
        if exponent != 0 {
            out.push('E');
            if exponent > 0 {
                out.push('+');
            }
            out.push_str(&exponent.to_string());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_java_writes_them() {
        let cases = [
            ("1e3", "1E+3"),
            ("1.0E20", "1.0E+20"),
            ("1.50", "1.50"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1E-7"),
            ("1.0E-5", "0.000010"),
            ("-0.0", "0.0"),
            ("4.9E-324", "4.9E-324"),
            ("123.45e1", "1234.5"),
            ("0.1234567890123456789", "0.1234567890123456789"),
        ];
        for (text, expected) in cases {
            assert_eq!(canonical(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(unscaled(false, "0", 10), "0E-10");
        assert_eq!(unscaled(true, "12345", 2), "-123.45");
    }
}
