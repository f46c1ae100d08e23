//! Finds where JSON values begin and end. Performance critical: a few branches per byte, and none within
//! texts.

use memchr::memchr2;

use super::text::hex4;

/// Values nested deeper than this are refused, as by Jackson.
const DEEPEST: usize = 1_000;

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`
    True,
    /// `false`
    False,
    /// Any number.
    Number,
    /// A text. Its span is without the quotes.
    Text {
        /// There are backslashes in it.
        escaped: bool,
    },
    /// Members in braces.
    Object,
    /// Elements in brackets.
    Array,
}

/// The location of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// What it is.
    pub kind: Kind,
    /// Its first byte.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
}

impl Span {
    /// The value's own bytes.
    pub fn of<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// What is wrong, and at which byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotJson {
    /// The first unexpected byte.
    pub at: usize,
    /// What was expected.
    pub expected: &'static str,
}

impl NotJson {
    /// For people: what was found instead in the text.
    pub fn describe(&self, text: &str) -> String {
        match text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) => {
                format!(
                    "unexpected character '{found}' at position {}: was expecting {}",
                    self.at + 1,
                    self.expected
                )
            }
            None => format!("unexpected end of the text: was expecting {}", self.expected),
        }
    }
}

/// Reads values of a text one after the other.
pub struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    strict: bool,
}

impl<'a> Cursor<'a> {
    /// Before the first value of a text.
    pub fn new(text: &'a [u8]) -> Self {
        Cursor { text, at: 0, strict: false }
    }

    /// Refuses control characters in texts.
    #[must_use]
    pub fn strict(self) -> Self {
        Cursor { strict: true, ..self }
    }

    /// The bytes that are not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next byte that is not a blank.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.text.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// Skips this byte if it is next.
    #[inline]
    pub fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Reports that something else was expected here.
    ///
    /// # Errors
    /// Always.
    pub fn wrong<T>(&self, expected: &'static str) -> Result<T, NotJson> {
        Err(NotJson { at: self.at, expected })
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), NotJson> {
        if self.eat(byte) { Ok(()) } else { self.wrong(expected) }
    }

    /// The key of the next member, with its colon; `None` at the object's end. `first` for the first one. The
    /// cursor must be after the `{` or after a value.
    ///
    /// # Errors
    /// If there is neither.
    #[inline]
    pub fn key(&mut self, first: bool) -> Result<Option<Span>, NotJson> {
        if self.eat(b'}') {
            return Ok(None);
        }
        if !first {
            self.expect(b',', "',' or '}'")?;
        }
        self.expect(b'"', "a key in double quotes")?;
        let key = self.text()?;
        self.expect(b':', "':'")?;
        Ok(Some(key))
    }

    /// Whether there is another element, or else the array's end. The cursor must be after the `[` or after
    /// an element.
    ///
    /// # Errors
    /// If there is neither.
    #[inline]
    pub fn more(&mut self, first: bool) -> Result<bool, NotJson> {
        if self.eat(b']') {
            return Ok(false);
        }
        if !first {
            self.expect(b',', "',' or ']'")?;
        }
        Ok(true)
    }

    /// The next element, `None` at the array's end. The cursor must be after the `[` or after an element.
    ///
    /// # Errors
    /// If there is neither.
    pub fn element(&mut self, first: bool) -> Result<Option<Span>, NotJson> {
        if self.more(first)? { self.value().map(Some) } else { Ok(None) }
    }

    /// Any value.
    ///
    /// # Errors
    /// If there is none.
    #[inline]
    pub fn value(&mut self) -> Result<Span, NotJson> {
        self.nested_value(0)
    }

    fn nested_value(&mut self, depth: usize) -> Result<Span, NotJson> {
        let head = self.head(depth)?;
        let mut first = true;
        match head.kind {
            Kind::Object => {
                while self.key(first)?.is_some() {
                    self.nested_value(depth + 1)?;
                    first = false;
                }
            }
            Kind::Array => {
                while self.more(first)? {
                    self.nested_value(depth + 1)?;
                    first = false;
                }
            }
            Kind::Null | Kind::True | Kind::False | Kind::Number | Kind::Text { .. } => return Ok(head),
        }
        Ok(Span { end: self.at, ..head })
    }

    /// The next value, nested inside this many others; for an object or array only its bracket: its members
    /// or elements are read next.
    ///
    /// # Errors
    /// If there is none, or it is nested too deeply.
    #[inline]
    pub fn head(&mut self, depth: usize) -> Result<Span, NotJson> {
        let Some(first) = self.peek() else {
            return self.wrong("a value");
        };
        let start = self.at;
        let kind = match first {
            b'"' => {
                self.at += 1;
                return self.text();
            }
            b'-' | b'0'..=b'9' => {
                self.number()?;
                Kind::Number
            }
            b'{' | b'[' if depth == DEEPEST => return self.wrong("values that are nested less deeply"),
            b'{' => {
                self.at += 1;
                Kind::Object
            }
            b'[' => {
                self.at += 1;
                Kind::Array
            }
            b't' => self.word(b"true", Kind::True)?,
            b'f' => self.word(b"false", Kind::False)?,
            b'n' => self.word(b"null", Kind::Null)?,
            _ => return self.wrong("a value"),
        };
        Ok(Span { kind, start, end: self.at })
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<Kind, NotJson> {
        match self.rest().strip_prefix(word) {
            Some(rest) if !goes_on(rest) => {
                self.at += word.len();
                Ok(kind)
            }
            _ => self.wrong("a value"),
        }
    }

    fn number(&mut self) -> Result<(), NotJson> {
        self.at += usize::from(self.text[self.at] == b'-');
        if self.text.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.text.get(self.at), Some(b'+' | b'-')));
            self.digits()?;
        }
        match self.text.get(self.at) {
            Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'_' | b'"') => {
                self.wrong("the end of the number")
            }
            _ => Ok(()),
        }
    }

    fn digits(&mut self) -> Result<(), NotJson> {
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start { self.wrong("a digit") } else { Ok(()) }
    }

    /// The rest of a text whose opening quote has been consumed.
    #[inline]
    fn text(&mut self) -> Result<Span, NotJson> {
        let start = self.at;
        let mut escaped = false;
        loop {
            let Some(found) = memchr2(b'"', b'\\', &self.text[self.at..]) else {
                self.at = self.text.len();
                return self.wrong("a closing quote");
            };
            if self.strict
                && let Some(control) = self.text[self.at..][..found].iter().position(|byte| *byte < b' ')
            {
                self.at += control;
                return self.wrong("a backslash before a control character in a text");
            }
            self.at += found;
            if self.text[self.at] == b'"' {
                let end = self.at;
                self.at += 1;
                return Ok(Span { kind: Kind::Text { escaped }, start, end });
            }
            escaped = true;
            match self.text.get(self.at + 1) {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
                Some(b'u') if hex4(self.text, self.at + 2).is_some() => self.at += 6,
                _ => return self.wrong("a JSON escape sequence"),
            }
        }
    }
}

/// Whether a word continues with these bytes.
fn goes_on(rest: &[u8]) -> bool {
    match rest.first() {
        None => false,
        Some(byte) if byte.is_ascii() => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'),
        Some(_) => {
            let next = rest.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
            next.is_none_or(char::is_alphanumeric)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Result<Span, NotJson> {
        Cursor::new(text.as_bytes()).value()
    }

    #[test]
    fn what_is_a_value_and_what_is_not() {
        for text in
            ["1", "-0", "1.5e+3", "\"\"", "\"\\ud83d\\ude00\"", "[ ]", "{\"a\" : [1 , {}]}", "true", "null"]
        {
            assert_eq!(
                whole(text).map(|span| (span.start, span.end)),
                Ok(match text.strip_prefix('"') {
                    Some(inner) => (1, inner.len()),
                    None => (0, text.len()),
                })
            );
        }
        for text in [
            "",
            "01",
            "1.",
            "1x",
            "+1",
            "truex",
            "true\u{e9}",
            "nul",
            "[1,]",
            "{a:1}",
            "{\"a\":}",
            "{\"a\":1,}",
            "\"\\x\"",
            "\"a",
        ] {
            assert!(whole(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nesting_has_an_end() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(whole(&nested(1_000)).is_ok());
        let wrong = whole(&nested(1_001)).unwrap_err();
        assert_eq!((wrong.at, wrong.expected), (1_000, "values that are nested less deeply"));
    }

    #[test]
    fn control_characters_stand_in_texts_unless_one_is_strict() {
        assert!(whole("\"a\tb\"").is_ok());
        let text = "[\"\\n\", \"a\tb\"]";
        let wrong = Cursor::new(text.as_bytes()).strict().value().unwrap_err();
        assert_eq!(wrong.at, 9);
        assert!(wrong.describe(text).starts_with("unexpected character '\t' at position 10: "));
    }
}
