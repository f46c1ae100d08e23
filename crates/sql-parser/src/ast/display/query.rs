//! Queries.

use std::fmt::{Display, Formatter, Result};

use super::{As, clause, list, parenthesised};
use crate::ast::{
    Cte, ExprKind, GroupItem, Query, QueryBody, Select, SelectItem, SetOperation, Values, With,
};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.with.iter().try_for_each(|with| write!(f, "{with} "))?;
        self.body.fmt(f)?;
        clause(f, " ORDER BY ", &self.order_by)?;
        self.limit.iter().try_for_each(|limit| write!(f, " LIMIT {limit}"))?;
        self.offset.iter().try_for_each(|offset| write!(f, " OFFSET {offset}"))
    }
}

impl Display for With {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        clause(f, if self.recursive { "WITH RECURSIVE " } else { "WITH " }, &self.tables)
    }
}

impl Display for Cte {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.name.fmt(f)?;
        if !self.columns.is_empty() {
            f.write_str(" ")?;
            parenthesised(f, &self.columns)?;
        }
        write!(f, " AS ({})", self.query)
    }
}

impl Display for QueryBody {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            QueryBody::Select(select) => select.fmt(f),
            QueryBody::Values(values) => values.fmt(f),
            QueryBody::Query(query) => write!(f, "({query})"),
            QueryBody::Set(set) => {
                set.first.fmt(f)?;
                list(f, &set.rest, "")
            }
        }
    }
}

impl Display for SetOperation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, " {} {}{}", self.op.as_str(), if self.all { "ALL " } else { "" }, self.right)
    }
}

impl Display for Values {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("VALUES ")?;
        for (index, row) in self.rows.iter().enumerate() {
            f.write_str(if index > 0 { ", " } else { "" })?;
            parenthesised(f, row)?;
        }
        Ok(())
    }
}

impl Display for Select {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("SELECT ")?;
        super::relation::hints(f, &self.hints, "", " ")?;
        f.write_str(if self.distinct { "DISTINCT " } else { "" })?;
        list(f, &self.items, ", ")?;
        clause(f, " FROM ", &self.from)?;
        self.condition.iter().try_for_each(|condition| write!(f, " WHERE {condition}"))?;
        clause(f, if self.group_distinct { " GROUP BY DISTINCT " } else { " GROUP BY " }, &self.group_by)?;
        self.having.iter().try_for_each(|having| write!(f, " HAVING {having}"))?;
        clause(f, " WINDOW ", &self.windows)?;
        self.qualify.iter().try_for_each(|qualify| write!(f, " QUALIFY {qualify}"))
    }
}

impl Display for SelectItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            SelectItem::Expr { expr, alias } => write!(f, "{expr}{}", As(alias)),
            SelectItem::Wildcard(_) => f.write_str("*"),
            SelectItem::QualifiedWildcard(names) => {
                list(f, names, ".")?;
                f.write_str(".*")
            }
        }
    }
}

impl Display for GroupItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            GroupItem::Expr(expr) => match &expr.kind {
                ExprKind::Row(fields) if fields.is_empty() => f.write_str("()"),
                _ => expr.fmt(f),
            },
            GroupItem::Sets(_, sets) => grouped(f, "GROUPING SETS", sets),
            GroupItem::Rollup(_, sets) => grouped(f, "ROLLUP", sets),
            GroupItem::Cube(_, sets) => grouped(f, "CUBE", sets),
        }
    }
}

fn grouped(f: &mut Formatter<'_>, word: &str, sets: &[Vec<GroupItem>]) -> Result {
    write!(f, "{word} (")?;
    for (index, set) in sets.iter().enumerate() {
        f.write_str(if index > 0 { ", " } else { "" })?;
        match &set[..] {
            [item @ (GroupItem::Sets(..) | GroupItem::Rollup(..) | GroupItem::Cube(..))] => item.fmt(f)?,
            items => parenthesised(f, items)?,
        }
    }
    f.write_str(")")
}
