//! Flink's SQL dialect: scripts to statements.
//!
//! # What it is
//!
//! A lexer, a recursive-descent parser and a syntax tree ([`ast`]) for the SQL that Flink 2.3 accepts. What
//! is not parsed cannot be ignored by accident: a construct is either supported here or an error. Why not
//! another library's: `docs/decisions/0013-own-syntax-tree.md`.
//!
//! # Invariants
//!
//! - Every error has the line and column of the script ([`ParseError`]), says what was found, and what was
//!   expected or what to write instead. What Flink supports and Flott does not is marked
//!   [`ParseError::unsupported`] or is a [`Statement::Unsupported`].
//! - Nothing in the script is dropped: hints are attached to their table, SELECT or INSERT, or refused.
//! - No input panics or overflows the stack. Long constructs (operators in a row, lists, branches) are wide
//!   in the tree and not deep; nesting is refused beyond a bound that derived code can handle with a 2 MB
//!   stack, even in a debug build.
//! - Positions are in the coordinates of the whole script.
//! - Queries and expressions print as SQL that parses back to the same tree.
//!
//! Stored text (views, computed columns, watermarks) is read again with [`parse_query`] and
//! [`parse_expression`], types with [`parse_type`]. A shell uses [`split_script`] (statements run one by
//! one), [`is_complete`], [`highlight`] and [`KEYWORDS`].
//!
//! ```
//! use flott_sql_parser::{ast::Statement, parse_script};
//!
//! let script = parse_script("CREATE TABLE t (a INT) WITH ('connector' = 'print');\nINSERT INTO t VALUES (1)")?;
//! assert!(matches!(&script[0].statement, Statement::CreateTable(table) if table.options[0].value.value == "print"));
//! assert_eq!(script[1].position.line, 2);
//! let error = parse_script("SELECT 1 AS\n  order").unwrap_err();
//! assert_eq!((error.line, error.column), (2, 3));
//! # Ok::<(), flott_sql_parser::ParseError>(())
//! ```
//!
//! [`Statement`]: ast::Statement
//! [`Statement::Unsupported`]: ast::Statement::Unsupported

pub mod ast;
mod error;
mod expr;
mod interval;
mod keywords;
mod lexer;
mod parser;
mod query;
mod script;
mod statement;
mod types;

pub use error::{Mistake, ParseError, Position, Result};
pub use keywords::{KEYWORDS, is_reserved};
pub use script::{
    HighlightKind, StatementText, highlight, is_complete, parse_expression, parse_query, parse_script,
    parse_statement, split_script,
};
pub use types::parse_type;
