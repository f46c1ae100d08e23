//! A JSON document in memory.

/// A value. Numbers keep their decimal digits.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// A number without fraction or exponent, as digits with an optional minus sign.
    Integer(String),
    /// Another number, as Java's `BigDecimal` writes it.
    Decimal(String),
    Text(String),
    Array(Vec<Json>),
    /// Each key once, in the order of the document.
    Object(Vec<(String, Json)>),
    /// The text of a value that is known to be JSON.
    Raw(String),
}

impl Json {
    /// Neither array nor object.
    pub(super) fn is_scalar(&self) -> bool {
        !matches!(self, Json::Array(_) | Json::Object(_))
    }

    /// The member of an object.
    pub(super) fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Appends a scalar as Java's `String.valueOf` does: strings without quotes.
    pub(super) fn write_plain(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Integer(text) | Json::Decimal(text) | Json::Text(text) | Json::Raw(text) => {
                out.push_str(text)
            }
            Json::Array(_) | Json::Object(_) => self.write(out),
        }
    }
}

/// Adds a member, or replaces the value of one with the same key.
pub(super) fn put(members: &mut Vec<(String, Json)>, key: String, value: Json) {
    // A linear search: objects are usually small.
    match members.iter_mut().find(|(name, _)| *name == key) {
        Some((_, known)) => *known = value,
        None => members.push((key, value)),
    }
}
