//! Which expressions can fail for a value. Only those are worth the rows being chosen for which they are computed.

use flott_plan::{Expr, Literal};
use flott_types::TypeKind;

/// Functions that never fail. What is not listed may.
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
    "||",
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
    "DEGREES",
    "E",
    "EXP",
    "GREATEST",
    "HEX",
    "IFNULL",
    "IN",
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
    "LN",
    "LOG",
    "LOG10",
    "LOG2",
    "LOWER",
    "NOT",
    "OR",
    "PI",
    "POWER",
    "RADIANS",
    "ROUND",
    "SIGN",
    "SIN",
    "SINH",
    "SQRT",
    "TAN",
    "TANH",
    "TRUNCATE",
    "TYPEOF",
    "UNHEX",
    "UPPER",
];

/// Whether computing the expression may fail.
pub(super) fn can_fail(expr: &Expr) -> bool {
    let here = match expr {
        Expr::Column { .. } | Expr::Literal { .. } | Expr::Case { .. } => false,
        Expr::Cast { input, ty, is_try } => !is_try && cast_can_fail(&input.ty().kind, &ty.kind),
        Expr::Call { function, args, ty } => match (function.as_str(), args.as_slice()) {
            ("/", _) if ty.kind.is_approximate() => false,
            ("/" | "%", [_, Expr::Literal { value, .. }]) => is_zero(value),
            ("/" | "%", _) => true,
            ("LIKE" | "NOT LIKE", [_, Expr::Literal { .. }]) => false,
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
