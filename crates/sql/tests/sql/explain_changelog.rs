//! Which operators emit updates, and who cannot take them.

use expect_test::expect;

use crate::support::{Shell, check};

fn changelog(query: &str) -> String {
    Shell::with_tables().changelog(query)
}

#[test]
fn appends_stay_appends() {
    check(changelog("SELECT t.a FROM t JOIN u ON t.a = u.a UNION ALL SELECT a FROM u WHERE a > 3"), expect![[]]);
    check(
        changelog(
            "SELECT window_start, COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
             GROUP BY window_start, window_end",
        ),
        expect![[]],
    );
}

#[test]
fn aggregations_update() {
    check(changelog("SELECT a, COUNT(*) FROM t GROUP BY a"), expect![[]]);
    check(changelog("SELECT t.a FROM t LEFT JOIN u ON t.a = u.a"), expect![[]]);
}

#[test]
fn an_upsert_source_is_made_complete() {
    check(changelog("SELECT v FROM ups"), expect![[]]);
    check(changelog("SELECT id, v, n FROM ups"), expect![[]]);
    check(changelog("SELECT id, v FROM cdc"), expect![[]]);
}

#[test]
fn which_results_update() {
    check(
        Shell::with_tables().dialog(
            "SELECT a FROM t;
             SELECT DISTINCT a FROM t;
             SELECT a FROM t LIMIT 3;
             SELECT a FROM t ORDER BY a LIMIT 3;
             SELECT a FROM t UNION SELECT a FROM u;
             SELECT a FROM t WHERE a IN (SELECT a FROM u);
             SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a);
             SELECT v FROM cdc;
             SELECT SUM(price) OVER (ORDER BY ts) AS s FROM bid",
        ),
        expect![[]],
    );
}

#[test]
fn who_takes_no_updates() {
    let mut shell = Shell::with_tables();
    shell.run(
        "CREATE TABLE upsink (a INT PRIMARY KEY NOT ENFORCED, n BIGINT) WITH ('connector' = 'rows', 'changelog' = 'upsert');
         CREATE TABLE cdcts (id INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
           WITH ('connector' = 'rows', 'changelog' = 'retract')",
    );
    check(
        shell.dialog(
            "INSERT INTO log SELECT a, COUNT(*) FROM t GROUP BY a;
             INSERT INTO mirror SELECT a, COUNT(*) FROM t GROUP BY a;
             SELECT * FROM TUMBLE(TABLE cdcts, DESCRIPTOR(ts), INTERVAL '1' MINUTE);
             SELECT COUNT(*) OVER (ORDER BY ts) FROM cdcts;
             SELECT * FROM cdcts ORDER BY ts",
        ),
        expect![[]],
    );
}
