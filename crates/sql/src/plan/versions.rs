//! The versions of a table, as the right side of a temporal join reads them.
//!
//! Operators send the net change of a key once per batch, so intermediate updates within a batch are never
//! seen. A temporal join needs all of them. So a view of the last row of each key is read as the rows
//! themselves, each a version from its time, and a relation whose intermediate versions would be lost is
//! refused.

use flott_connector::Changelog;
use flott_plan::{Expr, Literal, SortKey};
use flott_types::{Error, Result, TypeKind};

use super::Planner;
use crate::bind::table::table_spec;
use crate::logical::{Rel, RelNode, TimeAttribute};

impl Planner<'_> {
    /// The relation whose rows are the versions of `rel`.
    pub(super) fn versions(&self, rel: &Rel) -> Result<Rel> {
        let fields = rel.fields.clone();
        let node = match &rel.node {
            RelNode::Scan(scan) => match self.changelog(&table_spec(&scan.path, &scan.table)?)? {
                Changelog::InsertOnly | Changelog::Retract => return Ok(rel.clone()),
                Changelog::Upsert => return Err(refused("a table that is read as an upsert stream")),
            },
            RelNode::Values(_) => return Ok(rel.clone()),
            RelNode::Project { input, exprs } => {
                RelNode::Project { input: Box::new(self.versions(input)?), exprs: exprs.clone() }
            }
            RelNode::Watermark { input, column, expr } => {
                let input = Box::new(self.versions(input)?);
                RelNode::Watermark { input, column: *column, expr: expr.clone() }
            }
            RelNode::Filter { input, condition } if self.only_inserts(input)? => {
                RelNode::Filter { input: Box::new(self.versions(input)?), condition: condition.clone() }
            }
            RelNode::Filter { .. } => return Err(refused("a filter above updates")),
            RelNode::TopN { input, order, from: 1, to: Some(1), rank, .. }
                if is_last_by_time(order, input) && self.only_inserts(input)? =>
            {
                let rows = self.versions(input)?;
                if !rank {
                    return Ok(Rel { fields, ..rows });
                }
                let mut exprs = rows.columns();
                exprs.push(Expr::literal(Literal::Integer(1), TypeKind::BigInt.not_null()));
                RelNode::Project { input: Box::new(rows), exprs }
            }
            RelNode::TopN { .. } => {
                return Err(refused("a Top-N other than the last row of each key by event time"));
            }
            RelNode::Aggregate { .. } | RelNode::WindowAggregate { .. } => {
                return Err(refused("an aggregation"));
            }
            RelNode::Join { .. } | RelNode::TemporalJoin { .. } | RelNode::LookupJoin { .. } => {
                return Err(refused("a join"));
            }
            RelNode::WindowTvf { .. }
            | RelNode::Union(_)
            | RelNode::Expand { .. }
            | RelNode::Unnest { .. }
            | RelNode::TemporalSort { .. }
            | RelNode::Match { .. }
            | RelNode::ProcessTable { .. }
            | RelNode::AsyncCall { .. }
            | RelNode::ToChangelog { .. }
            | RelNode::FromChangelog { .. }
            | RelNode::Over { .. } => return Err(refused("this query")),
        };
        Ok(Rel::new(node, fields))
    }

    /// Whether nothing is ever taken back.
    fn only_inserts(&self, rel: &Rel) -> Result<bool> {
        match &rel.node {
            RelNode::Scan(scan) => {
                Ok(self.changelog(&table_spec(&scan.path, &scan.table)?)? == Changelog::InsertOnly)
            }
            RelNode::Values(_) => Ok(true),
            RelNode::Project { input, .. }
            | RelNode::Filter { input, .. }
            | RelNode::Watermark { input, .. } => self.only_inserts(input),
            RelNode::WindowTvf { .. }
            | RelNode::Aggregate { .. }
            | RelNode::WindowAggregate { .. }
            | RelNode::Join { .. }
            | RelNode::TemporalJoin { .. }
            | RelNode::LookupJoin { .. }
            | RelNode::Union(_)
            | RelNode::Expand { .. }
            | RelNode::Unnest { .. }
            | RelNode::TopN { .. }
            | RelNode::TemporalSort { .. }
            | RelNode::Match { .. }
            | RelNode::ProcessTable { .. }
            | RelNode::AsyncCall { .. }
            | RelNode::ToChangelog { .. }
            | RelNode::FromChangelog { .. }
            | RelNode::Over { .. } => Ok(false),
        }
    }
}

fn refused(what: &str) -> Error {
    Error::unsupported(format!("a temporal join with {what} as its versioned table is not supported"))
}

/// Whether the first row by this order is the last by event time.
fn is_last_by_time(order: &[SortKey], input: &Rel) -> bool {
    matches!(order, [key] if key.descending && input.fields[key.column].time == Some(TimeAttribute::Event))
}
