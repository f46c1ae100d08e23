//! Placeholders in expressions for values that are not columns yet.

use flott_plan::{Expr, Literal};
use flott_types::{LogicalType, TypeKind};

/// The meaning of a placeholder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Placeholder {
    /// An aggregate of the SELECT.
    Aggregate,
    /// A function with OVER.
    Over,
    /// A column of the outer query.
    Outer,
}

impl Placeholder {
    fn function(self) -> &'static str {
        match self {
            Placeholder::Aggregate => "$agg",
            Placeholder::Over => "$over",
            Placeholder::Outer => "$outer",
        }
    }

    /// The placeholder of the value with number `index`.
    pub fn expr(self, index: usize, ty: LogicalType) -> Expr {
        let index = Expr::literal(Literal::Integer(index as i64), TypeKind::Int.not_null());
        Expr::call(self.function(), vec![index], ty)
    }

    /// The number of the value, if the expression is such a placeholder.
    pub fn index(self, expr: &Expr) -> Option<usize> {
        match expr {
            Expr::Call { function, args, .. } if function == self.function() => match args.as_slice() {
                [Expr::Literal { value: Literal::Integer(index), .. }, ..] => Some(*index as usize),
                _ => None,
            },
            _ => None,
        }
    }
}

/// A column as seen from a subquery one level further in than `expr`.
pub(crate) fn outer(column: Expr) -> Expr {
    match column {
        Expr::Column { index, ty } => Placeholder::Outer.expr(index, ty),
        Expr::Call { function, mut args, ty } if function == Placeholder::Outer.function() => {
            args.push(Expr::literal(Literal::Integer(1), TypeKind::Int.not_null()));
            Expr::Call { function, args, ty }
        }
        other => other,
    }
}

/// What `$outer` refers to in the outer query: a column, or that query's own `$outer` if it belongs to a
/// query further out.
pub(crate) fn one_level_out(expr: &Expr) -> Option<Expr> {
    let index = Placeholder::Outer.index(expr)?;
    let Expr::Call { function, args, ty } = expr else { return None };
    Some(match args.len() {
        1 => Expr::column(index, ty.clone()),
        _ => Expr::call(function.clone(), args[..args.len() - 1].to_vec(), ty.clone()),
    })
}

/// Whether the placeholder occurs in the expression.
pub(crate) fn contains(expr: &Expr, kind: Placeholder) -> bool {
    kind.index(expr).is_some() || expr.children().into_iter().any(|child| contains(child, kind))
}

/// Replaces placeholders of a kind.
pub(crate) fn replace(
    expr: Expr,
    kind: Placeholder,
    with: &mut impl FnMut(usize, LogicalType) -> Expr,
) -> Expr {
    expr.transform(&mut |node| match kind.index(&node) {
        Some(index) => with(index, node.ty().clone()),
        None => node,
    })
}

/// Shifts all column references by `by`.
pub(crate) fn shift(expr: Expr, by: usize) -> Expr {
    expr.transform(&mut |node| match node {
        Expr::Column { index, ty } => Expr::Column { index: index + by, ty },
        other => other,
    })
}

/// Shifts all column references back by `by`, which is at most the least of them.
pub(crate) fn shift_back(expr: Expr, by: usize) -> Expr {
    expr.transform(&mut |node| match node {
        Expr::Column { index, ty } => Expr::Column { index: index - by, ty },
        other => other,
    })
}

/// Replaces each column reference by the expression at its position.
pub(crate) fn substitute(expr: Expr, with: &[Expr]) -> Expr {
    expr.transform(&mut |node| match node {
        Expr::Column { index, .. } => with[index].clone(),
        other => other,
    })
}

/// The operands of nested ANDs.
pub(crate) fn conjuncts(expr: Expr) -> Vec<Expr> {
    match expr {
        Expr::Call { function, args, .. } if function == "AND" => {
            args.into_iter().flat_map(conjuncts).collect()
        }
        other => vec![other],
    }
}

/// Joins expressions by AND into a single call. `None` if there are none.
pub(crate) fn conjunction(exprs: impl IntoIterator<Item = Expr>) -> Option<Expr> {
    let mut operands: Vec<Expr> = exprs.into_iter().collect();
    if operands.len() < 2 {
        return operands.pop();
    }
    let nullable = operands.iter().any(|operand| operand.ty().nullable);
    Some(Expr::call("AND", operands, TypeKind::Boolean.with_nullable(nullable)))
}
