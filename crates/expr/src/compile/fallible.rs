//! Which expressions can fail or are not deterministic. Only for those is it worth selecting the rows for
//! which they are computed.

use flott_plan::{Expr, Literal};
use flott_types::TypeKind;

/// Functions that never fail and depend only on their arguments. A function that is not listed may fail.
const SAFE: &[&str] = &[
    "*",
    "+",
    "-",
    "<",
    "<=",
    "<>",
    "=",
    ">",
    ">=",
    "ABS",
    "ACOS",
    "AND",
    "ASIN",
    "ATAN",
    "ATAN2",
    "BIN",
    "CHAR_LENGTH",
    "COALESCE",
    "CONCAT",
    "COS",
    "COSH",
    "COT",
    "DAYOFMONTH",
    "DAYOFWEEK",
    "DAYOFYEAR",
    "DEGREES",
    "E",
    "ENDSWITH",
    "EXP",
    "GREATEST",
    "HEX",
    "HOUR",
    "IFNULL",
    "IN",
    "INITCAP",
    "IS DISTINCT FROM",
    "IS FALSE",
    "IS NOT DISTINCT FROM",
    "IS NOT FALSE",
    "IS NOT NULL",
    "IS NOT TRUE",
    "IS NOT UNKNOWN",
    "IS NULL",
    "IS TRUE",
    "IS UNKNOWN",
    "LEAST",
    "LEFT",
    "LN",
    "LOCATE",
    "LOG",
    "LOG10",
    "LOG2",
    "LOWER",
    "MINUTE",
    "MONTH",
    "NOT",
    "OR",
    "PI",
    "POSITION",
    "POWER",
    "QUARTER",
    "RADIANS",
    "REPLACE",
    "REVERSE",
    "RIGHT",
    "ROUND",
    "SECOND",
    "SIGN",
    "SIN",
    "SINH",
    "SPLIT_INDEX",
    "SQRT",
    "STARTSWITH",
    "SUBSTR",
    "SUBSTRING",
    "TAN",
    "TANH",
    "TRANSLATE",
    "TRUNCATE",
    "TYPEOF",
    "UNHEX",
    "UPPER",
    "WEEK",
    "YEAR",
    "||",
];

/// Functions that never fail if their second argument, a pattern, is constant: an invalid pattern fails when
/// the expression is compiled.
const SAFE_WITH_PATTERN: &[&str] = &[
    "LIKE",
    "NOT LIKE",
    "REGEXP",
    "REGEXP_COUNT",
    "REGEXP_EXTRACT",
    "REGEXP_EXTRACT_ALL",
    "REGEXP_INSTR",
    "REGEXP_REPLACE",
    "REGEXP_SUBSTR",
];

/// Whether computing the expression for a row that does not need it may fail or change the results of other
/// rows.
pub fn can_fail(expr: &Expr) -> bool {
    let here = match expr {
        Expr::Column { .. } | Expr::Literal { .. } | Expr::Case { .. } => false,
        Expr::Cast { input, ty, is_try } => !is_try && cast_can_fail(&input.ty().kind, &ty.kind),
        Expr::Call { function, args, ty } => match (function.as_str(), args.as_slice()) {
            ("/", _) if ty.kind.is_approximate() => false,
            ("/" | "%", [_, Expr::Literal { value, .. }]) => is_zero(value),
            ("/" | "%", _) => true,
            (name, [_, Expr::Literal { .. }, ..]) if SAFE_WITH_PATTERN.contains(&name) => false,
            (name, _) => !SAFE.contains(&name),
        },
    };
    here || expr.children().into_iter().any(can_fail)
}

fn cast_can_fail(from: &TypeKind, to: &TypeKind) -> bool {
    let safe = to.is_character() || to.is_binary() || from.is_integer() && to.is_numeric();
    !safe
}

fn is_zero(value: &Literal) -> bool {
    matches!(value, Literal::Integer(0) | Literal::Decimal(0))
}
