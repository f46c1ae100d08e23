//! Positions in a script, and the error that reports them.

use std::fmt;
use std::ops::Deref;

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

/// What is wrong with a script, and where. It is one pointer wide: every step of the parser may return it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError(Box<Mistake>);

/// The content of a [`ParseError`], which lends it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistake {
    /// What was found, and what was expected or what to write instead. Without the position.
    pub message: String,
    /// The line in the whole script, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
    /// The construct is right in Flink but not built here.
    pub unsupported: bool,
}

impl Deref for ParseError {
    type Target = Mistake;

    fn deref(&self) -> &Mistake {
        &self.0
    }
}

impl ParseError {
    /// A mistake at a position.
    pub fn new(message: impl Into<String>, at: Position) -> Self {
        let Position { line, column } = at;
        ParseError(Box::new(Mistake { message: message.into(), line, column, unsupported: false }))
    }

    /// Something that Flink knows and Flott does not (yet).
    pub fn unsupported(message: impl Into<String>, at: Position) -> Self {
        let mut error = ParseError::new(message, at);
        error.0.unsupported = true;
        error
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
