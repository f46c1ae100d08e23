//! A lookup join in words, as Flink's EXPLAIN writes it.

use flott_plan::{Expr, JoinKind, LookupJoinSpec, LookupKey, LookupRequests, LookupRetry, Schema};

use crate::plan::describe::{column, expr};

/// A lookup join as it is shown.
pub(super) struct Lookup<'a> {
    pub spec: &'a LookupJoinSpec,
    pub input: &'a Schema,
    pub key_columns: Vec<&'a str>,
    /// What is asked of the table's columns alone.
    pub of_table: Vec<Expr>,
    /// What else is asked, over left columns, then the table's.
    pub of_both: Vec<Expr>,
    pub both: &'a Schema,
    /// The columns that are read.
    pub table: &'a Schema,
    pub projection: &'a [Expr],
    pub output: &'a Schema,
    pub is_async: bool,
    pub shuffled: bool,
    /// How many of `both` are the left's.
    pub left_width: usize,
}

pub(super) fn describe(lookup: &Lookup<'_>) -> String {
    let Lookup { spec, input, both, .. } = lookup;
    let kind = if spec.kind == JoinKind::Left { "LeftOuterJoin" } else { "InnerJoin" };
    let keys = lookup.key_columns.iter().zip(&spec.keys).map(|(name, key)| match key {
        LookupKey::Column(at) => format!("{name}={}", column(*at, input)),
        LookupKey::Constant(constant) => format!("{name}={}", expr(constant, &Schema::default())),
    });
    let keys: Vec<String> = keys.collect();
    let all = |tests: &[Expr], schema: &Schema| {
        let tests: Vec<String> = tests.iter().map(|test| expr(test, schema)).collect();
        tests.join(" AND ")
    };
    let of_table = Schema { columns: both.columns[both.len() - lookup.table_width()..].to_vec() };
    let shown = |name: &str, text: String| match text.is_empty() {
        true => String::new(),
        false => format!(", {name}=[{text}]"),
    };
    let (wide, width) = (lookup.output.len() - lookup.projection.len(), input.len());
    let mut select: Vec<String> = (0..width.min(wide)).map(|at| column(at, lookup.output)).collect();
    for (at, made) in lookup.projection.iter().enumerate() {
        let name = column(wide + at, lookup.output);
        select.push(match made {
            Expr::Column { .. } => name,
            made => format!("{} AS {name}", expr(made, lookup.table)),
        });
    }
    let LookupRequests { ordered, capacity, timeout, retry, .. } = &spec.requests;
    let order = if *ordered { "ORDERED" } else { "UNORDERED" };
    let later = if lookup.is_async {
        format!("{order}, KEY_ORDERED: false, {timeout}ms, {capacity}")
    } else {
        String::new()
    };
    let again = retry
        .map(|LookupRetry { delay, attempts }| format!("lookup_miss, FIXED_DELAY, {delay}ms, {attempts}"));
    if spec.lookup.model {
        return format!(
            "MLPredictTableFunction(model=[{}], input=[{}]{}{}, select=[{}]{})",
            spec.lookup.table.name,
            keys.join(", "),
            shown("where", all(&lookup.of_table, &of_table)),
            shown("joinCondition", all(&lookup.of_both, both)),
            select.join(", "),
            shown("async", later),
        );
    }
    format!(
        "LookupJoin(table=[{}], joinType=[{kind}], lookup=[{}]{}{}, select=[{}]{}{}{})",
        spec.lookup.table.name,
        keys.join(", "),
        shown("where", all(&lookup.of_table, &of_table)),
        shown("joinCondition", all(&lookup.of_both, both)),
        select.join(", "),
        shown("async", later),
        shown("retry", again.unwrap_or_default()),
        shown("shuffle", if lookup.shuffled { "true".to_owned() } else { String::new() }),
    )
}

impl Lookup<'_> {
    /// How many columns the table has, as far as the query may read them.
    fn table_width(&self) -> usize {
        self.both.len() - self.left_width
    }
}
