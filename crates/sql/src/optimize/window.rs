//! Window aggregation: GROUP BY over window_start and window_end.
//!
//! If there are only projections and filters between the aggregation and its window table function, and they
//! do not touch the window columns, both become one operator that aggregates by slices, and no row is copied
//! into its windows. Otherwise the rows keep their windows as columns, and the aggregation groups by those.

use flott_plan::{Expr, WindowKind, WindowSpec};
use flott_types::{Error, Result, TypeKind};

use crate::bind::placeholder::{conjunction, substitute};
use crate::logical::{Call, Field, Rel, RelNode, TimeAttribute, WindowBound};

pub(super) fn recognise(rel: Rel) -> Result<Rel> {
    let mut failed = None;
    let rel = rel.map_inputs(&mut |input| {
        recognise(input).unwrap_or_else(|error| {
            failed.get_or_insert(error);
            Rel::new(RelNode::Values(Vec::new()), Vec::new())
        })
    });
    if let Some(error) = failed {
        return Err(error);
    }
    match rel {
        Rel { node: RelNode::Aggregate { input, keys, calls }, fields } => {
            aggregate(*input, keys, calls, fields)
        }
        other => Ok(other),
    }
}

fn aggregate(input: Rel, keys: Vec<usize>, calls: Vec<Call>, fields: Vec<Field>) -> Result<Rel> {
    let key_of =
        |bound: WindowBound| keys.iter().copied().find(|key| input.fields[*key].window == Some(bound));
    let (Some(start), Some(end)) = (key_of(WindowBound::Start), key_of(WindowBound::End)) else {
        return Ok(Rel::new(RelNode::Aggregate { input: Box::new(input), keys, calls }, fields));
    };
    let is_bound = |key: &usize| input.fields[*key].window.is_some();
    let own_keys: Vec<usize> = keys.iter().copied().filter(|key| !is_bound(key)).collect();
    let bounds = [true, true, keys.iter().any(|key| input.fields[*key].window == Some(WindowBound::Time))];
    let time = time_field(&input);

    let merged = merge(&input, &own_keys, &calls);
    let (source, window, attached, agg_keys, agg_calls) = match merged {
        Some(Merged { source, window, keys, calls }) => (source, window, None, keys, calls),
        None => {
            let Some(mut window) = window_of(&input) else {
                return Err(Error::unsupported(
                    "an aggregation over window_start and window_end of a relation that no longer has its windows is not \
                     supported",
                ));
            };
            window.time_column = end;
            (input.clone(), window, Some((start, end)), own_keys, calls)
        }
    };
    // The operator's output: keys, calls, bounds; then the columns in the order of GROUP BY.
    let mut out: Vec<Field> =
        agg_keys.iter().map(|key| Field { time: None, ..source.fields[*key].clone() }).collect();
    out.extend(agg_calls.iter().map(|call| Field::new(call.name.clone(), call.ty.clone())));
    let first_bound = out.len();
    let plain = TypeKind::Timestamp(3).not_null();
    out.push(Field { window: Some(WindowBound::Start), ..Field::new("window_start", plain.clone()) });
    out.push(Field { window: Some(WindowBound::End), ..Field::new("window_end", plain) });
    let attribute = if window.event_time { TimeAttribute::Event } else { TimeAttribute::Processing };
    if bounds[2] {
        let time = Field { time: Some(attribute), window: Some(WindowBound::Time), ..time };
        out.push(time);
    }
    let node = RelNode::WindowAggregate {
        input: Box::new(source),
        window,
        attached,
        keys: agg_keys.clone(),
        calls: agg_calls,
        bounds,
    };
    let rel = Rel::new(node, out);
    let mut columns: Vec<(Expr, String)> = Vec::with_capacity(fields.len());
    let mut own = 0;
    for (position, key) in keys.iter().enumerate() {
        let place = match input.fields[*key].window {
            Some(WindowBound::Start) => first_bound,
            Some(WindowBound::End) => first_bound + 1,
            Some(WindowBound::Time) => first_bound + 2,
            None => {
                own += 1;
                own - 1
            }
        };
        columns.push((rel.column(place), fields[position].name.clone()));
    }
    for call in 0..fields.len() - keys.len() {
        columns.push((rel.column(agg_keys.len() + call), fields[keys.len() + call].name.clone()));
    }
    Ok(rel.project(columns))
}

/// The window_time column of a relation with windows, or the one that it would have.
fn time_field(input: &Rel) -> Field {
    input
        .fields
        .iter()
        .find(|field| field.window == Some(WindowBound::Time))
        .cloned()
        .unwrap_or_else(|| Field::new("window_time", TypeKind::Timestamp(3).not_null()))
}

struct Merged {
    source: Rel,
    window: WindowSpec,
    keys: Vec<usize>,
    calls: Vec<Call>,
}

/// Merges aggregation and window table function.
fn merge(input: &Rel, keys: &[usize], calls: &[Call]) -> Option<Merged> {
    let mut conditions = Vec::new();
    let (tvf, exprs) = through(input, &mut conditions)?;
    let RelNode::WindowTvf { input: source, window, partition } = &tvf.node else { return None };
    let width = source.fields.len();
    let reads_window = |expr: &Expr| {
        let mut columns = Vec::new();
        expr.collect_columns(&mut columns);
        columns.iter().any(|column| *column >= width)
    };
    if conditions.iter().any(reads_window) {
        return None;
    }
    let mut needed: Vec<Expr> = Vec::new();
    let mut place = |column: usize| -> Option<usize> {
        let expr = exprs[column].clone();
        if reads_window(&expr) {
            return None;
        }
        Some(needed.iter().position(|known| *known == expr).unwrap_or_else(|| {
            needed.push(expr);
            needed.len() - 1
        }))
    };
    let new_keys = keys.iter().map(|key| place(*key)).collect::<Option<Vec<_>>>()?;
    let mut new_calls = Vec::with_capacity(calls.len());
    for call in calls {
        let args = call.args.iter().map(|arg| place(*arg)).collect::<Option<Vec<_>>>()?;
        let filter = match call.filter {
            Some(filter) => Some(place(filter)?),
            None => None,
        };
        new_calls.push(Call { args, filter, ..call.clone() });
    }
    if let WindowKind::Session { .. } = window.kind {
        // Sessions are per partition; grouping by other columns needs the rows with their sessions.
        let key_columns: Vec<&Expr> = new_keys.iter().map(|key| &needed[*key]).collect();
        let same = partition.len() == key_columns.len()
            && partition.iter().all(|column| key_columns.contains(&&source.column(*column)));
        if !same {
            return None;
        }
    }
    let time = source.column(window.time_column);
    let time_column = needed.iter().position(|known| *known == time).unwrap_or_else(|| {
        needed.push(time);
        needed.len() - 1
    });
    let filtered = match conjunction(conditions) {
        Some(condition) => source.as_ref().clone().filter(condition),
        None => source.as_ref().clone(),
    };
    let names = needed.into_iter().enumerate().map(|(index, expr)| {
        let name = match &expr {
            Expr::Column { index, .. } => source.fields[*index].name.clone(),
            _ => format!("$f{index}"),
        };
        (expr, name)
    });
    let source = filtered.project(names.collect());
    let window = WindowSpec { time_column, ..window.clone() };
    Some(Merged { source, window, keys: new_keys, calls: new_calls })
}

/// Looks through projections and filters down to a window table function: returns its relation, and for each
/// column of `rel` the expression over the function's output.
fn through<'r>(rel: &'r Rel, conditions: &mut Vec<Expr>) -> Option<(&'r Rel, Vec<Expr>)> {
    match &rel.node {
        RelNode::WindowTvf { .. } => Some((rel, rel.columns())),
        RelNode::Project { input, exprs } => {
            let (tvf, below) = through(input, conditions)?;
            Some((tvf, exprs.iter().map(|expr| substitute(expr.clone(), &below)).collect()))
        }
        RelNode::Filter { input, condition } => {
            let (tvf, below) = through(input, conditions)?;
            conditions.push(substitute(condition.clone(), &below));
            Some((tvf, below))
        }
        _ => None,
    }
}

/// The window that the rows of a relation carry as columns.
pub(crate) fn window_of(rel: &Rel) -> Option<WindowSpec> {
    match &rel.node {
        RelNode::WindowTvf { window, .. } | RelNode::WindowAggregate { window, .. } => Some(window.clone()),
        // A join of two windows' rows; otherwise it would have no bound.
        RelNode::Join { left, right, kind, condition } => {
            crate::join_bound::of(left, right, *kind, condition.as_ref()).filter(|bound| bound.windows)?;
            window_of(left)
        }
        RelNode::Union(_) | RelNode::Scan(_) | RelNode::Values(_) => None,
        _ => rel.inputs().first().and_then(|input| window_of(input)),
    }
}
