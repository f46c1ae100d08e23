//! Hints behind SELECT.

use expect_test::expect;
use flott_plan::OperatorSpec;

use crate::support::{Shell, check};

/// How long the joins and aggregations of a query keep their rows.
fn kept(query: &str) -> Vec<String> {
    let job = Shell::with_tables().job(query);
    let operators = job.vertices.iter().flat_map(|vertex| &vertex.operators);
    let mut kept: Vec<String> = operators
        .filter_map(|operator| match &operator.node.spec {
            OperatorSpec::Join { ttl, right_ttl, .. } => Some(format!("join {ttl} {right_ttl:?}")),
            OperatorSpec::GroupAggregate { ttl, .. } => Some(format!("aggregate {ttl}")),
            _ => None,
        })
        .collect();
    kept.sort();
    kept
}

#[test]
fn state_ttl_is_of_the_sides_of_a_join_and_of_an_aggregation_of_a_table() {
    let of = |sql: &str| kept(sql).join("; ");
    let join = "t.a FROM t JOIN u AS x ON t.a = x.a";
    assert_eq!(
        of(&format!("SELECT /*+ STATE_TTL('t' = '1d', 'x' = '2 h') */ {join}")),
        "join 86400000 Some(7200000)"
    );
    assert_eq!(of(&format!("SELECT /*+ STATE_TTL('x' = '2h') */ {join}")), "join 0 Some(7200000)");
    assert_eq!(of(&format!("SELECT /*+ STATE_TTL('x' = '2h', t = '2h') */ {join}")), "join 7200000 None");
    assert_eq!(of("SELECT /*+ STATE_TTL('t' = '1min') */ a, COUNT(*) FROM t GROUP BY a"), "aggregate 60000");
    // Of rows that a join or a query in between has made, a hint does not speak.
    assert_eq!(
        of(&format!("SELECT /*+ STATE_TTL('x' = '2h', t = '2h') */ COUNT(*), {join} GROUP BY t.a")),
        "aggregate 0; join 7200000 None"
    );
    assert_eq!(
        of("SELECT a, COUNT(*) FROM (SELECT /*+ STATE_TTL('t' = '1h') */ * FROM t) GROUP BY a"),
        "aggregate 0"
    );
    assert_eq!(
        of("SELECT /*+ STATE_TTL('s' = '1h') */ a, COUNT(*) FROM (SELECT * FROM t) AS s GROUP BY a"),
        "aggregate 3600000"
    );
}

#[test]
fn a_hint_finds_its_tables() {
    check(
        Shell::with_tables().dialog(
            "SELECT /*+ STATE_TTL('z' = '1d') */ a, COUNT(*) FROM t GROUP BY a;
             SELECT /*+ STATE_TTL('t' = 'soon') */ a, COUNT(*) FROM t GROUP BY a;
             SELECT /*+ STATE_TTL('1d') */ a, COUNT(*) FROM t GROUP BY a;
             SELECT /*+ BROADCAST(z) */ t.a FROM t JOIN u ON t.a = u.a;
             SELECT /*+ BROADCAST(u), SHUFFLE_HASH(t) */ t.a FROM t JOIN u ON t.a = u.a;
             SELECT /*+ FOO(a) */ a FROM t",
        ),
        expect![[r#"
            > SELECT /*+ STATE_TTL('z' = '1d') */ a, COUNT(*) FROM t GROUP BY a
            invalid: The options of following hints cannot match the name of input tables or views: `z` in `STATE_TTL` at line 1, column 12
            > SELECT /*+ STATE_TTL('t' = 'soon') */ a, COUNT(*) FROM t GROUP BY a
            invalid: Invalid STATE_TTL hint value: 'soon' is no duration, such as '1d' at line 1, column 12
            > SELECT /*+ STATE_TTL('1d') */ a, COUNT(*) FROM t GROUP BY a
            invalid: Invalid list options in STATE_TTL hint, only support key-value options. at line 1, column 12
            > SELECT /*+ BROADCAST(z) */ t.a FROM t JOIN u ON t.a = u.a
            invalid: The options of following hints cannot match the name of input tables or views: `z` in `BROADCAST` at line 1, column 12
            > SELECT /*+ BROADCAST(u), SHUFFLE_HASH(t) */ t.a FROM t JOIN u ON t.a = u.a
            append-only: a INT
            > SELECT /*+ FOO(a) */ a FROM t
            invalid: there is no hint 'FOO' at line 1, column 12
        "#]],
    );
}

#[test]
fn a_hint_does_not_name_other_state() {
    let mut shell = Shell::with_tables();
    let uids = |shell: &mut Shell, hint: &str| -> Vec<String> {
        let job = shell.job(&format!("SELECT {hint} t.a FROM t JOIN u ON t.a = u.a"));
        let operators = job.vertices.iter().flat_map(|vertex| &vertex.operators);
        operators.map(|operator| operator.node.uid.0.clone()).collect()
    };
    assert_eq!(uids(&mut shell, ""), uids(&mut shell, "/*+ STATE_TTL('t' = '1d') */"));
}

#[test]
fn an_explained_join_tells_how_long_it_keeps_rows() {
    check(
        Shell::with_tables().plan("SELECT /*+ STATE_TTL('t' = '1d') */ t.a FROM t JOIN u ON t.a = u.a"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[a])
            +- Calc(select=[a])
               +- Join(joinType=[InnerJoin], where=[(a = a$1)], select=[a, a$1], stateTtlHints=[LEFT=86400000ms])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
        "#]],
    );
}
