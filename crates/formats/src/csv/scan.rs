//! Splits a csv record into fields. The hot part of reading csv: one search for the next relevant character,
//! and no copy unless a field has doubled quotes or escaped characters.

use memchr::{memchr, memchr2, memchr3};

use super::Csv;

/// The characters that matter.
pub(super) struct Scanner {
    delimiter: Delimiter,
    quote: Option<u8>,
    escape: Option<u8>,
    comments: bool,
    /// Where the fields of the current record lie.
    fields: Vec<Field>,
    /// Fields that had to be rewritten.
    rewritten: Vec<u8>,
}

/// Most delimiters are one byte; those that are not take a slower way.
enum Delimiter {
    Byte(u8),
    Wide(Vec<u8>),
}

#[derive(Clone, Copy)]
struct Field {
    start: usize,
    end: usize,
    /// Lies in `rewritten` rather than in the input.
    rewritten: bool,
}

/// What was found at the start of the input.
pub(super) enum Scanned {
    /// A record: its length without and with the line end, and the lines it spans.
    Record { len: usize, consumed: usize, lines: u64 },
    /// A comment.
    Comment { consumed: usize },
    /// A record that cannot be taken apart, and why.
    Broken { len: usize, consumed: usize, lines: u64, why: &'static str },
    /// The record is not whole.
    Incomplete,
}

const UNCLOSED: &str = "a quote is not closed";
const AFTER_QUOTE: &str = "a closing quote must be followed by a delimiter or the end of the line";

enum End {
    Delimiter,
    Record { len: usize, consumed: usize },
    Broken { at: usize, why: &'static str },
    Incomplete,
}

impl Scanner {
    pub(super) fn new(csv: &Csv) -> Self {
        let delimiter = match u8::try_from(csv.delimiter) {
            Ok(byte) if byte.is_ascii() => Delimiter::Byte(byte),
            _ => Delimiter::Wide(csv.delimiter.to_string().into_bytes()),
        };
        let ascii = |character: Option<char>| {
            character.filter(char::is_ascii).and_then(|character| u8::try_from(character).ok())
        };
        Scanner {
            delimiter,
            quote: ascii(csv.quote),
            escape: ascii(csv.escape),
            comments: csv.comments,
            fields: Vec::new(),
            rewritten: Vec::new(),
        }
    }

    /// The number of fields of the record scanned last.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// A field of the record scanned last, which began at `input`.
    #[inline]
    pub(super) fn field<'a>(&'a self, input: &'a [u8], index: usize) -> Option<&'a [u8]> {
        let field = self.fields.get(index)?;
        let bytes = if field.rewritten { &self.rewritten } else { input };
        bytes.get(field.start..field.end)
    }

    /// Scans the record at the start of the input, which is not empty.
    pub(super) fn scan(&mut self, input: &[u8], end: bool) -> Scanned {
        self.fields.clear();
        self.rewritten.clear();
        if self.comments && input.iter().find(|byte| !matches!(byte, b' ' | b'\t')) == Some(&b'#') {
            return match memchr(b'\n', input) {
                Some(at) => Scanned::Comment { consumed: at + 1 },
                None if end => Scanned::Comment { consumed: input.len() },
                None => Scanned::Incomplete,
            };
        }
        let mut at = 0;
        let mut lines = 1;
        loop {
            let quoted = self.quote.is_some() && input.get(at).copied() == self.quote;
            let field_end = if quoted {
                self.quoted(input, &mut at, end, &mut lines)
            } else if self.escape.is_some() {
                self.escaped(input, &mut at, end)
            } else {
                self.plain(input, &mut at, end)
            };
            match field_end {
                End::Delimiter => {}
                End::Record { len, consumed } => return Scanned::Record { len, consumed, lines },
                End::Incomplete => return Scanned::Incomplete,
                End::Broken { at, why } => {
                    // The record is given up to the end of the line.
                    let (len, consumed) = match memchr(b'\n', &input[at..]) {
                        Some(found) => (at + found, at + found + 1),
                        None if end => (input.len(), input.len()),
                        None => return Scanned::Incomplete,
                    };
                    let lines = memchr::memchr_iter(b'\n', &input[..consumed]).count().max(1) as u64;
                    return Scanned::Broken { len, consumed, lines, why };
                }
            }
        }
    }

    /// A field without quotes, and the usual case.
    #[inline]
    fn plain(&mut self, input: &[u8], at: &mut usize, end: bool) -> End {
        let start = *at;
        let rest = &input[start..];
        let (found, width) = match &self.delimiter {
            Delimiter::Byte(byte) => (memchr2(*byte, b'\n', rest), 1),
            Delimiter::Wide(bytes) => {
                let line = memchr(b'\n', rest).unwrap_or(rest.len());
                let delimiter = memchr::memmem::find(&rest[..line], bytes);
                (delimiter.or((line < rest.len()).then_some(line)), bytes.len())
            }
        };
        match found {
            Some(len) if rest[len] != b'\n' => {
                self.fields.push(Field { start, end: start + len, rewritten: false });
                *at = start + len + width;
                End::Delimiter
            }
            Some(len) => {
                let stop = start + len;
                let field_end = if len > 0 && input[stop - 1] == b'\r' { stop - 1 } else { stop };
                self.fields.push(Field { start, end: field_end, rewritten: false });
                End::Record { len: field_end, consumed: stop + 1 }
            }
            None if end => {
                let stop = input.len();
                let field_end = if stop > start && input[stop - 1] == b'\r' { stop - 1 } else { stop };
                self.fields.push(Field { start, end: field_end, rewritten: false });
                End::Record { len: field_end, consumed: stop }
            }
            None => End::Incomplete,
        }
    }

    /// A field in quotes that starts at `at`.
    fn quoted(&mut self, input: &[u8], at: &mut usize, end: bool, lines: &mut u64) -> End {
        let quote = self.quote.unwrap_or(b'"');
        let escape = self.escape.unwrap_or(quote);
        let start = *at + 1;
        let mut from = start;
        let first = self.rewritten.len();
        let close = loop {
            let Some(found) = memchr2(quote, escape, &input[from..]) else {
                return if end { End::Broken { at: input.len(), why: UNCLOSED } } else { End::Incomplete };
            };
            let found = from + found;
            let next = input.get(found + 1).copied();
            if next.is_none() && !end {
                return End::Incomplete;
            }
            let literal = match (input[found] == quote, next) {
                (true, Some(next)) if next == quote => quote,
                (true, _) => break found,
                (false, Some(next)) => unescape(next),
                (false, None) => {
                    return End::Broken { at: input.len(), why: UNCLOSED };
                }
            };
            self.rewritten.extend_from_slice(&input[from..found]);
            self.rewritten.push(literal);
            from = found + 2;
        };
        let field = if from == start {
            Field { start, end: close, rewritten: false }
        } else {
            self.rewritten.extend_from_slice(&input[from..close]);
            Field { start: first, end: self.rewritten.len(), rewritten: true }
        };
        *lines += memchr::memchr_iter(b'\n', &input[start..close]).count() as u64;
        self.fields.push(field);

        let mut after = close + 1;
        while matches!(input.get(after), Some(b' ' | b'\t')) && !self.delimiter_at(input, after) {
            after += 1;
        }
        if self.delimiter_at(input, after) {
            *at = after + self.delimiter_width();
            return End::Delimiter;
        }
        match input.get(after) {
            None if end => End::Record { len: after, consumed: after },
            None => End::Incomplete,
            Some(b'\n') => End::Record { len: after, consumed: after + 1 },
            Some(b'\r') if input.get(after + 1) == Some(&b'\n') => {
                End::Record { len: after, consumed: after + 2 }
            }
            Some(b'\r') if input.len() == after + 1 && end => End::Record { len: after, consumed: after + 1 },
            Some(b'\r') if input.len() == after + 1 => End::Incomplete,
            Some(_) if !end && input.len() - after < self.delimiter_width() => End::Incomplete,
            Some(_) => End::Broken { at: after, why: AFTER_QUOTE },
        }
    }

    /// A field without quotes where an escape character is defined.
    fn escaped(&mut self, input: &[u8], at: &mut usize, end: bool) -> End {
        let escape = self.escape.unwrap_or(b'\\');
        let start = *at;
        let first = match &self.delimiter {
            Delimiter::Byte(byte) => *byte,
            Delimiter::Wide(bytes) => bytes[0],
        };
        let mut from = start;
        let written = self.rewritten.len();
        loop {
            let Some(found) = memchr3(first, b'\n', escape, &input[from..]) else {
                if !end {
                    return End::Incomplete;
                }
                let stop = input.len();
                self.push_escaped(input, start, from, stop, written);
                return End::Record { len: stop, consumed: stop };
            };
            let found = from + found;
            if input[found] == escape {
                let Some(next) = input.get(found + 1).copied() else {
                    let why = "nothing follows the escape character";
                    return if end { End::Broken { at: input.len(), why } } else { End::Incomplete };
                };
                self.rewritten.extend_from_slice(&input[from..found]);
                self.rewritten.push(unescape(next));
                from = found + 2;
            } else if input[found] == b'\n' {
                let stop = if found > from && input[found - 1] == b'\r' { found - 1 } else { found };
                self.push_escaped(input, start, from, stop, written);
                return End::Record { len: stop, consumed: found + 1 };
            } else if self.delimiter_at(input, found) {
                self.push_escaped(input, start, from, found, written);
                *at = found + self.delimiter_width();
                return End::Delimiter;
            } else {
                // The first byte of a wide delimiter that is not one.
                self.rewritten.extend_from_slice(&input[from..=found]);
                from = found + 1;
            }
        }
    }

    fn push_escaped(&mut self, input: &[u8], start: usize, from: usize, stop: usize, written: usize) {
        let field = if from == start {
            Field { start, end: stop, rewritten: false }
        } else {
            self.rewritten.extend_from_slice(&input[from..stop]);
            Field { start: written, end: self.rewritten.len(), rewritten: true }
        };
        self.fields.push(field);
    }

    fn delimiter_at(&self, input: &[u8], at: usize) -> bool {
        match &self.delimiter {
            Delimiter::Byte(byte) => input.get(at) == Some(byte),
            Delimiter::Wide(bytes) => input.get(at..).is_some_and(|rest| rest.starts_with(bytes)),
        }
    }

    fn delimiter_width(&self) -> usize {
        match &self.delimiter {
            Delimiter::Byte(_) => 1,
            Delimiter::Wide(bytes) => bytes.len(),
        }
    }
}

fn unescape(character: u8) -> u8 {
    match character {
        b'0' => 0,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        other => other,
    }
}
