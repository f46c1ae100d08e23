//! Joins: keys, conditions, which filters move below.

use expect_test::expect;

use crate::support::{Shell, check};

fn plan(query: &str) -> String {
    Shell::with_tables().plan(query)
}

#[test]
fn equal_columns_are_keys() {
    check(
        plan("SELECT t.b, u.x FROM t JOIN u ON t.a = u.a"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b, x])
            +- Calc(select=[b, x])
               +- Join(joinType=[InnerJoin], where=[(a = a$1)], select=[a, b, a$1, x])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x])
        "#]],
    );
    check(
        plan("SELECT t.b, u.x FROM t, u WHERE t.a = u.a AND t.b = u.x AND t.c > u.y"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b, x])
            +- Calc(select=[b, x])
               +- Join(joinType=[InnerJoin], where=[(a = a$1) AND (b = x) AND (CAST(c AS DECIMAL(19, 0)) > y)], select=[a, b, c, a$1, x, y])
                  +- Exchange(distribution=[hash[a, b]])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
                  +- Exchange(distribution=[hash[a, x]])
                     +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x, y])
        "#]],
    );
}

#[test]
fn computed_keys() {
    check(
        plan("SELECT t.b, u.x FROM t JOIN u ON t.a + 1 = u.a AND UPPER(t.b) = UPPER(u.x)"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b, x])
            +- Calc(select=[b, x])
               +- Calc(select=[a, b, a$1 AS a, x])
                  +- Join(joinType=[InnerJoin], where=[($key2 = a$1) AND ($key3 = $key2$1)], select=[a, b, $key2, $key3, a$1, x, $key2$1])
                     +- Exchange(distribution=[hash[$key2, $key3]])
                        +- Calc(select=[a, b, (a + 1) AS $key2, UPPER(b) AS $key3])
                           +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
                     +- Exchange(distribution=[hash[a, $key2]])
                        +- Calc(select=[a, x, UPPER(x) AS $key2])
                           +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x])
        "#]],
    );
}

#[test]
fn keys_of_different_types() {
    check(
        plan("SELECT t.b FROM t JOIN u ON t.c = u.a"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[b])
        +- Calc(select=[b])
           +- Calc(select=[b, c, a])
              +- Join(joinType=[InnerJoin], where=[(c = $key1)], select=[b, c, a, $key1])
                 +- Exchange(distribution=[hash[c]])
                    +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[b, c])
                 +- Exchange(distribution=[hash[$key1]])
                    +- Calc(select=[a, CAST(a AS BIGINT) AS $key1])
                       +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
    "#]],
    );
}

#[test]
fn null_safe_keys() {
    check(
        plan("SELECT t.b FROM t JOIN u ON t.a IS NOT DISTINCT FROM u.a"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b])
            +- Calc(select=[b])
               +- Join(joinType=[InnerJoin], where=[(a IS NOT DISTINCT FROM a$1)], select=[a, b, a$1])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
        "#]],
    );
}

#[test]
fn without_keys_there_is_one_subtask() {
    let mut shell = Shell::with_tables();
    shell.run("SET 'parallelism.default' = '4'");
    check(
        shell.plan("SELECT t.b FROM t CROSS JOIN u"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[b])
        +- Calc(select=[b])
           +- Join(joinType=[InnerJoin], where=[true], select=[b, a])
              +- Exchange(distribution=[single])
                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[b])
              +- Exchange(distribution=[single])
                 +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
    "#]],
    );
    check(
        shell.plan("SELECT t.b FROM t JOIN u ON t.a < u.a"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b])
            +- Calc(select=[b])
               +- Join(joinType=[InnerJoin], where=[(a < a$1)], select=[a, b, a$1])
                  +- Exchange(distribution=[single])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b])
                  +- Exchange(distribution=[single])
                     +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
        "#]],
    );
}

#[test]
fn using_and_natural() {
    check(
        plan("SELECT * FROM t JOIN u USING (a)"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[a, b, c, d, x, y])
            +- Calc(select=[a, b, c, d, x, y])
               +- Join(joinType=[InnerJoin], where=[(a = a$1)], select=[a, b, c, d, a$1, x, y])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c, d])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x, y])
        "#]],
    );
    check(
        plan("SELECT a, x FROM t FULL JOIN u USING (a)"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[a, x])
            +- Calc(select=[COALESCE(a, a$1) AS a, x])
               +- Join(joinType=[FullOuterJoin], where=[(a = a$1)], select=[a, a$1, x])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x])
        "#]],
    );
    check(
        plan("SELECT a, x FROM t NATURAL RIGHT JOIN u"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[a, x])
            +- Calc(select=[a$1 AS a, x])
               +- Join(joinType=[RightOuterJoin], where=[(a = a$1)], select=[a, a$1, x])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x])
        "#]],
    );
}

#[test]
fn filters_move_below_an_inner_join() {
    check(
        plan("SELECT t.b FROM t JOIN u ON t.a = u.a AND u.x = 'k' WHERE t.c > 3 AND t.d > u.y"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b])
            +- Calc(select=[b])
               +- Join(joinType=[InnerJoin], where=[(a = a$1) AND (d > y)], select=[a, b, d, a$1, y])
                  +- Exchange(distribution=[hash[a]])
                     +- Calc(select=[a, b, d], where=[(c > 3:BIGINT)])
                        +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c, d])
                  +- Exchange(distribution=[hash[a]])
                     +- Calc(select=[a, y], where=[(x = 'k')])
                        +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x, y])
        "#]],
    );
}

#[test]
fn filters_above_a_left_join() {
    check(
        plan("SELECT t.b FROM t LEFT JOIN u ON t.a = u.a WHERE t.c > 3 AND u.x IS NULL"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b])
            +- Calc(select=[b], where=[x IS NULL])
               +- Join(joinType=[LeftOuterJoin], where=[(a = a$1)], select=[a, b, a$1, x])
                  +- Exchange(distribution=[hash[a]])
                     +- Calc(select=[a, b], where=[(c > 3:BIGINT)])
                        +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x])
        "#]],
    );
}

#[test]
fn conditions_in_on_of_outer_joins() {
    check(
        plan("SELECT t.b, u.x FROM t LEFT JOIN u ON t.a = u.a AND t.c > 3 AND u.x = 'k'"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b, x])
            +- Calc(select=[b, x])
               +- Join(joinType=[LeftOuterJoin], where=[(a = a$1) AND (c > 3:BIGINT)], select=[a, b, c, a$1, x])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
                  +- Exchange(distribution=[hash[a]])
                     +- Calc(select=[a, x], where=[(x = 'k')])
                        +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x])
        "#]],
    );
    check(
        plan("SELECT t.b, u.x FROM t RIGHT JOIN u ON t.a = u.a AND t.c > 3 AND u.x = 'k'"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b, x])
            +- Calc(select=[b, x])
               +- Join(joinType=[RightOuterJoin], where=[(a = a$1) AND (x = 'k')], select=[a, b, a$1, x])
                  +- Exchange(distribution=[hash[a]])
                     +- Calc(select=[a, b], where=[(c > 3:BIGINT)])
                        +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x])
        "#]],
    );
    check(
        plan("SELECT t.b, u.x FROM t FULL JOIN u ON t.a = u.a AND t.c > 3"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b, x])
            +- Calc(select=[b, x])
               +- Join(joinType=[FullOuterJoin], where=[(a = a$1) AND (c > 3:BIGINT)], select=[a, b, c, a$1, x])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
                  +- Exchange(distribution=[hash[a]])
                     +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a, x])
        "#]],
    );
}

#[test]
fn three_tables_and_a_self_join() {
    check(
        plan("SELECT t.b, v.b FROM t JOIN u ON t.a = u.a JOIN t AS v ON v.c = t.c"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b, b0])
            +- Calc(select=[b, b$1 AS b0])
               +- Join(joinType=[InnerJoin], where=[(c = c$1)], select=[b, c, b$1, c$1])
                  +- Exchange(distribution=[hash[c]])
                     +- Calc(select=[b, c])
                        +- Join(joinType=[InnerJoin], where=[(a = a$1)], select=[a, b, c, a$1])
                           +- Exchange(distribution=[hash[a]])
                              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
                           +- Exchange(distribution=[hash[a]])
                              +- TableSourceScan(table=[[default_catalog, default_database, u]], fields=[a])
                  +- Exchange(distribution=[hash[c]])
                     +- Calc(select=[b, c])
                        +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
        "#]],
    );
    check(
        plan("SELECT l.b, r.b FROM t l JOIN t r ON l.a = r.c"),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[b, b0])
            +- Calc(select=[b, b$1 AS b0])
               +- Calc(select=[a, b, b$1 AS b, c])
                  +- Join(joinType=[InnerJoin], where=[($key2 = c)], select=[a, b, $key2, b$1, c])
                     +- Exchange(distribution=[hash[$key2]])
                        +- Calc(select=[a, b, CAST(a AS BIGINT) AS $key2])
                           +- Calc(select=[a, b])
                              +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
                     +- Exchange(distribution=[hash[c]])
                        +- Calc(select=[b, c])
                           +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a, b, c])
        "#]],
    );
}

#[test]
fn common_table_expressions_are_shared() {
    check(
        plan(
            "WITH w AS (SELECT a, COUNT(*) AS n FROM t GROUP BY a) SELECT l.a FROM w l JOIN w r ON l.n = r.a",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[a])
            +- Calc(select=[a])
               +- Calc(select=[a, n, a$1 AS a])
                  +- Join(joinType=[InnerJoin], where=[(n = $key1)], select=[a, n, a$1, $key1])
                     +- Exchange(distribution=[hash[n]])
                        +- Calc(select=[a, EXPR$0 AS n])
                           +- GroupAggregate(groupBy=[a], select=[a, COUNT(*) AS EXPR$0])
                              +- Exchange(distribution=[hash[a]])
                                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
                     +- Exchange(distribution=[hash[$key1]])
                        +- Calc(select=[a, CAST(a AS BIGINT) AS $key1])
                           +- GroupAggregate(groupBy=[a], select=[a])
                              +- Exchange(distribution=[hash[a]])
                                 +- TableSourceScan(table=[[default_catalog, default_database, t]], fields=[a])
        "#]],
    );
}

#[test]
fn joins_near_in_event_time_only_append() {
    check(
        Shell::with_tables().plan(
            "SELECT a.price, b.price FROM bid a LEFT JOIN bid b ON a.auction = b.auction \
             AND a.ts BETWEEN b.ts - INTERVAL '1' MINUTE AND b.ts + INTERVAL '5' SECONDS",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[price, price0])
            +- Calc(select=[price, price$1 AS price0])
               +- IntervalJoin(joinType=[LeftOuterJoin], where=[(auction = auction$1) AND ((ts >= (ts$1 - 60000:INTERVAL SECOND(3))) AND (ts <= (ts$1 + 5000:INTERVAL SECOND(3))))], select=[auction, price, ts, auction$1, price$1, ts$1])
                  +- Exchange(distribution=[hash[auction]])
                     +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                        +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, price, ts])
                  +- Exchange(distribution=[hash[auction]])
                     +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                        +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, price, ts])
        "#]],
    );
    check(
        Shell::with_tables().plan(
            "SELECT a.auction, a.window_start FROM \
             (SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) a JOIN \
             (SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) b \
             ON a.auction = b.price AND a.window_start = b.window_start AND a.window_end = b.window_end",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[auction, window_start])
            +- Calc(select=[auction, window_start])
               +- Calc(select=[auction, window_start, window_end, price, window_start$1 AS window_start, window_end$1 AS window_end])
                  +- WindowJoin(joinType=[InnerJoin], where=[(auction = $key3) AND (window_start = window_start$1) AND (window_end = window_end$1)], select=[auction, window_start, window_end, price, window_start$1, window_end$1, $key3])
                     +- Exchange(distribution=[hash[auction, window_start, window_end]])
                        +- Calc(select=[auction, window_start, window_end])
                           +- WindowTableFunction(window=[TUMBLE(time_col=[ts], size=[60000 ms])])
                              +- Calc(select=[auction, ts])
                                 +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                                    +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, price, ts])
                     +- Exchange(distribution=[hash[$key3, window_start, window_end]])
                        +- Calc(select=[price, window_start, window_end, CAST(price AS BIGINT) AS $key3])
                           +- Calc(select=[price, window_start, window_end])
                              +- WindowTableFunction(window=[TUMBLE(time_col=[ts], size=[60000 ms])])
                                 +- Calc(select=[price, ts])
                                    +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                                       +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, price, ts])
        "#]],
    );
}
