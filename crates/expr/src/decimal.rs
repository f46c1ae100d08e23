//! Arithmetic on unscaled 128-bit decimals as Java's `BigDecimal` does it for Flink: exact, then rounded
//! HALF_UP to the result's scale; NULL if it does not fit the result's precision. Intermediate results that
//! exceed 128 bits are computed in 256.

use std::cmp::Ordering;

use arrow::datatypes::i256;

/// Powers of ten that fit 128 bits.
const POWERS: [i128; 39] = {
    let mut powers = [1; 39];
    let mut at = 1;
    while at < 39 {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// 10 to the power of `digits`; `digits` at most 38.
#[inline]
pub fn power10(digits: u32) -> i128 {
    POWERS[digits as usize]
}

/// 10 to the power of `digits` in 256 bits; `None` above 76 digits.
fn wide_power10(digits: u32) -> Option<i256> {
    match digits {
        0..=38 => Some(i256::from_i128(power10(digits))),
        39..=76 => Some(i256::from_i128(power10(38)).wrapping_mul(i256::from_i128(power10(digits - 38)))),
        _ => None,
    }
}

/// The value if it has at most `precision` digits.
#[inline]
pub fn fit(value: i128, precision: u8) -> Option<i128> {
    (value.unsigned_abs() < power10(precision.into()).unsigned_abs()).then_some(value)
}

fn fit_wide(value: i256, precision: u8) -> Option<i128> {
    fit(value.to_i128()?, precision)
}

/// `value / divisor` rounded HALF_UP, away from zero.
#[inline]
fn divide_half_up(value: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (value / divisor, value % divisor);
    let up = rest.unsigned_abs() >= divisor.unsigned_abs() - rest.unsigned_abs();
    if !up {
        quotient
    } else if (value < 0) == (divisor < 0) {
        quotient + 1
    } else {
        quotient - 1
    }
}

fn divide_half_up_wide(value: i256, divisor: i256) -> Option<i256> {
    let quotient = value.checked_div(divisor)?;
    let rest = value.checked_rem(divisor)?.checked_abs()?;
    let divisor_abs = divisor.checked_abs()?;
    if rest < divisor_abs.wrapping_sub(rest) {
        Some(quotient)
    } else if value.is_negative() == divisor.is_negative() {
        Some(quotient.wrapping_add(i256::ONE))
    } else {
        Some(quotient.wrapping_sub(i256::ONE))
    }
}

/// Converts from one scale to another, rounding HALF_UP; NULL if it does not fit `precision`.
#[inline]
pub fn rescale(value: i128, from: i32, to: i32, precision: u8) -> Option<i128> {
    match to - from {
        0 => fit(value, precision),
        up @ 1..=38 => fit(value.checked_mul(power10(up as u32))?, precision),
        down @ -38..=-1 => fit(divide_half_up(value, power10(-down as u32)), precision),
        up if up > 0 => (value == 0).then_some(0),
        _ => Some(0),
    }
}

fn rescale_wide(value: i256, from: i32, to: i32, precision: u8) -> Option<i128> {
    let shift = to - from;
    if shift >= 0 {
        if value == i256::ZERO {
            return Some(0);
        }
        fit_wide(value.checked_mul(wide_power10(shift as u32)?)?, precision)
    } else {
        match wide_power10(shift.unsigned_abs()) {
            Some(divisor) => fit_wide(divide_half_up_wide(value, divisor)?, precision),
            None => Some(0),
        }
    }
}

/// An operand: its unscaled value and scale.
pub type Scaled = (i128, u8);

fn align((value, scale): Scaled, to: u8) -> i256 {
    let power = wide_power10(u32::from(to - scale)).unwrap_or(i256::ONE);
    i256::from_i128(value).wrapping_mul(power)
}

/// The sum, with this precision and scale.
#[inline]
pub fn add(a: Scaled, b: Scaled, (precision, scale): (u8, u8)) -> Option<i128> {
    let common = a.1.max(b.1);
    let fast = || {
        let a = a.0.checked_mul(power10((common - a.1).into()))?;
        a.checked_add(b.0.checked_mul(power10((common - b.1).into()))?)
    };
    match fast() {
        Some(sum) => rescale(sum, common.into(), scale.into(), precision),
        None => {
            let sum = align(a, common).wrapping_add(align(b, common));
            rescale_wide(sum, common.into(), scale.into(), precision)
        }
    }
}

/// The difference, with this precision and scale.
#[inline]
pub fn subtract(a: Scaled, (value, scale): Scaled, result: (u8, u8)) -> Option<i128> {
    add(a, (-value, scale), result)
}

/// The product, with this precision and scale.
#[inline]
pub fn multiply(a: Scaled, b: Scaled, (precision, scale): (u8, u8)) -> Option<i128> {
    let from = i32::from(a.1) + i32::from(b.1);
    match a.0.checked_mul(b.0) {
        Some(product) => rescale(product, from, scale.into(), precision),
        None => {
            let product = i256::from_i128(a.0).wrapping_mul(i256::from_i128(b.0));
            rescale_wide(product, from, scale.into(), precision)
        }
    }
}

/// The quotient, with this precision and scale: rounded HALF_UP first to 38 significant digits, then to the
/// scale. The divisor must not be zero.
#[inline]
pub fn divide(a: Scaled, b: Scaled, (precision, scale): (u8, u8)) -> Option<i128> {
    // With a numerator below 10^37 the first rounding cannot change the second: the quotient is too far from
    // a half.
    let shift = i32::from(scale) + i32::from(b.1) - i32::from(a.1);
    if (0..=37).contains(&shift) {
        let numerator = a.0.checked_mul(power10(shift as u32));
        if let Some(numerator) = numerator.filter(|n| n.unsigned_abs() < power10(37).unsigned_abs()) {
            return fit(divide_half_up(numerator, b.0), precision);
        }
    }
    let (numerator, divisor) = (i256::from_i128(a.0), i256::from_i128(b.0));
    let (quotient, digits) = significant_quotient(numerator, divisor)?;
    rescale_wide(quotient, digits + i32::from(a.1) - i32::from(b.1), scale.into(), precision)
}

/// `a / b` as 38 significant digits and the number of digits by which it was scaled up for that.
fn significant_quotient(a: i256, b: i256) -> Option<(i256, i32)> {
    if a == i256::ZERO {
        return Some((a, 0));
    }
    let floor = i256::from_i128(power10(37));
    let mut digits = 0;
    // The quotient has as many digits as a and b suggest, or one fewer.
    let guess = 37 + digits_of(b) - digits_of(a);
    if guess > 0 {
        digits = guess;
    }
    let mut numerator = a.checked_mul(wide_power10(digits as u32)?)?;
    let short = numerator.checked_div(b)?.checked_abs()? < floor;
    if let Some(more) = numerator.checked_mul(i256::from_i128(10)).filter(|_| short) {
        numerator = more;
        digits += 1;
    }
    Some((divide_half_up_wide(numerator, b)?, digits))
}

fn digits_of(value: i256) -> i32 {
    let value = value.to_i128().map_or(u128::MAX, i128::unsigned_abs);
    value.checked_ilog10().map_or(1, |log| log as i32 + 1)
}

/// The remainder, with the sign of the dividend. The divisor must not be zero.
#[inline]
pub fn remainder(a: Scaled, b: Scaled, (precision, scale): (u8, u8)) -> Option<i128> {
    let common = a.1.max(b.1);
    if a.1 == b.1 {
        return rescale(a.0 % b.0, common.into(), scale.into(), precision);
    }
    let rest = align(a, common).checked_rem(align(b, common))?;
    rescale_wide(rest, common.into(), scale.into(), precision)
}

/// Compares by value, whatever the scales are.
#[inline]
pub fn compare(a: Scaled, b: Scaled) -> Ordering {
    if a.1 == b.1 {
        return a.0.cmp(&b.0);
    }
    let common = a.1.max(b.1);
    align(a, common).cmp(&align(b, common))
}

/// The nearest double, as `BigDecimal.doubleValue`.
pub fn to_f64(value: i128, scale: u8) -> f64 {
    // Both factors are exact below 2^53 and 10^22, so the division rounds only once.
    if value.unsigned_abs() < 1 << 53 && scale <= 22 {
        return value as f64 / power10(scale.into()) as f64;
    }
    format!("{value}e-{scale}").parse().unwrap_or(f64::NAN)
}

/// The nearest float, as `BigDecimal.floatValue`.
pub fn to_f32(value: i128, scale: u8) -> f32 {
    if value.unsigned_abs() < 1 << 24 && scale <= 10 {
        return value as f32 / power10(scale.into()) as f32;
    }
    format!("{value}e-{scale}").parse().unwrap_or(f32::NAN)
}

/// Parses decimal digits with optional sign, point and exponent, as `new BigDecimal(text)` does, into a
/// precision and scale, rounding HALF_UP. `None` for what is not a number, `Some(None)` for what does not
/// fit.
pub fn parse(text: &str, precision: u8, scale: u8) -> Option<Option<i128>> {
    let bytes = text.as_bytes();
    let (negative, mut rest) = match bytes.first()? {
        b'-' => (true, &bytes[1..]),
        b'+' => (false, &bytes[1..]),
        _ => (false, bytes),
    };
    let mut exponent = 0i64;
    if let Some(at) = rest.iter().position(|b| matches!(b, b'e' | b'E')) {
        exponent = std::str::from_utf8(&rest[at + 1..]).ok()?.parse::<i32>().ok()?.into();
        rest = &rest[..at];
    }
    let point = rest.iter().position(|b| *b == b'.');
    let whole = &rest[..point.unwrap_or(rest.len())];
    let fraction = point.map_or(&[][..], |at| &rest[at + 1..]);
    if whole.is_empty() && fraction.is_empty() || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return None;
    }
    // Digits up to the target scale are kept; the next one decides the rounding.
    let keep = whole.len() as i64 + exponent + i64::from(scale);
    let mut digits = whole.iter().chain(fraction).map(|b| i128::from(b - b'0'));
    if keep < 0 {
        return Some(Some(0));
    }
    let mut value = 0i128;
    for _ in 0..keep {
        let digit = digits.next();
        if digit.is_none() && value == 0 {
            break;
        }
        match value.checked_mul(10) {
            Some(shifted) => value = shifted.saturating_add(digit.unwrap_or(0)),
            None => return Some(None),
        }
    }
    if digits.next().is_some_and(|digit| digit >= 5) {
        value += 1;
    }
    Some(fit(if negative { -value } else { value }, precision))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_values() {
        assert_eq!(divide((100, 2), (3, 0), (21, 13)), Some(3_333_333_333_333));
        assert_eq!(divide((-5, 0), (2, 0), (10, 0)), Some(-3));
        assert_eq!(divide((power10(37), 0), (3, 0), (38, 6)), None);
        assert_eq!(
            multiply((power10(37), 18), (power10(37), 18), (38, 0)),
            Some(power10(38)).and_then(|v| fit(v, 38))
        );
        assert_eq!(remainder((-750, 2), (20000, 4), (7, 4)), Some(-15000));
        assert_eq!(compare((150, 2), (15, 1)), Ordering::Equal);
        assert_eq!(parse("1.005", 5, 2), Some(Some(101)));
        assert_eq!(parse("-1e3", 5, 1), Some(Some(-10000)));
        assert_eq!(parse("123456", 5, 0), Some(None));
        assert_eq!(parse("1e-50", 5, 2), Some(Some(0)));
        assert_eq!(parse(".", 5, 2), None);
        assert_eq!(parse("99999999999999999999999999999999999999", 38, 0), Some(Some(power10(38) - 1)));
        assert_eq!(to_f64(10123456789, 10), 1.0123456789);
    }

    /// Schoolbook long arithmetic on decimal digit strings: slow, and with nothing in common with the code
    /// above.
    mod model {
        /// Most significant digit first, no leading zeros.
        pub fn digits(value: u128) -> Vec<u8> {
            value.to_string().bytes().map(|b| b - b'0').collect()
        }

        pub fn multiply(a: &[u8], b: &[u8]) -> Vec<u8> {
            let mut out = vec![0u32; a.len() + b.len()];
            for (i, x) in a.iter().rev().enumerate() {
                for (j, y) in b.iter().rev().enumerate() {
                    out[i + j] += u32::from(*x) * u32::from(*y);
                }
            }
            for at in 0..out.len() - 1 {
                out[at + 1] += out[at] / 10;
                out[at] %= 10;
            }
            trim(out.into_iter().rev().map(|d| d as u8).collect())
        }

        pub fn divide(a: &[u8], b: u128) -> (Vec<u8>, u128) {
            let (mut out, mut rest) = (Vec::new(), 0u128);
            for digit in a {
                rest = rest * 10 + u128::from(*digit);
                out.push((rest / b) as u8);
                rest %= b;
            }
            (trim(out), rest)
        }

        pub fn trim(digits: Vec<u8>) -> Vec<u8> {
            let from = digits.iter().position(|d| *d != 0).unwrap_or(digits.len());
            digits[from..].to_vec()
        }

        /// Drops the last digits, rounding half up.
        pub fn round(mut digits: Vec<u8>, drop: usize) -> Vec<u8> {
            if drop > digits.len() {
                return Vec::new();
            }
            let kept = digits.len() - drop;
            let up = drop > 0 && digits[kept] >= 5;
            digits.truncate(kept);
            if up {
                let mut at = kept;
                loop {
                    if at == 0 {
                        digits.insert(0, 1);
                        break;
                    }
                    at -= 1;
                    if digits[at] < 9 {
                        digits[at] += 1;
                        break;
                    }
                    digits[at] = 0;
                }
            }
            trim(digits)
        }

        pub fn value(digits: &[u8], negative: bool, precision: u8) -> Option<i128> {
            if digits.len() > precision.into() {
                return None;
            }
            let value = digits.iter().fold(0i128, |value, d| value * 10 + i128::from(*d));
            Some(if negative { -value } else { value })
        }
    }

    fn unscaled() -> impl Strategy<Value = i128> {
        (0u32..=38, any::<i128>()).prop_map(|(digits, value)| value % power10(digits))
    }

    proptest! {
        #[test]
        fn product_is_the_schoolbook_product(a in unscaled(), b in unscaled(), sa in 0u8..20, sb in 0u8..18, drop in 0u8..38) {
            let scale = (sa + sb).saturating_sub(drop);
            let exact = model::multiply(&model::digits(a.unsigned_abs()), &model::digits(b.unsigned_abs()));
            let rounded = model::round(exact, usize::from(sa + sb - scale));
            prop_assert_eq!(multiply((a, sa), (b, sb), (38, scale)), model::value(&rounded, (a < 0) != (b < 0), 38));
        }

        #[test]
        fn quotient_is_the_schoolbook_quotient(a in unscaled(), b in 1i128..1_000_000_000_000, scale in 6u8..30) {
            // The divisor is below 10^12, so a quotient that is not a half is at least 10^-13 away from one.
            // With 13 digits to spare the first rounding cannot produce a half, and rounding twice gives the
            // same as rounding once.
            let mut digits = model::digits(a.unsigned_abs());
            digits.extend(vec![0; usize::from(scale) + 1]);
            let (quotient, rest) = model::divide(&digits, b.unsigned_abs());
            let exact = quotient.len() <= 38 - 13;
            let rounded = model::round(quotient, 1);
            if exact || rest == 0 {
                prop_assert_eq!(divide((a, 0), (b, 0), (38, scale)), model::value(&rounded, a < 0, 38));
            }
        }

        #[test]
        fn sum_and_difference_are_inverse(a in -power10(30)..power10(30), b in -power10(30)..power10(30), sa in 0u8..4, sb in 0u8..4) {
            let scale = sa.max(sb);
            let sum = add((a, sa), (b, sb), (38, scale)).unwrap();
            prop_assert_eq!(subtract((sum, scale), (b, sb), (38, sa)), Some(a));
        }

        #[test]
        fn remainder_completes_the_quotient(a in unscaled(), b in 1i128..1_000_000_000, sa in 0u8..10, sb in 0u8..10) {
            let scale = sa.max(sb);
            let rest = remainder((a, sa), (b, sb), (38, scale)).unwrap();
            prop_assert!(rest == 0 || (rest < 0) == (a < 0));
            prop_assert_eq!(compare((rest.abs(), scale), (b, sb)), Ordering::Less);
        }

        #[test]
        fn text_is_read_back(value in unscaled(), scale in 0u8..38) {
            prop_assert_eq!(parse(&format!("{value}e-{scale}"), 38, scale), Some(Some(value)));
        }
    }
}
