//! JSON as VARIANT.

use flott_batch::variant::Variant;

use super::parse::parse_exact;
use super::value::Json;

/// How many digits a decimal number may have in all, before and after its point.
const DIGITS: usize = 38;

/// The first value of a text; `Err` says what is wrong.
pub(crate) fn parse_variant(text: &str, duplicates: bool) -> Result<Variant, String> {
    Ok(of(parse_exact(text, duplicates)?))
}

fn of(value: Json) -> Variant {
    match value {
        Json::Null => Variant::Null,
        Json::Bool(value) => Variant::Boolean(value),
        Json::Integer(text) | Json::Decimal(text) | Json::Raw(text) => number(&text),
        Json::Text(text) => Variant::Text(text),
        Json::Array(elements) => Variant::Array(elements.into_iter().map(of).collect()),
        Json::Object(members) => {
            Variant::Object(members.into_iter().map(|(key, value)| (key, of(value))).collect())
        }
    }
}

/// A whole number if it fits into eight bytes; a decimal number if it has no exponent and at most 38 digits;
/// otherwise a DOUBLE.
fn number(text: &str) -> Variant {
    if let Ok(whole) = text.parse() {
        return Variant::Integer(whole);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = whole.trim_start_matches('-').trim_start_matches('0').len() + fraction.len();
    if !text.contains(['e', 'E']) && digits <= DIGITS {
        let plain: String = [whole, fraction].concat();
        if let Ok(digits) = plain.parse() {
            return Variant::Decimal(digits, fraction.len() as u8);
        }
    }
    Variant::Double(text.parse().unwrap_or(f64::NAN))
}
