//! Descriptions of operators, as Flink's EXPLAIN writes them. Lineages are derived from them too: they use
//! column names, not positions, and include everything that affects what an operator computes.

use flott_expr::Functions;
use flott_plan::{
    AggregateCall, ChangeCodes, Expr, JoinKind, Literal, OperatorSpec, Schema, SinkSpec, SortKey, SourceSpec,
    WatermarkSpec, WindowKind, WindowSpec,
};
use flott_sql_parser::ast::OnConflict;
use flott_types::TypeKind;

use crate::logical::{OverSpec, Rel};
use crate::optimize::is_deterministic;

/// An expression with column names.
pub(crate) fn expr(expr: &Expr, input: &Schema) -> String {
    let show = |inner: &Expr| self::expr(inner, input);
    match expr {
        Expr::Column { index, .. } => column(*index, input),
        Expr::Literal { value, ty } => literal(value, &ty.kind),
        Expr::Cast { input: inner, ty, is_try } => {
            let name = if *is_try { "TRY_CAST" } else { "CAST" };
            format!("{name}({} AS {})", show(inner), ty.kind)
        }
        Expr::Case { branches, otherwise, .. } => {
            let branches: Vec<String> = branches
                .iter()
                .map(|(when, then)| format!("WHEN {} THEN {}", show(when), show(then)))
                .collect();
            format!("CASE {} ELSE {} END", branches.join(" "), show(otherwise))
        }
        Expr::Call { function, args, .. } => {
            let args: Vec<String> = args.iter().map(show).collect();
            let infix = matches!(
                function.as_str(),
                "+" | "-"
                    | "*"
                    | "/"
                    | "%"
                    | "||"
                    | "="
                    | "<>"
                    | "<"
                    | "<="
                    | ">"
                    | ">="
                    | "AND"
                    | "OR"
                    | "IS DISTINCT FROM"
                    | "IS NOT DISTINCT FROM"
                    | "LIKE"
                    | "SIMILAR TO"
            );
            match (args.as_slice(), infix) {
                // From left to right, two at a time.
                ([first, rest @ ..], true)
                    if rest.len() == 1 || (rest.len() > 1 && matches!(function.as_str(), "AND" | "OR")) =>
                {
                    let rest: String = rest.iter().map(|right| format!(" {function} {right})")).collect();
                    format!("{}{first}{rest}", "(".repeat(args.len() - 1))
                }
                ([one], _) if function.starts_with("IS ") => format!("{one} {function}"),
                _ => format!("{function}({})", args.join(", ")),
            }
        }
    }
}

fn literal(value: &Literal, kind: &TypeKind) -> String {
    match value {
        Literal::Null => "null".to_owned(),
        Literal::Boolean(truth) => truth.to_string(),
        Literal::Integer(value) => match kind {
            TypeKind::Int => value.to_string(),
            other => format!("{value}:{other}"),
        },
        Literal::Decimal(value) => format!("{value}:{kind}"),
        Literal::Double(value) => format!("{value:?}"),
        Literal::Timestamp(nanos) => format!("{nanos}ns:{kind}"),
        Literal::String(text) => format!("'{}'", text.replace('\'', "''")),
        Literal::Binary(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("x'{digits}'")
        }
    }
}

/// A column's name; the second column of one name (behind a join) is `name$1`, so that every name means one column.
pub(super) fn column(index: usize, input: &Schema) -> String {
    let Some(column) = input.columns.get(index) else { return format!("${index}") };
    match input.columns[..index].iter().filter(|other| other.name == column.name).count() {
        0 => column.name.clone(),
        nth => format!("{}${nth}", column.name),
    }
}

pub(super) fn names(columns: &[usize], input: &Schema) -> String {
    columns.iter().map(|index| column(*index, input)).collect::<Vec<_>>().join(", ")
}

fn all_names(schema: &Schema) -> String {
    names(&(0..schema.len()).collect::<Vec<_>>(), schema)
}

pub(super) fn aggregate_call(call: &AggregateCall, input: &Schema) -> String {
    let args = if call.args.is_empty() && call.function == "COUNT" {
        "*".to_owned()
    } else {
        names(&call.args, input)
    };
    let distinct = if call.distinct { "DISTINCT " } else { "" };
    let filter = call.filter.map(|filter| format!(" FILTER {}", names(&[filter], input))).unwrap_or_default();
    format!("{}({distinct}{args}){filter}", call.function)
}

fn aggregate_calls(calls: &[AggregateCall], input: &Schema) -> String {
    calls
        .iter()
        .map(|call| format!("{} AS {}", aggregate_call(call, input), call.name))
        .collect::<Vec<_>>()
        .join(", ")
}

pub(super) fn sort_keys(order: &[SortKey], input: &Schema) -> String {
    order
        .iter()
        .map(|key| {
            let direction = if key.descending { "DESC" } else { "ASC" };
            let nulls = match (key.descending, key.nulls_first) {
                (false, false) => " NULLS LAST",
                (true, true) => " NULLS FIRST",
                _ => "",
            };
            format!("{} {direction}{nulls}", names(&[key.column], input))
        })
        .collect::<Vec<_>>()
        .join(", ")
}

pub(super) fn source(spec: &SourceSpec, schema: &Schema) -> String {
    let limit = spec.limit.map(|limit| format!(", limit=[{limit}]")).unwrap_or_default();
    format!(
        "TableSourceScan(table=[[{}]], fields=[{}]{limit})",
        spec.table.name.replace('.', ", "),
        all_names(schema)
    )
}

pub(super) fn values(rows: &[Vec<Expr>], schema: &Schema) -> String {
    let shown: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells: Vec<String> = row.iter().map(|cell| expr(cell, &Schema::default())).collect();
            format!("{{ {} }}", cells.join(", "))
        })
        .collect();
    format!("Values(tuples=[[{}]], values=[{}])", shown.join(", "), all_names(schema))
}

pub(super) fn calc(projection: &[Expr], condition: Option<&Expr>, input: &Schema, output: &Schema) -> String {
    let select: Vec<String> = projection
        .iter()
        .zip(&output.columns)
        .map(|(shown, column)| {
            let text = expr(shown, input);
            if text == column.name { text } else { format!("{text} AS {}", column.name) }
        })
        .collect();
    let filter =
        condition.map(|condition| format!(", where=[{}]", expr(condition, input))).unwrap_or_default();
    format!("Calc(select=[{}]{filter})", select.join(", "))
}

pub(super) fn watermark(spec: &WatermarkSpec, input: &Schema) -> String {
    let column = names(&[spec.time_column], input);
    format!("WatermarkAssigner(rowtime=[{column}], watermark=[{}])", expr(&spec.expression, input))
}

pub(super) fn normalize(keys: &[usize], input: &Schema) -> String {
    format!("ChangelogNormalize(key=[{}])", names(keys, input))
}

pub(super) fn group_aggregate(kind: &str, keys: &[usize], calls: &[AggregateCall], input: &Schema) -> String {
    let group = if keys.is_empty() { String::new() } else { format!("groupBy=[{}], ", names(keys, input)) };
    let separator = if keys.is_empty() || calls.is_empty() { "" } else { ", " };
    format!("{kind}({group}select=[{}{separator}{}])", names(keys, input), aggregate_calls(calls, input))
}

fn window(window: &WindowSpec, input: &Schema) -> String {
    let time = if window.event_time { names(&[window.time_column], input) } else { "proctime".to_owned() };
    let shift = |offset: i64| if offset == 0 { String::new() } else { format!(", offset=[{offset} ms]") };
    let zone = window.zone.as_ref().map(|zone| format!(", zone=[{zone}]")).unwrap_or_default();
    match window.kind {
        WindowKind::Tumble { size, offset } => {
            format!("TUMBLE(time_col=[{time}], size=[{size} ms]{}{zone})", shift(offset))
        }
        WindowKind::Hop { size, slide, offset } => {
            format!("HOP(time_col=[{time}], size=[{size} ms], slide=[{slide} ms]{}{zone})", shift(offset))
        }
        WindowKind::Cumulate { size, step, offset } => {
            format!(
                "CUMULATE(time_col=[{time}], max_size=[{size} ms], step=[{step} ms]{}{zone})",
                shift(offset)
            )
        }
        WindowKind::Session { gap } => format!("SESSION(time_col=[{time}], gap=[{gap} ms]{zone})"),
    }
}

pub(super) fn window_tvf(spec: &WindowSpec, partition: &[usize], input: &Schema) -> String {
    let by = if partition.is_empty() {
        String::new()
    } else {
        format!(", partition keys=[{}]", names(partition, input))
    };
    format!("WindowTableFunction(window=[{}]{by})", window(spec, input))
}

pub(super) fn window_aggregate(
    kind: &str,
    spec: &WindowSpec,
    keys: &[usize],
    calls: &[AggregateCall],
    input: &Schema,
) -> String {
    let group = if keys.is_empty() { String::new() } else { format!("groupBy=[{}], ", names(keys, input)) };
    let calls = aggregate_calls(calls, input);
    format!("{kind}({group}window=[{}], select=[{}, {calls}])", window(spec, input), names(keys, input))
}

pub(super) fn join(
    kind: JoinKind,
    keys: &JoinKeys<'_>,
    condition: Option<&Expr>,
    left: &Schema,
    right: &Schema,
) -> String {
    let kind = match kind {
        JoinKind::Inner => "InnerJoin",
        JoinKind::Left => "LeftOuterJoin",
        JoinKind::Right => "RightOuterJoin",
        JoinKind::Full => "FullOuterJoin",
        JoinKind::Semi => "LeftSemiJoin",
        JoinKind::Anti => "LeftAntiJoin",
    };
    let both = Schema { columns: left.columns.iter().chain(&right.columns).cloned().collect() };
    let on = join_condition(keys, condition, left, right);
    format!("Join(joinType=[{kind}], where=[{on}], select=[{}])", all_names(&both))
}

/// What the rows of two sides must fulfil.
pub(super) fn join_condition(
    keys: &JoinKeys<'_>,
    condition: Option<&Expr>,
    left: &Schema,
    right: &Schema,
) -> String {
    let both = Schema { columns: left.columns.iter().chain(&right.columns).cloned().collect() };
    let pairs = keys.left.iter().zip(keys.right).zip(keys.null_safe);
    let equal = pairs.map(|((l, r), null_safe)| {
        let operator = if *null_safe { "IS NOT DISTINCT FROM" } else { "=" };
        format!("({} {operator} {})", column(*l, &both), column(left.len() + r, &both))
    });
    let rest = condition.map(|condition| expr(condition, &both));
    let on: Vec<String> = equal.chain(rest).collect();
    if on.is_empty() { "true".to_owned() } else { on.join(" AND ") }
}

/// The equalities of a join.
pub(super) struct JoinKeys<'a> {
    pub left: &'a [usize],
    pub right: &'a [usize],
    pub null_safe: &'a [bool],
}

pub(super) fn union(schema: &Schema) -> String {
    format!("Union(all=[true], union=[{}])", all_names(schema))
}

pub(super) fn expand(projections: &[Vec<Expr>], input: &Schema) -> String {
    let shown: Vec<String> = projections
        .iter()
        .map(|projection| projection.iter().map(|p| expr(p, input)).collect::<Vec<_>>().join(", "))
        .map(|projection| format!("{{{projection}}}"))
        .collect();
    format!("Expand(projects=[{}])", shown.join(", "))
}

/// The condition of an UNNEST, over the columns behind the first `width`.
pub(super) fn of_elements(condition: Option<&Expr>, rel: &Rel, width: usize) -> Option<String> {
    let added = rel.fields[width..].iter().map(|field| (field.name.clone(), field.ty.clone()));
    condition.map(|condition| expr(condition, &Schema::new(added)))
}

pub(super) fn unnest(
    (collection, ordinality, keep_empty): (&Expr, bool, bool),
    condition: Option<String>,
    input: &Schema,
) -> String {
    let condition = condition.map(|condition| format!(", condition=[{condition}]")).unwrap_or_default();
    let join = if keep_empty { "LEFT" } else { "INNER" };
    let position = if ordinality { ", ordinality=[true]" } else { "" };
    format!(
        "Correlate(invocation=[UNNEST({})], joinType=[{join}]{position}{condition})",
        expr(collection, input)
    )
}

pub(super) fn to_changelog(codes: &ChangeCodes, column: &str) -> String {
    format!("ToChangelog(op=[{column}], mapping=[{}])", change_codes(codes))
}

pub(super) fn from_changelog(column: usize, codes: &ChangeCodes, input: &Schema) -> String {
    format!("FromChangelog(op=[{}], mapping=[{}])", names(&[column], input), change_codes(codes))
}

fn change_codes(codes: &ChangeCodes) -> String {
    let kinds = ["INSERT", "UPDATE_BEFORE", "UPDATE_AFTER", "DELETE"].iter().zip(&codes.0);
    let known = kinds.filter(|(_, codes)| !codes.is_empty());
    known.map(|(kind, codes)| format!("{kind}={}", codes.join("|"))).collect::<Vec<_>>().join(", ")
}

pub(super) fn top_n(
    partition: &[usize],
    order: &[SortKey],
    from: u64,
    to: Option<u64>,
    rank: bool,
    input: &Schema,
) -> String {
    let to_text = to.map_or_else(|| "unbounded".to_owned(), |to| to.to_string());
    if order.is_empty() && partition.is_empty() {
        return format!("Limit(offset=[{}], fetch=[{to_text}])", from - 1);
    }
    let rank = if rank { ", rank" } else { "" };
    format!(
        "Rank(rankType=[ROW_NUMBER], rankRange=[rankStart={from}, rankEnd={to_text}], partitionBy=[{}], orderBy=[{}], \
         select=[{}{rank}])",
        names(partition, input),
        sort_keys(order, input),
        all_names(input)
    )
}

pub(super) fn sort(order: &[SortKey], input: &Schema) -> String {
    format!("TemporalSort(orderBy=[{}])", sort_keys(order, input))
}

pub(super) fn over(spec: &OverSpec, calls: &[AggregateCall], input: &Schema) -> String {
    let unit = if spec.rows { "ROWS" } else { "RANGE" };
    let ms = if spec.rows { "" } else { " ms" };
    let bound = |distance: i64, ahead: &str, back: &str| match distance {
        0 => "CURRENT ROW".to_owned(),
        n if n > 0 => format!("{n}{ms} {ahead}"),
        n => format!("{}{ms} {back}", n.unsigned_abs()),
    };
    let start = spec
        .preceding
        .map_or("UNBOUNDED PRECEDING".to_owned(), |distance| bound(distance, "PRECEDING", "FOLLOWING"));
    let end = spec
        .following
        .map_or("UNBOUNDED FOLLOWING".to_owned(), |distance| bound(distance, "FOLLOWING", "PRECEDING"));
    format!(
        "OverAggregate(partitionBy=[{}], orderBy=[{}], window=[{unit} BETWEEN {start} AND {end}], select=[{}])",
        names(&spec.partition, input),
        sort_keys(&spec.order, input),
        aggregate_calls(calls, input)
    )
}

pub(super) fn batch_rows(schema: &Schema) -> String {
    format!("BatchRows(select=[{}])", all_names(schema))
}

pub(super) fn sink(
    spec: &SinkSpec,
    materialize: bool,
    conflict: Option<OnConflict>,
    schema: &Schema,
) -> String {
    let materialize = if materialize { ", upsertMaterialize=[true]" } else { "" };
    let conflict = conflict.map(|conflict| format!(", conflictStrategy=[{}]", strategy(conflict)));
    format!(
        "Sink(table=[{}], fields=[{}]{materialize}{})",
        spec.table.name,
        all_names(schema),
        conflict.unwrap_or_default()
    )
}

/// What ON CONFLICT says.
pub(super) fn strategy(conflict: OnConflict) -> &'static str {
    match conflict {
        OnConflict::Nothing => "NOTHING",
        OnConflict::Error => "ERROR",
        OnConflict::Deduplicate => "DEDUPLICATE",
    }
}

pub(super) fn materializer(keys: &[usize], input: &Schema) -> String {
    format!("SinkMaterializer(key=[{}])", names(keys, input))
}

pub(super) fn collect(schema: &Schema) -> String {
    format!("Sink(table=[*anonymous_collect$1*], fields=[{}])", all_names(schema))
}

/// Whether two operators of the same description may give different results, so that they must not be shared.
pub(super) fn is_volatile(spec: &OperatorSpec, functions: &Functions) -> bool {
    let is_deterministic = |expr: &Expr| is_deterministic(expr, functions);
    match spec {
        OperatorSpec::Calc { condition, projection } => {
            !projection.iter().chain(condition).all(is_deterministic)
        }
        OperatorSpec::Values { rows } => !rows.iter().flatten().all(is_deterministic),
        OperatorSpec::Sink(_) | OperatorSpec::Collect => true,
        _ => false,
    }
}
