//! Joins of two streams, both kept in state.

use flott_plan::{Exchange, Expr, JoinKind, OperatorSpec, Schema};
use flott_types::Result;

use super::aggregate::identity;
use super::{Planner, Stream, describe, schema_of};
use crate::bind::placeholder::{conjunction, conjuncts};
use crate::logical::Rel;

/// `left = right` over one side each.
struct EquiKey {
    left: Expr,
    right: Expr,
    null_safe: bool,
}

impl Planner<'_> {
    pub(super) fn join(
        &mut self,
        left: &Rel,
        right: &Rel,
        kind: JoinKind,
        condition: Option<&Expr>,
        rel: &Rel,
    ) -> Result<Stream> {
        let width = left.fields.len();
        let mut keys = Vec::new();
        let mut rest = Vec::new();
        for operand in condition.cloned().into_iter().flat_map(conjuncts) {
            match equi_key(&operand, width) {
                Some(key) => keys.push(key),
                None => rest.push(operand),
            }
        }
        let left_stream = self.stream(left)?;
        let right_stream = self.stream(right)?;
        let left_width = left_stream.schema.len();
        let right_width = right_stream.schema.len();
        let (left_stream, left_keys) =
            self.with_keys(left_stream, keys.iter().map(|key| key.left.clone()).collect());
        let (right_stream, right_keys) =
            self.with_keys(right_stream, keys.iter().map(|key| key.right.clone()).collect());
        // Key columns that had to be computed stand behind; the right side's columns move.
        let moved = left_stream.schema.len() - left_width;
        let rest = conjunction(rest).map(|condition| {
            condition.transform(&mut |node| match node {
                Expr::Column { index, ty } if index >= width => Expr::Column { index: index + moved, ty },
                other => other,
            })
        });
        let extra = moved + right_stream.schema.len() - right_width;
        let mut columns = left_stream.schema.columns.clone();
        if !matches!(kind, JoinKind::Semi | JoinKind::Anti) {
            columns.extend(right_stream.schema.columns.clone());
        }
        let wide = Schema { columns };
        let schema = if extra == 0 { schema_of(rel) } else { wide };
        let null_safe: Vec<bool> = keys.iter().map(|key| key.null_safe).collect();
        let pairs = describe::JoinKeys { left: &left_keys, right: &right_keys, null_safe: &null_safe };
        let name = describe::join(kind, &pairs, rest.as_ref(), &left_stream.schema, &right_stream.schema);
        // Only an inner or semi join of rows that are never taken back takes nothing back itself.
        let appends = matches!(kind, JoinKind::Inner | JoinKind::Semi);
        let updates = left_stream.updates || right_stream.updates || !appends;
        let spec = OperatorSpec::Join {
            kind,
            left_keys: left_keys.clone(),
            right_keys: right_keys.clone(),
            null_safe,
            condition: rest,
            ttl: self.options.state_ttl,
        };
        let (parallelism, left_exchange) = self.distribution(&left_keys);
        let right_exchange =
            if right_keys.is_empty() { Exchange::Global } else { Exchange::Hash(right_keys) };
        let inputs = [(left_stream, left_exchange), (right_stream, right_exchange)];
        let joined = self.add(name, spec, schema, parallelism, updates, &inputs);
        if extra == 0 {
            return Ok(joined);
        }
        let target = schema_of(rel);
        let exprs = target.columns.iter().enumerate().map(|(index, column)| {
            let place = if index < left_width { index } else { index + moved };
            Expr::column(place, column.ty.clone())
        });
        Ok(self.project_stream(joined, exprs.collect(), None, target))
    }

    /// The stream with these expressions as columns, and where they are.
    fn with_keys(&mut self, stream: Stream, keys: Vec<Expr>) -> (Stream, Vec<usize>) {
        let mut projection = identity(&stream.schema);
        let before = projection.len();
        let places = keys
            .into_iter()
            .map(|key| {
                let known = projection.iter().position(|expr| match (expr, &key) {
                    (Expr::Column { index: a, .. }, Expr::Column { index: b, .. }) => a == b,
                    (a, b) => a == b,
                });
                known.unwrap_or_else(|| {
                    projection.push(key);
                    projection.len() - 1
                })
            })
            .collect();
        if projection.len() == before {
            return (stream, places);
        }
        let mut schema = stream.schema.clone();
        for (index, expr) in projection.iter().enumerate().skip(before) {
            schema.columns.push(flott_plan::Column { name: format!("$key{index}"), ty: expr.ty().clone() });
        }
        (self.project_stream(stream, projection, None, schema), places)
    }
}

fn equi_key(condition: &Expr, width: usize) -> Option<EquiKey> {
    let Expr::Call { function, args, .. } = condition else { return None };
    let null_safe = match function.as_str() {
        "=" => false,
        "IS NOT DISTINCT FROM" => true,
        _ => return None,
    };
    let [a, b] = args.as_slice() else { return None };
    if a.ty().kind != b.ty().kind {
        return None;
    }
    let of_left =
        |expr: &Expr| columns(expr).is_some_and(|columns| columns.iter().all(|column| *column < width));
    let of_right =
        |expr: &Expr| columns(expr).is_some_and(|columns| columns.iter().all(|column| *column >= width));
    let (left, right) = if of_left(a) && of_right(b) {
        (a, b)
    } else if of_left(b) && of_right(a) {
        (b, a)
    } else {
        return None;
    };
    let right = right.clone().transform(&mut |node| match node {
        Expr::Column { index, ty } => Expr::Column { index: index - width, ty },
        other => other,
    });
    Some(EquiKey { left: left.clone(), right, null_safe })
}

/// The columns an expression reads; `None` when it reads none.
fn columns(expr: &Expr) -> Option<Vec<usize>> {
    let mut columns = Vec::new();
    expr.collect_columns(&mut columns);
    (!columns.is_empty()).then_some(columns)
}
