//! The clauses of the JSON functions, and IS JSON.

use flott_types::LogicalType;
use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgOperator, FunctionArguments, Ident, Value,
};
use sqlparser::tokenizer::Span;

use super::{special_args, special_function, string_literal};

const IS_JSON: &str = "$is_json";

/// `x IS [NOT] JSON [VALUE | OBJECT | ARRAY | SCALAR]`
#[derive(Clone, PartialEq, Debug)]
pub struct IsJson<'a> {
    /// What is tested.
    pub expr: &'a Expr,
    /// What it must be.
    pub item: JsonItem,
    /// NOT
    pub negated: bool,
}

/// What IS JSON asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are the key words")]
pub enum JsonItem {
    Value,
    Object,
    Array,
    Scalar,
}

/// Reads IS JSON.
pub fn decode_is_json(expr: &Expr) -> Option<IsJson<'_>> {
    let Expr::Function(function) = expr else {
        return None;
    };
    let [expr, form] = special_args(function, IS_JSON)?[..] else {
        return None;
    };
    let form = string_literal(form)?;
    let (negated, item) = match form.strip_prefix("NOT ") {
        Some(item) => (true, item),
        None => (false, form),
    };
    let item = match item {
        "OBJECT" => JsonItem::Object,
        "ARRAY" => JsonItem::Array,
        "SCALAR" => JsonItem::Scalar,
        _ => JsonItem::Value,
    };
    Some(IsJson { expr, item, negated })
}

pub(crate) fn is_json(expr: Expr, item: JsonItem, negated: bool, at: Span) -> Expr {
    let item = match item {
        JsonItem::Value => "VALUE",
        JsonItem::Object => "OBJECT",
        JsonItem::Array => "ARRAY",
        JsonItem::Scalar => "SCALAR",
    };
    let form = if negated { format!("NOT {item}") } else { item.to_owned() };
    Expr::Function(special_function(IS_JSON, vec![expr, text(form, at)], at))
}

/// A call of JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_OBJECT, JSON_ARRAY, JSON_OBJECTAGG or JSON_ARRAYAGG.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct JsonCall<'a> {
    /// The arguments in order; of JSON_OBJECT and JSON_OBJECTAGG key, value, key, value ..
    pub args: Vec<&'a Expr>,
    /// RETURNING
    pub returning: Option<LogicalType>,
    /// WITH WRAPPER
    pub wrapper: Option<JsonWrapper>,
    /// .. ON EMPTY
    pub on_empty: Option<JsonBehavior<'a>>,
    /// .. ON ERROR
    pub on_error: Option<JsonBehavior<'a>>,
    /// NULL ON NULL (false), ABSENT ON NULL (true)
    pub absent_on_null: Option<bool>,
}

/// What comes out when nothing is found or something is wrong.
#[derive(Clone, Copy, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are the key words")]
pub enum JsonBehavior<'a> {
    Null,
    Error,
    EmptyArray,
    EmptyObject,
    True,
    False,
    Unknown,
    Default(&'a Expr),
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

/// Reads the arguments and clauses of a JSON function. None if the call has other named arguments.
pub fn decode_json(function: &Function) -> Option<JsonCall<'_>> {
    let mut call = JsonCall::default();
    let list = match &function.args {
        FunctionArguments::List(list) => list,
        FunctionArguments::None => return Some(call),
        FunctionArguments::Subquery(_) => return None,
    };
    for arg in &list.args {
        let (name, arg) = match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)) => {
                call.args.push(arg);
                continue;
            }
            FunctionArg::Named { name, arg: FunctionArgExpr::Expr(arg), .. } => (name, arg),
            _ => return None,
        };
        match name.value.as_str() {
            "$returning" => call.returning = Some(crate::parse_type(string_literal(arg)?).ok()?),
            "$on_empty" => call.on_empty = Some(behavior(string_literal(arg)?)?),
            "$on_error" => call.on_error = Some(behavior(string_literal(arg)?)?),
            "$default_on_empty" => call.on_empty = Some(JsonBehavior::Default(arg)),
            "$default_on_error" => call.on_error = Some(JsonBehavior::Default(arg)),
            "$on_null" => call.absent_on_null = Some(string_literal(arg)? == "ABSENT"),
            "$wrapper" => {
                call.wrapper = Some(match string_literal(arg)? {
                    "WITHOUT" => JsonWrapper::Without,
                    "CONDITIONAL" => JsonWrapper::Conditional,
                    _ => JsonWrapper::Unconditional,
                });
            }
            _ => return None,
        }
    }
    Some(call)
}

fn behavior(text: &str) -> Option<JsonBehavior<'static>> {
    Some(match text {
        "NULL" => JsonBehavior::Null,
        "ERROR" => JsonBehavior::Error,
        "EMPTY ARRAY" => JsonBehavior::EmptyArray,
        "EMPTY OBJECT" => JsonBehavior::EmptyObject,
        "TRUE" => JsonBehavior::True,
        "FALSE" => JsonBehavior::False,
        "UNKNOWN" => JsonBehavior::Unknown,
        _ => return None,
    })
}

/// A clause on its way into the call.
pub(crate) enum JsonClause {
    Returning(LogicalType),
    Wrapper(&'static str),
    OnNull(&'static str),
    OnEmpty(&'static str),
    OnError(&'static str),
    DefaultOnEmpty(Expr),
    DefaultOnError(Expr),
}

impl JsonClause {
    pub(crate) fn encode(self, at: Span) -> FunctionArg {
        let (name, arg) = match self {
            JsonClause::Returning(ty) => ("$returning", text(ty.to_string(), at)),
            JsonClause::Wrapper(word) => ("$wrapper", text(word.to_owned(), at)),
            JsonClause::OnNull(word) => ("$on_null", text(word.to_owned(), at)),
            JsonClause::OnEmpty(word) => ("$on_empty", text(word.to_owned(), at)),
            JsonClause::OnError(word) => ("$on_error", text(word.to_owned(), at)),
            JsonClause::DefaultOnEmpty(expr) => ("$default_on_empty", expr),
            JsonClause::DefaultOnError(expr) => ("$default_on_error", expr),
        };
        FunctionArg::Named {
            name: Ident::with_span(at, name),
            arg: FunctionArgExpr::Expr(arg),
            operator: FunctionArgOperator::RightArrow,
        }
    }
}

fn text(value: String, at: Span) -> Expr {
    Expr::Value(Value::SingleQuotedString(value).with_span(at))
}
