//! INSERT, statement sets, and what their queries share.

use expect_test::expect;

use crate::support::{Shell, check};

#[test]
fn an_insert_ends_in_its_sink() {
    let mut shell = Shell::with_tables();
    check(shell.plan("INSERT INTO log SELECT a, c FROM t"), expect![[]]);
    check(shell.plan("INSERT INTO mirror (n) SELECT COUNT(*) FROM t"), expect![[]]);
    check(shell.plan("INSERT INTO log VALUES (1, 2), (3, 4)"), expect![[]]);
}

#[test]
fn a_set_shares_its_scan() {
    let mut shell = Shell::with_tables();
    let set = "EXECUTE STATEMENT SET BEGIN
                 INSERT INTO log SELECT a, c FROM t;
                 INSERT INTO mirror SELECT a, c FROM t;
               END";
    check(shell.run(set), expect![[]]);
    let explain = "STATEMENT SET BEGIN
                 INSERT INTO log SELECT a, c FROM t;
                 INSERT INTO mirror SELECT a, c FROM t;
               END";
    check(shell.plan(explain), expect![[]]);
    let graph = shell.job(set);
    let names: Vec<&str> =
        graph.vertices.iter().flat_map(|vertex| &vertex.operators).map(|operator| operator.node.name.as_str()).collect();
    check(names.join("\n") + "\n", expect![[]]);
}

#[test]
fn a_set_shares_its_aggregation() {
    let mut shell = Shell::with_tables();
    shell.run("CREATE TABLE second (a INT, n BIGINT) WITH ('connector' = 'rows', 'changelog' = 'retract')");
    let graph = shell.job(
        "EXECUTE STATEMENT SET BEGIN
           INSERT INTO mirror SELECT a, COUNT(*) FROM t GROUP BY a;
           INSERT INTO second SELECT a, COUNT(*) + 1 FROM t GROUP BY a;
         END",
    );
    let names: Vec<&str> =
        graph.vertices.iter().flat_map(|vertex| &vertex.operators).map(|operator| operator.node.name.as_str()).collect();
    check(names.join("\n") + "\n", expect![[]]);
}

#[test]
fn rows_that_are_drawn_are_not_shared() {
    let mut shell = Shell::with_tables();
    let graph = shell.job(
        "EXECUTE STATEMENT SET BEGIN
           INSERT INTO log SELECT RAND_INTEGER(10), c FROM t;
           INSERT INTO log SELECT RAND_INTEGER(10), c FROM t;
         END",
    );
    let uids: Vec<&str> = graph
        .vertices
        .iter()
        .flat_map(|vertex| &vertex.operators)
        .map(|operator| operator.node.uid.0.split('-').next().unwrap_or_default())
        .collect();
    check(uids.join("\n") + "\n", expect![[]]);
}

#[test]
fn parallelism_of_tables() {
    let mut shell = Shell::with_tables();
    shell.run("SET 'parallelism.default' = '4'");
    check(
        shell.plan("INSERT INTO log /*+ OPTIONS('sink.parallelism' = '2') */ SELECT a, c FROM t /*+ OPTIONS('scan.parallelism' = '3') */"),
        expect![[]],
    );
    check(shell.plan("INSERT INTO log /*+ OPTIONS('sink.parallelism' = '1') */ SELECT a, c FROM t"), expect![[]]);
}

#[test]
fn the_logical_plan_stands_above() {
    check(
        Shell::with_tables().run(
            "EXPLAIN SELECT t.b, COUNT(*) FROM t JOIN u ON t.a = u.a WHERE t.c > 3 GROUP BY t.b",
        ),
        expect![[]],
    );
}
