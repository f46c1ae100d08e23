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

/// The rows that have the extreme of a window, by the parts of the query.
fn extremes(rows: &str, join: &str, of: &str, windows: &str, condition: &str) -> String {
    format!(
        "SELECT B.auction, B.price FROM {rows} B {join} (
           SELECT {of} AS m, window_start AS s, window_end AS e
           FROM TABLE(TUMBLE(TABLE {windows}, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end
         ) M ON B.price = M.m AND {condition}"
    )
}

const BETWEEN: &str = "B.ts BETWEEN M.e - INTERVAL '10' SECOND AND M.e";

/// What is looked at before joins with extremes: which column, whether the smallest, and where windows end.
fn looked_for(job: &JobGraph) -> Vec<(usize, bool, [i64; 2])> {
    let found = operators(job).filter_map(|spec| match spec {
        OperatorSpec::LocalWindowExtreme(spec) => Some((spec.value, spec.smallest, spec.ends)),
        _ => None,
    });
    found.collect()
}

#[test]
fn a_join_with_the_extreme_of_windows_looks_at_rows_before_they_are_exchanged() {
    let mut shell = shell(2);
    shell.run("CREATE VIEW cheap AS SELECT * FROM bid WHERE price < 5");
    let mut of = |query: &str| looked_for(&shell.job(query));
    let found = of(&extremes("bid", "JOIN", "MAX(price)", "bid", BETWEEN));
    assert_eq!(found, [(1, false, [0, 10_000])]);
    let by_start = "B.ts >= M.s AND B.ts < M.s + INTERVAL '10' SECOND";
    assert_eq!(of(&extremes("bid", "JOIN", "MIN(price)", "bid", by_start)), [(1, true, [1, 10_000])]);
    let turned = "SELECT B.auction FROM (SELECT MAX(price) AS m, window_end AS e
           FROM TABLE(HOP(TABLE bid, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
           GROUP BY window_start, window_end) M JOIN bid B ON M.m = B.price AND M.e > B.ts AND M.e <= B.ts + INTERVAL '9' SECOND";
    assert_eq!(of(turned), [(1, false, [1, 9_000])]);
    let few = extremes("cheap", "JOIN", "MAX(price)", "cheap", BETWEEN);
    assert_eq!(of(&few).len(), 1, "the same filter");
    let fewer = extremes("cheap", "JOIN", "MAX(price)", "bid", BETWEEN);
    assert_eq!(of(&fewer).len(), 1, "all rows are among those of the windows");
    let more = extremes("bid", "JOIN", "MAX(price)", "cheap", BETWEEN);
    assert_eq!(of(&more), [], "a row that is not among them may be larger than it");
    assert_eq!(of(&extremes("bid", "LEFT JOIN", "MAX(price)", "bid", BETWEEN)), [], "all rows are wanted");
    assert_eq!(of(&extremes("bid", "JOIN", "SUM(price)", "bid", BETWEEN)), []);
    assert_eq!(of(&extremes("bid", "JOIN", "MAX(price)", "bid", "B.ts < M.e")), [], "any later window");
    let keyed = extremes("bid", "JOIN", "MAX(price)", "bid", BETWEEN).replace(") M", ", auction) M");
    assert_eq!(of(&keyed), [], "windows of several keys");
    shell.run("SET 'table.optimizer.agg-phase-strategy' = 'ONE_PHASE'");
    assert_eq!(looked_for(&shell.job(&extremes("bid", "JOIN", "MAX(price)", "bid", BETWEEN))), []);
}

/// Branches that need other columns of a computed time's table.
#[test]
fn watermarks_over_the_same_rows_are_assigned_once() {
    let mut shell = shell(2);
    shell.run(
        "CREATE TABLE computed (a INT, b INT, c INT, millis BIGINT, ts AS TO_TIMESTAMP_LTZ(millis, 3),
           WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'rows')",
    );
    let both =
        |other: &str| format!("SELECT a, ts FROM computed WHERE b > 1 UNION ALL SELECT c, ts FROM {other}");
    let number = |job: &JobGraph| {
        operators(job).filter(|spec| matches!(spec, OperatorSpec::WatermarkAssigner(_))).count()
    };
    assert_eq!(number(&shell.job(&both("computed"))), 1);
    shell.run("SET 'table.optimizer.reuse-source-enabled' = 'false'");
    assert_eq!(number(&shell.job(&both("computed"))), 2);
}
