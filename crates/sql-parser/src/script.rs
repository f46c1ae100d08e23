//! Scripts.
use crate::ast::ParsedStatement;
use crate::error::{ParseError, Position, Result};
use sqlparser::ast::{Expr, Query};
/// Reads a script: statements separated by semicolons; the last one may lack it.
pub fn parse_script(_script: &str) -> Result<Vec<ParsedStatement>> {
    Err(ParseError::new("not yet", Position::START))
}
/// Whether what is typed so far ends a statement.
pub fn is_complete(_buffer: &str) -> bool {
    true
}
/// Reads one query.
pub fn parse_query(_text: &str) -> Result<Box<Query>> {
    Err(ParseError::new("not yet", Position::START))
}
/// Reads one expression.
pub fn parse_expression(_text: &str) -> Result<Expr> {
    Err(ParseError::new("not yet", Position::START))
}
/// What a stretch of text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HighlightKind {
    /// A word of the grammar.
    Keyword,
    /// A name.
    Name,
    /// A string.
    Text,
    /// A number.
    Number,
    /// A comment.
    Comment,
    /// A hint: `/*+ .. */`.
    Hint,
    /// An operator or other sign.
    Sign,
    /// White space, and what cannot be read.
    Other,
}
/// Cuts a buffer into stretches, without gaps; never fails.
pub fn highlight(_buffer: &str) -> Vec<(std::ops::Range<usize>, HighlightKind)> {
    vec![]
}
