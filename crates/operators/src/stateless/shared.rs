//! Expressions that several others share, computed once.
//!
//! SQL has no names for subexpressions: a computed column of a view is written out wherever it is used, in
//! the condition and in every output. Such a subexpression becomes an extra column after those of the input,
//! and its users read the column.
//!
//! A subexpression that can fail, or that is not deterministic, stays where it is: it must be computed only
//! for the rows that need it.

use std::hash::{DefaultHasher, Hash, Hasher};

use flott_expr::can_fail;
use flott_plan::{Column, Expr, Schema};
use flott_types::FastMap;

/// Expressions over an input that is extended by columns with shared parts.
#[derive(Debug)]
pub(super) struct Shared {
    /// The parts, one for each added column; a later one may read the columns of earlier ones.
    pub parts: Vec<Expr>,
    /// The columns of the input and those of the parts.
    pub schema: Schema,
}

impl Shared {
    /// Extracts the wanted parts that occur more than once from expressions over this input.
    pub fn extract(input: &Schema, exprs: &mut [Expr], wanted: impl Fn(&Expr) -> bool) -> Shared {
        let mut known = Parts::default();
        exprs.iter().for_each(|expr| count(expr, &mut known));
        let repeated = known.parts.into_iter().filter(|(part, times)| *times > 1 && wanted(part));
        let repeated: Vec<Expr> = repeated.map(|(part, _)| part.clone()).collect();
        let mut shared = Shared { parts: Vec::new(), schema: input.clone() };
        if !repeated.is_empty() {
            let mut columns = Parts::default();
            for part in &repeated {
                columns.add(part, None);
            }
            for expr in exprs {
                *expr = shared.replace(expr, &mut columns);
            }
        }
        shared
    }

    /// Replaces the repeated parts of an expression by columns.
    fn replace(&mut self, expr: &Expr, columns: &mut Parts<'_, Option<usize>>) -> Expr {
        let part = columns.find(expr);
        if let Some(index) = part.and_then(|part| columns.parts[part].1) {
            return Expr::column(index, expr.ty().clone());
        }
        let inner = match expr {
            Expr::Column { .. } | Expr::Literal { .. } => expr.clone(),
            Expr::Call { function, args, ty } => {
                let args = args.iter().map(|arg| self.replace(arg, columns)).collect();
                Expr::Call { function: function.clone(), args, ty: ty.clone() }
            }
            Expr::Cast { input, ty, is_try } => {
                let input = Box::new(self.replace(input, columns));
                Expr::Cast { input, ty: ty.clone(), is_try: *is_try }
            }
            Expr::Case { branches, otherwise, ty } => {
                let mut branch =
                    |(when, then): &(Expr, Expr)| (self.replace(when, columns), self.replace(then, columns));
                let branches = branches.iter().map(&mut branch).collect();
                let otherwise = Box::new(self.replace(otherwise, columns));
                Expr::Case { branches, otherwise, ty: ty.clone() }
            }
        };
        let Some(part) = part else { return inner };
        let (index, ty) = (self.schema.len(), expr.ty().clone());
        self.schema.columns.push(Column { name: format!("$shared{index}"), ty: ty.clone() });
        self.parts.push(inner);
        columns.parts[part].1 = Some(index);
        Expr::column(index, ty)
    }
}

/// Parts of expressions, in the order in which they were first seen, with a value for each.
struct Parts<'e, T> {
    parts: Vec<(&'e Expr, T)>,
    /// Their positions by hash, because an expression may have very many parts.
    places: FastMap<u64, Vec<usize>>,
}

impl<T> Default for Parts<'_, T> {
    fn default() -> Self {
        Parts { parts: Vec::new(), places: FastMap::default() }
    }
}

impl<'e, T> Parts<'e, T> {
    fn find(&self, expr: &Expr) -> Option<usize> {
        self.places.get(&hash(expr))?.iter().copied().find(|place| self.parts[*place].0 == expr)
    }

    fn add(&mut self, part: &'e Expr, known: T) {
        self.places.entry(hash(part)).or_default().push(self.parts.len());
        self.parts.push((part, known));
    }
}

/// Equal for equal expressions.
fn hash(expr: &Expr) -> u64 {
    let mut hasher = DefaultHasher::new();
    for node in expr.walk() {
        match node {
            Expr::Column { index, .. } => (0, index).hash(&mut hasher),
            Expr::Literal { value, .. } => (1, format!("{value:?}")).hash(&mut hasher),
            Expr::Call { function, args, .. } => (2, function, args.len()).hash(&mut hasher),
            Expr::Cast { ty, is_try, .. } => (3, ty, is_try).hash(&mut hasher),
            Expr::Case { branches, .. } => (4, branches.len()).hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// Counts the parts of an expression that are worth a column. Whatever is inside a part that was seen before
/// is not counted again: it is computed with that part.
fn count<'e>(expr: &'e Expr, known: &mut Parts<'e, usize>) {
    if matches!(expr, Expr::Column { .. } | Expr::Literal { .. }) {
        return;
    }
    if !can_fail(expr) && reads_columns(expr) {
        if let Some(place) = known.find(expr) {
            known.parts[place].1 += 1;
            return;
        }
        known.add(expr, 1);
    }
    expr.children().into_iter().for_each(|child| count(child, known));
}

fn reads_columns(expr: &Expr) -> bool {
    expr.walk().any(|node| matches!(node, Expr::Column { .. }))
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
        let shared = Shared::extract(&schema("BIGINT"), &mut exprs, |_| true);
        let at = |index| column(index, "BIGINT");
        assert_eq!(shared.parts, [product(), call("+", vec![at(1), number(1)])]);
        assert_eq!(shared.schema.len(), 3);
        assert_eq!(exprs, [call("-", vec![at(2), number(5)]), at(2), at(1)]);
    }

    #[test]
    fn a_part_inside_a_shared_part_is_not_shared_because_of_that() {
        let product = || call("*", vec![column(0, "BIGINT"), number(2)]);
        let sum = || call("+", vec![product(), number(1)]);
        let mut exprs = [sum(), sum()];
        assert_eq!(Shared::extract(&schema("BIGINT"), &mut exprs, |_| true).parts, [sum()]);
    }

    #[test]
    fn fallible_and_non_deterministic_parts_are_not_shared() {
        let quotient = || call("/", vec![number(1), column(0, "BIGINT")]);
        let random = || call("RAND_INTEGER", vec![column(0, "BIGINT")]);
        let mut exprs = [quotient(), quotient(), random(), random()];
        assert_eq!(Shared::extract(&schema("BIGINT"), &mut exprs, |_| true).parts, []);
        assert_eq!(exprs, [quotient(), quotient(), random(), random()]);
    }

    #[test]
    fn constants_are_not_shared() {
        let sum = || call("+", vec![number(1), number(2)]);
        assert_eq!(Shared::extract(&schema("BIGINT"), &mut [sum(), sum()], |_| true).parts, []);
    }
}
