//! Queries and expressions as text that reads back as the same tree. Parentheses stand where the tree needs
//! them.

mod call;
mod expr;
mod query;
mod relation;
mod validated;

use std::fmt::{self, Display, Formatter, Result};

pub use validated::Validated;

/// The items with something between them.
pub(super) fn list<T: Display>(f: &mut Formatter<'_>, items: &[T], between: &str) -> Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

/// The items with commas between them, behind a word; nothing without items.
fn clause<T: Display>(f: &mut Formatter<'_>, word: &str, items: &[T]) -> Result {
    if items.is_empty() {
        return Ok(());
    }
    f.write_str(word)?;
    list(f, items, ", ")
}

/// The items in parentheses.
fn parenthesised<T: Display>(f: &mut Formatter<'_>, items: &[T]) -> Result {
    f.write_str("(")?;
    list(f, items, ", ")?;
    f.write_str(")")
}

/// A string literal.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0.replace('\'', "''"))
    }
}

/// ` AS name`, if there is one.
struct As<'a, T>(&'a Option<T>);

impl<T: Display> Display for As<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, " AS {name}"),
            None => Ok(()),
        }
    }
}
