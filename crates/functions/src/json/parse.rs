//! Parses JSON as Jackson does: strictly, except that text after the first value is ignored.

use flott_batch::json::number::canonical;
use flott_batch::json::{Cursor, Kind, NotJson, Span, unescape};

use super::value::{Json, put};

/// The first value of a text; `Err` says what is wrong.
pub(super) fn parse(text: &str) -> Result<Json, String> {
    Builder { text, exact: false, unique: false }.whole()
}

/// Like [`parse`], but numbers with a fraction or exponent keep their text; duplicate keys are an error
/// unless `duplicates` is set.
pub(super) fn parse_exact(text: &str, duplicates: bool) -> Result<Json, String> {
    Builder { text, exact: true, unique: !duplicates }.whole()
}

/// Builds a tree from the values that a cursor finds.
struct Builder<'a> {
    text: &'a str,
    /// Numbers keep their text.
    exact: bool,
    /// Duplicate keys are an error.
    unique: bool,
}

/// Why there is no tree.
enum Wrong {
    NotJson(NotJson),
    Refused(String),
}

impl From<NotJson> for Wrong {
    fn from(error: NotJson) -> Self {
        Wrong::NotJson(error)
    }
}

impl Builder<'_> {
    fn whole(&self) -> Result<Json, String> {
        self.first().map_err(|wrong| match wrong {
            Wrong::NotJson(error) => error.describe(self.text),
            Wrong::Refused(why) => why,
        })
    }

    fn first(&self) -> Result<Json, Wrong> {
        let mut cursor = Cursor::new(self.text.as_bytes()).strict();
        let value = self.value(&mut cursor, 0)?;
        // A number must be followed by white space; a quote or bracket needs no separator.
        let is_number = matches!(value, Json::Integer(_) | Json::Decimal(_));
        if is_number && !matches!(cursor.rest().first(), None | Some(b' ' | b'\t' | b'\n' | b'\r')) {
            cursor.wrong("white space after a number")?;
        }
        Ok(value)
    }

    fn value(&self, cursor: &mut Cursor<'_>, depth: usize) -> Result<Json, Wrong> {
        let head = cursor.head(depth)?;
        let mut first = true;
        Ok(match head.kind {
            Kind::Null => Json::Null,
            Kind::True => Json::Bool(true),
            Kind::False => Json::Bool(false),
            Kind::Number => self.number(self.text.get(head.start..head.end).unwrap_or_default())?,
            Kind::Text { .. } => Json::Text(self.plain(head)?),
            Kind::Array => {
                let mut elements = Vec::new();
                while cursor.more(first)? {
                    elements.push(self.value(cursor, depth + 1)?);
                    first = false;
                }
                Json::Array(elements)
            }
            Kind::Object => {
                let mut members = Vec::new();
                while let Some(key) = cursor.key(first)? {
                    let key = self.plain(key)?;
                    let value = self.value(cursor, depth + 1)?;
                    if self.unique && members.iter().any(|(known, _)| *known == key) {
                        return Err(Wrong::Refused(format!(
                            "VARIANT_DUPLICATE_KEY: the key '{key}' comes twice"
                        )));
                    }
                    put(&mut members, key, value);
                    first = false;
                }
                Json::Object(members)
            }
        })
    }

    /// A string with its escape sequences resolved.
    fn plain(&self, span: Span) -> Result<String, Wrong> {
        let quoted = self.text.get(span.start..span.end).unwrap_or_default();
        if span.kind == (Kind::Text { escaped: false }) {
            return Ok(quoted.to_owned());
        }
        let mut plain = Vec::with_capacity(quoted.len());
        unescape(quoted.as_bytes(), &mut plain);
        String::from_utf8(plain).map_err(|error| Wrong::Refused(error.to_string()))
    }

    fn number(&self, text: &str) -> Result<Json, Wrong> {
        if !text.contains(['.', 'e', 'E']) {
            return Ok(Json::Integer(if text == "-0" { "0".to_owned() } else { text.to_owned() }));
        }
        if self.exact {
            return Ok(Json::Decimal(text.to_owned()));
        }
        let number = canonical(text).map(Json::Decimal);
        number.ok_or_else(|| Wrong::Refused(format!("the number {text} is out of range")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(text: &str) -> Option<String> {
        let mut out = String::new();
        parse(text).ok()?.write(&mut out);
        Some(out)
    }

    #[test]
    fn reads_what_jackson_reads() {
        let cases = [
            ("1", Some("1")),
            ("  {\"a\" : [ ] }  ", Some("{\"a\":[]}")),
            ("{} x", Some("{}")),
            ("\"a\"b\"", Some("\"a\"")),
            ("{\"b\": 1, \"a\": 2, \"b\": 3}", Some("{\"a\":2,\"b\":3}")),
            ("\"\\u00e9 \\n \\ud83d\\ude00\"", Some("\"é \\n 😀\"")),
            ("-0", Some("0")),
            ("1e3", Some("1E+3")),
            ("12345678901234567890", Some("12345678901234567890")),
            ("abc", None),
            ("", None),
            ("{\"a\":}", None),
            ("[1,]", None),
            ("{a:1}", None),
            ("01", None),
            ("1x", None),
            ("truex", None),
            ("true\u{e9}", None),
            ("true\u{2192}", Some("true")),
            ("[true\u{2192}]", None),
            ("\"x\\ud83dy\"", Some("\"x?y\"")),
            ("\"a\nb\"", None),
            ("\"\\x\"", None),
            ("1.", None),
            ("not json", None),
            ("{\"a\": ", None),
        ];
        for (text, expected) in cases {
            assert_eq!(again(text).as_deref(), expected, "{text}");
        }
        // The greatest depth that Jackson accepts.
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(1_000)).is_ok() && parse(&nested(1_001)).is_err());
    }
}
