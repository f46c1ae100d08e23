//! Calls of functions, their arguments and clauses, and windows.

use flott_types::LogicalType;

use super::{Expr, Ident, ObjectName, Query};
use crate::error::Position;

/// `f([DISTINCT] args [ORDER BY ..]) [IGNORE NULLS] [WITHIN GROUP ..] [FILTER ..] [OVER ..]`
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// The function.
    pub name: ObjectName,
    /// It has parentheses. CURRENT_DATE and its like may lack them.
    pub parentheses: bool,
    /// DISTINCT or ALL.
    pub quantifier: Option<Quantifier>,
    /// The arguments in order; of JSON_OBJECT and JSON_OBJECTAGG key, value, key, value ..
    pub args: Vec<Argument>,
    /// ORDER BY inside of the parentheses.
    pub order_by: Vec<OrderItem>,
    /// The clauses of a JSON function.
    pub json: Option<Box<JsonClauses>>,
    /// RESPECT NULLS (false), IGNORE NULLS (true).
    pub ignore_nulls: Option<bool>,
    /// WITHIN GROUP
    pub within_group: Vec<OrderItem>,
    /// FILTER
    pub filter: Option<Expr>,
    /// OVER
    pub over: Option<Over>,
}

/// DISTINCT or ALL before the arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are the key words")]
pub enum Quantifier {
    Distinct,
    All,
}

/// `value`, `name => value`
#[derive(Clone, PartialEq, Debug)]
pub struct Argument {
    /// The parameter, if it is named.
    pub name: Option<Ident>,
    /// What is given.
    pub value: ArgumentValue,
}

/// What an argument is.
#[derive(Clone, PartialEq, Debug)]
pub enum ArgumentValue {
    /// An expression. A query in parentheses is one: whether a value or a table, the function knows.
    Expr(Expr),
    /// `*` of COUNT(*)
    Star(Position),
    /// `TABLE t`, `TABLE (query)`, or a query with PARTITION BY or ORDER BY.
    Table(Box<TableArgument>),
    /// `DESCRIPTOR(a, b)`
    Descriptor(Position, Vec<Ident>),
    /// `MODEL m`
    Model(Position, ObjectName),
    /// DEFAULT
    Default(Position),
}

/// A table as an argument.
#[derive(Clone, PartialEq, Debug)]
pub struct TableArgument {
    /// Where it starts.
    pub position: Position,
    /// Where the rows come from.
    pub source: TableSource,
    /// PARTITION BY
    pub partition_by: Vec<Expr>,
    /// ORDER BY
    pub order_by: Vec<OrderItem>,
}

/// Where the rows of a table argument come from.
#[derive(Clone, PartialEq, Debug)]
pub enum TableSource {
    /// `TABLE name`
    Name(ObjectName),
    /// `(SELECT ..)`, `TABLE (SELECT ..)`
    Query(Box<Query>),
}

/// The clauses of the JSON functions.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct JsonClauses {
    /// RETURNING
    pub returning: Option<LogicalType>,
    /// WITH WRAPPER
    pub wrapper: Option<JsonWrapper>,
    /// .. ON EMPTY
    pub on_empty: Option<JsonBehavior>,
    /// .. ON ERROR
    pub on_error: Option<JsonBehavior>,
    /// NULL ON NULL (false), ABSENT ON NULL (true)
    pub absent_on_null: Option<bool>,
}

/// What comes out when nothing is found or something is wrong.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are the key words")]
pub enum JsonBehavior {
    Null,
    Error,
    EmptyArray,
    EmptyObject,
    True,
    False,
    Unknown,
    Default(Expr),
}

impl JsonBehavior {
    /// The key words.
    pub fn as_str(&self) -> &'static str {
        match self {
            JsonBehavior::Null => "NULL",
            JsonBehavior::Error => "ERROR",
            JsonBehavior::EmptyArray => "EMPTY ARRAY",
            JsonBehavior::EmptyObject => "EMPTY OBJECT",
            JsonBehavior::True => "TRUE",
            JsonBehavior::False => "FALSE",
            JsonBehavior::Unknown => "UNKNOWN",
            JsonBehavior::Default(_) => "DEFAULT",
        }
    }
}

/// Whether JSON_QUERY wraps its result in an array.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonWrapper {
    /// WITHOUT [ARRAY] WRAPPER
    Without,
    /// WITH CONDITIONAL [ARRAY] WRAPPER
    Conditional,
    /// WITH [UNCONDITIONAL] [ARRAY] WRAPPER
    Unconditional,
}

impl JsonWrapper {
    /// The key word.
    pub fn as_str(self) -> &'static str {
        match self {
            JsonWrapper::Without => "WITHOUT",
            JsonWrapper::Conditional => "CONDITIONAL",
            JsonWrapper::Unconditional => "UNCONDITIONAL",
        }
    }
}

/// `expr [ASC | DESC] [NULLS FIRST | LAST]`
#[derive(Clone, PartialEq, Debug)]
pub struct OrderItem {
    /// The key.
    pub expr: Expr,
    /// ASC (false), DESC (true)
    pub descending: Option<bool>,
    /// NULLS FIRST (true), NULLS LAST (false)
    pub nulls_first: Option<bool>,
}

/// What follows OVER.
#[derive(Clone, PartialEq, Debug)]
pub enum Over {
    /// A window of the WINDOW clause.
    Name(Ident),
    /// `(..)`
    Window(WindowSpec),
}

/// A window of the WINDOW clause.
#[derive(Clone, PartialEq, Debug)]
pub struct NamedWindow {
    /// Its name.
    pub name: Ident,
    /// What it is.
    pub spec: WindowSpec,
}

/// `([name] [PARTITION BY ..] [ORDER BY ..] [ROWS | RANGE ..])`
#[derive(Clone, PartialEq, Debug)]
pub struct WindowSpec {
    /// The window that it starts from.
    pub base: Option<Ident>,
    /// PARTITION BY
    pub partition_by: Vec<Expr>,
    /// ORDER BY
    pub order_by: Vec<OrderItem>,
    /// ROWS or RANGE
    pub frame: Option<WindowFrame>,
}

/// `{ROWS | RANGE} {start | BETWEEN start AND end}`
#[derive(Clone, PartialEq, Debug)]
pub struct WindowFrame {
    /// ROWS, and not RANGE.
    pub rows: bool,
    /// The first row.
    pub start: FrameBound,
    /// The last row; CURRENT ROW, if not said.
    pub end: Option<FrameBound>,
}

/// A bound of a frame.
#[derive(Clone, PartialEq, Debug)]
pub enum FrameBound {
    /// CURRENT ROW
    CurrentRow,
    /// `n PRECEDING`; UNBOUNDED without a distance.
    Preceding(Option<Box<Expr>>),
    /// `n FOLLOWING`; UNBOUNDED without a distance.
    Following(Option<Box<Expr>>),
}

impl Call {
    /// A call of a function without arguments.
    pub fn new(name: ObjectName) -> Self {
        Call {
            name,
            parentheses: true,
            quantifier: None,
            args: vec![],
            order_by: vec![],
            json: None,
            ignore_nulls: None,
            within_group: vec![],
            filter: None,
            over: None,
        }
    }

    /// The arguments that are expressions, and those of its clauses.
    pub fn children(&self) -> Vec<&Expr> {
        let args = self.args.iter().filter_map(|arg| match &arg.value {
            ArgumentValue::Expr(expr) => Some(expr),
            _ => None,
        });
        let json = self.json.iter().flat_map(|json| [&json.on_empty, &json.on_error]);
        let defaults = json.filter_map(|behavior| match behavior {
            Some(JsonBehavior::Default(expr)) => Some(expr),
            _ => None,
        });
        let keys = self.order_by.iter().chain(&self.within_group).map(|item| &item.expr);
        args.chain(defaults).chain(keys).chain(&self.filter).collect()
    }
}

impl Argument {
    /// An argument without a name.
    pub fn unnamed(expr: Expr) -> Self {
        Argument { name: None, value: ArgumentValue::Expr(expr) }
    }
}

impl ArgumentValue {
    /// Where it starts.
    pub fn position(&self) -> Position {
        match self {
            ArgumentValue::Expr(expr) => expr.position,
            ArgumentValue::Table(table) => table.position,
            ArgumentValue::Star(position)
            | ArgumentValue::Descriptor(position, _)
            | ArgumentValue::Model(position, _)
            | ArgumentValue::Default(position) => *position,
        }
    }
}
