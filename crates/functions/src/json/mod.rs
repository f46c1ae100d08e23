//! JSON functions.
//!
//! The keywords of a call are constant arguments of type CHAR; a type is a NULL of that type:
//!
//! | call | arguments |
//! |---|---|
//! | `JSON_VALUE` | json, path, on empty, default, on error, default \[, returned type\]: `NULL`, `ERROR`, `DEFAULT` |
//! | `JSON_QUERY` | json, path, wrapper, on empty, on error \[, returned type\]: `WITHOUT`, `CONDITIONAL`, `UNCONDITIONAL`; `NULL`, `ERROR`, `EMPTY ARRAY`, `EMPTY OBJECT` |
//! | `JSON_EXISTS` | json, path, on error: `TRUE`, `FALSE`, `UNKNOWN`, `ERROR` |
//! | `JSON_OBJECT` | on null, key, value, key, value ..: `NULL` or `ABSENT` |
//! | `JSON_ARRAY` | on null, value ..: `NULL` or `ABSENT` |
//! | `IS JSON VALUE`, `.. OBJECT`, `.. ARRAY`, `.. SCALAR` | json |
//!
//! A value of JSON_OBJECT or JSON_ARRAY that is itself built by one of them or by JSON() is inserted as JSON,
//! not as a string. The first argument says which these are: `NULL 2 4` means that arguments 2 and 4 are JSON
//! (`mark_json` adds the numbers).
//!
//! Documents are parsed as Jackson does and paths evaluated as Flink's JsonPath library does: a path is
//! strict unless it begins with `lax`. Keys are written in sorted order.

mod access;
mod construct;
mod evaluate;
mod parse;
mod path;
mod quote;
mod value;
mod variant;
mod write;

use flott_expr::function::{Function, ScalarFunction};
use flott_plan::{Expr, Literal};
use flott_types::TypeKind;
pub(crate) use variant::parse_variant;

/// The table of the family.
pub(crate) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    let tables: [&[Function]; 3] = [access::FUNCTIONS, construct::FUNCTIONS, quote::FUNCTIONS];
    tables.into_iter().flatten().map(|function| function.boxed()).collect()
}

/// Notes in the first argument of JSON_OBJECT and JSON_ARRAY which other arguments are JSON already.
fn mark_json(mut args: Vec<Expr>) -> Vec<Expr> {
    let is_json = |arg: &Expr| {
        matches!(arg, Expr::Call { function, .. }
            if matches!(function.as_str(), "JSON_OBJECT" | "JSON_ARRAY" | "JSON"))
    };
    let positions: Vec<String> = args
        .iter()
        .enumerate()
        .skip(1)
        .filter(|(_, arg)| is_json(arg))
        .map(|(position, _)| position.to_string())
        .collect();
    if positions.is_empty() {
        return args;
    }
    if let Some(Expr::Literal { value: Literal::String(word), ty }) = args.first_mut() {
        word.push(' ');
        word.push_str(&positions.join(" "));
        *ty = TypeKind::Char(word.chars().count() as u32).not_null();
    }
    args
}
