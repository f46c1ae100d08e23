//! What joins know of the rows of their sides, and so how they keep them.

use flott_plan::{JoinRows, OperatorSpec};

use super::support::Shell;

/// The rows of both sides of the only join of a query.
fn rows(shell: &mut Shell, query: &str) -> [JoinRows; 2] {
    let job = shell.job(query);
    let nodes = job.vertices.into_iter().flat_map(|vertex| vertex.operators);
    let mut joins = nodes.filter_map(|node| match node.node.spec {
        OperatorSpec::Join { rows, .. } => Some(rows),
        _ => None,
    });
    joins.next().unwrap_or_default()
}

#[test]
fn rows_that_may_repeat_for_ever_are_counted() {
    let mut shell = Shell::with_tables();
    assert_eq!(
        shell.run(
            "CREATE TABLE keyed (id BIGINT, v STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'rows');"
        ),
        ""
    );
    for query in [
        "SELECT * FROM t WHERE a IN (SELECT a FROM u)",
        "SELECT * FROM t WHERE NOT EXISTS (SELECT * FROM u WHERE u.a = t.a)",
        "SELECT a FROM t INTERSECT SELECT a FROM u",
        "SELECT t.a FROM t JOIN u ON t.a = u.a",
        "SELECT t.b, u.x FROM t JOIN u ON t.a = u.a",
    ] {
        let rows = rows(&mut shell, query);
        assert!(!rows.contains(&JoinRows::Appended), "{query}: {rows:?}");
    }
    let keyed = "SELECT k.v, t.b FROM keyed AS k JOIN t ON k.id = t.c";
    assert_eq!(rows(&mut shell, keyed), [JoinRows::Appended, JoinRows::Repeated], "no two rows have one key");
    let semi = "SELECT b FROM t WHERE c IN (SELECT id FROM keyed)";
    assert_eq!(rows(&mut shell, semi), [JoinRows::Repeated, JoinRows::Appended]);
    let bounded = "SELECT l.price, r.price FROM bid AS l JOIN bid AS r ON l.auction = r.auction
                   AND l.ts BETWEEN r.ts AND r.ts + INTERVAL '1' MINUTE";
    assert_eq!(rows(&mut shell, bounded), [JoinRows::Appended, JoinRows::Appended], "they are evicted");
}
