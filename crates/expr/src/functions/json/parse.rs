//! Reading JSON as Jackson does: strict, except that text after the first value is ignored.

use super::number::canonical;
use super::value::{Json, put};

/// Deeper documents are refused, as by Jackson.
const DEEPEST: usize = 1_000;

/// The first value of a text; `Err` says what is wrong.
pub(super) fn parse(text: &str) -> Result<Json, String> {
    whole(Parser { text, bytes: text.as_bytes(), at: 0, exact: false, unique: false })
}

/// As [`parse`], but numbers with a fraction or exponent keep their text; a key that comes twice is an error unless allowed.
pub(super) fn parse_exact(text: &str, duplicates: bool) -> Result<Json, String> {
    whole(Parser { text, bytes: text.as_bytes(), at: 0, exact: true, unique: !duplicates })
}

fn whole(mut parser: Parser<'_>) -> Result<Json, String> {
    let value = parser.value(0)?;
    // A number must end at white space; a quote or bracket ends by itself.
    if matches!(value, Json::Integer(_) | Json::Decimal(_))
        && !matches!(parser.peek(), None | Some(b' ' | b'\t' | b'\n' | b'\r'))
    {
        return Err(parser.unexpected("white space after a number"));
    }
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Numbers keep their text.
    exact: bool,
    /// A key may come once only.
    unique: bool,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn unexpected(&self, wanted: &str) -> String {
        match self.text[self.at..].chars().next() {
            Some(c) => {
                format!("unexpected character '{c}' at position {}: was expecting {wanted}", self.at + 1)
            }
            None => format!("unexpected end of the text: was expecting {wanted}"),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, String> {
        if depth > DEEPEST {
            return Err(format!("nested deeper than {DEEPEST} levels"));
        }
        self.skip_blanks();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            _ => Err(self.unexpected("a JSON value")),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, String> {
        let rest = &self.text[self.at..];
        if !rest.starts_with(word) {
            return Err(self.unexpected("'null', 'true' or 'false'"));
        }
        let next = rest[word.len()..].chars().next();
        if next.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$')) {
            return Err(self.unexpected("'null', 'true' or 'false'"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Json, String> {
        self.at += 1;
        let mut members = Vec::new();
        self.skip_blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a double quote before a name"));
            }
            let key = self.string()?;
            self.skip_blanks();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("a colon between name and value"));
            }
            self.at += 1;
            let value = self.value(depth + 1)?;
            if self.unique && members.iter().any(|(known, _)| *known == key) {
                return Err(format!("VARIANT_DUPLICATE_KEY: the key '{key}' comes twice"));
            }
            put(&mut members, key, value);
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Json::Object(members));
                }
                _ => return Err(self.unexpected("a comma or } in an object")),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, String> {
        self.at += 1;
        let mut elements = Vec::new();
        self.skip_blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::Array(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Json::Array(elements));
                }
                _ => return Err(self.unexpected("a comma or ] in an array")),
            }
        }
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut out = String::new();
        // Java's strings may hold half a character; it comes out as `?`.
        let mut high: Option<u16> = None;
        loop {
            let start = self.at;
            while self.peek().is_some_and(|byte| byte != b'"' && byte != b'\\' && byte >= 0x20) {
                self.at += 1;
            }
            if start < self.at && high.take().is_some() {
                out.push('?');
            }
            out.push_str(&self.text[start..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    if high.is_some() {
                        out.push('?');
                    }
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    let unit = self.escape()?;
                    match (high.take(), unit) {
                        (Some(first), 0xDC00..=0xDFFF) => {
                            out.extend(char::decode_utf16([first, unit]).map(|c| c.unwrap_or('?')));
                        }
                        (before, _) => {
                            if before.is_some() {
                                out.push('?');
                            }
                            match unit {
                                0xD800..=0xDBFF => high = Some(unit),
                                _ => out.push(char::from_u32(unit.into()).unwrap_or('?')),
                            }
                        }
                    }
                }
                Some(_) => return Err(self.unexpected("a backslash before a control character in a string")),
                None => return Err(self.unexpected("the closing quote of a string")),
            }
        }
    }

    /// After a backslash.
    fn escape(&mut self) -> Result<u16, String> {
        let unit = match self.peek() {
            Some(b'"') => b'"',
            Some(b'\\') => b'\\',
            Some(b'/') => b'/',
            Some(b'b') => 0x08,
            Some(b'f') => 0x0C,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                let digits = self
                    .text
                    .get(self.at + 1..self.at + 5)
                    .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
                let digits = digits.ok_or_else(|| self.unexpected("four hexadecimal digits"))?;
                let unit = u16::from_str_radix(digits, 16).map_err(|error| error.to_string())?;
                self.at += 5;
                return Ok(unit);
            }
            _ => return Err(self.unexpected("an escape such as \\n")),
        };
        self.at += 1;
        Ok(unit.into())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<Json, String> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (leading_zero && whole > 1) {
            return Err(self.unexpected("a number without leading zeros"));
        }
        let mut is_integer = true;
        if self.peek() == Some(b'.') {
            is_integer = false;
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.unexpected("a digit after the decimal point"));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            is_integer = false;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.unexpected("a digit of the exponent"));
            }
        }
        let text = &self.text[start..self.at];
        if is_integer {
            return Ok(Json::Integer(if text == "-0" { "0".to_owned() } else { text.to_owned() }));
        }
        if self.exact {
            return Ok(Json::Decimal(text.to_owned()));
        }
        canonical(text).map(Json::Decimal).ok_or_else(|| format!("the number {text} is out of range"))
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
            ("\"a\nb\"", None),
            ("\"\\x\"", None),
            ("1.", None),
            ("not json", None),
            ("{\"a\": ", None),
        ];
        for (text, expected) in cases {
            assert_eq!(again(text).as_deref(), expected, "{text}");
        }
        assert!(parse(&"[".repeat(5_000)).is_err());
    }
}
