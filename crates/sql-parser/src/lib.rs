//! Flink's SQL dialect: scripts to statements.
//!
//! [`parse_script`] gives statements ([`ast::Statement`]), each with its text and place. Queries and expressions inside
//! are sqlparser's types; [`encoding`] reads what those cannot say by themselves. [`position_of`] tells where a node stands.

pub mod ast;
pub mod encoding;
mod error;
mod expr;
mod keywords;
mod lexer;
mod parser;
mod query;
mod script;
mod statement;
mod types;

pub use error::{ParseError, Position, Result};
pub use keywords::{KEYWORDS, is_reserved};
pub use script::{
    HighlightKind, StatementText, highlight, is_complete, parse_expression, parse_query, parse_script,
    parse_statement, split_script,
};
pub use types::parse_type;

use sqlparser::ast::Spanned;

/// Where a node of the query's tree starts, in the coordinates of the script. None for a node without words of its own.
pub fn position_of(node: &impl Spanned) -> Option<Position> {
    let start = node.span().start;
    (start.line > 0).then(|| start.into())
}
