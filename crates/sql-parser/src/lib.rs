//! Flink's SQL dialect: scripts to statements.
//!
//! # What it is
//!
//! A lexer and a recursive-descent parser for the SQL that Flink 2.3 accepts. Statements are our own types
//! ([`ast`]); queries and expressions are sqlparser's ([`sqlparser::ast::Query`], [`sqlparser::ast::Expr`]),
//! so that everything that walks those trees (visitors, spans, printing) is there already. sqlparser's own
//! parser is not used, and its dialect hooks neither: it backtracks and so loses the place of a mistake
//! inside a subquery, accepts much that Flink refuses (each of which would have to be found again and
//! refused afterwards), has no notion of Flink's reserved words, drops hints as comments, and has no hook
//! for types and DDL. What nobody parses, nobody can ignore by accident: a construct is either built here or
//! an error.
//!
//! # Invariants
//!
//! - Every error has the line and column of the script ([`ParseError`]), says what was found, and what was
//!   expected or what to write instead. What Flink knows and Flott does not is marked
//!   [`ParseError::unsupported`] or is a [`Statement::Unsupported`].
//! - Nothing in the script is dropped: hints are attached to their table, SELECT or INSERT, or refused.
//! - No input panics or overflows the stack: nesting and chains are bounded, long chains of AND and OR are
//!   balanced, and the parser grows its stack. Trees may still be 64 levels deep: what walks them in a debug
//!   build wants some MB of stack.
//! - Spans are in the coordinates of the whole script ([`position_of`]).
//!
//! # How a planner reads it
//!
//! Match [`Statement`]. Walk the query as any sqlparser tree, and for each expression and table ask
//! [`encoding`] first whether it is one of Flink's own: casts carry [`flott_types::LogicalType`], table
//! arguments, descriptors, JSON clauses and patterns have a `decode_` function each. Of sqlparser's many
//! fields and variants only these occur:
//!
//! - Query: `with`, `body` (Select, Values, SetOperation, Query), `order_by` (expressions), `limit_clause`
//!   (LimitOffset with number literals), `fetch` (a number literal). All else is empty.
//! - Select: `optimizer_hints`, `distinct` (Distinct or none), `projection` (no wildcard options), `from`,
//!   `selection`, `group_by` (expressions, with Rollup, Cube, GroupingSets and the empty Tuple among them; a
//!   Rollup inside GroupingSets is a set with one element), `having`, `named_window`, `qualify`.
//! - Tables: `Table` (name, alias, with_hints, version FOR SYSTEM_TIME AS OF, sample), `Derived`, `Function`
//!   (every function in FROM, LATERAL or not, with TABLE(..) around it or not), `UNNEST`, `NestedJoin`,
//!   `Pivot`, `Unpivot`, `MatchRecognize`. Joins: Join and Inner (the same), LeftOuter, RightOuter,
//!   FullOuter, CrossJoin; with ON, USING or NATURAL, but CROSS with none.
//! - Names: `a` is Identifier, `a.b` CompoundIdentifier (column or field: only the catalog knows).
//!   `a.b[1].c` and `f(x).y` are CompoundFieldAccess whose root is all before the first bracket or the call.
//! - Literals: Number, SingleQuotedString, HexStringLiteral, Boolean, Null; TypedString for DATE, TIME,
//!   TIMESTAMP; Interval (its form is checked). Signs are UnaryOp.
//! - Special functions: Cast, Extract, Floor and Ceil (without unit: `NoDateTime`), Position, Substring,
//!   Trim, Overlay. All others, SUBSTR included, are Function; CURRENT_DATE and its like have
//!   `FunctionArguments::None`.
//!
//! Stored text (views, computed columns, watermarks) is read again with [`parse_query`] and
//! [`parse_expression`], types with [`parse_type`]. A shell uses [`split_script`] (statements run one by one),
//! [`is_complete`], [`highlight`] and [`KEYWORDS`].
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
