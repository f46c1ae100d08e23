//! Joins of two streams, both kept in state, and of a stream with the versions of a table.

use flott_plan::{Exchange, Expr, JoinKind, JoinRows, OperatorSpec, Schema, TemporalJoinSpec};
use flott_types::Result;

use super::aggregate::identity;
use super::{Planner, Stream, describe, schema_of};
use crate::bind::placeholder::{conjunction, conjuncts};
use crate::join_bound;
use crate::logical::{Rel, state_ttl};

/// `left = right` over one side each.
struct EquiKey {
    left: Expr,
    right: Expr,
    null_safe: bool,
}

/// The inputs of a join with their keys as columns.
struct Sides {
    left: Stream,
    right: Stream,
    left_keys: Vec<usize>,
    right_keys: Vec<usize>,
    null_safe: Vec<bool>,
    /// What the condition asks beside the keys.
    rest: Option<Expr>,
    /// How many columns the left had without computed keys.
    left_width: usize,
    /// How many computed keys stand behind the left's columns.
    moved: usize,
    /// How many computed keys there are on both sides.
    extra: usize,
}

impl Sides {
    fn keys(&self) -> describe::JoinKeys<'_> {
        describe::JoinKeys { left: &self.left_keys, right: &self.right_keys, null_safe: &self.null_safe }
    }

    /// The columns of both sides.
    fn both(&self) -> Schema {
        Schema {
            columns: self.left.schema.columns.iter().chain(&self.right.schema.columns).cloned().collect(),
        }
    }
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
        let bound = if self.options.streaming { join_bound::of(left, right, kind, condition) } else { None };
        let sides = self.sides(left, right, condition)?;
        if let Some(bound) = &bound {
            let node = if bound.windows { "WindowJoin" } else { "IntervalJoin" };
            self.insert_only(&sides.left, node)?;
            self.insert_only(&sides.right, node)?;
        }
        let wide = match kind {
            JoinKind::Semi | JoinKind::Anti => sides.left.schema.clone(),
            JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full => sides.both(),
        };
        let name =
            describe::join(kind, &sides.keys(), sides.rest.as_ref(), &sides.left.schema, &sides.right.schema);
        let (name, ttl) = match &bound {
            Some(bound) if bound.windows => (format!("Window{name}"), [0; 2]),
            Some(_) => (format!("Interval{name}"), [0; 2]),
            None => hinted(name, [state_ttl(&left.fields), state_ttl(&right.fields)], self.options.state_ttl),
        };
        let [ttl, right_ttl] = ttl;
        let bounded = bound.is_some();
        let only_counted = matches!(kind, JoinKind::Semi | JoinKind::Anti);
        let spec = OperatorSpec::Join {
            kind,
            left_keys: sides.left_keys.clone(),
            right_keys: sides.right_keys.clone(),
            null_safe: sides.null_safe.clone(),
            condition: sides.rest.clone(),
            ttl,
            right_ttl: (right_ttl != ttl).then_some(right_ttl),
            bound,
            rows: [
                self.join_rows(&sides.left, &sides.left_keys, bounded, false),
                self.join_rows(&sides.right, &sides.right_keys, bounded, only_counted),
            ],
            emit_update_before: true,
            first_by: Vec::new(),
        };
        Ok(self.joined(sides, name, spec, wide, rel))
    }

    /// What is known of the rows of an input that is joined by these of its columns.
    ///
    /// Appended rows are kept one by one. So they must not repeat, or not stay for long; otherwise a stream of equal
    /// rows would need memory for each of them, and each would be probed, where counted they are one. A batch query
    /// keeps what it has read anyway, unless nothing of a row matters beside its key.
    fn join_rows(&self, stream: &Stream, on: &[usize], bounded: bool, only_counted: bool) -> JoinRows {
        let narrow = || only_counted || (0..stream.schema.len()).all(|column| on.contains(&column));
        let keys = &stream.relation.keys;
        let appended = || bounded || !keys.is_empty() || !(self.options.streaming || narrow());
        match keys.for_join(on) {
            _ if !stream.updates() && appended() => JoinRows::Appended,
            _ if !stream.updates() => JoinRows::Repeated,
            Some(key) if self.options.streaming => JoinRows::Unique(key.iter().copied().collect()),
            _ => JoinRows::Any,
        }
    }

    pub(super) fn temporal_join(
        &mut self,
        left: &Rel,
        right: &Rel,
        kind: JoinKind,
        (left_time, right_time): (usize, usize),
        condition: Option<&Expr>,
        rel: &Rel,
    ) -> Result<Stream> {
        let sides = self.sides(left, &self.versions(right)?, condition)?;
        self.insert_only(&sides.left, "TemporalJoin")?;
        let (schema, keys) = (&sides.left.schema, sides.keys());
        let name = describe::join(kind, &keys, sides.rest.as_ref(), schema, &sides.right.schema);
        let spec = OperatorSpec::TemporalJoin(TemporalJoinSpec {
            kind,
            left_keys: sides.left_keys.clone(),
            right_keys: sides.right_keys.clone(),
            null_safe: sides.null_safe.clone(),
            left_time,
            right_time,
            condition: sides.rest.clone(),
        });
        let wide = sides.both();
        Ok(self.joined(sides, format!("Temporal{name}"), spec, wide, rel))
    }

    /// Plans the inputs of a join, and finds the keys in its condition.
    fn sides(&mut self, left: &Rel, right: &Rel, condition: Option<&Expr>) -> Result<Sides> {
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
        Ok(Sides {
            left_keys,
            right_keys,
            null_safe: keys.iter().map(|key| key.null_safe).collect(),
            rest,
            left_width,
            moved,
            extra: moved + right_stream.schema.len() - right_width,
            left: left_stream,
            right: right_stream,
        })
    }

    /// Adds a join, and takes computed keys away again. `wide` are its columns with them.
    fn joined(&mut self, sides: Sides, name: String, spec: OperatorSpec, wide: Schema, rel: &Rel) -> Stream {
        let Sides { left, right, left_keys, right_keys, left_width, moved, extra, .. } = sides;
        let schema = if extra == 0 { schema_of(rel) } else { wide };
        let (parallelism, left_exchange) = self.distribution(&left_keys);
        let right_exchange =
            if right_keys.is_empty() { Exchange::Global } else { Exchange::Hash(right_keys) };
        let inputs = [(left, left_exchange), (right, right_exchange)];
        let joined = self.add(name, spec, schema, parallelism, &inputs);
        if extra == 0 {
            return joined;
        }
        let target = schema_of(rel);
        let exprs = target.columns.iter().enumerate().map(|(index, column)| {
            let place = if index < left_width { index } else { index + moved };
            Expr::column(place, column.ty.clone())
        });
        self.project_stream(joined, exprs.collect(), None, target)
    }

    /// The stream with these expressions as columns, and where they are.
    pub(super) fn with_keys(&mut self, stream: Stream, keys: Vec<Expr>) -> (Stream, Vec<usize>) {
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

/// What a join is called, and how long it keeps the rows of its sides, where hints may say so.
fn hinted(name: String, hints: [Option<i64>; 2], default: i64) -> (String, [i64; 2]) {
    let sides = ["LEFT", "RIGHT"].iter().zip(hints);
    let said: Vec<String> = sides.filter_map(|(side, ttl)| Some(format!("{side}={}ms", ttl?))).collect();
    let name = match (said.as_slice(), name.strip_suffix(')')) {
        ([_, ..], Some(name)) => format!("{name}, stateTtlHints=[{}])", said.join(", ")),
        _ => name,
    };
    (name, hints.map(|ttl| ttl.unwrap_or(default)))
}
