//! Computes constant expressions once, when a statement is planned.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;
use flott_plan::{Expr, Literal};
use flott_types::{Error, Result, TypeKind};

use crate::compile::compile;
use crate::context::{EvalContext, PlanContext};
use crate::function::Determinism;
use crate::kernel::arrow_error;
use crate::literal;

/// The expression with its constant parts computed. If that fails, it is left to fail at run time, as in
/// Flink, except for dividing a literal by a literal zero. Branches that are never or always taken are
/// resolved.
pub fn fold(expr: Expr, context: &PlanContext) -> Result<Expr> {
    let evaluation = Arc::new(EvalContext::new(context, 0));
    let mut failure = None;
    let folded = expr.transform(&mut |node| match fold_node(node, &evaluation) {
        Ok(node) => node,
        Err(failed) => {
            let (node, error) = *failed;
            failure.get_or_insert(error);
            node
        }
    });
    failure.map_or(Ok(folded), Err)
}

/// The same, and calls on constants that give another value each time (NOW, RAND) are computed too, once and for all.
pub fn fold_once(expr: Expr, context: &PlanContext, seed: u64) -> Result<Expr> {
    let evaluation = Arc::new(EvalContext::new(context, seed));
    let computed = expr.transform(&mut |node| match &node {
        Expr::Call { args, .. } if args.iter().all(|arg| as_literal(arg).is_some()) => {
            compute(node, &evaluation)
        }
        _ => node,
    });
    fold(computed, context)
}

fn fold_node(node: Expr, context: &Arc<EvalContext>) -> Result<Expr, Box<(Expr, Error)>> {
    let constant = |expr: &Expr| matches!(expr, Expr::Literal { .. });
    match node {
        Expr::Call { ref function, ref args, .. } => {
            let literals: Vec<_> = args.iter().map(as_literal).collect();
            if divides_by_literal_zero(function, &literals) {
                return Err(Box::new((node, Error::invalid("Division by zero"))));
            }
            let pure =
                context.functions().get(function).is_some_and(|f| f.determinism() == Determinism::Always);
            if pure && args.iter().all(constant) {
                return Ok(compute(node, context));
            }
            Ok(short_circuit(node))
        }
        Expr::Cast { ref input, .. } if constant(input) => Ok(compute(node, context)),
        Expr::Case { branches, otherwise, ty } => Ok(fold_case(branches, otherwise, ty)),
        other => Ok(other),
    }
}

fn as_literal(expr: &Expr) -> Option<&Literal> {
    match expr {
        Expr::Literal { value, .. } => Some(value),
        _ => None,
    }
}

/// The literal that a constant expression evaluates to, or the expression itself if it fails or has no
/// literal form.
fn compute(expr: Expr, context: &Arc<EvalContext>) -> Expr {
    let value = evaluate_constant(&expr, context).ok().flatten();
    match value {
        Some(Literal::Double(value)) if expr.ty().kind == TypeKind::Float => {
            Expr::literal(Literal::Double(seven_digits(value)), expr.ty().clone())
        }
        Some(Literal::String(text)) => {
            Expr::literal(Literal::String(cut(text, &expr.ty().kind)), expr.ty().clone())
        }
        Some(value) => Expr::literal(value, expr.ty().clone()),
        None => expr,
    }
}

/// A CHAR that was computed while planning is no longer than its type says: UPPER('ß') is `S`, as in Flink.
fn cut(text: String, kind: &TypeKind) -> String {
    match kind {
        TypeKind::Char(length) if text.len() > *length as usize => {
            text.chars().take(*length as usize).collect()
        }
        _ => text,
    }
}

/// A FLOAT that was computed while planning has seven digits, as in Flink.
fn seven_digits(value: f64) -> f64 {
    match value.is_finite() {
        true => format!("{value:.6e}").parse().unwrap_or(value),
        false => value,
    }
}

fn evaluate_constant(expr: &Expr, context: &Arc<EvalContext>) -> Result<Option<Literal>> {
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)
        .map_err(arrow_error)?;
    let array = compile(expr, &[], context)?.evaluate(&row)?;
    Ok(literal::from_array(&array, 0, expr.ty()))
}

/// `FALSE AND x` and `TRUE OR x` are decided; `TRUE AND x` and `FALSE OR x` are x. A second NULL adds
/// nothing.
fn short_circuit(node: Expr) -> Expr {
    let Expr::Call { function, args, ty } = node else {
        return node;
    };
    let decides = match function.as_str() {
        "AND" => false,
        "OR" => true,
        _ => return Expr::Call { function, args, ty },
    };
    let is = |expr: &Expr, want: bool| as_literal(expr) == Some(&Literal::Boolean(want));
    let mut open: Vec<Expr> = Vec::with_capacity(args.len());
    for arg in args {
        // From left to right, two at a time: constants at the front are computed, and neutral operands are
        // removed.
        let constants =
            matches!(&open[..], [first] if as_literal(first).is_some()) && as_literal(&arg).is_some();
        match constants {
            _ if is(&arg, !decides) => {}
            true if is(&arg, decides) => open = vec![arg],
            true => {}
            false => open.push(arg),
        }
        if let [first] = &open[..]
            && is(first, decides)
        {
            return Expr::literal(Literal::Boolean(decides), ty);
        }
    }
    match open.len() {
        0 => Expr::literal(Literal::Boolean(!decides), ty),
        1 => open.remove(0),
        _ => Expr::Call { function, args: open, ty },
    }
}

fn fold_case(branches: Vec<(Expr, Expr)>, otherwise: Box<Expr>, ty: flott_types::LogicalType) -> Expr {
    let mut open = Vec::with_capacity(branches.len());
    let mut otherwise = otherwise;
    for (when, then) in branches {
        match as_literal(&when) {
            Some(Literal::Boolean(true)) => {
                otherwise = Box::new(then);
                break;
            }
            Some(_) => {}
            None => open.push((when, then)),
        }
    }
    if open.is_empty() {
        return retyped(*otherwise, ty);
    }
    Expr::Case { branches: open, otherwise, ty }
}

/// The value of the only remaining branch, nullable as the CASE was.
fn retyped(value: Expr, ty: flott_types::LogicalType) -> Expr {
    match value {
        Expr::Literal { value, .. } => Expr::Literal { value, ty },
        Expr::Cast { input, is_try, .. } => Expr::Cast { input, ty, is_try },
        Expr::Call { function, args, .. } => Expr::Call { function, args, ty },
        Expr::Case { branches, otherwise, .. } => Expr::Case { branches, otherwise, ty },
        column if *column.ty() == ty => column,
        column => Expr::Cast { input: Box::new(column), ty, is_try: false },
    }
}

/// Whether a division is certain to fail during planning: Flink divides literals by literals at once.
fn divides_by_literal_zero(function: &str, args: &[Option<&Literal>]) -> bool {
    let zero = |literal: &Literal| match literal {
        Literal::Integer(value) => *value == 0,
        Literal::Decimal(value) => *value == 0,
        Literal::Double(value) => *value == 0.0,
        _ => false,
    };
    let known = |literal: &Literal| *literal != Literal::Null;
    function == "/" && matches!(args, [Some(left), Some(right)] if known(left) && zero(right))
}
