//! Subqueries as values: the relation that computes them is left-joined, and the value is an expression over
//! its columns.

use flott_expr::{aggregate, bind};
use flott_plan::{AggregateCall, Expr, JoinKind, Literal};
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::Binder;
use super::decorrelate::{Decorrelated, Keyed, Outer, decorrelate};
use super::placeholder::{self, Placeholder, conjunction, shift};
use super::subquery::{Subquery, Test, placed};
use crate::logical::{Rel, RelNode};

/// A relation to which subqueries are joined.
pub(super) struct Joined<'b, 'a> {
    pub binder: &'b Binder<'a>,
    /// The relation before any subquery was joined.
    pub base: Rel,
    pub rel: Rel,
    /// The arguments of placeholders, and their values.
    pub values: Vec<(Vec<Expr>, Expr)>,
}

impl<'a> Joined<'_, 'a> {
    /// The value of a placeholder with these arguments.
    pub fn value(&mut self, subqueries: &[Subquery], args: &[Expr], ty: &LogicalType) -> Result<Expr> {
        if let Some((_, value)) = self.values.iter().find(|(known, _)| known == args) {
            return Ok(value.clone());
        }
        let Some((Expr::Literal { value: Literal::Integer(index), .. }, rest)) = args.split_first() else {
            return Err(Error::internal("a subquery without a number"));
        };
        let Subquery { test, rel, outers } = subqueries[*index as usize].clone();
        let (outers, values) = rest.split_at(outers);
        let value = match test {
            Test::Value => self.scalar(rel, outers)?,
            Test::Exists => self.exists(rel, outers)?,
            Test::In => self.is_in(rel, outers, values)?,
            Test::Some(op) => self.some(op, rel, outers, &values[0])?,
        };
        let value = declared(value, ty)?;
        self.values.push((args.to_vec(), value.clone()));
        Ok(value)
    }

    /// What the subqueries refer to with these columns.
    fn outer<'r>(&'r self, columns: &'r [Expr]) -> Outer<'r, 'a> {
        Outer { binder: self.binder, rel: self.base_of(columns), columns, is_lateral: false }
    }

    /// The relation without the subqueries joined so far, if the columns are there already.
    fn base_of(&self, columns: &[Expr]) -> &Rel {
        let mut read = Vec::new();
        for column in columns {
            column.collect_columns(&mut read);
        }
        match read.iter().all(|index| *index < self.base.fields.len()) {
            true => &self.base,
            false => &self.rel,
        }
    }

    /// Left-joins a relation; returns the expression of each of its columns after the join.
    fn left_join(&mut self, right: Rel, condition: Option<Expr>) -> Vec<Expr> {
        let width = self.rel.fields.len();
        let left = std::mem::replace(&mut self.rel, Rel::new(RelNode::Values(Vec::new()), Vec::new()));
        self.rel = left.join(right, JoinKind::Left, condition);
        (width..self.rel.fields.len()).map(|index| self.rel.column(index)).collect()
    }

    /// Left-joins aggregates of a subquery's rows, grouped by the outer columns. Returns the aggregates'
    /// columns.
    fn aggregates(
        &mut self,
        keyed: Keyed,
        own: Vec<usize>,
        values: &[Expr],
        calls: Vec<AggregateCall>,
        outers: &[Expr],
    ) -> Result<Vec<Expr>> {
        let Keyed { rel, width, outers: sides } = keyed;
        let before = self.rel.fields.len();
        let own_keys = own.len();
        let rel = rel.aggregate(own.into_iter().chain(width..width + sides.len()).collect(), calls);
        let mut tests = Vec::with_capacity(rel.fields.len());
        for (index, value) in values.iter().enumerate() {
            let column = shift(rel.column(index), before);
            tests.push(bind::call("=", vec![value.clone(), column], self.binder.context)?);
        }
        let first_call = own_keys + sides.len();
        for (index, side) in sides.into_iter().enumerate() {
            let key = shift(rel.column(own_keys + index), before);
            tests.push(placed(side.equals(key), outers));
        }
        let columns = self.left_join(rel, conjunction(tests));
        Ok(columns.into_iter().skip(first_call).collect())
    }

    fn scalar(&mut self, subquery: Rel, outers: &[Expr]) -> Result<Expr> {
        // With keys the value is computed after the join, so that COUNT over no rows is 0 instead of NULL.
        let (value, input) = match subquery {
            Rel { node: RelNode::Project { input, mut exprs }, .. } if exprs.len() == 1 => {
                (exprs.remove(0), *input)
            }
            other => (other.column(0), other),
        };
        match input {
            Rel { node: RelNode::Aggregate { input, keys, calls }, .. } if keys.is_empty() => {
                let outer = self.outer(outers);
                let keyed = decorrelate(*input, outer)?.keyed(&[], outer)?;
                let zero = |call: &AggregateCall| {
                    matches!(call.function.as_str(), "COUNT" | "APPROX_COUNT_DISTINCT" | "SUM0")
                };
                if keyed.outers.is_empty() && !Placeholder::reads_outer(&value) {
                    // There is always a row in batch; in a stream there is none before the first row, and no
                    // value, as in Flink: 0 would be divided by.
                    let value =
                        keyed.rel.aggregate(Vec::new(), calls).project(vec![(value, "EXPR$0".to_owned())]);
                    return Ok(self.left_join(value, None).remove(0));
                }
                let zeros: Vec<bool> = calls.iter().map(zero).collect();
                let columns = self.aggregates(keyed, Vec::new(), &[], calls, outers)?;
                let columns: Vec<Expr> = columns
                    .into_iter()
                    .zip(zeros)
                    .map(|(column, zero)| if zero { or_zero(column) } else { column })
                    .collect();
                Ok(placed(placeholder::substitute(value, &columns), outers))
            }
            input => {
                let outer = self.outer(outers);
                let Decorrelated { rel, outputs, conditions } = decorrelate(input, outer)?;
                let value = placeholder::substitute(value, &outputs);
                let ty = value.ty().clone();
                let keyed = Decorrelated { rel, outputs: vec![value], conditions }
                    .keyed(&["EXPR$0".to_owned()], outer)?;
                let single = call("SINGLE_VALUE", Some((0, &ty)), ty.clone().with_nullable(true));
                let mut columns = self.aggregates(keyed, Vec::new(), &[], vec![single], outers)?;
                Ok(columns.remove(0))
            }
        }
    }

    fn exists(&mut self, subquery: Rel, outers: &[Expr]) -> Result<Expr> {
        let outer = self.outer(outers);
        let Decorrelated { rel, conditions, .. } = decorrelate(subquery, outer)?;
        let keyed = Decorrelated { rel, outputs: Vec::new(), conditions }.keyed(&[], outer)?;
        let keyed = with_a_column(keyed);
        let mut columns = self.aggregates(keyed, Vec::new(), &[], vec![count(None)], outers)?;
        Ok(positive(columns.remove(0)))
    }

    /// `IN` as Flink defines it: TRUE if a row is equal; otherwise UNKNOWN if there are rows and a NULL on
    /// either side; otherwise FALSE.
    fn is_in(&mut self, subquery: Rel, outers: &[Expr], values: &[Expr]) -> Result<Expr> {
        let outer = self.outer(outers);
        let Decorrelated { rel, outputs, conditions } = decorrelate(subquery, outer)?;
        let width = outputs.len();
        let nullable = outputs.iter().chain(values).any(|expr| expr.ty().nullable);
        let counts = if nullable {
            self.binder.expand(&rel)?;
            let none_missing =
                conjunction(outputs.iter().map(|output| {
                    Expr::call("IS NOT NULL", vec![output.clone()], TypeKind::Boolean.not_null())
                }));
            let complete = none_missing.map(|complete| Expr::Case {
                branches: vec![(
                    complete,
                    Expr::literal(Literal::Boolean(true), TypeKind::Boolean.nullable()),
                )],
                otherwise: Box::new(Expr::literal(Literal::Null, TypeKind::Boolean.nullable())),
                ty: TypeKind::Boolean.nullable(),
            });
            let outputs = complete.into_iter().collect();
            let keyed = Decorrelated { rel: rel.clone(), outputs, conditions: conditions.clone() }
                .keyed(&[], outer)?;
            let calls = vec![count(None), count(Some((0, &TypeKind::Boolean.nullable())))];
            let counts = self.aggregates(keyed, Vec::new(), &[], calls, outers)?;
            Some((or_zero(counts[0].clone()), or_zero(counts[1].clone())))
        } else {
            None
        };
        let outer = self.outer(outers);
        let keyed = Decorrelated { rel, outputs, conditions }.keyed(&[], outer)?;
        let mut found = self.aggregates(keyed, (0..width).collect(), values, vec![count(None)], outers)?;
        let found = positive(found.remove(0));
        let Some((rows, complete)) = counts else { return Ok(found) };
        let boolean = |value| Expr::literal(Literal::Boolean(value), TypeKind::Boolean.nullable());
        let unknown = Expr::literal(Literal::Null, TypeKind::Boolean.nullable());
        let context = self.binder.context;
        let zero = Expr::literal(Literal::Integer(0), TypeKind::BigInt.not_null());
        let mut branches = vec![
            (bind::call("=", vec![rows.clone(), zero], context)?, boolean(false)),
            (found, boolean(true)),
        ];
        for value in values.iter().filter(|value| value.ty().nullable) {
            let missing = Expr::call("IS NULL", vec![value.clone()], TypeKind::Boolean.not_null());
            branches.push((missing, unknown.clone()));
        }
        branches.push((bind::call("<", vec![complete, rows], context)?, unknown));
        Ok(Expr::Case { branches, otherwise: Box::new(boolean(false)), ty: TypeKind::Boolean.nullable() })
    }

    /// `x < SOME (SELECT y ...)`: compares with the greatest or smallest y; UNKNOWN if that fails and there
    /// is a NULL.
    fn some(&mut self, op: &'static str, subquery: Rel, outers: &[Expr], value: &Expr) -> Result<Expr> {
        let outer = self.outer(outers);
        let keyed = decorrelate(subquery, outer)?.keyed(&[], outer)?;
        let ty = keyed.rel.fields[0].ty.clone();
        let extreme = |function| {
            let result = aggregate::infer(function, std::slice::from_ref(&ty), false, false)?;
            Ok::<_, Error>(call(function, Some((0, &ty)), result.with_nullable(true)))
        };
        let calls = vec![extreme("MIN")?, extreme("MAX")?, count(None), count(Some((0, &ty)))];
        let columns = self.aggregates(keyed, Vec::new(), &[], calls, outers)?;
        let context = self.binder.context;
        let compare = |other: &Expr| bind::call(op, vec![value.clone(), other.clone()], context);
        let holds = match op {
            "<" | "<=" => compare(&columns[1])?,
            ">" | ">=" => compare(&columns[0])?,
            _ => bind::call("OR", vec![compare(&columns[0])?, compare(&columns[1])?], context)?,
        };
        let (rows, present) = (or_zero(columns[2].clone()), or_zero(columns[3].clone()));
        let boolean = |value| Expr::literal(Literal::Boolean(value), TypeKind::Boolean.nullable());
        let zero = Expr::literal(Literal::Integer(0), TypeKind::BigInt.not_null());
        let branches = vec![
            (bind::call("=", vec![rows.clone(), zero], context)?, boolean(false)),
            (Expr::call("IS TRUE", vec![holds.clone()], TypeKind::Boolean.not_null()), boolean(true)),
            (
                bind::call("<", vec![present, rows], context)?,
                Expr::literal(Literal::Null, TypeKind::Boolean.nullable()),
            ),
        ];
        let holds =
            if holds.ty().nullable { holds } else { bind::cast(holds, TypeKind::Boolean.nullable(), false)? };
        Ok(Expr::Case { branches, otherwise: Box::new(holds), ty: TypeKind::Boolean.nullable() })
    }
}

/// Converts a value to the type that its placeholder was given, which may be nullable even if the value is
/// not.
fn declared(mut value: Expr, ty: &LogicalType) -> Result<Expr> {
    if value.ty().kind != ty.kind {
        return bind::cast(value, ty.clone(), false);
    }
    match &mut value {
        Expr::Call { ty: own, .. }
        | Expr::Case { ty: own, .. }
        | Expr::Column { ty: own, .. }
        | Expr::Cast { ty: own, .. }
        | Expr::Literal { ty: own, .. } => own.nullable |= ty.nullable,
    }
    Ok(value)
}

/// A relation with at least one column.
fn with_a_column(keyed: Keyed) -> Keyed {
    if !keyed.rel.fields.is_empty() {
        return keyed;
    }
    let Keyed { rel, outers, .. } = keyed;
    let one = Expr::literal(Literal::Integer(1), TypeKind::Int.not_null());
    Keyed { rel: rel.project(vec![(one, "$f0".to_owned())]), width: 1, outers }
}

fn call(function: &str, arg: Option<(usize, &LogicalType)>, ty: LogicalType) -> AggregateCall {
    AggregateCall {
        function: function.to_owned(),
        args: arg.iter().map(|(column, _)| *column).collect(),
        arg_types: arg.iter().map(|(_, ty)| (*ty).clone()).collect(),
        distinct: false,
        filter: None,
        ty,
        name: "EXPR$0".to_owned(),
    }
}

fn count(arg: Option<(usize, &LogicalType)>) -> AggregateCall {
    call("COUNT", arg, TypeKind::BigInt.not_null())
}

/// A count that is NULL if a LEFT JOIN found no group.
fn or_zero(count: Expr) -> Expr {
    let ty = count.ty().clone().with_nullable(false);
    let zero = Expr::literal(Literal::Integer(0), ty.clone());
    Expr::call("COALESCE", vec![count, zero], ty)
}

fn positive(count: Expr) -> Expr {
    let zero = Expr::literal(Literal::Integer(0), TypeKind::BigInt.not_null());
    Expr::call(">", vec![or_zero(count), zero], TypeKind::Boolean.not_null())
}
