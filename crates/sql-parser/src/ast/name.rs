//! Names and where they stand.

use std::fmt;

use crate::error::Position;

/// A name.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Ident {
    /// Its characters, without backticks.
    pub value: String,
    /// It is in backticks: then it is never a keyword.
    pub quoted: bool,
    /// Where it starts.
    pub position: Position,
}

impl Ident {
    /// A name as if written without backticks.
    pub fn new(value: impl Into<String>, position: Position) -> Self {
        Ident { value: value.into(), quoted: false, position }
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.quoted {
            true => write!(f, "`{}`", self.value.replace('`', "``")),
            false => f.write_str(&self.value),
        }
    }
}

/// `a`, `a.b`, `a.b.c`: at least one part.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ObjectName(pub Vec<Ident>);

impl ObjectName {
    /// The name, if it has one part.
    pub fn single(&self) -> Option<&Ident> {
        match &self.0[..] {
            [name] => Some(name),
            _ => None,
        }
    }

    /// The characters of its parts.
    pub fn parts(&self) -> Vec<String> {
        self.0.iter().map(|part| part.value.clone()).collect()
    }

    /// Where it starts.
    pub fn position(&self) -> Position {
        self.0.first().map_or(Position::START, |first| first.position)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::display::list(f, &self.0, ".")
    }
}
