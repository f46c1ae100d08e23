//! Which expressions can fail for a value. Only those are worth the rows being chosen for which they are computed.

use flott_plan::{Expr, Literal};
use flott_types::TypeKind;

/// Functions that never fail. What is not listed may.
const SAFE: &[&str] = &[
    "+",
    "-",
    "*",
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "AND",
    "OR",
    "NOT",
    "IN",
    "IS DISTINCT FROM",
    "IS NOT DISTINCT FROM",
    "IS NULL",
    "IS NOT NULL",
    "IS TRUE",
    "IS NOT TRUE",
    "IS FALSE",
    "IS NOT FALSE",
    "IS UNKNOWN",
    "IS NOT UNKNOWN",
    "COALESCE",
    "IFNULL",
    "GREATEST",
    "LEAST",
    "ABS",
    "SIGN",
    "UPPER",
    "LOWER",
    "CHAR_LENGTH",
    "||",
    "CONCAT",
];

/// Whether computing the expression may fail.
pub(super) fn can_fail(expr: &Expr) -> bool {
    let here = match expr {
        Expr::Column { .. } | Expr::Literal { .. } | Expr::Case { .. } => false,
        Expr::Cast { input, ty, is_try } => !is_try && cast_can_fail(&input.ty().kind, &ty.kind),
        Expr::Call { function, args, .. } => match (function.as_str(), args.as_slice()) {
            ("/" | "%", [_, Expr::Literal { value, .. }]) => is_zero(value),
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
    !matches!(
        value,
        Literal::Integer(1..) | Literal::Integer(..=-1) | Literal::Decimal(1..) | Literal::Decimal(..=-1)
    )
}
