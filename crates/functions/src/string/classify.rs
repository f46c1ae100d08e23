//! IS_ALPHA, IS_DIGIT, IS_DECIMAL: never NULL; for numbers only the type counts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, StringArray};
use flott_expr::function::{Call, Function};
use flott_expr::value::Value;
use flott_types::{Result, TypeKind};

use crate::build::booleans;
use crate::check::{Family, infer};

const ONE: &[&[Family]] = &[&[Family::Any]];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("IS_ALPHA", infer!("IS_ALPHA", ONE, |_args| TypeKind::Boolean.not_null()), |args, call| {
        classify(args, call, |_| false, |text| text.chars().all(is_letter))
    }),
    Function::new("IS_DIGIT", infer!("IS_DIGIT", ONE, |_args| TypeKind::Boolean.not_null()), |args, call| {
        classify(args, call, TypeKind::is_integer, |text| text.chars().all(is_decimal_digit))
    }),
    Function::new(
        "IS_DECIMAL",
        infer!("IS_DECIMAL", ONE, |_args| TypeKind::Boolean.not_null()),
        |args, call| classify(args, call, TypeKind::is_numeric, is_java_number),
    ),
];

fn classify(
    args: &[Value],
    call: &Call<'_>,
    by_type: fn(&TypeKind) -> bool,
    by_text: impl Fn(&str) -> bool,
) -> Result<ArrayRef> {
    let kind = &call.arg_types[0].kind;
    if !kind.is_character() {
        let array = args[0].to_array(call.rows)?;
        let yes = by_type(kind);
        return Ok(Arc::new(BooleanArray::from_iter(
            (0..call.rows).map(|row| Some(yes && array.is_valid(row))),
        )));
    }
    let text = args[0].view::<StringArray>()?;
    Ok(booleans(call.rows, |row| Some(text.get(row).is_some_and(|text| !text.is_empty() && by_text(text)))))
}

/// Letters of all scripts, without marks and letter-like numbers.
fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !c.is_numeric()
}

/// The decimal digits of all scripts: runs of ten that begin at a multiple of a known start.
fn is_decimal_digit(c: char) -> bool {
    const ZEROS: &[u32] = &[
        0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6,
        0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0,
        0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
    ];
    ZEROS.iter().any(|zero| (*zero..zero + 10).contains(&u32::from(c)))
}

/// What `Double.parseDouble` accepts: surrounding white space, signs, exponents, `NaN`, `Infinity`, suffixes
/// d and f, hexadecimal.
fn is_java_number(text: &str) -> bool {
    let text = text.trim_matches(|c: char| c <= ' ');
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(text, "NaN" | "Infinity") {
        return true;
    }
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let Some((mantissa, exponent)) = digits.split_once(['p', 'P']) else {
            return false;
        };
        let exponent = exponent.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(exponent);
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        return is_mantissa(mantissa, |c| c.is_ascii_hexdigit()) && is_digits(exponent);
    }
    let text = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    match text.split_once(['e', 'E']) {
        None => is_mantissa(text, |c| c.is_ascii_digit()),
        Some((mantissa, exponent)) => {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            is_mantissa(mantissa, |c| c.is_ascii_digit()) && is_digits(exponent)
        }
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_mantissa(text: &str, is_digit: impl Fn(char) -> bool) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    !(whole.is_empty() && fraction.is_empty()) && whole.chars().chain(fraction.chars()).all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_numbers() {
        for yes in
            ["1", "1.5", "-1.5", "1e5", " 1", "+1", "1.", ".5", "1d", "1.5f", "NaN", "-Infinity", "0x1p3"]
        {
            assert!(is_java_number(yes), "{yes}");
        }
        for no in ["abc", "", ".", "1e", "--1", "1 2", "0x1", "nan", "1_0"] {
            assert!(!is_java_number(no), "{no}");
        }
    }
}
