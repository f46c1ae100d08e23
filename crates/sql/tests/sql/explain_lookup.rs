//! Lookup joins: which keys are asked for, which columns are read, how requests are made.

use expect_test::expect;

use crate::support::{Shell, check};

fn shell() -> Shell {
    let mut shell = Shell::new();
    let tables = "
        CREATE TABLE o (id INT, k INT, amount INT, tag STRING, p AS PROCTIME()) WITH ('connector' = 'rows');
        CREATE TABLE d (k INT, name STRING, v INT, tag STRING, up AS UPPER(name)) WITH ('connector' = 'rows');
        CREATE VIEW big AS SELECT k AS kk, v * 2 AS w FROM d WHERE v > 10;
        CREATE TABLE ups (id INT PRIMARY KEY NOT ENFORCED, v STRING) WITH ('connector' = 'rows', 'changelog' = 'upsert');";
    assert_eq!(shell.run(tables), "");
    shell
}

fn plan(query: &str) -> String {
    shell().plan(query)
}

#[test]
fn equalities_with_columns_are_keys_and_the_rest_is_asked_of_what_was_found() {
    check(
        plan(
            "SELECT o.id, d.up FROM o LEFT JOIN d FOR SYSTEM_TIME AS OF o.p AS d
             ON MOD(o.k, 7) = d.k AND d.tag = 'b' AND o.amount > 5 AND o.amount < d.v AND d.name <> ''",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[id, up])
            +- Calc(select=[id, up])
               +- Calc(select=[id, k, amount, k$1 AS k, name, v, tag, up])
                  +- LookupJoin(table=[default_catalog.default_database.d], joinType=[LeftOuterJoin], lookup=[tag='b', k=$key3], where=[(tag = 'b') AND (name <> '')], joinCondition=[(amount > 5) AND (amount < v)], select=[id, k, amount, $key3, k$1, name, v, tag, UPPER(name) AS up], async=[ORDERED, KEY_ORDERED: false, 180000ms, 100])
                     +- Calc(select=[id, k, amount, (CAST(k AS BIGINT) % 7:BIGINT) AS $key3])
                        +- TableSourceScan(table=[[default_catalog, default_database, o]], fields=[id, k, amount])
        "#]],
    );
    check(
        plan("SELECT o.id, b.w FROM o, big FOR SYSTEM_TIME AS OF o.p AS b WHERE o.k = b.kk AND o.amount > 5"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[id, w])
            +- Calc(select=[id, w])
               +- LookupJoin(table=[default_catalog.default_database.d], joinType=[InnerJoin], lookup=[k=k], where=[(v > 10)], select=[id, k, kk, (v * 2) AS w], async=[ORDERED, KEY_ORDERED: false, 180000ms, 100])
                  +- Calc(select=[id, k], where=[(amount > 5)])
                     +- TableSourceScan(table=[[default_catalog, default_database, o]], fields=[id, k, amount])
        "#]],
    );
}

#[test]
fn the_hint_and_the_session_say_how_requests_are_made() {
    let mut shell = shell();
    let query = "FROM o JOIN d FOR SYSTEM_TIME AS OF o.p AS d ON o.k = d.k";
    let mut options = |select: &str| {
        let plan = shell.plan(&format!("{select} {query}"));
        let join = plan.lines().find(|line| line.contains("LookupJoin")).unwrap_or_default();
        join.split("name], ").nth(1).unwrap_or("none").to_owned()
    };
    assert_eq!(options("SELECT o.id, d.name"), "async=[ORDERED, KEY_ORDERED: false, 180000ms, 100])");
    let hint = "SELECT /*+ LOOKUP('table'='d', 'output-mode'='allow_unordered', 'capacity'='7', 'timeout'='2 s', \
                'retry-predicate'='lookup_miss', 'retry-strategy'='fixed_delay', 'fixed-delay'='10 s', \
                'max-attempts'='3', 'shuffle'='true') */ o.id, d.name";
    assert_eq!(
        options(hint),
        "async=[UNORDERED, KEY_ORDERED: false, 2000ms, 7], retry=[lookup_miss, FIXED_DELAY, 10000ms, 3], shuffle=[true])"
    );
    let of_updates = "SELECT /*+ LOOKUP('table'='d', 'output-mode'='allow_unordered') */ a.k, d.name \
                      FROM (SELECT k, COUNT(*) AS n, PROCTIME() AS p FROM o GROUP BY k) AS a \
                      JOIN d FOR SYSTEM_TIME AS OF a.p AS d ON a.k = d.k";
    assert!(plan(of_updates).contains("async=[ORDERED"), "changes do not pass each other");
}

#[test]
fn what_cannot_be_looked_up_is_refused() {
    let error = |query: &str| shell().try_job(query).expect_err(query);
    let join = |what: &str| error(&format!("SELECT o.id FROM o JOIN {what}"));
    assert!(join("d FOR SYSTEM_TIME AS OF o.p AS d ON o.k > d.k").contains(
        "Temporal table join requires an equality condition on fields of table [default_catalog.default_database.d]"
    ));
    assert!(join("ups FOR SYSTEM_TIME AS OF o.p AS d ON o.k = d.id").contains("has deletions"));
    let grouped = error(
        "WITH g AS (SELECT k, COUNT(*) AS n FROM d GROUP BY k)
         SELECT o.id FROM o JOIN g FOR SYSTEM_TIME AS OF o.p AS d ON o.k = d.k",
    );
    assert!(grouped.contains("with anything but a table, or a view of one"), "{grouped}");
}
