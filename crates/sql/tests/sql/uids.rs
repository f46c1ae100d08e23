//! State is found again under an operator's uid: what keeps it, and what changes it.

use flott_plan::{AggregatePhase, OperatorSpec};

use crate::support::Shell;

/// The uids of operators with state per key, in the order of the job.
fn stateful(shell: &mut Shell, statement: &str) -> Vec<String> {
    let graph = shell.job(statement);
    let operators = graph.vertices.iter().flat_map(|vertex| &vertex.operators);
    operators
        .filter(|operator| match &operator.node.spec {
            // What the first of two phases holds is flushed before a snapshot.
            OperatorSpec::GroupAggregate { phase, .. } | OperatorSpec::WindowAggregate { phase, .. } => {
                *phase != AggregatePhase::Local
            }
            OperatorSpec::Join { .. }
            | OperatorSpec::TopN { .. }
            | OperatorSpec::OverAggregate { .. }
            | OperatorSpec::ChangelogNormalize { .. } => true,
            _ => false,
        })
        .map(|operator| operator.node.uid.0.clone())
        .collect()
}

fn all(shell: &mut Shell, statement: &str) -> Vec<String> {
    let graph = shell.job(statement);
    graph
        .vertices
        .iter()
        .flat_map(|vertex| &vertex.operators)
        .map(|operator| operator.node.uid.0.clone())
        .collect()
}

pub fn of(statement: &str) -> Vec<String> {
    let uids = stateful(&mut Shell::with_tables(), statement);
    assert!(!uids.is_empty(), "no state in {statement}");
    uids
}

const COUNTS: &str = "INSERT INTO mirror SELECT a, COUNT(*) AS n FROM t GROUP BY a";

#[test]
fn the_same_statement_has_the_same_uids() {
    for statement in [
        COUNTS,
        "SELECT t.b, u.x FROM t LEFT JOIN u ON t.a = u.a",
        "SELECT a, c FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY a ORDER BY c) AS n FROM t) WHERE n <= 3",
        "SELECT window_end, COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
         GROUP BY window_start, window_end",
        "SELECT l.b FROM t l JOIN t r ON l.a = r.c",
    ] {
        let mut shell = Shell::with_tables();
        let first = all(&mut shell, statement);
        assert_eq!(first, all(&mut shell, statement), "{statement}");
        assert_eq!(first, all(&mut Shell::with_tables(), statement), "{statement}");
    }
}

#[test]
fn uids_within_a_job_differ() {
    let statement = "EXECUTE STATEMENT SET BEGIN
        INSERT INTO log SELECT a, c FROM t;
        INSERT INTO log SELECT a, c FROM t;
        INSERT INTO log SELECT RAND_INTEGER(3), c FROM t;
        INSERT INTO log SELECT RAND_INTEGER(3), c FROM t;
        INSERT INTO mirror SELECT a, COUNT(*) FROM t GROUP BY a;
    END";
    let mut uids = all(&mut Shell::with_tables(), statement);
    let count = uids.len();
    uids.sort_unstable();
    uids.dedup();
    assert_eq!(uids.len(), count);
}

#[test]
fn the_name_of_an_output_does_not_matter() {
    assert_eq!(
        of("SELECT a, COUNT(*) AS n FROM t GROUP BY a"),
        of("SELECT a AS k, COUNT(*) AS total FROM t GROUP BY a")
    );
    assert_eq!(
        of("SELECT t.b AS x FROM t JOIN u ON t.a = u.a"),
        of("SELECT t.b AS y FROM t JOIN u ON t.a = u.a")
    );
}

#[test]
fn the_alias_of_a_table_does_not_matter() {
    assert_eq!(of("SELECT v.a, SUM(v.c) FROM t AS v GROUP BY v.a"), of("SELECT a, SUM(c) FROM t GROUP BY a"));
}

#[test]
fn layout_and_views_do_not_matter() {
    let mut shell = Shell::with_tables();
    shell.run("CREATE VIEW v AS SELECT a, c FROM t");
    let through_view = stateful(&mut shell, "SELECT a, SUM(c) FROM v GROUP BY a");
    assert_eq!(through_view, of("select  a ,\n  sum(c) from t group by a"));
}

#[test]
fn computations_downstream_do_not_matter() {
    assert_eq!(
        of("SELECT a, COUNT(*) FROM t GROUP BY a"),
        of("SELECT a, COUNT(*) + 1 FROM t GROUP BY a HAVING COUNT(*) > 2")
    );
}

#[test]
fn another_insert_does_not_matter() {
    let beside = |other: &str| {
        let set = format!("EXECUTE STATEMENT SET BEGIN {other}; {COUNTS}; END");
        stateful(&mut Shell::with_tables(), &set)
    };
    assert_eq!(of(COUNTS), beside("INSERT INTO log SELECT a, c FROM t"));
    assert_eq!(of(COUNTS), beside("INSERT INTO log SELECT a, 1 FROM u"));
}

#[test]
fn another_insert_that_shares_the_state_does_not_matter() {
    let set = format!(
        "EXECUTE STATEMENT SET BEGIN {COUNTS}; INSERT INTO mirror SELECT a, COUNT(*) + 1 FROM t GROUP BY a; END"
    );
    assert_eq!(of(COUNTS), stateful(&mut Shell::with_tables(), &set));
}

#[test]
fn parallelism_does_not_matter() {
    let with = |parallelism: u32, statement: &str| {
        let mut shell = Shell::with_tables();
        shell.run(&format!("SET 'parallelism.default' = '{parallelism}'"));
        stateful(&mut shell, statement)
    };
    for statement in [
        "SELECT t.b FROM t JOIN u ON t.a = u.a",
        "SELECT a FROM t ORDER BY a LIMIT 3",
        "SELECT a, COUNT(*) FROM t GROUP BY a",
        "SELECT COUNT(*) FROM t",
        "SELECT n, COUNT(*) FROM (SELECT a, COUNT(*) AS n FROM t GROUP BY a) GROUP BY n",
        "SELECT v FROM ups",
        "SELECT auction, COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
         GROUP BY window_start, window_end, auction",
    ] {
        assert_eq!(with(1, statement), with(2, statement), "{statement}");
        assert_eq!(with(2, statement), with(4, statement), "{statement}");
    }
}

#[test]
fn settings_that_do_not_change_state_do_not_matter() {
    let mut shell = Shell::with_tables();
    shell.run(
        "SET 'pipeline.name' = 'x'; SET 'pipeline.operator-chaining.enabled' = 'false'; SET 'table.exec.state.ttl' = '1 h'",
    );
    for statement in [
        COUNTS,
        "SELECT v FROM ups",
        "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) AS n FROM t) WHERE n <= 2",
    ] {
        assert_eq!(of(statement), stateful(&mut shell, statement));
        let job = format!("{:?}", shell.job(statement));
        assert!(job.contains("ttl: 3600000"), "{statement}");
    }
}

#[test]
fn another_key_has_other_state() {
    assert_ne!(of("SELECT COUNT(*) FROM t GROUP BY a"), of("SELECT COUNT(*) FROM t GROUP BY b"));
    assert_ne!(of("SELECT COUNT(*) FROM t GROUP BY a"), of("SELECT COUNT(*) FROM t GROUP BY a, b"));
    assert_ne!(of("SELECT COUNT(*) FROM t GROUP BY a"), of("SELECT COUNT(*) FROM t GROUP BY a + 1"));
}

#[test]
fn aggregates_of_the_same_rows_share_their_state_under_names_of_their_own() {
    let accumulators = |statement: &str| {
        let graph = Shell::with_tables().job(statement);
        let operators = graph.vertices.iter().flat_map(|vertex| &vertex.operators);
        let calls = operators.filter_map(|operator| match &operator.node.spec {
            OperatorSpec::GroupAggregate { aggregates, .. } => Some(aggregates.clone()),
            _ => None,
        });
        calls.flatten().map(|call| call.name).collect::<Vec<_>>()
    };
    let base = "SELECT a, SUM(c) FROM t GROUP BY a";
    for (other, names) in [
        ("SELECT a, MAX(c) FROM t GROUP BY a", "MAX(t.c)"),
        ("SELECT a, SUM(c) AS s, COUNT(*) FROM t GROUP BY a", "SUM(t.c); COUNT(*)"),
        ("SELECT a, COUNT(b), SUM(c) FROM t GROUP BY a", "COUNT(t.b); SUM(t.c)"),
        ("SELECT a, SUM(c) FILTER (WHERE c > 0) FROM t GROUP BY a", "SUM(t.c) FILTER (t.c > 0:BIGINT)"),
        ("SELECT a, SUM(CAST(c AS DOUBLE)) FROM t GROUP BY a", "SUM(CAST(t.c AS DOUBLE))"),
    ] {
        assert_eq!(of(base), of(other), "{other}");
        assert_eq!(accumulators(other).join("; "), names);
    }
}

#[test]
fn other_rows_and_other_distincts_have_other_state() {
    let base = of("SELECT a, SUM(c) FROM t GROUP BY a");
    for other in
        ["SELECT a, SUM(DISTINCT c) FROM t GROUP BY a", "SELECT a, SUM(c) FROM t WHERE c > 0 GROUP BY a"]
    {
        assert_ne!(base, of(other), "{other}");
    }
    // What is taken back from rows that were never added would be wrong.
    let updating = |calls: &str| {
        of(&format!("SELECT n, {calls} FROM (SELECT a, COUNT(*) AS n FROM t GROUP BY a) GROUP BY n"))
    };
    assert_ne!(updating("COUNT(*)"), updating("COUNT(*), SUM(a)"));
}

#[test]
fn another_window_has_other_state() {
    let tumble = |minutes: u32| {
        of(&format!(
            "SELECT COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '{minutes}' MINUTE)
             GROUP BY window_start, window_end"
        ))
    };
    assert_eq!(tumble(5), tumble(5));
    assert_ne!(tumble(5), tumble(10));
}

#[test]
fn another_join_has_other_state() {
    let join = |kind: &str, on: &str| of(&format!("SELECT t.b FROM t {kind} JOIN u ON {on}"));
    assert_ne!(join("INNER", "t.a = u.a"), join("LEFT", "t.a = u.a"));
    assert_ne!(join("INNER", "t.a = u.a"), join("INNER", "t.b = u.x"));
    assert_ne!(join("INNER", "t.a = u.a"), join("INNER", "t.a = u.a AND t.c < u.y"));
}

#[test]
fn another_rank_has_other_state() {
    let top = |limit: u32| of(&format!("SELECT a FROM t ORDER BY a LIMIT {limit}"));
    assert_ne!(top(3), top(4));
}

#[test]
fn another_unit_of_literals_has_other_state() {
    assert_ne!(
        of("SELECT COUNT(*) FROM t GROUP BY CAST(a AS VARCHAR(1))"),
        of("SELECT COUNT(*) FROM t GROUP BY CAST(a AS VARCHAR(2))")
    );
}
