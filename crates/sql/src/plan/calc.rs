//! Projections and filters: chains of them become one operator.

use flott_expr::Functions;
use flott_plan::{Exchange, Expr, OperatorSpec, Schema};
use flott_types::{Error, Result};

use super::{Planner, Stream, describe, schema_of};
use crate::bind::placeholder::{conjunction, substitute};
use crate::logical::{Rel, RelNode};
use crate::optimize::{bounded_rank, is_deterministic};
use crate::plan::limits::MAX_MERGED_HEIGHT;

impl Planner<'_> {
    pub(super) fn calc(&mut self, rel: &Rel) -> Result<Stream> {
        let Chain { input, exprs, conditions } = collapse(rel, self.functions);
        let ranked = conditions.iter().find_map(|condition| bounded_rank(input, condition));
        if let Some(function) = ranked.filter(|_| self.options.streaming) {
            return Err(Error::unsupported(format!(
                "{function}() on streaming table is not supported currently: number the first rows with ROW_NUMBER()"
            )));
        }
        let stream = self.stream(input)?;
        let condition = conjunction(conditions);
        // A projection of all columns as they are does nothing but rename.
        let identity = exprs.len() == stream.schema.len()
            && exprs
                .iter()
                .enumerate()
                .all(|(i, expr)| matches!(expr, Expr::Column { index, .. } if *index == i));
        let schema = schema_of(rel);
        if identity && condition.is_none() && schema == stream.schema {
            return Ok(stream);
        }
        Ok(self.project_stream(stream, exprs, condition, schema))
    }

    pub(super) fn project_stream(
        &mut self,
        input: Stream,
        projection: Vec<Expr>,
        condition: Option<Expr>,
        schema: Schema,
    ) -> Stream {
        let name = describe::calc(&projection, condition.as_ref(), &input.schema, &schema);
        let parallelism = input.parallelism;
        let spec = OperatorSpec::Calc { condition, projection };
        self.add(name, spec, schema, parallelism, &[(input, Exchange::Forward)])
    }
}

struct Chain<'r> {
    input: &'r Rel,
    exprs: Vec<Expr>,
    conditions: Vec<Expr>,
}

/// Collapses projections and filters over one input, as long as no value would be computed twice.
fn collapse<'r>(rel: &'r Rel, functions: &Functions) -> Chain<'r> {
    match &rel.node {
        RelNode::Project { input, exprs } => {
            let Chain { input: below, exprs: inner, conditions } = collapse_below(input, functions);
            if can_inline(exprs, &inner, functions) {
                let exprs = exprs.iter().map(|expr| substitute(expr.clone(), &inner)).collect();
                return Chain { input: below, exprs, conditions };
            }
            Chain { input, exprs: exprs.clone(), conditions: Vec::new() }
        }
        RelNode::Filter { input, condition } => {
            let Chain { input: below, exprs: inner, mut conditions } = collapse_below(input, functions);
            // Only over plain columns: what the projection computes may fail for rows that an outer filter
            // drops.
            if can_inline(std::slice::from_ref(condition), &inner, functions) {
                conditions.push(substitute(condition.clone(), &inner));
                return Chain { input: below, exprs: inner, conditions };
            }
            Chain { input, exprs: input.columns(), conditions: vec![condition.clone()] }
        }
        _ => Chain { input: rel, exprs: rel.columns(), conditions: Vec::new() },
    }
}

fn collapse_below<'r>(rel: &'r Rel, functions: &Functions) -> Chain<'r> {
    match &rel.node {
        RelNode::Project { .. } | RelNode::Filter { .. } => collapse(rel, functions),
        _ => Chain { input: rel, exprs: rel.columns(), conditions: Vec::new() },
    }
}

/// Whether each computed column of `inner` is deterministic and read at most once, or cheap; and what comes
/// out is not too high.
fn can_inline(outer: &[Expr], inner: &[Expr], functions: &Functions) -> bool {
    let height = |exprs: &[Expr]| exprs.iter().map(Expr::height).max().unwrap_or(0);
    if height(outer) + height(inner) > MAX_MERGED_HEIGHT {
        return false;
    }
    let mut reads = Vec::new();
    for expr in outer {
        expr.collect_columns(&mut reads);
    }
    inner.iter().enumerate().all(|(index, expr)| {
        let simple = matches!(expr, Expr::Column { .. } | Expr::Literal { .. });
        simple
            || (reads.iter().filter(|read| **read == index).count() <= 1 && is_deterministic(expr, functions))
    })
}
