//! What is exchanged between subtasks, and what is looked at before.

use flott_plan::{Exchange, JobGraph, OperatorSpec};

use super::support::Shell;

fn shell(parallelism: u32) -> Shell {
    let mut shell = Shell::with_tables();
    shell.run(&format!("SET 'parallelism.default' = '{parallelism}'"));
    shell
}

/// The columns by which rows are exchanged, edge by edge.
fn exchanged(job: &JobGraph) -> Vec<Vec<usize>> {
    let columns = job.edges.iter().filter_map(|edge| match &edge.exchange {
        Exchange::Hash(columns) => Some(columns.clone()),
        _ => None,
    });
    columns.collect()
}

fn operators(job: &JobGraph) -> impl Iterator<Item = &OperatorSpec> {
    job.vertices.iter().flat_map(|vertex| &vertex.operators).map(|operator| &operator.node.spec)
}

/// The order by which a join gives only first rows.
fn first_by(job: &JobGraph) -> Vec<(usize, bool)> {
    let orders = operators(job).filter_map(|spec| match spec {
        OperatorSpec::Join { first_by, .. } => Some(first_by.iter().map(|key| (key.column, key.descending))),
        _ => None,
    });
    orders.flatten().collect()
}

fn looks_first(job: &JobGraph) -> bool {
    operators(job).any(|spec| matches!(spec, OperatorSpec::LocalTopN { .. }))
}

/// The best row of `u` for each `a`, from `joined` with more conditions.
fn best(joined: &str, by: &str) -> String {
    format!(
        "SELECT a, x FROM (SELECT t.a, t.b, u.x, ROW_NUMBER() OVER (PARTITION BY {by} ORDER BY u.y DESC, t.c) AS n FROM {joined})
         WHERE n = 1"
    )
}

#[test]
fn rows_that_lie_by_their_key_are_not_exchanged_again() {
    let mut shell = shell(2);
    let job = shell.job(&best("t JOIN u ON t.a = u.a", "t.a"));
    assert_eq!(exchanged(&job).len(), 2, "the sides of the join");
    let job = shell.job(&best("t JOIN u ON t.a = u.a", "u.a"));
    assert_eq!(exchanged(&job).len(), 2, "both sides have the key");
    let job = shell.job(&best("t LEFT JOIN u ON t.a = u.a", "t.a"));
    assert_eq!(exchanged(&job).len(), 2);
    let job = shell.job(&best("t LEFT JOIN u ON t.a = u.a", "u.a"));
    assert_eq!(exchanged(&job).len(), 3, "the key of the right may be NULL where there is no row");
    let job = shell.job(&best("t JOIN u ON t.a = u.a", "t.a, t.b"));
    assert_eq!(exchanged(&job).len(), 3, "other key groups");
    let job = shell.job(&best("t JOIN u ON t.a = u.a AND t.b = u.x", "t.b, t.a"));
    assert_eq!(exchanged(&job).len(), 3, "in another order they hash to others");
    let twice = "SELECT a, SUM(s) FROM (SELECT a, SUM(c) AS s FROM t GROUP BY a) GROUP BY a";
    assert_eq!(exchanged(&shell.job(twice)).len(), 1);
}

#[test]
fn a_join_of_which_the_first_rows_are_wanted_knows_it() {
    let mut shell = shell(2);
    let by_key = best("t JOIN u ON t.a = u.a", "t.a");
    let of = |shell: &mut Shell, query: &str| first_by(&shell.job(query));
    // The columns of the join are a and c of t, and a, x, y of u.
    assert_eq!(of(&mut shell, &by_key), [(4, true), (1, false)]);
    assert_eq!(of(&mut shell, &best("t JOIN u ON t.a = u.a", "t.b")), [], "another key");
    assert_eq!(of(&mut shell, &best("t JOIN u ON t.a = u.a", "t.a, t.b")), [], "more than the key");
    assert_eq!(of(&mut shell, &best("t LEFT JOIN u ON t.a = u.a", "t.a")), [], "rows are taken back");
    assert_eq!(of(&mut shell, &best("cdc JOIN u ON cdc.id = u.a JOIN t ON t.a = cdc.id", "t.a")), []);
    assert_eq!(of(&mut shell, &by_key.replace("n = 1", "n <= 2")), [], "more than one row");
    let computed =
        by_key.replace("SELECT a, x", "SELECT a, b, x").replace("t.b, u.x", "UPPER(t.b) AS b, u.x");
    assert_eq!(of(&mut shell, &computed), [(5, true), (2, false)], "other columns may be computed");
    shell.run("SET 'table.exec.state.ttl' = '1 h'");
    assert_eq!(of(&mut shell, &by_key), [], "the first row may expire");
}

#[test]
fn a_top_n_looks_at_rows_before_they_are_exchanged() {
    let top = |n: &str| {
        format!(
            "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY a ORDER BY c DESC) AS n FROM t) WHERE {n}"
        )
    };
    let mut two = shell(2);
    assert!(looks_first(&two.job(&top("n <= 3"))));
    assert!(!looks_first(&two.job(&top("n <= 1000"))), "too many to compare with");
    assert!(!looks_first(&two.job("SELECT * FROM t ORDER BY c LIMIT 3")), "no partition");
    let updated = top("n <= 3").replace("FROM t)", "FROM (SELECT a, SUM(c) AS c FROM t GROUP BY a))");
    assert!(!looks_first(&two.job(&updated)), "rows that change");
    assert!(!looks_first(&shell(1).job(&top("n <= 3"))), "nothing is exchanged");
    let uid = |job: JobGraph| {
        let mut operators = job.vertices.into_iter().flat_map(|vertex| vertex.operators);
        let found = operators.find(|operator| matches!(operator.node.spec, OperatorSpec::TopN { .. }));
        found.map(|operator| operator.node.uid)
    };
    let uids = [shell(1), shell(2)].map(|mut shell| uid(shell.job(&top("n <= 3"))));
    assert_eq!(uids[0], uids[1], "the state is the same");
    two.run("SET 'table.exec.state.ttl' = '1 h'");
    assert!(looks_first(&two.job(&top("n <= 3"))), "the same streams with another time to live");
    two.run("RESET 'table.exec.state.ttl'; SET 'table.optimizer.agg-phase-strategy' = 'ONE_PHASE'");
    assert!(!looks_first(&two.job(&top("n <= 3"))));
}
