//! Where a word of the script stands, and the error that says so.

use std::fmt;

use sqlparser::tokenizer::{Location, Span};

/// A place in the script: line and column count from 1, the column in characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Position {
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
}

impl Position {
    /// The first character of a script.
    pub const START: Position = Position { line: 1, column: 1 };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl From<Location> for Position {
    fn from(at: Location) -> Self {
        Position { line: at.line.max(1), column: at.column.max(1) }
    }
}

impl From<Span> for Position {
    fn from(span: Span) -> Self {
        span.start.into()
    }
}

/// What is wrong with a script, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// What was found, and what was expected or what to write instead. Without the position.
    pub message: String,
    /// The line in the whole script, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
    /// The construct is right in Flink but not built here.
    pub unsupported: bool,
}

impl ParseError {
    /// A mistake at a position.
    pub fn new(message: impl Into<String>, at: impl Into<Position>) -> Self {
        let at = at.into();
        ParseError { message: message.into(), line: at.line, column: at.column, unsupported: false }
    }

    /// Something that Flink knows and Flott does not (yet).
    pub fn unsupported(message: impl Into<String>, at: impl Into<Position>) -> Self {
        ParseError { unsupported: true, ..ParseError::new(message, at) }
    }

    /// Where it is.
    pub fn position(&self) -> Position {
        Position { line: self.line, column: self.column }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {}, column {}", self.message, self.line, self.column)
    }
}

impl std::error::Error for ParseError {}

impl From<ParseError> for flott_types::Error {
    fn from(error: ParseError) -> Self {
        match error.unsupported {
            true => flott_types::Error::unsupported(error.to_string()),
            false => flott_types::Error::invalid(error.to_string()),
        }
    }
}

/// `Result` with [`ParseError`].
pub type Result<T, E = ParseError> = std::result::Result<T, E>;
