//! Finds where JSON values begin and end, checking that they are JSON, without building anything.

use memchr::memchr2;

/// Values nested deeper than this are refused, as by Jackson.
const DEEPEST: usize = 1_000;

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Null,
    True,
    False,
    Number,
    /// The span is without the quotes; `escaped` says that there are backslashes in it.
    Text {
        escaped: bool,
    },
    Object,
    Array,
}

/// Where a value lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    pub(super) fn of<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// What is wrong, and at which byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NotJson {
    pub(super) at: usize,
    pub(super) expected: &'static str,
}

/// Reads values of a text one after the other.
pub(super) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Cursor { text, at: 0 }
    }

    /// The next byte that is no blank.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.text.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// Steps over this byte if it is next.
    #[inline]
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn wrong<T>(&self, expected: &'static str) -> Result<T, NotJson> {
        Err(NotJson { at: self.at, expected })
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), NotJson> {
        if self.eat(byte) { Ok(()) } else { self.wrong(expected) }
    }

    /// The key of the next member, with its colon; `None` at the object's end. `first` for the first one. The cursor stands after
    /// the `{` or after a value.
    #[inline]
    pub(super) fn key(&mut self, first: bool) -> Result<Option<Span>, NotJson> {
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

    /// The next element, `None` at the array's end. The cursor stands after the `[` or after an element.
    pub(super) fn element(&mut self, first: bool) -> Result<Option<Span>, NotJson> {
        if self.eat(b']') {
            return Ok(None);
        }
        if !first {
            self.expect(b',', "',' or ']'")?;
        }
        self.value().map(Some)
    }

    /// Any value.
    #[inline]
    pub(super) fn value(&mut self) -> Result<Span, NotJson> {
        self.nested_value(0)
    }

    fn nested_value(&mut self, depth: usize) -> Result<Span, NotJson> {
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
                let mut first = true;
                while self.key(first)?.is_some() {
                    self.nested_value(depth + 1)?;
                    first = false;
                }
                Kind::Object
            }
            b'[' => {
                self.at += 1;
                let mut first = true;
                while !self.eat(b']') {
                    if !first {
                        self.expect(b',', "',' or ']'")?;
                    }
                    self.nested_value(depth + 1)?;
                    first = false;
                }
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
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(kind)
        } else {
            self.wrong("a value")
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

    /// The rest of a text whose opening quote is behind the cursor.
    #[inline]
    fn text(&mut self) -> Result<Span, NotJson> {
        let start = self.at;
        let mut escaped = false;
        loop {
            let Some(found) = memchr2(b'"', b'\\', &self.text[self.at..]) else {
                self.at = self.text.len();
                return self.wrong("a closing quote");
            };
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
                _ => return self.wrong("an escape sequence of JSON's"),
            }
        }
    }
}

fn hex4(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + 4)?;
    digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}

/// Appends a text without its escape sequences; half of a surrogate pair becomes the replacement character.
pub(super) fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(found) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..found]);
        rest = &rest[found + 1..];
        let Some((letter, tail)) = rest.split_first() else {
            return;
        };
        rest = tail;
        match letter {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let Some(unit) = hex4(rest, 0) else { return };
                rest = &rest[4..];
                let mut code = unit;
                if (0xd800..0xdc00).contains(&unit)
                    && rest.starts_with(b"\\u")
                    && let Some(low) = hex4(rest, 2).filter(|low| (0xdc00..0xe000).contains(low))
                {
                    code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                    rest = &rest[6..];
                }
                let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => out.push(*other),
        }
    }
    out.extend_from_slice(rest);
}

/// Appends a value without the blanks between its tokens.
pub(super) fn compact(text: &[u8], out: &mut Vec<u8>) {
    let mut in_text = false;
    let mut escaped = false;
    for byte in text {
        if in_text {
            in_text = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
        } else {
            if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                continue;
            }
            in_text = *byte == b'"';
        }
        out.push(*byte);
    }
}
