//! Hints: `/*+ OPTIONS('k' = 'v') */` behind a table, `/*+ BROADCAST(t), STATE_TTL('a' = '1d') */` behind SELECT.

use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, OptimizerHint, OptimizerHintStyle,
    Select, TableFactor, Value,
};
use sqlparser::tokenizer::{Location, Span};

use super::{arguments, function, single_name, string_literal};
use crate::error::Position;

/// One hint.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Hint {
    /// Its name in capitals: OPTIONS, STATE_TTL, LOOKUP, BROADCAST ..
    pub name: String,
    /// What is in its parentheses.
    pub args: Vec<HintArg>,
    /// Where it stands.
    pub position: Position,
}

/// An argument of a hint.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum HintArg {
    /// `'key' = 'value'`
    Option(String, String),
    /// A name (dots included), string or number.
    Item(String),
}

impl Hint {
    /// The key-value arguments.
    pub fn options(&self) -> impl Iterator<Item = (&str, &str)> {
        self.args.iter().filter_map(|arg| match arg {
            HintArg::Option(key, value) => Some((key.as_str(), value.as_str())),
            HintArg::Item(_) => None,
        })
    }
}

/// The hints behind a table name in FROM.
pub fn decode_table_hints(table: &TableFactor) -> Vec<Hint> {
    match table {
        TableFactor::Table { with_hints, .. } => with_hints.iter().filter_map(decode_hint).collect(),
        _ => vec![],
    }
}

/// The hints behind SELECT.
pub fn decode_select_hints(select: &Select) -> Vec<Hint> {
    select.optimizer_hints.iter().filter_map(decode_optimizer_hint).collect()
}

pub(crate) fn hint_expr(hint: Hint) -> Expr {
    let at = Location { line: hint.position.line, column: hint.position.column };
    let at = Span { start: at, end: at };
    let text = |s: String| Expr::Value(Value::SingleQuotedString(s).with_span(at));
    let args = hint.args.into_iter().map(|arg| match arg {
        HintArg::Option(key, value) => {
            Expr::BinaryOp { left: Box::new(text(key)), op: BinaryOperator::Eq, right: Box::new(text(value)) }
        }
        HintArg::Item(item) => text(item),
    });
    let args = args.map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).collect();
    Expr::Function(function(ObjectName::from(vec![Ident::with_span(at, hint.name)]), args, vec![]))
}

fn decode_hint(expr: &Expr) -> Option<Hint> {
    let Expr::Function(call) = expr else { return None };
    let name = single_name(&call.name)?;
    let args = arguments(call)?.into_iter().map(|arg| match arg {
        Expr::BinaryOp { left, right, .. } => {
            Some(HintArg::Option(string_literal(left)?.to_owned(), string_literal(right)?.to_owned()))
        }
        item => Some(HintArg::Item(string_literal(item)?.to_owned())),
    });
    Some(Hint { name: name.value.clone(), args: args.collect::<Option<_>>()?, position: name.span.into() })
}

// An optimizer hint holds two strings: the name with the position goes to one, the arguments with control characters
// between them to the other.
const ARG: char = '\u{1e}';
const PAIR: char = '\u{1f}';

pub(crate) fn optimizer_hint(hint: Hint) -> OptimizerHint {
    let mut text = String::new();
    for arg in &hint.args {
        match arg {
            HintArg::Option(key, value) => {
                text.push_str(key);
                text.push(PAIR);
                text.push_str(value);
            }
            HintArg::Item(item) => text.push_str(item),
        }
        text.push(ARG);
    }
    let prefix = format!("{}:{}:{}", hint.position.line, hint.position.column, hint.name);
    OptimizerHint { prefix, text, style: OptimizerHintStyle::MultiLine }
}

fn decode_optimizer_hint(hint: &OptimizerHint) -> Option<Hint> {
    let mut head = hint.prefix.splitn(3, ':');
    let line = head.next()?.parse().ok()?;
    let column = head.next()?.parse().ok()?;
    let name = head.next()?.to_owned();
    let args = hint.text.split_terminator(ARG).map(|arg| match arg.split_once(PAIR) {
        Some((key, value)) => HintArg::Option(key.to_owned(), value.to_owned()),
        None => HintArg::Item(arg.to_owned()),
    });
    Some(Hint { name, args: args.collect(), position: Position { line, column } })
}
