//! Expressions that several others need, computed once.
//!
//! SQL has no names for parts of expressions: a computed column of a view is written out wherever it is used, in the condition and in every
//! output. Such a part becomes a column of its own behind those of the input, and what used it reads the column.
//!
//! A part that can fail, or that gives another value each time, stays where it is: it must be computed for just the rows that need it.

use flott_expr::can_fail;
use flott_plan::{Column, Expr, Schema};

/// Expressions over an input to which columns with shared parts are added.
#[derive(Debug)]
pub(super) struct Shared {
    /// The parts, one for each added column; a later one may read the columns of earlier ones.
    pub parts: Vec<Expr>,
    /// The columns of the input and those of the parts.
    pub schema: Schema,
}

impl Shared {
    /// Takes the parts that occur more than once out of expressions over this input, if they are wanted.
    pub fn take_out(input: &Schema, exprs: &mut [Expr], wanted: impl Fn(&Expr) -> bool) -> Shared {
        let mut known: Vec<(Expr, usize)> = Vec::new();
        exprs.iter().for_each(|expr| count(expr, &mut known));
        known.retain(|(part, times)| *times > 1 && wanted(part));
        let repeated: Vec<Expr> = known.into_iter().map(|(part, _)| part).collect();
        let mut shared = Shared { parts: Vec::new(), schema: input.clone() };
        if !repeated.is_empty() {
            let mut columns: Vec<(&Expr, usize)> = Vec::new();
            for expr in exprs {
                *expr = shared.replace(expr, &repeated, &mut columns);
            }
        }
        shared
    }

    /// The expression with the repeated parts as columns.
    fn replace<'a>(
        &mut self,
        expr: &Expr,
        repeated: &'a [Expr],
        columns: &mut Vec<(&'a Expr, usize)>,
    ) -> Expr {
        let part = repeated.iter().find(|part| *part == expr);
        if let Some((_, index)) = columns.iter().find(|(known, _)| Some(*known) == part) {
            return Expr::column(*index, expr.ty().clone());
        }
        let inner = match expr {
            Expr::Column { .. } | Expr::Literal { .. } => expr.clone(),
            Expr::Call { function, args, ty } => {
                let args = args.iter().map(|arg| self.replace(arg, repeated, columns)).collect();
                Expr::Call { function: function.clone(), args, ty: ty.clone() }
            }
            Expr::Cast { input, ty, is_try } => {
                let input = Box::new(self.replace(input, repeated, columns));
                Expr::Cast { input, ty: ty.clone(), is_try: *is_try }
            }
            Expr::Case { branches, otherwise, ty } => {
                let mut branch = |(when, then): &(Expr, Expr)| {
                    (self.replace(when, repeated, columns), self.replace(then, repeated, columns))
                };
                let branches = branches.iter().map(&mut branch).collect();
                let otherwise = Box::new(self.replace(otherwise, repeated, columns));
                Expr::Case { branches, otherwise, ty: ty.clone() }
            }
        };
        let Some(part) = part else { return inner };
        let (index, ty) = (self.schema.len(), expr.ty().clone());
        self.schema.columns.push(Column { name: format!("$shared{index}"), ty: ty.clone() });
        self.parts.push(inner);
        columns.push((part, index));
        Expr::column(index, ty)
    }
}

/// Counts the parts of an expression that are worth a column. What is inside of a part that was seen before is not
/// counted again: it is computed with it.
fn count(expr: &Expr, known: &mut Vec<(Expr, usize)>) {
    if matches!(expr, Expr::Column { .. } | Expr::Literal { .. }) {
        return;
    }
    if !can_fail(expr) && reads_columns(expr) {
        if let Some((_, times)) = known.iter_mut().find(|(part, _)| part == expr) {
            *times += 1;
            return;
        }
        known.push((expr.clone(), 1));
    }
    expr.children().into_iter().for_each(|child| count(child, known));
}

fn reads_columns(expr: &Expr) -> bool {
    let mut columns = Vec::new();
    expr.collect_columns(&mut columns);
    !columns.is_empty()
}

#[cfg(test)]
mod tests {
    use flott_plan::Literal;

    use super::*;
    use crate::harness::{column, schema, ty};

    fn call(function: &str, args: Vec<Expr>) -> Expr {
        Expr::call(function, args, ty("BIGINT"))
    }

    fn number(value: i64) -> Expr {
        Expr::literal(Literal::Integer(value), ty("BIGINT"))
    }

    #[test]
    fn the_largest_repeated_part_is_computed_once() {
        let product = || call("*", vec![column(0, "BIGINT"), number(2)]);
        let sum = || call("+", vec![product(), number(1)]);
        let mut exprs = [call("-", vec![sum(), number(5)]), sum(), product()];
        let shared = Shared::take_out(&schema("BIGINT"), &mut exprs, |_| true);
        let at = |index| column(index, "BIGINT");
        assert_eq!(shared.parts, [product(), call("+", vec![at(1), number(1)])]);
        assert_eq!(shared.schema.len(), 3);
        assert_eq!(exprs, [call("-", vec![at(2), number(5)]), at(2), at(1)]);
    }

    #[test]
    fn a_part_inside_of_one_that_is_shared_is_not_shared_for_that() {
        let product = || call("*", vec![column(0, "BIGINT"), number(2)]);
        let sum = || call("+", vec![product(), number(1)]);
        let mut exprs = [sum(), sum()];
        assert_eq!(Shared::take_out(&schema("BIGINT"), &mut exprs, |_| true).parts, [sum()]);
    }

    #[test]
    fn what_can_fail_or_differs_each_time_is_not_shared() {
        let quotient = || call("/", vec![number(1), column(0, "BIGINT")]);
        let random = || call("RAND_INTEGER", vec![column(0, "BIGINT")]);
        let mut exprs = [quotient(), quotient(), random(), random()];
        assert_eq!(Shared::take_out(&schema("BIGINT"), &mut exprs, |_| true).parts, []);
        assert_eq!(exprs, [quotient(), quotient(), random(), random()]);
    }

    #[test]
    fn constants_are_not_shared() {
        let sum = || call("+", vec![number(1), number(2)]);
        assert_eq!(Shared::take_out(&schema("BIGINT"), &mut [sum(), sum()], |_| true).parts, []);
    }
}
