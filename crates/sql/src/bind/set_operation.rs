//! UNION, INTERSECT, EXCEPT, and VALUES.

use flott_expr::bind;
use flott_plan::{AggregateCall, Expr, JoinKind, Literal};
use flott_sql_parser::ast::{QueryBody, SetOperation, SetOperations, SetOperator, Values};
use flott_types::{LogicalType, Result, TypeKind};

use super::expr::{ExprBinder, illegal_null, is_bare_null};
use super::select::distinct;
use super::{Binder, Scope, at, placeholder, unsupported, wrong};
use crate::logical::{Field, Rel, RelNode};

impl Binder<'_> {
    /// Set operations in a row, from left to right.
    pub(crate) fn set_operations(&self, set: &SetOperations, outer: Option<&Scope<'_>>) -> Result<Rel> {
        let mut rel = self.body(&set.first, outer)?;
        for operation in &set.rest {
            let right = self.body(&operation.right, outer)?;
            rel = self.set_operation(rel, operation, right)?;
        }
        Ok(rel)
    }

    fn set_operation(&self, left: Rel, operation: &SetOperation, right: Rel) -> Result<Rel> {
        let SetOperation { op, all, right: ast } = operation;
        if left.fields.len() != right.fields.len() {
            let message = format!(
                "Column count mismatch in {}: {} columns and {} columns",
                op.as_str(),
                left.fields.len(),
                right.fields.len()
            );
            return Err(wrong(message, ast));
        }
        let (left, right) = self.common_columns(left, right, (*op, *all), ast)?;
        match (op, all) {
            (SetOperator::Union, true) => Ok(union(left, right)),
            (SetOperator::Union, false) => Ok(distinct(union(left, right))),
            (SetOperator::Intersect, false) => Ok(matching(distinct(left), right, JoinKind::Semi)),
            (SetOperator::Except, false) => Ok(matching(distinct(left), right, JoinKind::Anti)),
            (SetOperator::Intersect | SetOperator::Except, true) => {
                at(self.counted(left, right, *op == SetOperator::Intersect), ast)
            }
        }
    }

    /// INTERSECT ALL and EXCEPT ALL: each row as often as both sides have it, or as often as the left side
    /// has it in excess of the right one. Both sides are counted together, and each row is repeated according
    /// to the counts.
    fn counted(&self, left: Rel, right: Rel, intersect: bool) -> Result<Rel> {
        let width = left.fields.len();
        let names: Vec<String> = left.fields.iter().map(|field| field.name.clone()).collect();
        let one = |value: i64| Expr::literal(Literal::Integer(value), TypeKind::BigInt.not_null());
        let marked = |rel: Rel, is_left: bool| {
            let mut columns: Vec<(Expr, String)> = rel.columns().into_iter().zip(names.clone()).collect();
            columns.push((one(i64::from(is_left)), "$left".to_owned()));
            columns.push((one(i64::from(!is_left)), "$right".to_owned()));
            rel.project(columns)
        };
        let sum = |column: usize| AggregateCall {
            function: "SUM0".to_owned(),
            args: vec![column],
            arg_types: vec![TypeKind::BigInt.not_null()],
            distinct: false,
            filter: None,
            ty: TypeKind::BigInt.not_null(),
            name: format!("$count{column}"),
        };
        let both = union(marked(left, true), marked(right, false));
        let grouped = both.aggregate((0..width).collect(), vec![sum(width), sum(width + 1)]);
        let (l, r) = (grouped.column(width), grouped.column(width + 1));
        let times = if intersect {
            let less = bind::call("<", vec![l.clone(), r.clone()], self.context)?;
            bind::case(None, vec![(less, l)], Some(r), self.context)?
        } else {
            bind::call("-", vec![l, r], self.context)?
        };
        let collection = bind::call("$TIMES", vec![times], self.context)?;
        let mut fields = grouped.fields.clone();
        fields.push(Field::new("$time", TypeKind::Boolean.not_null()));
        let node = RelNode::Unnest {
            input: Box::new(grouped),
            collection,
            ordinality: false,
            keep_empty: false,
            condition: None,
        };
        let repeated = Rel::new(node, fields);
        let columns = names.into_iter().enumerate().map(|(at, name)| (repeated.column(at), name)).collect();
        Ok(repeated.project(columns))
    }

    /// Casts both sides to types that hold the values of both.
    fn common_columns(
        &self,
        left: Rel,
        right: Rel,
        (op, all): (SetOperator, bool),
        ast: &QueryBody,
    ) -> Result<(Rel, Rel)> {
        let mut types = Vec::with_capacity(left.fields.len());
        for (index, (l, r)) in left.fields.iter().zip(&right.fields).enumerate() {
            let sides = [l.ty.clone(), r.ty.clone()];
            let null = sides.iter().all(|ty| ty.kind == TypeKind::Null);
            let common = if null { Some(l.ty.clone()) } else { bind::values_type(&sides) };
            let Some(common) = common else {
                let all = if all { " ALL" } else { "" };
                let message = format!(
                    "Type mismatch in column {} of {}{all}: {} and {} have no common type",
                    index + 1,
                    op.as_str(),
                    l.ty,
                    r.ty
                );
                return Err(wrong(message, ast));
            };
            types.push(common);
        }
        Ok((at(cast_columns(left, &types), ast)?, at(cast_columns(right, &types), ast)?))
    }

    /// VALUES as a relation.
    pub(crate) fn values(&self, values: &Values, outer: Option<&Scope<'_>>) -> Result<Rel> {
        let scope = Scope { parent: outer, ..Scope::default() };
        let binder = ExprBinder::scalar(self, &scope);
        let mut rows: Vec<Vec<Expr>> = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            let row = row.iter().map(|expr| {
                let bound = binder.bind(expr)?;
                if is_bare_null(&bound) {
                    return Err(illegal_null(expr));
                }
                if super::Placeholder::reads_outer(&bound) {
                    return Err(unsupported("VALUES that refers to the outer query", expr));
                }
                Ok(bound)
            });
            let row = row.collect::<Result<Vec<_>>>()?;
            if rows.first().is_some_and(|first| first.len() != row.len()) {
                return Err(super::expr_call::refuse("the rows of VALUES differ in their number of columns"));
            }
            rows.push(row);
        }
        let width = rows.first().map_or(0, Vec::len);
        let mut fields = Vec::with_capacity(width);
        for column in 0..width {
            let types: Vec<LogicalType> = rows.iter().map(|row| row[column].ty().clone()).collect();
            let ty = match bind::values_type(&types) {
                Some(ty) => ty,
                None => {
                    let message =
                        "Values passed to VALUES operator must have compatible types: CAST them to one type";
                    return Err(match values.rows.first().and_then(|row| row.get(column)) {
                        Some(first) => wrong(message, first),
                        None => super::expr_call::refuse(message),
                    });
                }
            };
            for row in &mut rows {
                let value = std::mem::replace(&mut row[column], Expr::column(0, TypeKind::Null.nullable()));
                let nullable = value.ty().nullable;
                row[column] = bind::cast(value, ty.clone().with_nullable(nullable), false)?;
            }
            fields.push(Field::new(format!("EXPR${column}"), ty));
        }
        Ok(Rel::new(RelNode::Values(rows), fields))
    }
}

/// Casts columns where their types differ.
pub(crate) fn cast_columns(rel: Rel, types: &[LogicalType]) -> Result<Rel> {
    if rel.fields.iter().zip(types).all(|(field, ty)| field.ty.kind == ty.kind) {
        return Ok(rel);
    }
    let mut exprs = Vec::with_capacity(types.len());
    for (index, ty) in types.iter().enumerate() {
        let field = &rel.fields[index];
        let expr = rel.column(index);
        let expr = if field.ty.kind == ty.kind {
            expr
        } else {
            bind::cast(expr, ty.clone().with_nullable(field.ty.nullable), false)?
        };
        exprs.push((expr, field.name.clone()));
    }
    Ok(rel.project(exprs))
}

fn union(left: Rel, right: Rel) -> Rel {
    let fields = left
        .fields
        .iter()
        .zip(&right.fields)
        .map(|(l, r)| {
            let ty = l.ty.clone().with_nullable(l.ty.nullable || r.ty.nullable);
            // A column is a time attribute only if it is one on both sides.
            let time = l.time.filter(|_| l.time == r.time);
            Field { time, shown: l.shown, ..Field::new(l.name.clone(), ty) }
        })
        .collect();
    let mut inputs = Vec::new();
    for rel in [left, right] {
        match rel {
            Rel { node: RelNode::Union(more), .. } => inputs.extend(more),
            other => inputs.push(other),
        }
    }
    Rel::new(RelNode::Union(inputs), fields)
}

/// Left rows that equal a right row in all columns (NULL equals NULL), or that equal none.
fn matching(left: Rel, right: Rel, kind: JoinKind) -> Rel {
    let width = left.fields.len();
    let same = (0..width).map(|index| {
        let (l, r) = (left.column(index), placeholder::shift(right.column(index), width));
        Expr::call("IS NOT DISTINCT FROM", vec![l, r], TypeKind::Boolean.not_null())
    });
    let condition = placeholder::conjunction(same);
    left.join(right, kind, condition)
}
