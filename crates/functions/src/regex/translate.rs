//! Translates Java's regular expressions into the syntax of the `regex` and `fancy-regex` crates.
//!
//! The differences: `\d`, `\w`, `\s` and case folding are ASCII in Java; `.` stops at five line terminators;
//! `$` also matches before the last one; character classes have other operators; `\Q..\E`, octal and UTF-16
//! escapes.

mod class;

use flott_types::{Error, Result};

/// Not one of Java's line terminators.
const NOT_LINE_END: &str = "[^\\n\\r\\x{85}\\x{2028}\\x{2029}]";
/// `$` and `\Z`: the end, or a line terminator there; not between `\r` and `\n`.
const LAST_LINE_END: &str = "(?=\\z|\\r\\n\\z|[\\r\\x{85}\\x{2028}\\x{2029}]\\z|(?<!\\r)\\n\\z)";
/// `^` with MULTILINE.
const LINE_START: &str = "(?:\\A|(?<=[\\n\\x{85}\\x{2028}\\x{2029}])(?!\\z)|(?<=\\r)(?![\\n]|\\z))";
/// `$` with MULTILINE.
const LINE_END: &str = "(?=\\z|[\\r\\x{85}\\x{2028}\\x{2029}]|(?<!\\r)\\n)";

/// A pattern in other syntaxes.
#[derive(Debug)]
pub(super) struct Translated {
    /// For the `regex` crate; `None` when it lacks what the pattern needs.
    pub(super) fast: Option<String>,
    /// For `fancy-regex`.
    pub(super) exact: String,
    /// Whether `$` in the fast form matches only the end of the text.
    pub(super) asks_for_line_end: bool,
    /// How many numbered groups there are.
    pub(super) groups: usize,
}

/// Translates a pattern.
pub(super) fn translate(pattern: &str) -> Result<Translated> {
    let mut parser = Parser {
        chars: pattern.chars().collect(),
        at: 0,
        pattern,
        flags: Flags::default(),
        fast: String::new(),
        exact: String::new(),
        only_exact: false,
        asks_for_line_end: false,
        groups: 0,
    };
    parser.alternatives(0)?;
    if parser.at < parser.chars.len() {
        return Err(parser.invalid("unmatched )"));
    }
    Ok(Translated {
        fast: (!parser.only_exact).then_some(parser.fast),
        exact: parser.exact,
        asks_for_line_end: parser.asks_for_line_end,
        groups: parser.groups,
    })
}

#[derive(Clone, Copy, Default)]
struct Flags {
    ignore_case: bool,
    unicode_case: bool,
    multiline: bool,
    dot_all: bool,
    unix_lines: bool,
    comments: bool,
}

struct Parser<'a> {
    chars: Vec<char>,
    at: usize,
    pattern: &'a str,
    flags: Flags,
    fast: String,
    exact: String,
    only_exact: bool,
    asks_for_line_end: bool,
    groups: usize,
}

impl Parser<'_> {
    fn invalid(&self, what: &str) -> Error {
        Error::invalid(format!(
            "invalid regular expression '{}': {what} near index {}",
            self.pattern, self.at
        ))
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn take(&mut self, c: char) -> bool {
        let yes = self.peek() == Some(c);
        self.at += usize::from(yes);
        yes
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.chars.get(self.at + i) == Some(&c))
    }

    fn emit(&mut self, text: &str) {
        self.fast.push_str(text);
        self.exact.push_str(text);
    }

    /// Emits syntax that only the backtracking engine understands.
    fn emit_exact(&mut self, text: &str) {
        self.only_exact = true;
        self.exact.push_str(text);
    }

    fn alternatives(&mut self, depth: usize) -> Result<()> {
        if depth > 200 {
            return Err(self.invalid("groups are nested too deeply"));
        }
        let before = self.flags;
        while let Some(c) = self.peek() {
            match c {
                ')' => break,
                '|' => {
                    self.at += 1;
                    self.emit("|");
                }
                _ => self.piece(depth)?,
            }
        }
        self.flags = before;
        Ok(())
    }

    /// An atom with its quantifier.
    fn piece(&mut self, depth: usize) -> Result<()> {
        if self.flags.comments {
            if self.peek().is_some_and(|c| matches!(c, ' ' | '\t'..='\r')) {
                self.at += 1;
                return Ok(());
            }
            if self.take('#') {
                while self
                    .next()
                    .is_some_and(|c| !matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}'))
                {
                }
                return Ok(());
            }
        }
        let quantifiable = self.atom(depth)?;
        if quantifiable { self.quantifier() } else { Ok(()) }
    }

    /// `false` for flags, which take no quantifier.
    fn atom(&mut self, depth: usize) -> Result<bool> {
        let Some(c) = self.next() else {
            return Ok(false);
        };
        match c {
            '(' => return self.group(depth),
            '[' => self.class()?,
            '.' if self.flags.dot_all => self.emit("(?s:.)"),
            '.' if self.flags.unix_lines => self.emit("[^\\n]"),
            '.' => self.emit(NOT_LINE_END),
            '^' if self.flags.multiline => self.emit_exact(LINE_START),
            '^' => self.emit("\\A"),
            '$' if self.flags.multiline => self.emit_exact(LINE_END),
            '$' => self.last_line_end(),
            '\\' => self.escape()?,
            '*' | '+' | '?' => {
                self.at -= 1;
                return Err(self.invalid(&format!("dangling meta character '{c}'")));
            }
            '{' => return Err(self.invalid("illegal repetition")),
            _ => self.literal(c),
        }
        Ok(true)
    }

    fn last_line_end(&mut self) {
        self.asks_for_line_end = true;
        self.fast.push_str("\\z");
        self.exact.push_str(LAST_LINE_END);
    }

    fn literal(&mut self, c: char) {
        let mut text = String::new();
        if self.flags.ignore_case && self.flags.unicode_case {
            text.push_str("(?i:");
            push_literal(&mut text, c);
            text.push(')');
        } else if self.flags.ignore_case && c.is_ascii_alphabetic() {
            text.extend(['[', c.to_ascii_lowercase(), c.to_ascii_uppercase(), ']']);
        } else {
            push_literal(&mut text, c);
        }
        self.emit(&text);
    }

    fn group(&mut self, depth: usize) -> Result<bool> {
        let outer = self.flags;
        if !self.take('?') {
            self.groups += 1;
            self.emit("(");
        } else {
            match self.next() {
                Some(':') => self.emit("(?:"),
                Some('=') => self.emit_exact("(?="),
                Some('!') => self.emit_exact("(?!"),
                Some('>') => self.emit_exact("(?>"),
                Some('<') if self.take('=') => self.emit_exact("(?<="),
                Some('<') if self.take('!') => self.emit_exact("(?<!"),
                Some('<') => {
                    let name = self.group_name()?;
                    self.groups += 1;
                    self.emit(&format!("(?P<{name}>"));
                }
                Some(_) => {
                    self.at -= 1;
                    if !self.set_flags()? {
                        return Ok(false);
                    }
                    self.emit("(?:");
                }
                None => return Err(self.invalid("unknown group")),
            }
        }
        self.alternatives(depth + 1)?;
        if !self.take(')') {
            return Err(self.invalid("unclosed group"));
        }
        self.flags = outer;
        self.emit(")");
        Ok(true)
    }

    fn group_name(&mut self) -> Result<String> {
        let mut name = String::new();
        while let Some(c) = self.next() {
            match c {
                '>' if !name.is_empty() => return Ok(name),
                'a'..='z' | 'A'..='Z' => name.push(c),
                '0'..='9' if !name.is_empty() => name.push(c),
                _ => break,
            }
        }
        Err(self.invalid("a group's name is letters and digits"))
    }

    /// `(?ims)` sets flags for the rest of the group (`false`), `(?ims:` for a group of its own (`true`).
    fn set_flags(&mut self) -> Result<bool> {
        let mut on = true;
        while let Some(c) = self.next() {
            match c {
                '-' if on => on = false,
                'i' => self.flags.ignore_case = on,
                'm' => self.flags.multiline = on,
                's' => self.flags.dot_all = on,
                'd' => self.flags.unix_lines = on,
                'u' => self.flags.unicode_case = on,
                'x' => self.flags.comments = on,
                'U' => {
                    return Err(Error::unsupported(format!(
                        "the flag (?U) in the regular expression '{}'",
                        self.pattern
                    )));
                }
                ')' => return Ok(false),
                ':' => return Ok(true),
                _ => break,
            }
        }
        Err(self.invalid("unknown inline modifier"))
    }

    fn quantifier(&mut self) -> Result<()> {
        let mut text = String::new();
        match self.peek() {
            Some(c @ ('*' | '+' | '?')) => {
                self.at += 1;
                text.push(c);
            }
            Some('{') => {
                self.at += 1;
                let min = self.number()?.ok_or_else(|| self.invalid("illegal repetition"))?;
                let mut max = Some(min);
                if self.take(',') {
                    max = self.number()?;
                }
                if !self.take('}') {
                    return Err(self.invalid("unclosed counted closure"));
                }
                if max.is_some_and(|max| max < min) {
                    return Err(self.invalid("illegal repetition range"));
                }
                text = match max {
                    Some(max) if max == min => format!("{{{min}}}"),
                    Some(max) => format!("{{{min},{max}}}"),
                    None => format!("{{{min},}}"),
                };
            }
            _ => return Ok(()),
        }
        self.emit(&text);
        if self.take('?') {
            self.emit("?");
        } else if self.take('+') {
            // In braces, `{n}+` would be read as a repeated repetition.
            if text.starts_with('{') {
                return Err(Error::unsupported(format!(
                    "a possessive repetition {text}+ in the regular expression '{}': write (?>..{text})",
                    self.pattern
                )));
            }
            self.emit_exact("+");
        }
        if matches!(self.peek(), Some('*' | '+' | '?')) {
            return Err(self.invalid("dangling meta character"));
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Option<u32>> {
        let mut value: Option<u32> = None;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            self.at += 1;
            let next = value.unwrap_or(0).checked_mul(10).and_then(|value| value.checked_add(digit));
            value = Some(next.ok_or_else(|| self.invalid("illegal repetition range"))?);
        }
        Ok(value)
    }

    /// Called after a backslash outside of classes.
    fn escape(&mut self) -> Result<()> {
        let Some(c) = self.next() else {
            return Err(self.invalid("unexpected end after \\"));
        };
        match c {
            'A' => self.emit("\\A"),
            'z' => self.emit("\\z"),
            'Z' => self.last_line_end(),
            'b' | 'B' => self.emit(if c == 'b' { "\\b" } else { "\\B" }),
            'G' => self.emit_exact("\\G"),
            'R' => self.emit("(?:\\r\\n|[\\n\\x0B\\x0C\\r\\x{85}\\x{2028}\\x{2029}])"),
            'X' => return Err(self.unsupported("\\X")),
            'N' => return Err(self.unsupported("\\N")),
            'Q' => {
                while self.at < self.chars.len() && !self.starts_with("\\E") {
                    let c = self.chars[self.at];
                    self.at += 1;
                    // The quantifier after \E belongs to the last character.
                    self.literal(c);
                }
                self.at = (self.at + 2).min(self.chars.len());
            }
            'E' => {}
            'k' => {
                if !self.take('<') {
                    return Err(self.invalid("\\k is not followed by '<'"));
                }
                let name = self.group_name()?;
                self.emit_exact(&format!("(?P={name})"));
            }
            '1'..='9' => self.back_reference(c),
            _ => match class::predefined(self, c)? {
                Some(set) => self.emit(&format!("[{set}]")),
                None => {
                    let c = self.escaped_char(c)?;
                    self.literal(c);
                }
            },
        }
        Ok(())
    }

    fn unsupported(&self, what: &str) -> Error {
        Error::unsupported(format!("{what} in the regular expression '{}'", self.pattern))
    }

    /// Takes as many digits as form the number of an existing group.
    fn back_reference(&mut self, first: char) {
        let mut group = first.to_digit(10).unwrap_or(0) as usize;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            let longer = group * 10 + digit as usize;
            if longer > self.groups {
                break;
            }
            group = longer;
            self.at += 1;
        }
        if group > self.groups {
            // A group that does not exist never matches.
            self.emit_exact("(?!)");
        } else if self.flags.ignore_case {
            self.emit_exact(&format!("(?i:\\{group})"));
        } else {
            self.emit_exact(&format!("(?:\\{group})"));
        }
    }

    /// The character that an escape names.
    fn escaped_char(&mut self, c: char) -> Result<char> {
        Ok(match c {
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            'f' => '\u{0C}',
            'a' => '\u{07}',
            'e' => '\u{1B}',
            'c' => {
                let control = self.next().ok_or_else(|| self.invalid("illegal control escape sequence"))?;
                char::from_u32(u32::from(control) ^ 64)
                    .ok_or_else(|| self.invalid("illegal control escape"))?
            }
            '0' => {
                let mut code = 0;
                let mut digits = 0;
                while let Some(digit) = self.peek().and_then(|c| c.to_digit(8)) {
                    if digits == 3 || (digits == 2 && code * 8 + digit > 0o377) {
                        break;
                    }
                    code = code * 8 + digit;
                    digits += 1;
                    self.at += 1;
                }
                if digits == 0 {
                    return Err(self.invalid("illegal octal escape sequence"));
                }
                char::from_u32(code).ok_or_else(|| self.invalid("illegal octal escape sequence"))?
            }
            'x' if self.take('{') => {
                let mut code: u32 = 0;
                loop {
                    match self.next() {
                        Some('}') => break,
                        Some(c) => {
                            let digit =
                                c.to_digit(16).ok_or_else(|| self.invalid("illegal hexadecimal escape"))?;
                            code = code.saturating_mul(16).saturating_add(digit);
                        }
                        None => return Err(self.invalid("unclosed hexadecimal escape sequence")),
                    }
                }
                char::from_u32(code).ok_or_else(|| self.invalid("hexadecimal codepoint is too big"))?
            }
            'x' => {
                let code = self.hex(2)?;
                char::from_u32(code).ok_or_else(|| self.invalid("illegal hexadecimal escape"))?
            }
            'u' => {
                let high = self.hex(4)?;
                let mut code = char::from_u32(high);
                if code.is_none() && (0xD800..0xDC00).contains(&high) && self.starts_with("\\u") {
                    self.at += 2;
                    let low = self.hex(4)?;
                    code = char::decode_utf16([high as u16, low as u16]).next().and_then(Result::ok);
                }
                code.ok_or_else(|| self.unsupported("half of a UTF-16 character"))?
            }
            _ if c.is_ascii_alphanumeric() => return Err(self.invalid("illegal/unsupported escape sequence")),
            _ => c,
        })
    }

    fn hex(&mut self, digits: usize) -> Result<u32> {
        let mut code = 0;
        for _ in 0..digits {
            let digit = self.next().and_then(|c| c.to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.invalid("illegal hexadecimal escape sequence"))?;
        }
        Ok(code)
    }
}

fn push_literal(out: &mut String, c: char) {
    if c.is_ascii() && !c.is_ascii_alphanumeric() {
        if c.is_ascii_graphic() && c != '<' && c != '>' {
            out.push('\\');
            out.push(c);
        } else {
            out.push_str(&format!("\\x{:02X}", u32::from(c)));
        }
    } else {
        out.push(c);
    }
}
