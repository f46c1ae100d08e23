//! A query: WITH, its body, ORDER BY, LIMIT.

use flott_plan::{Expr, SortKey};
use flott_types::Result;
use sqlparser::ast::{
    Expr as Ast, Fetch, LimitClause, Offset, OrderBy, OrderByExpr, OrderByKind, Query, SetExpr, Value,
};

use super::expr::ExprBinder;
use super::{Binder, Scope, unsupported, wrong};
use crate::logical::{Rel, RelNode, TimeAttribute};

/// A SELECT's relation with columns behind those selected that only ORDER BY needs.
pub(crate) struct Ordered {
    /// The relation: the selected columns, then hidden ones.
    pub rel: Rel,
    /// How many columns are selected.
    pub visible: usize,
    /// The order over the relation's columns.
    pub order: Vec<SortKey>,
}

impl Binder<'_> {
    /// Binds a query; `outer` is the scope around a subquery.
    pub(crate) fn query(&self, query: &Query, outer: Option<&Scope<'_>>) -> Result<Rel> {
        let before = self.ctes.borrow().len();
        let bound = self.query_in_scope(query, outer);
        self.ctes.borrow_mut().truncate(before);
        bound
    }

    fn query_in_scope(&self, query: &Query, outer: Option<&Scope<'_>>) -> Result<Rel> {
        if let Some(with) = &query.with {
            if with.recursive {
                return Err(unsupported("WITH RECURSIVE", query));
            }
            for cte in &with.cte_tables {
                let rel = self.query(&cte.query, outer)?;
                let names: Vec<_> = cte.alias.columns.iter().map(|column| column.name.clone()).collect();
                let rel = rename(rel, &names)?;
                self.ctes.borrow_mut().push((cte.alias.name.value.clone(), rel));
            }
        }
        let order = match &query.order_by {
            None => &[][..],
            Some(OrderBy { kind: OrderByKind::Expressions(exprs), interpolate: None }) => exprs.as_slice(),
            Some(_) => return Err(wrong("ORDER BY takes expressions", query)),
        };
        let (offset, limit) = self.limits(query)?;
        let Ordered { rel, visible, order } = match query.body.as_ref() {
            SetExpr::Select(select) => self.select(select, order, outer)?,
            body => {
                let rel = self.body(body, outer)?;
                let order = self.order_by_columns(&rel, order)?;
                Ordered { visible: rel.fields.len(), rel, order }
            }
        };
        let rel = match (order.is_empty(), offset, limit) {
            (true, 0, None) => return Ok(rel),
            (false, 0, None) => self.sort(rel, order, query)?,
            (_, offset, limit) => {
                let fields = rel.fields.clone();
                let to = limit.map(|limit| offset + limit);
                let input = Box::new(rel);
                let node =
                    RelNode::TopN { input, partition: Vec::new(), order, from: offset + 1, to, rank: false };
                Rel::new(node, fields)
            }
        };
        if visible == rel.fields.len() {
            return Ok(rel);
        }
        let selected =
            (0..visible).map(|index| (rel.column(index), rel.fields[index].name.clone())).collect();
        Ok(rel.project(selected))
    }

    /// The body of a query other than a SELECT with its ORDER BY.
    pub(crate) fn body(&self, body: &SetExpr, outer: Option<&Scope<'_>>) -> Result<Rel> {
        match body {
            SetExpr::Select(select) => Ok(self.select(select, &[], outer)?.rel),
            SetExpr::Query(query) => self.query(query, outer),
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                self.set_operation(left, *op, *set_quantifier, right, outer)
            }
            SetExpr::Values(values) => self.values(values, outer),
            SetExpr::Table(table) => {
                let parts = [&table.schema_name, &table.table_name]
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect::<Vec<_>>();
                Ok(self.named_relation(&parts, &[], body)?.1)
            }
            other => Err(unsupported("this statement as a query", other)),
        }
    }

    /// ORDER BY of a stream without LIMIT: by its time attribute, ascending.
    fn sort(&self, rel: Rel, order: Vec<SortKey>, query: &Query) -> Result<Rel> {
        let fields = rel.fields.clone();
        if !self.context.streaming {
            let node = RelNode::TopN {
                input: Box::new(rel),
                partition: Vec::new(),
                order,
                from: 1,
                to: None,
                rank: false,
            };
            return Ok(Rel::new(node, fields));
        }
        let first = &order[0];
        match fields[first.column].time {
            Some(TimeAttribute::Event) if !first.descending => {
                Ok(Rel::new(RelNode::TemporalSort { input: Box::new(rel), order }, fields))
            }
            Some(_) => Err(wrong("a stream can be sorted by ascending event time only", query)),
            None => Err(wrong(
                "Sort on a non-time-attribute field is not supported: a stream has no end; add LIMIT, or order by a time \
                 attribute",
                query,
            )),
        }
    }

    /// ORDER BY over output columns only: names and ordinals.
    fn order_by_columns(&self, rel: &Rel, order: &[OrderByExpr]) -> Result<Vec<SortKey>> {
        let scope = Scope::of(None, rel.fields.clone(), None);
        let mut keys = Vec::with_capacity(order.len());
        for item in order {
            let column = match ordinal(&item.expr, rel.fields.len())? {
                Some(column) => column,
                None => match ExprBinder::scalar(self, &scope).bind(&item.expr)? {
                    Expr::Column { index, .. } => index,
                    _ => {
                        return Err(unsupported(
                            "ORDER BY of an expression after a set operation",
                            &item.expr,
                        ));
                    }
                },
            };
            keys.push(sort_key(column, item)?);
        }
        Ok(keys)
    }

    fn limits(&self, query: &Query) -> Result<(u64, Option<u64>)> {
        let (offset, limit) = match &query.limit_clause {
            None => (None, None),
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
                (offset.as_ref().map(|Offset { value, .. }| value), limit.as_ref())
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => (Some(offset), Some(limit)),
            Some(_) => return Err(wrong("LIMIT ... BY is not SQL of Flink", query)),
        };
        let fetch = match &query.fetch {
            None => None,
            Some(Fetch { with_ties: false, percent: false, quantity }) => Some(quantity.as_ref()),
            Some(_) => return Err(unsupported("FETCH with PERCENT or WITH TIES", query)),
        };
        let limit = match fetch {
            Some(None) => Some(1),
            Some(Some(quantity)) => Some(row_count(quantity)?),
            None => limit.map(row_count).transpose()?,
        };
        Ok((offset.map(row_count).transpose()?.unwrap_or(0), limit))
    }
}

/// The number after LIMIT, OFFSET or FETCH.
fn row_count(ast: &Ast) -> Result<u64> {
    if let Ast::Value(value) = ast
        && let Value::Number(digits, _) = &value.value
        && let Ok(count) = digits.parse::<i64>()
    {
        return Ok(count as u64);
    }
    Err(wrong(format!("expected a number of rows, not '{ast}'"), ast))
}

/// The position that `ORDER BY 2` means.
pub(crate) fn ordinal(ast: &Ast, columns: usize) -> Result<Option<usize>> {
    let Ast::Value(value) = ast else { return Ok(None) };
    let Value::Number(digits, _) = &value.value else { return Ok(None) };
    match digits.parse::<usize>() {
        Ok(position) if (1..=columns).contains(&position) => Ok(Some(position - 1)),
        _ => Err(wrong(format!("ORDER BY {digits}: there are {columns} columns"), ast)),
    }
}

/// ASC, DESC, NULLS FIRST, NULLS LAST. NULL counts as the smallest value, as in Flink.
pub(crate) fn sort_key(column: usize, item: &OrderByExpr) -> Result<SortKey> {
    if item.with_fill.is_some() {
        return Err(wrong("WITH FILL is not SQL of Flink", &item.expr));
    }
    let descending = item.options.asc == Some(false);
    let nulls_first = item.options.nulls_first.unwrap_or(!descending);
    Ok(SortKey { column, descending, nulls_first })
}

/// The same relation under other column names: `AS t (a, b)`.
pub(crate) fn rename(mut rel: Rel, names: &[sqlparser::ast::Ident]) -> Result<Rel> {
    if names.is_empty() {
        return Ok(rel);
    }
    if names.len() != rel.fields.len() {
        return Err(wrong(format!("{} names for {} columns", names.len(), rel.fields.len()), &names[0]));
    }
    for (field, name) in rel.fields.iter_mut().zip(names) {
        field.name = name.value.clone();
    }
    Ok(rel)
}
