//! From text to tokens. Written for Flink's lexical rules: backticks quote names, double quotes quote
//! nothing, `!=` is refused, `'it''s'`, `U&'\0041'`, `E'\n'`, `x'0a'`, comments `--`, `//` and `/* */`, hints
//! `/*+ */`.

mod scan;
mod text;

pub(crate) use scan::{Piece, PieceKind, pieces};

use crate::ast::Ident;
use crate::error::{ParseError, Position, Result};

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A word without quotes.
    Word,
    /// A name in backticks.
    Quoted,
    /// A number.
    Number,
    /// A string, escapes resolved.
    Text,
    /// `x'0a'`: the digits.
    Hex,
    /// An operator or a parenthesis.
    Sign,
    /// Behind the last token.
    End,
}

/// A token with its place.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub kind: Kind,
    pub value: String,
    pub position: Position,
    /// Its location in the text, in bytes.
    pub range: std::ops::Range<usize>,
}

impl Token {
    pub(crate) fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.value == sign
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.value.eq_ignore_ascii_case(word)
    }

    pub(crate) fn is_any_word(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is_word(word))
    }

    pub(crate) fn ident(&self) -> Ident {
        Ident { value: self.value.clone(), quoted: self.kind == Kind::Quoted, position: self.position }
    }

    /// As it is named in a message.
    pub(crate) fn describe(&self) -> String {
        match self.kind {
            Kind::End => "the end of the statement".to_owned(),
            Kind::Text => format!("the string '{}'", shorten(&self.value)),
            Kind::Hex => format!("x'{}'", shorten(&self.value)),
            _ => format!("`{}`", shorten(&self.value)),
        }
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}

/// Counts lines and columns along the text.
pub(crate) fn advance(mut at: Position, text: &str) -> Position {
    for c in text.chars() {
        if c == '\n' {
            at.line += 1;
            at.column = 1;
        } else {
            at.column += 1;
        }
    }
    at
}

/// Cuts a statement into tokens. `start` is its position in the script; the last token is [`Kind::End`].
pub(crate) fn tokenize(source: &str, start: Position) -> Result<Vec<Token>> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = start;
    // Whether there is a line break since the last token: then a second string literal continues the first.
    let mut new_line = false;
    for Piece { kind, range } in pieces(source) {
        let raw = &source[range.clone()];
        let position = at;
        at = advance(at, raw);
        let token = |kind, value: String| Token { kind, value, position, range: range.clone() };
        let fail = |message: String| Err(ParseError::new(message, position));
        match kind {
            PieceKind::Space => new_line |= raw.contains('\n'),
            PieceKind::LineComment => {}
            PieceKind::BlockComment { closed: true } => {}
            PieceKind::BlockComment { closed: false } => {
                return fail("The comment that starts here has no `*/`".into());
            }
            PieceKind::Word => tokens.push(token(Kind::Word, raw.to_owned())),
            PieceKind::Number => tokens.push(token(Kind::Number, raw.to_owned())),
            PieceKind::Sign | PieceKind::HintStart | PieceKind::HintEnd => {
                tokens.push(token(Kind::Sign, raw.to_owned()))
            }
            PieceKind::Quoted { closed: true } => {
                let name = raw[1..raw.len() - 1].replace("``", "`");
                if name.is_empty() {
                    return fail("A name cannot be empty".into());
                }
                tokens.push(token(Kind::Quoted, name));
            }
            PieceKind::Quoted { closed: false } => {
                return fail("The name that starts here has no closing backtick".into());
            }
            PieceKind::DoubleQuoted { .. } => {
                return fail(
                    "Encountered `\"`: strings are in single quotes ('text'), names in backticks (`name`)"
                        .into(),
                );
            }
            PieceKind::Text { closed: false } => {
                return fail("The string that starts here has no closing quote".into());
            }
            PieceKind::Text { closed: true } => {
                let (kind, value) =
                    text::decode(raw).map_err(|message| ParseError::new(message, position))?;
                match tokens.last_mut() {
                    Some(last)
                        if new_line
                            && last.kind == kind
                            && matches!(kind, Kind::Text | Kind::Hex)
                            && raw.starts_with('\'') =>
                    {
                        last.value.push_str(&value);
                        last.range.end = range.end;
                    }
                    _ => tokens.push(token(kind, value)),
                }
            }
            PieceKind::Unknown => return fail(unknown(raw)),
        }
        if !matches!(kind, PieceKind::Space | PieceKind::LineComment | PieceKind::BlockComment { .. }) {
            new_line = false;
        }
    }
    tokens.push(Token {
        kind: Kind::End,
        value: String::new(),
        position: at,
        range: source.len()..source.len(),
    });
    text::apply_uescape(source, &mut tokens)?;
    Ok(tokens)
}

fn unknown(raw: &str) -> String {
    match raw {
        "!=" => "Bang equal '!=' is not allowed: write `<>`".into(),
        "::" => "Encountered `::`: write CAST(x AS type)".into(),
        _ => format!("Encountered `{raw}`, which Flink's SQL does not know"),
    }
}
