//! How Flink's constructs that sqlparser's types cannot say lie in them, and how to read them back.
//!
//! This module is the whole protocol between the parser and the planner. Nothing else may build or match these forms.
//!
//! | Flink | lies as | read with |
//! |---|---|---|
//! | `CAST(x AS T)`, `TRY_CAST` | `Expr::Cast` whose type is a custom type `$type` with T's text | [`decode_cast`] |
//! | `TABLE t PARTITION BY (k) ORDER BY x`, `MODEL m`, `DEFAULT` as arguments | functions `$table`, `$model`, `$default` | [`decode_table_arg`], [`decode_model_arg`], [`is_default_arg`] |
//! | `DESCRIPTOR(a, b)` | a function call with column names | [`decode_descriptor`] |
//! | `x IS [NOT] JSON ..` | function `$is_json` | [`decode_is_json`] |
//! | `JSON_VALUE(.. RETURNING T DEFAULT 0 ON EMPTY)` and its family | named arguments that start with `$` | [`decode_json`] |
//! | `/*+ OPTIONS(..) */` after a table, after SELECT | `with_hints`, `optimizer_hints` | [`decode_table_hints`], [`decode_select_hints`] |
//! | `(a, b)`, `ROW(a, b)` | `Expr::Tuple` | [`decode_row`] |
//! | `MULTISET[a, b]` | function `$multiset` | [`decode_multiset`] |
//! | `PATTERN (A+?) WITHIN INTERVAL ..`, SUBSET | doubled repetition, symbols `$within`, `$subset` | [`decode_match_recognize`] |
//! | `FINAL LAST(a.x)`, `RUNNING ..` | functions `$final`, `$running` | [`decode_final`] |
//! | `INTERVAL '1-2' YEAR TO MONTH` | `Expr::Interval` | [`decode_interval`] |
//!
//! What needs no decoding: `MAP['k', v]` is `Expr::Map`, `ARRAY[..]` is `Expr::Array`, `UNKNOWN` is a cast of NULL to BOOLEAN,
//! `BETWEEN SYMMETRIC` is the disjunction of both orders, `LATERAL TABLE(f(x))`, `TABLE(f(x))` and `f(x)` in FROM are all
//! `TableFactor::Function`, `f(TABLE t)` included; TIMESTAMPADD and TIMESTAMPDIFF have their unit as a first argument that
//! [`time_unit`] reads; all string forms (`U&''`, `E''`, adjacent literals) are `SingleQuotedString` with escapes resolved.
//! User functions never start with `$`: the parser refuses them.

mod hints;
mod interval;
mod json;
mod pattern;

pub use hints::{Hint, HintArg, decode_select_hints, decode_table_hints};
pub use interval::{IntervalValue, decode_interval};
pub use json::{IsJson, JsonBehavior, JsonCall, JsonItem, JsonWrapper, decode_is_json, decode_json};
pub use pattern::{MatchRecognize, Pattern, decode_match_recognize, decode_pattern};

pub(crate) use hints::{hint_expr, optimizer_hint};
pub(crate) use json::{JsonClause, is_json};
pub(crate) use pattern::{SUBSET, WITHIN};

use flott_types::LogicalType;
use sqlparser::ast::{
    CastKind, DataType, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArgumentList, FunctionArguments, Ident, ObjectName, OrderByExpr, Query, Value, WindowSpec,
    WindowType,
};
use sqlparser::tokenizer::Span;

const TYPE: &str = "$type";
const TABLE: &str = "$table";
const MODEL: &str = "$model";
const DEFAULT: &str = "$default";
const MULTISET: &str = "$multiset";
const FINAL: &str = "$final";
const RUNNING: &str = "$running";

/// A cast as Flink means it.
#[derive(Clone, PartialEq, Debug)]
pub struct Cast<'a> {
    /// What is cast.
    pub expr: &'a Expr,
    /// To what type.
    pub ty: LogicalType,
    /// The unit, if the type is an INTERVAL of one unit: a number is cast to so many of it.
    pub unit: Option<DateTimeField>,
    /// TRY_CAST: NULL instead of an error.
    pub is_try: bool,
}

/// Reads `CAST(x AS T)` and `TRY_CAST(x AS T)`.
pub fn decode_cast(expr: &Expr) -> Option<Cast<'_>> {
    let Expr::Cast { kind, expr, data_type, .. } = expr else {
        return None;
    };
    let unit = match data_type {
        DataType::Custom(_, parts) => parts.get(1).and_then(|unit| crate::expr::time_unit_of(unit)),
        _ => None,
    };
    Some(Cast { expr, ty: decode_type(data_type)?, unit, is_try: *kind == CastKind::TryCast })
}

/// Reads a type that this crate has put into an expression.
pub fn decode_type(data_type: &DataType) -> Option<LogicalType> {
    match data_type {
        DataType::Custom(name, text) if is_name(name, TYPE) => crate::parse_type(text.first()?).ok(),
        _ => None,
    }
}

pub(crate) fn encode_type(ty: &LogicalType) -> DataType {
    DataType::Custom(ObjectName::from(vec![Ident::new(TYPE)]), vec![ty.to_string()])
}

pub(crate) fn encode_interval_type(ty: &LogicalType, unit: &DateTimeField) -> DataType {
    DataType::Custom(ObjectName::from(vec![Ident::new(TYPE)]), vec![ty.to_string(), unit.to_string()])
}

/// A table as an argument of a function.
#[derive(Clone, PartialEq, Debug)]
pub struct TableArg<'a> {
    /// What the rows come from.
    pub source: TableSource<'a>,
    /// PARTITION BY: set semantics.
    pub partition_by: &'a [Expr],
    /// ORDER BY
    pub order_by: &'a [OrderByExpr],
}

/// What the rows of a table argument come from.
#[derive(Clone, PartialEq, Debug)]
pub enum TableSource<'a> {
    /// `TABLE name`
    Name(ObjectName),
    /// `(SELECT ..)`, `TABLE (SELECT ..)`
    Query(&'a Query),
}

/// Reads `TABLE t [PARTITION BY ..] [ORDER BY ..]`, `TABLE (query) ..`, `(query) ..` and a bare `(query)`.
pub fn decode_table_arg(expr: &Expr) -> Option<TableArg<'_>> {
    if let Expr::Subquery(query) = expr {
        return Some(TableArg { source: TableSource::Query(query), partition_by: &[], order_by: &[] });
    }
    let Expr::Function(function) = expr else {
        return None;
    };
    let [source] = special_args(function, TABLE)?[..] else {
        return None;
    };
    let source = match source {
        Expr::Subquery(query) => TableSource::Query(query),
        Expr::CompoundIdentifier(parts) => TableSource::Name(ObjectName::from(parts.clone())),
        _ => return None,
    };
    let (partition_by, order_by) = match &function.over {
        Some(WindowType::WindowSpec(spec)) => (&spec.partition_by[..], &spec.order_by[..]),
        _ => (&[][..], &[][..]),
    };
    Some(TableArg { source, partition_by, order_by })
}

pub(crate) fn encode_table(
    source: Expr,
    partition_by: Vec<Expr>,
    order_by: Vec<OrderByExpr>,
    at: Span,
) -> Expr {
    let mut function = special_function(TABLE, vec![source], at);
    function.over = Some(WindowType::WindowSpec(WindowSpec {
        window_name: None,
        partition_by,
        order_by,
        window_frame: None,
    }));
    Expr::Function(function)
}

/// Reads `MODEL name` as an argument.
pub fn decode_model_arg(expr: &Expr) -> Option<ObjectName> {
    let Expr::Function(function) = expr else {
        return None;
    };
    match special_args(function, MODEL)?[..] {
        [Expr::CompoundIdentifier(parts)] => Some(ObjectName::from(parts.clone())),
        _ => None,
    }
}

pub(crate) fn encode_model(parts: Vec<Ident>, at: Span) -> Expr {
    Expr::Function(special_function(MODEL, vec![Expr::CompoundIdentifier(parts)], at))
}

/// Whether an argument is the word DEFAULT.
pub fn is_default_arg(expr: &Expr) -> bool {
    matches!(expr, Expr::Function(function) if is_name(&function.name, DEFAULT))
}

pub(crate) fn encode_default(at: Span) -> Expr {
    Expr::Function(special_function(DEFAULT, vec![], at))
}

/// Reads `DESCRIPTOR(a, b)`: the column names.
pub fn decode_descriptor(expr: &Expr) -> Option<Vec<&Ident>> {
    let Expr::Function(function) = expr else {
        return None;
    };
    let name = single_name(&function.name)?;
    if !name.value.eq_ignore_ascii_case("DESCRIPTOR") {
        return None;
    }
    arguments(function)?
        .into_iter()
        .map(|arg| match arg {
            Expr::Identifier(column) => Some(column),
            _ => None,
        })
        .collect()
}

/// Reads `(a, b, ..)` and `ROW(a, ..)`.
pub fn decode_row(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Tuple(fields) => Some(fields),
        _ => None,
    }
}

/// Reads `MULTISET[a, ..]`.
pub fn decode_multiset(expr: &Expr) -> Option<Vec<&Expr>> {
    match expr {
        Expr::Function(function) => special_args(function, MULTISET),
        _ => None,
    }
}

pub(crate) fn encode_multiset(elements: Vec<Expr>, at: Span) -> Expr {
    Expr::Function(special_function(MULTISET, elements, at))
}

/// Reads `FINAL x` (true) and `RUNNING x` (false) of MATCH_RECOGNIZE's measures.
pub fn decode_final(expr: &Expr) -> Option<(bool, &Expr)> {
    let Expr::Function(function) = expr else {
        return None;
    };
    let is_final = is_name(&function.name, FINAL);
    match special_args(function, if is_final { FINAL } else { RUNNING })?[..] {
        [inner] => Some((is_final, inner)),
        _ => None,
    }
}

pub(crate) fn encode_final(is_final: bool, inner: Expr, at: Span) -> Expr {
    Expr::Function(special_function(if is_final { FINAL } else { RUNNING }, vec![inner], at))
}

/// The unit that is the first argument of TIMESTAMPADD and TIMESTAMPDIFF. `SQL_TSI_DAY` reads as DAY.
pub fn time_unit(expr: &Expr) -> Option<DateTimeField> {
    match expr {
        Expr::Identifier(word) if word.quote_style.is_none() => crate::expr::time_unit_of(&word.value),
        _ => None,
    }
}

/// The name, with its `$`, of a form of this module's that the caller does not know: to be refused.
pub fn encoded_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Function(function) => {
            Some(&single_name(&function.name)?.value).filter(|n| n.starts_with('$')).map(|n| &n[..])
        }
        _ => None,
    }
}

/// The one identifier of a name without qualifier.
pub fn single_name(name: &ObjectName) -> Option<&Ident> {
    match &name.0[..] {
        [part] => part.as_ident(),
        _ => None,
    }
}

/// The plain arguments of a call: none named, none `*`.
pub fn arguments(function: &Function) -> Option<Vec<&Expr>> {
    match &function.args {
        FunctionArguments::List(list) => list.args.iter().map(plain).collect(),
        FunctionArguments::None => Some(vec![]),
        FunctionArguments::Subquery(_) => None,
    }
}

/// The characters of a string literal.
pub fn string_literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn plain(arg: &FunctionArg) -> Option<&Expr> {
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    }
}

fn is_name(name: &ObjectName, expected: &str) -> bool {
    single_name(name).is_some_and(|ident| ident.value == expected)
}

fn special_args<'a>(function: &'a Function, name: &str) -> Option<Vec<&'a Expr>> {
    if is_name(&function.name, name) { arguments(function) } else { None }
}

fn special_function(name: &str, args: Vec<Expr>, at: Span) -> Function {
    let name = ObjectName::from(vec![Ident::with_span(at, name)]);
    let args = args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).collect();
    function(name, args, vec![])
}

pub(crate) fn function(
    name: ObjectName,
    args: Vec<FunctionArg>,
    clauses: Vec<FunctionArgumentClause>,
) -> Function {
    Function {
        name,
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: vec![],
    }
}
