//! A query: WITH, its body, ORDER BY, LIMIT.

use flott_plan::{Expr, SortKey};
use flott_sql_parser::ast::{Expr as Ast, ExprKind, Ident, Literal, OrderItem, Query, QueryBody};
use flott_types::Result;

use super::expr::ExprBinder;
use super::{Binder, QUERY_LEVELS, Scope, at, unsupported, wrong};
use crate::logical::{Rel, RelNode, TimeAttribute};
use crate::plan::limits::check;

/// The relation of a SELECT, with hidden columns that only ORDER BY needs after the selected ones.
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
        self.enter(QUERY_LEVELS, query)?;
        let bound = self.query_in_scope(query, outer);
        self.leave(QUERY_LEVELS);
        self.ctes.borrow_mut().truncate(before);
        let rel = bound?;
        at(check(&rel), query)?;
        Ok(rel)
    }

    fn query_in_scope(&self, query: &Query, outer: Option<&Scope<'_>>) -> Result<Rel> {
        if let Some(with) = &query.with {
            if with.recursive {
                return Err(unsupported("WITH RECURSIVE", query));
            }
            for cte in &with.tables {
                let rel = rename(self.query(&cte.query, outer)?, &cte.columns)?;
                self.ctes.borrow_mut().push((cte.name.value.clone(), rel));
            }
        }
        let (offset, limit) = (query.offset.unwrap_or(0), query.limit);
        let Ordered { rel, visible, order } = match &query.body {
            QueryBody::Select(select) => self.select(select, &query.order_by, outer)?,
            body => {
                let rel = self.body(body, outer)?;
                let order = self.order_by_columns(&rel, &query.order_by)?;
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
    pub(crate) fn body(&self, body: &QueryBody, outer: Option<&Scope<'_>>) -> Result<Rel> {
        match body {
            QueryBody::Select(select) => Ok(self.select(select, &[], outer)?.rel),
            QueryBody::Query(query) => self.query(query, outer),
            QueryBody::Set(set) => self.set_operations(set, outer),
            QueryBody::Values(values) => self.values(values, outer),
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
    fn order_by_columns(&self, rel: &Rel, order: &[OrderItem]) -> Result<Vec<SortKey>> {
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
            keys.push(sort_key(column, item));
        }
        Ok(keys)
    }
}

/// The position that an ordinal such as `ORDER BY 2` refers to.
pub(crate) fn ordinal(ast: &Ast, columns: usize) -> Result<Option<usize>> {
    let ExprKind::Literal(Literal::Number(digits)) = &ast.kind else { return Ok(None) };
    match digits.parse::<usize>() {
        Ok(position) if (1..=columns).contains(&position) => Ok(Some(position - 1)),
        _ => Err(wrong(format!("ORDER BY {digits}: there are {columns} columns"), ast)),
    }
}

/// ASC, DESC, NULLS FIRST, NULLS LAST. NULL counts as the smallest value, as in Flink.
pub(crate) fn sort_key(column: usize, item: &OrderItem) -> SortKey {
    let descending = item.descending == Some(true);
    let nulls_first = item.nulls_first.unwrap_or(!descending);
    SortKey { column, descending, nulls_first }
}

/// The same relation under other column names: `AS t (a, b)`.
pub(crate) fn rename(mut rel: Rel, names: &[Ident]) -> Result<Rel> {
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
