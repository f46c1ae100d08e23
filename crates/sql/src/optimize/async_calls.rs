//! Functions of a program that answer later become relations of their own: the input's columns, then what the function returns.
//!
//! Innermost calls come first, so that a call whose argument is another call is asked when that has answered. What a condition can decide
//! without such a call is decided before. As in Flink a call is made for every row, also in a branch of CASE that is not taken.

use flott_expr::Functions;
use flott_plan::{Expr, JoinKind};
use flott_types::{Error, Result};

use crate::bind::placeholder::{conjunction, conjuncts, shift};
use crate::logical::{Field, Rel, RelNode};

/// Takes calls of asynchronous functions out of expressions.
pub(super) fn separate(rel: Rel, functions: &Functions) -> Result<Rel> {
    if !functions.has_async() {
        return Ok(rel);
    }
    let mut failed = None;
    let rel = rel.map_inputs(&mut |input| match separate(input, functions) {
        Ok(rel) => rel,
        Err(error) => {
            failed.get_or_insert(error);
            Rel::new(RelNode::Values(Vec::new()), Vec::new())
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    if !rel.exprs().into_iter().any(|expr| calls(expr, functions)) {
        return Ok(rel);
    }
    let Rel { node, fields } = rel;
    match node {
        RelNode::Project { input, exprs } => {
            let (input, exprs) = computed(*input, exprs, functions);
            Ok(Rel::new(RelNode::Project { input: Box::new(input), exprs }, fields))
        }
        RelNode::Filter { input, condition } => {
            let (later, first): (Vec<_>, Vec<_>) =
                conjuncts(condition).into_iter().partition(|test| calls(test, functions));
            let input = match conjunction(first) {
                Some(first) => input.filter(first),
                None => *input,
            };
            Ok(filtered(input, later, functions))
        }
        RelNode::Join { left, right, kind, condition: Some(condition) } => {
            if kind != JoinKind::Inner {
                return Err(Error::unsupported(
                    "an asynchronous function in the condition of a join other than an inner join is not supported: \
                     AsyncScalarFunction not supported for non inner join condition",
                ));
            }
            let (later, first): (Vec<_>, Vec<_>) =
                conjuncts(condition).into_iter().partition(|test| calls(test, functions));
            joined(*left, *right, first, later, functions)
        }
        RelNode::Unnest {
            input,
            collection: Expr::Call { function, args, ty },
            ordinality,
            keep_empty,
            condition: None,
        } if is_async(&function, functions) => {
            let width = input.fields.len();
            let before = input.fields.clone();
            let (input, args) = computed(*input, args, functions);
            let _ = (ty, ordinality);
            let call = call_of(input, function, args, &fields[width..], true, keep_empty);
            let wide = call.fields.len();
            let added = fields.len() - width;
            let columns = (0..width).chain(wide - added..wide);
            let names = before.iter().chain(&fields[width..]).map(|field| field.name.clone());
            Ok(call.clone().project(columns.map(|at| call.column(at)).zip(names).collect()))
        }
        other => Err(Error::unsupported(format!(
            "an asynchronous function in {} is not supported: call it in a subquery below",
            place(&other)
        ))),
    }
}

fn place(node: &RelNode) -> &'static str {
    match node {
        RelNode::Watermark { .. } => "a watermark",
        RelNode::Match { .. } => "MATCH_RECOGNIZE",
        RelNode::Unnest { .. } => "UNNEST",
        RelNode::Values(_) => "VALUES",
        _ => "this clause",
    }
}

/// Rows for which conditions with calls hold, without the columns that were needed for that.
fn filtered(input: Rel, tests: Vec<Expr>, functions: &Functions) -> Rel {
    let width = input.fields.len();
    let (input, tests) = computed(input, tests, functions);
    let wide = match conjunction(tests) {
        Some(condition) => input.filter(condition),
        None => input,
    };
    first_columns(wide, width)
}

fn first_columns(rel: Rel, width: usize) -> Rel {
    if rel.fields.len() == width {
        return rel;
    }
    let columns = (0..width).map(|at| (rel.column(at), rel.fields[at].name.clone())).collect();
    rel.project(columns)
}

/// An inner join: calls over the columns of one side are made before it, the others behind.
fn joined(
    mut left: Rel,
    mut right: Rel,
    first: Vec<Expr>,
    later: Vec<Expr>,
    functions: &Functions,
) -> Result<Rel> {
    let (left_width, right_width) = (left.fields.len(), right.fields.len());
    let reads = |expr: &Expr, of_left: bool| {
        let mut columns = Vec::new();
        expr.collect_columns(&mut columns);
        columns.iter().all(|column| (*column < left_width) == of_left)
    };
    let mut on = first;
    let mut behind = Vec::new();
    // Of `a = b` each side is a column of the side that it reads.
    let (mut of_left, mut of_right) = (Vec::new(), Vec::new());
    let mut pairs = Vec::new();
    for test in later {
        match test {
            Expr::Call { function, mut args, ty } if function == "=" && args.len() == 2 => {
                let (Some(b), Some(a)) = (args.pop(), args.pop()) else { continue };
                let (a, b) = if reads(&a, true) && reads(&b, false) { (a, b) } else { (b, a) };
                if reads(&a, true) && reads(&b, false) {
                    pairs.push(ty);
                    of_left.push(a);
                    of_right.push(b);
                } else {
                    behind.push(Expr::Call { function, args: vec![a, b], ty });
                }
            }
            other => behind.push(other),
        }
    }
    let of_right: Vec<Expr> = of_right.into_iter().map(|expr| back(expr, left_width)).collect();
    let (wide_left, of_left) = computed(left, of_left, functions);
    let (wide_right, of_right) = computed(right, of_right, functions);
    (left, right) = (wide_left, wide_right);
    let moved = left.fields.len() - left_width;
    let place = |expr: Expr| {
        expr.transform(&mut |node| match node {
            Expr::Column { index, ty } if index >= left_width => Expr::Column { index: index + moved, ty },
            other => other,
        })
    };
    on = on.into_iter().map(place).collect();
    let width = left.fields.len();
    for ((a, b), ty) in of_left.into_iter().zip(of_right).zip(pairs) {
        on.push(Expr::Call { function: "=".to_owned(), args: vec![a, shift(b, width)], ty });
    }
    let wide = left.join(right, JoinKind::Inner, conjunction(on));
    let columns = (0..left_width).chain(width..width + right_width);
    let columns = columns.map(|at| (wide.column(at), wide.fields[at].name.clone())).collect();
    Ok(filtered(wide.project(columns), behind, functions))
}

fn back(expr: Expr, by: usize) -> Expr {
    expr.transform(&mut |node| match node {
        Expr::Column { index, ty } => Expr::Column { index: index.saturating_sub(by), ty },
        other => other,
    })
}

/// The input with a column for each call, and expressions that read them.
fn computed(mut input: Rel, mut exprs: Vec<Expr>, functions: &Functions) -> (Rel, Vec<Expr>) {
    loop {
        let Some(call) = exprs.iter().find_map(|expr| innermost(expr, functions)) else {
            return (input, exprs);
        };
        let Expr::Call { function, args, ty } = call.clone() else { return (input, exprs) };
        let pure = functions.called(&function).is_some_and(|function| function.is_pure());
        let column = input.fields.len();
        let mut name = "f0".to_owned();
        while input.fields.iter().any(|field| field.name == name) {
            name.push('0');
        }
        let field = Field::new(name, ty);
        input = call_of(input, function, args, std::slice::from_ref(&field), false, false);
        let mut done = false;
        for expr in &mut exprs {
            let taken = std::mem::replace(expr, Expr::column(0, field.ty.clone()));
            *expr = taken.transform(&mut |node| match node == call && (pure || !done) {
                true => {
                    done = true;
                    Expr::column(column, field.ty.clone())
                }
                false => node,
            });
        }
    }
}

fn call_of(
    input: Rel,
    function: String,
    args: Vec<Expr>,
    returned: &[Field],
    table: bool,
    keep_empty: bool,
) -> Rel {
    let mut fields = input.fields.clone();
    fields.extend(returned.iter().cloned());
    let kind = if keep_empty { JoinKind::Left } else { JoinKind::Inner };
    Rel::new(RelNode::AsyncCall { input: Box::new(input), function, args, table, kind }, fields)
}

/// A call whose arguments have no calls.
fn innermost(expr: &Expr, functions: &Functions) -> Option<Expr> {
    if let Some(inner) = expr.children().into_iter().find_map(|child| innermost(child, functions)) {
        return Some(inner);
    }
    match expr {
        Expr::Call { function, .. } if is_async(function, functions) => Some(expr.clone()),
        _ => None,
    }
}

fn calls(expr: &Expr, functions: &Functions) -> bool {
    let here = matches!(expr, Expr::Call { function, .. } if is_async(function, functions));
    here || expr.children().into_iter().any(|child| calls(child, functions))
}

fn is_async(function: &str, functions: &Functions) -> bool {
    functions.called(function).is_some_and(|function| function.is_async())
}
