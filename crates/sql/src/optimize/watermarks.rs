//! Event time is told once for all that read a table: where branches of a job assign the same watermarks to the same rows
//! and differ in the columns that they compute before, each computes what all of them need, so that the planner finds them
//! equal.
//!
//! Rows are then looked at once for their watermark, and branches see event time advance at the same rows.

use flott_expr::Functions;
use flott_plan::Expr;

use super::filters::is_deterministic;
use crate::bind::placeholder::substitute;
use crate::logical::{Field, Rel, RelNode};

/// Watermarks over columns that are computed from one input.
struct Marked {
    input: Rel,
    /// Time and watermark over the input.
    time: Expr,
    expr: Expr,
    /// What all branches compute, and as which columns.
    exprs: Vec<Expr>,
    fields: Vec<Field>,
}

/// Makes equal watermarks over the same rows one relation.
pub(super) fn share(roots: Vec<Rel>, functions: &Functions) -> Vec<Rel> {
    let mut known = Vec::new();
    roots.iter().for_each(|rel| collect(rel, functions, &mut known));
    roots.into_iter().map(|rel| rewrite(rel, &known)).collect()
}

/// The parts of watermarks over computed columns.
struct Parts<'r> {
    input: &'r Rel,
    exprs: Vec<Expr>,
    fields: &'r [Field],
    time: Expr,
    expr: Expr,
}

fn parts<'r>(node: &'r RelNode, fields: &'r [Field]) -> Option<Parts<'r>> {
    let RelNode::Watermark { input, column, expr } = node else { return None };
    let RelNode::Project { input, exprs } = &input.node else { return None };
    let (mut input, mut exprs, mut expr) = (&**input, exprs.clone(), substitute(expr.clone(), exprs));
    // What only chooses among the columns of a scan differs from branch to branch.
    while let RelNode::Project { input: below, exprs: chosen } = &input.node
        && chosen.iter().all(|expr| matches!(expr, Expr::Column { .. }))
    {
        exprs = exprs.into_iter().map(|expr| substitute(expr, chosen)).collect();
        expr = substitute(expr, chosen);
        input = below;
    }
    Some(Parts { input, time: exprs.get(*column)?.clone(), exprs, fields, expr })
}

impl Marked {
    fn is(&self, parts: &Parts<'_>) -> bool {
        self.time == parts.time && self.expr == parts.expr && self.input == *parts.input
    }
}

fn collect(rel: &Rel, functions: &Functions, known: &mut Vec<Marked>) {
    rel.inputs().into_iter().for_each(|input| collect(input, functions, known));
    let Some(parts) = parts(&rel.node, &rel.fields) else { return };
    if !parts.exprs.iter().all(|expr| is_deterministic(expr, functions)) {
        return;
    }
    let at = known.iter().position(|marked| marked.is(&parts)).unwrap_or_else(|| {
        let (input, time, expr) = (parts.input.clone(), parts.time.clone(), parts.expr.clone());
        known.push(Marked { input, time, expr, exprs: Vec::new(), fields: Vec::new() });
        known.len() - 1
    });
    let marked = &mut known[at];
    for (expr, field) in parts.exprs.iter().zip(parts.fields) {
        if !marked.exprs.contains(expr) {
            marked.exprs.push(expr.clone());
            marked.fields.push(field.clone());
        }
    }
}

fn rewrite(rel: Rel, known: &[Marked]) -> Rel {
    match widened(&rel, known) {
        Some(wide) => wide,
        None => rel.map_inputs(&mut |input| rewrite(input, known)),
    }
}

/// The columns of a relation of watermarks, out of those that all branches need; `None` if these are its own.
fn widened(rel: &Rel, known: &[Marked]) -> Option<Rel> {
    let parts = parts(&rel.node, &rel.fields)?;
    let marked = known.iter().find(|marked| marked.is(&parts))?;
    if marked.exprs == parts.exprs {
        return None;
    }
    let place = |expr: &Expr| marked.exprs.iter().position(|known| known == expr);
    let places = parts.exprs.iter().map(place).collect::<Option<Vec<usize>>>()?;
    let RelNode::Watermark { column, expr, .. } = &rel.node else { return None };
    let expr = expr.clone().transform(&mut |node| match node {
        Expr::Column { index, ty } => Expr::Column { index: places[index], ty },
        other => other,
    });
    let mut plain = marked.fields.clone();
    plain.iter_mut().for_each(|field| field.time = None);
    let computed = RelNode::Project { input: Box::new(marked.input.clone()), exprs: marked.exprs.clone() };
    let computed = Box::new(Rel::new(computed, plain));
    let node = RelNode::Watermark { input: computed, column: places[*column], expr };
    let wide = Rel::new(node, marked.fields.clone());
    let exprs = places.iter().map(|place| wide.column(*place)).collect();
    Some(Rel::new(RelNode::Project { input: Box::new(wide), exprs }, rel.fields.clone()))
}
