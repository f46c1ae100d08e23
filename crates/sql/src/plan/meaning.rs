//! The meaning of operators, independent of names and positions of columns: state is found again by it.
//!
//! The meaning of a relation has two parts. Its *rows*: which exist, regardless of what is projected. And its
//! *columns*: each is an expression over columns of tables. So a query that reads one more column, renames a
//! result or computes one more sum still has the same rows in most of its operators.
//!
//! | operator | its uid is made of |
//! |---|---|
//! | source, sink | the table |
//! | grouped and window aggregation | its input's rows, keys and window; where rows are taken back or values are DISTINCT, the aggregates too |
//! | anything else | its input's rows, and what it keeps of them: all columns, in order |
//!
//! Operators with the same uid are distinguished by their lineages when the plan is complete
//! (`Planner::finish`). Names of columns of the right side of a join end with as many quotes as there are
//! relations before them, so that a name does not depend on what else is read.
//!
//! Columns of state are named by the meaning of the columns (`flott_plan::Lineage::columns`), accumulators by
//! their calls. A new aggregate of rows that are never retracted starts empty next to those that continue;
//! with retractions that would be wrong, so then the whole state counts as different.

use flott_plan::{AggregateCall, AggregatePhase, Expr, OperatorSpec, Schema, SourceSpec};

use super::{Stream, describe};
use crate::bind::placeholder::conjuncts;

/// Names in state are at most about so long.
const LONG: usize = 80;

/// What a relation means.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Meaning {
    /// A name of which rows it has.
    pub rows: String,
    /// What each column is; no two are called the same.
    pub columns: Vec<String>,
    /// How many relations are joined in it.
    pub joined: usize,
}

/// An operator: the uid of its state and what comes out of it.
pub(super) struct Identity {
    pub uid: String,
    pub output: Meaning,
}

/// The columns of a stream under the names of their meanings.
pub(super) fn in_state(stream: &Stream) -> Schema {
    let names = stream.meaning.columns.iter().cloned();
    Schema::new(names.zip(stream.schema.columns.iter().map(|column| column.ty.clone())))
}

/// Calls the accumulators of an operator by what they compute of its input.
pub(super) fn name_calls(spec: &mut OperatorSpec, input: &Schema) {
    if let OperatorSpec::GroupAggregate { aggregates, .. }
    | OperatorSpec::WindowAggregate { aggregates, .. }
    | OperatorSpec::OverAggregate { aggregates, .. } = spec
    {
        for call in aggregates {
            call.name = short(describe::aggregate_call(call, input));
        }
    }
}

/// The identity of an operator of this kind.
pub(super) fn identify(kind: &str, spec: &OperatorSpec, inputs: &[&Stream], output: &Schema) -> Identity {
    let schemas: Vec<Schema> = inputs.iter().map(|input| in_state(input)).collect();
    let none = Schema::default();
    let input = schemas.first().unwrap_or(&none);
    let rows = inputs.first().map_or("", |input| input.meaning.rows.as_str());
    let columns = || inputs.first().map_or_else(Vec::new, |input| input.meaning.columns.clone());
    let all = || schemas.iter().map(all_names).collect::<Vec<_>>().join("\n");
    let (state, rows, columns) = match spec {
        OperatorSpec::Source(spec) => {
            let limit = spec.limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
            let rows = format!("{}{limit}", spec.table.name);
            return Identity {
                uid: format!("Source-{}", spec.table.name),
                output: Meaning { rows, columns: distinct(source_columns(spec)), joined: 1 },
            };
        }
        // A user names its state; it does not depend on the query around it.
        OperatorSpec::ProcessTable(spec) => {
            let inputs: Vec<&str> = inputs.iter().map(|input| input.meaning.rows.as_str()).collect();
            let rows = hash(&["ProcessTable", &spec.uid, &inputs.join("\n"), &all()]);
            let columns = distinct(rest(output, 0).collect());
            let uid = format!("ProcessTableFunction-{}", spec.uid);
            return Identity { uid, output: Meaning { rows, columns, joined: 1 } };
        }
        OperatorSpec::Sink(spec) => {
            return Identity { uid: format!("Sink-{}", spec.table.name), output: Meaning::default() };
        }
        OperatorSpec::Values { rows } => {
            let rows = hash(&[kind, &describe::values(rows, &none)]);
            let columns = (0..output.len()).map(|at| format!("value{at}")).collect();
            (rows.clone(), rows, columns)
        }
        OperatorSpec::Calc { condition, projection } => {
            let rows = match condition {
                Some(condition) => hash(&["Filter", rows, &sorted_conjuncts(condition, input)]),
                None => rows.to_owned(),
            };
            let columns = projection.iter().map(|expr| describe::expr(expr, input));
            let columns = distinct(columns.map(short).collect());
            (hash(&[&rows, &columns.join("\n")]), rows, columns)
        }
        OperatorSpec::WatermarkAssigner(spec) => {
            let column = describe::names(&[spec.time_column], input);
            (hash(&[rows, &column]), rows.to_owned(), columns())
        }
        // It hands on what is needed of the same rows.
        OperatorSpec::LocalTopN { partition, order, to, expires: _ } => {
            let partition = describe::names(partition, input);
            let order = describe::sort_keys(order, input);
            (hash(&["Local", rows, &partition, &order, &to.to_string()]), rows.to_owned(), columns())
        }
        OperatorSpec::GroupAggregate { keys, aggregates, phase, input_updates, .. } => {
            let keys_in_state = names(keys, input);
            let rows = hash(&["GroupAggregate", rows, &keys_in_state.join(", ")]);
            let (state, columns) = aggregated(&rows, keys_in_state, aggregates, *input_updates, input);
            (state, rows, local_or(columns, *phase, keys.len(), output))
        }
        OperatorSpec::WindowAggregate {
            window, keys, aggregates, phase, attached, input_updates, ..
        } => {
            let keys_in_state = names(keys, input);
            let attached = attached.map(|(start, end)| describe::names(&[start, end], input));
            let window = describe::window_tvf(window, &[], input);
            let rows = hash(&[
                "WindowAggregate",
                rows,
                &window,
                &keys_in_state.join(", "),
                &attached.unwrap_or_default(),
            ]);
            let (state, columns) = aggregated(&rows, keys_in_state, aggregates, *input_updates, input);
            let mut columns = local_or(columns, *phase, keys.len(), output);
            // The bounds of the window.
            columns.extend(output.columns.iter().skip(columns.len()).map(|column| column.name.clone()));
            (state, rows, distinct(columns))
        }
        OperatorSpec::TopN { partition, order, from, to, window_end, input_updates, .. } => {
            let end = window_end.map(|end| describe::names(&[end], input)).unwrap_or_default();
            let ranks = format!("TopN {from} {to:?} {input_updates}");
            let order = describe::sort_keys(order, input);
            let rows = hash(&[rows, &ranks, &describe::names(partition, input), &order, &end]);
            let columns = distinct(columns().into_iter().chain(rest(output, input.len())).collect());
            (hash(&[&rows, &all()]), rows, columns)
        }
        OperatorSpec::Join { kind, left_keys, right_keys, null_safe, condition, bound, .. }
            if schemas.len() == 2 =>
        {
            let keys = describe::JoinKeys { left: left_keys, right: right_keys, null_safe };
            let right = &schemas[1];
            let on = describe::join_condition(&keys, condition.as_ref(), input, right);
            let both = hash(&[&format!("{kind:?}"), rows, &inputs[1].meaning.rows, &on]);
            let columns = if output.len() == input.len() {
                columns()
            } else {
                let quotes = "'".repeat(inputs[0].meaning.joined.max(1));
                let of_right = inputs[1].meaning.columns.iter().map(|column| format!("{column}{quotes}"));
                distinct(columns().into_iter().chain(of_right).collect())
            };
            (hash(&[&both, &format!("{bound:?}"), &all()]), both, columns)
        }
        OperatorSpec::LookupJoin(spec) => {
            // Rows that were under way are those of the input, whatever is asked about them now.
            let said = serde_json::to_string(spec).unwrap_or_else(|_| format!("{spec:?}"));
            let state = hash(&["LookupJoin", rows, &spec.lookup.table.name]);
            let columns = columns().into_iter().chain(rest(output, input.len()));
            (state, hash(&["LookupJoin", rows, &said, &all()]), distinct(columns.collect()))
        }
        OperatorSpec::Expand { projections } => {
            let what = describe::expand(projections, input);
            let column = |at: usize| {
                let of =
                    projections.iter().map(|exprs| exprs.get(at).map(|expr| describe::expr(expr, input)));
                of.map(Option::unwrap_or_default).collect::<Vec<_>>().join(" | ")
            };
            let columns = distinct((0..output.len()).map(|at| short(column(at))).collect());
            let rows = hash(&[rows, &what]);
            (rows.clone(), rows, columns)
        }
        OperatorSpec::ChangelogNormalize { keys, .. } => {
            let keys = describe::names(keys, input);
            (hash(&[rows, &keys, &all()]), rows.to_owned(), columns())
        }
        OperatorSpec::OverAggregate {
            partition, time_column, preceding, rows: by_rows, aggregates, ..
        } => {
            let order = time_column.map(|time| describe::names(&[time], input)).unwrap_or_default();
            let frame = format!("{by_rows} {preceding:?} {order}");
            over(rows, &frame, partition, aggregates, input)
        }
        OperatorSpec::UpdatingOver { partition, order, rows: by_rows, aggregates, .. } => {
            let frame = format!("{by_rows} {}", describe::sort_keys(order, input));
            over(rows, &frame, partition, aggregates, input)
        }
        other => {
            // Everything that it says, and all that it gets.
            let all_rows: Vec<&str> = inputs.iter().map(|input| input.meaning.rows.as_str()).collect();
            let said = serde_json::to_string(other).unwrap_or_else(|_| format!("{other:?}"));
            let rows = hash(&[&all_rows.join("\n"), &said, &all()]);
            // Those that hand on their input's columns first.
            let width = match other {
                OperatorSpec::Union
                | OperatorSpec::Unnest { .. }
                | OperatorSpec::WindowTableFunction { .. }
                | OperatorSpec::TemporalJoin(_)
                | OperatorSpec::TemporalSort { .. }
                | OperatorSpec::BatchRows
                | OperatorSpec::BatchOver { .. } => input.len(),
                _ => 0,
            };
            let columns = distinct(columns().into_iter().take(width).chain(rest(output, width)).collect());
            (rows.clone(), rows, columns)
        }
    };
    let joined = inputs.iter().map(|input| input.meaning.joined.max(1)).sum();
    Identity { uid: format!("{kind}-{state}"), output: Meaning { rows, columns, joined } }
}

/// OVER: the same rows with more columns.
fn over(
    rows: &str,
    frame: &str,
    partition: &[usize],
    calls: &[AggregateCall],
    input: &Schema,
) -> (String, String, Vec<String>) {
    let window = hash(&["Over", rows, &describe::names(partition, input), frame]);
    let calls: Vec<String> = calls.iter().map(|call| describe::aggregate_call(call, input)).collect();
    let state = hash(&[&window, &calls.join("\n"), &all_names(input)]);
    let mut columns: Vec<String> = input.columns.iter().map(|column| column.name.clone()).collect();
    columns.extend(calls.iter().map(|call| short(format!("{call} OVER {window}"))));
    (state, rows.to_owned(), distinct(columns))
}

/// The uid and the columns of an aggregation of these rows.
fn aggregated(
    rows: &str,
    keys: Vec<String>,
    calls: &[AggregateCall],
    updates: bool,
    input: &Schema,
) -> (String, Vec<String>) {
    let distinct_ones = calls.iter().any(|call| call.distinct);
    let calls: Vec<String> = calls.iter().map(|call| describe::aggregate_call(call, input)).collect();
    // The values of several DISTINCTs may be kept together.
    let strict = updates || distinct_ones;
    let state = if strict { hash(&[rows, &calls.join("\n")]) } else { rows.to_owned() };
    let mut columns = keys;
    columns.extend(calls.into_iter().map(short));
    (state, distinct(columns))
}

/// The first phase hands on accumulators behind the keys.
fn local_or(mut columns: Vec<String>, phase: AggregatePhase, keys: usize, output: &Schema) -> Vec<String> {
    if phase == AggregatePhase::Local {
        columns.truncate(keys);
        columns.extend(rest(output, keys));
    }
    distinct(columns)
}

/// The names of a table's columns and fields, those of metadata behind a `$`.
fn source_columns(spec: &SourceSpec) -> Vec<String> {
    let table = spec.table.name.rsplit('.').next().unwrap_or_default();
    let columns = spec.produced().columns.into_iter().map(|column| format!("{table}.{}", column.name));
    let metadata = spec.metadata.columns.iter().map(|column| format!("{table}.${}", column.name));
    columns.chain(metadata).collect()
}

/// The terms of a condition, in an order of their own.
fn sorted_conjuncts(condition: &Expr, input: &Schema) -> String {
    let mut terms: Vec<String> =
        conjuncts(condition.clone()).iter().map(|term| describe::expr(term, input)).collect();
    terms.sort();
    terms.join(" AND ")
}

fn names(columns: &[usize], input: &Schema) -> Vec<String> {
    columns.iter().map(|column| describe::names(&[*column], input)).collect()
}

fn all_names(schema: &Schema) -> String {
    schema.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The columns behind the first `width`.
fn rest(output: &Schema, width: usize) -> impl Iterator<Item = String> + '_ {
    output.columns.iter().skip(width).map(|column| column.name.clone())
}

/// Names made different from each other.
fn distinct(mut names: Vec<String>) -> Vec<String> {
    for at in 1..names.len() {
        while names[..at].contains(&names[at]) {
            names[at].push('\'');
        }
    }
    names
}

/// A name that is not too long to be one.
fn short(text: String) -> String {
    if text.len() <= LONG {
        return text;
    }
    let end = (0..=LONG / 2).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}~{}", &text[..end], hash(&[&text]))
}

pub(super) fn hash(parts: &[&str]) -> String {
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(parts.join("\n").as_bytes()))
}
