//! Cuts any text into pieces without gaps and without errors: the basis of tokens, highlighting and
//! completeness checks.

use std::ops::Range;

/// A stretch of the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Piece {
    pub kind: PieceKind,
    pub range: Range<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PieceKind {
    Space,
    LineComment,
    BlockComment {
        closed: bool,
    },
    /// `/*+`
    HintStart,
    /// `*/` behind a hint
    HintEnd,
    Word,
    Quoted {
        closed: bool,
    },
    DoubleQuoted {
        closed: bool,
    },
    Number,
    /// A string in single quotes, with its prefix.
    Text {
        closed: bool,
    },
    Sign,
    /// A sign that Flink does not know.
    Unknown,
}

/// The pieces of a text.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = Piece> + '_ {
    let mut at = 0;
    let mut in_hint = false;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let (kind, length) = piece(rest, in_hint);
        match kind {
            PieceKind::HintStart => in_hint = true,
            PieceKind::HintEnd => in_hint = false,
            _ => {}
        }
        let range = at..at + length;
        at = range.end;
        Some(Piece { kind, range })
    })
}

const SIGNS: [&str; 26] = [
    "<=", ">=", "<>", "||", "=>", "(", ")", "[", "]", "{", "}", ",", ";", ".", "=", "<", ">", "+", "-", "*",
    "/", "%", "|", "?", ":", "^",
];
const UNKNOWN: [&str; 8] = ["!=", "::", ":=", "==", "->", "@@", "&&", "<=>"];

fn piece(rest: &str, in_hint: bool) -> (PieceKind, usize) {
    let Some(first) = rest.chars().next() else {
        return (PieceKind::Unknown, 0);
    };
    if first.is_whitespace() {
        return (PieceKind::Space, run(rest, char::is_whitespace));
    }
    if rest.starts_with("--") || rest.starts_with("//") {
        return (PieceKind::LineComment, rest.find('\n').unwrap_or(rest.len()));
    }
    if in_hint && rest.starts_with("*/") {
        return (PieceKind::HintEnd, 2);
    }
    if rest.starts_with("/*+") && !in_hint {
        return (PieceKind::HintStart, 3);
    }
    if let Some(inner) = rest.strip_prefix("/*") {
        return match inner.find("*/") {
            Some(end) => (PieceKind::BlockComment { closed: true }, end + 4),
            None => (PieceKind::BlockComment { closed: false }, rest.len()),
        };
    }
    if let Some((length, closed)) = string(rest) {
        return (PieceKind::Text { closed }, length);
    }
    if is_word_start(first) {
        return (PieceKind::Word, run(rest, is_word_part));
    }
    if first == '`' || first == '"' {
        let (length, closed) = quoted(rest, first, false);
        return match first {
            '`' => (PieceKind::Quoted { closed }, length),
            _ => (PieceKind::DoubleQuoted { closed }, length),
        };
    }
    if let Some(length) = number(rest) {
        return (PieceKind::Number, length);
    }
    if let Some(sign) = UNKNOWN.iter().find(|sign| rest.starts_with(**sign)) {
        return (PieceKind::Unknown, sign.len());
    }
    match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        None => (PieceKind::Unknown, first.len_utf8()),
        Some(sign) => (PieceKind::Sign, sign.len()),
    }
}

fn is_word_start(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '$'
}

fn is_word_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// A string with its prefix (`x`, `n`, `e`, `U&`, `_charset`): length, and whether it ends.
fn string(rest: &str) -> Option<(usize, bool)> {
    let prefix = match rest.as_bytes() {
        [b'\'', ..] => 0,
        [b'x' | b'X' | b'n' | b'N' | b'e' | b'E', b'\'', ..] => 1,
        [b'u' | b'U', b'&', b'\'', ..] => 2,
        [b'_', ..] => run(rest, |c| c.is_ascii_alphanumeric() || "_-:.".contains(c)),
        _ => return None,
    };
    let quote = rest.get(prefix..).filter(|quote| quote.starts_with('\''))?;
    let escapes = prefix == 1 && rest.starts_with(['e', 'E']);
    let (length, closed) = quoted(quote, '\'', escapes);
    Some((prefix + length, closed))
}

/// From a quote to its end; a doubled quote is none, nor is one behind a backslash if that escapes.
fn quoted(text: &str, quote: char, escapes: bool) -> (usize, bool) {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if escapes && c == '\\' {
            chars.next();
        } else if c == quote {
            if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
            } else {
                return (at + 1, true);
            }
        }
    }
    (text.len(), false)
}

fn number(rest: &str) -> Option<usize> {
    let digits = |from: usize| from + run(&rest[from..], |c| c.is_ascii_digit());
    let whole = digits(0);
    let mut end = whole;
    if rest[end..].starts_with('.') {
        let fraction = digits(end + 1);
        // `1.` is a number, `.` and `1..2` are not.
        if fraction > end + 1 || (whole > 0 && !rest[end + 1..].starts_with(['.', '_', '`'])) {
            end = fraction;
        }
    }
    if end == 0 {
        return None;
    }
    if rest[end..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    Some(end)
}
