//! Window table functions, and where they become one with the aggregation above.

use expect_test::expect;

use crate::support::{Shell, check};

fn plan(query: &str) -> String {
    Shell::with_tables().plan(query)
}

#[test]
fn without_an_aggregation_the_rows_get_their_windows() {
    check(
        plan("SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' MINUTE)"),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[auction, price, ts, window_start, window_end, window_time])
        +- WindowTableFunction(window=[TUMBLE(time_col=[ts], size=[600000 ms])])
           +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
              +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, price, ts])
    "#]],
    );
    check(
        plan(
            "SELECT price, window_end FROM HOP(TABLE bid, DESCRIPTOR(ts), INTERVAL '5' MINUTE, INTERVAL '10' MINUTE)",
        ),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[price, window_end])
        +- Calc(select=[price, window_end])
           +- WindowTableFunction(window=[HOP(time_col=[ts], size=[600000 ms], slide=[300000 ms])])
              +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                 +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[price, ts])
    "#]],
    );
    check(
        plan(
            "SELECT price FROM SESSION(TABLE bid PARTITION BY auction, DESCRIPTOR(ts), INTERVAL '10' MINUTE)",
        ),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[price])
        +- Calc(select=[price])
           +- WindowTableFunction(window=[SESSION(time_col=[ts], gap=[600000 ms])], partition keys=[auction])
              +- Exchange(distribution=[hash[auction]])
                 +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                    +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, price, ts])
    "#]],
    );
}

#[test]
fn tumble() {
    check(
        plan(
            "SELECT window_start, window_end, auction, SUM(price) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' MINUTE)
             GROUP BY window_start, window_end, auction",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[window_start, window_end, auction, EXPR$3])
            +- Calc(select=[window_start, window_end, auction, EXPR$0 AS EXPR$3])
               +- WindowAggregate(groupBy=[auction], window=[TUMBLE(time_col=[ts], size=[600000 ms])], select=[auction, SUM(price) AS EXPR$0])
                  +- Exchange(distribution=[hash[auction]])
                     +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                        +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, price, ts])
        "#]],
    );
}

#[test]
fn tumble_without_keys() {
    check(
        plan(
            "SELECT window_start, window_end, COUNT(*) FROM TUMBLE(DATA => TABLE bid, TIMECOL => DESCRIPTOR(ts),
             SIZE => INTERVAL '10' MINUTE, `OFFSET` => INTERVAL '1' MINUTE) GROUP BY window_start, window_end",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[window_start, window_end, EXPR$2])
            +- Calc(select=[window_start, window_end, EXPR$0 AS EXPR$2])
               +- WindowAggregate(window=[TUMBLE(time_col=[ts], size=[600000 ms], offset=[60000 ms])], select=[, COUNT(*) AS EXPR$0])
                  +- Exchange(distribution=[single])
                     +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                        +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[ts])
        "#]],
    );
}

#[test]
fn hop_and_cumulate() {
    check(
        plan(
            "SELECT window_end, MAX(price) FROM HOP(TABLE bid, DESCRIPTOR(ts), INTERVAL '5' MINUTE, INTERVAL '10' MINUTE)
             GROUP BY window_start, window_end",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[window_end, EXPR$1])
            +- Calc(select=[window_end, EXPR$0 AS EXPR$1])
               +- WindowAggregate(window=[HOP(time_col=[ts], size=[600000 ms], slide=[300000 ms])], select=[, MAX(price) AS EXPR$0])
                  +- Exchange(distribution=[single])
                     +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                        +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[price, ts])
        "#]],
    );
    check(
        plan(
            "SELECT window_time, auction, MAX(price) FROM CUMULATE(TABLE bid, DESCRIPTOR(ts), INTERVAL '2' MINUTE,
             INTERVAL '10' MINUTE) GROUP BY auction, window_start, window_end, window_time",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[window_time, auction, EXPR$2])
            +- Calc(select=[window_time, auction, EXPR$0 AS EXPR$2])
               +- WindowAggregate(groupBy=[auction], window=[CUMULATE(time_col=[ts], max_size=[600000 ms], step=[120000 ms])], select=[auction, MAX(price) AS EXPR$0])
                  +- Exchange(distribution=[hash[auction]])
                     +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                        +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, price, ts])
        "#]],
    );
}

#[test]
fn session_by_the_keys_of_the_aggregation() {
    check(
        plan(
            "SELECT auction, COUNT(*) FROM SESSION(TABLE bid PARTITION BY auction, DESCRIPTOR(ts), INTERVAL '10' MINUTE)
             GROUP BY window_start, window_end, auction",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[auction, EXPR$1])
            +- Calc(select=[auction, EXPR$0 AS EXPR$1])
               +- WindowAggregate(groupBy=[auction], window=[SESSION(time_col=[ts], gap=[600000 ms])], select=[auction, COUNT(*) AS EXPR$0])
                  +- Exchange(distribution=[hash[auction]])
                     +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                        +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, ts])
        "#]],
    );
}

#[test]
fn session_by_other_keys_keeps_its_rows() {
    check(
        plan(
            "SELECT price, COUNT(*) FROM SESSION(TABLE bid PARTITION BY auction, DESCRIPTOR(ts), INTERVAL '10' MINUTE)
             GROUP BY window_start, window_end, price",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[price, EXPR$1])
            +- Calc(select=[price, EXPR$0 AS EXPR$1])
               +- WindowAggregate(groupBy=[price], window=[SESSION(time_col=[window_end], gap=[600000 ms])], select=[price, COUNT(*) AS EXPR$0])
                  +- Exchange(distribution=[hash[price]])
                     +- Calc(select=[window_start, window_end, price])
                        +- WindowTableFunction(window=[SESSION(time_col=[ts], gap=[600000 ms])], partition keys=[auction])
                           +- Exchange(distribution=[hash[auction]])
                              +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                                 +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, price, ts])
        "#]],
    );
}

#[test]
fn a_condition_on_the_rows_goes_below() {
    check(
        plan(
            "SELECT window_start, COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' MINUTE) WHERE price > 5
             GROUP BY window_start, window_end",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[window_start, EXPR$1])
            +- Calc(select=[window_start, EXPR$0 AS EXPR$1])
               +- WindowAggregate(window=[TUMBLE(time_col=[ts], size=[600000 ms])], select=[, COUNT(*) AS EXPR$0])
                  +- Exchange(distribution=[single])
                     +- Calc(select=[ts], where=[(price > 5)])
                        +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                           +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[price, ts])
        "#]],
    );
}

#[test]
fn a_condition_on_the_window_stays_between() {
    check(
        plan(
            "SELECT window_start, COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' MINUTE)
             WHERE window_start > TIMESTAMP '2024-01-01 00:00:00' GROUP BY window_start, window_end",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[window_start, EXPR$1])
            +- Calc(select=[window_start, EXPR$0 AS EXPR$1])
               +- WindowAggregate(window=[TUMBLE(time_col=[window_end], size=[600000 ms])], select=[, COUNT(*) AS EXPR$0])
                  +- Exchange(distribution=[single])
                     +- Calc(select=[window_start, window_end], where=[(window_start > 1704067200000000000ns:TIMESTAMP(0))])
                        +- WindowTableFunction(window=[TUMBLE(time_col=[ts], size=[600000 ms])])
                           +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                              +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[ts])
        "#]],
    );
}

#[test]
fn one_bound_alone_is_a_plain_aggregation() {
    check(
        plan(
            "SELECT window_start, COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' MINUTE)
             GROUP BY window_start",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[window_start, EXPR$1])
            +- Calc(select=[window_start, EXPR$0 AS EXPR$1])
               +- GroupAggregate(groupBy=[window_start], select=[window_start, COUNT(*) AS EXPR$0])
                  +- Exchange(distribution=[hash[window_start]])
                     +- Calc(select=[window_start])
                        +- WindowTableFunction(window=[TUMBLE(time_col=[ts], size=[600000 ms])])
                           +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                              +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[ts])
        "#]],
    );
}

#[test]
fn windows_over_windows() {
    let mut shell = Shell::with_tables();
    let view = "CREATE VIEW five AS SELECT window_time AS rowtime, auction, SUM(price) AS s
                FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '5' MINUTE)
                GROUP BY window_start, window_end, window_time, auction";
    assert_eq!(shell.run(view), "");
    check(
        shell.plan(
            "SELECT window_start, window_end, SUM(s) FROM TUMBLE(TABLE five, DESCRIPTOR(rowtime), INTERVAL '10' MINUTE)
             GROUP BY window_start, window_end",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[window_start, window_end, EXPR$2])
            +- Calc(select=[window_start, window_end, EXPR$0 AS EXPR$2])
               +- WindowAggregate(window=[TUMBLE(time_col=[rowtime], size=[600000 ms])], select=[, SUM(s) AS EXPR$0])
                  +- Exchange(distribution=[single])
                     +- Calc(select=[EXPR$0 AS s, window_time AS rowtime])
                        +- WindowAggregate(groupBy=[auction], window=[TUMBLE(time_col=[ts], size=[300000 ms])], select=[auction, SUM(price) AS EXPR$0])
                           +- Exchange(distribution=[hash[auction]])
                              +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                                 +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, price, ts])
        "#]],
    );
}

#[test]
fn the_same_windows_aggregated_again() {
    check(
        plan(
            "SELECT window_start, window_end, MAX(s) FROM (
               SELECT window_start, window_end, auction, SUM(price) AS s
               FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '5' MINUTE) GROUP BY window_start, window_end, auction)
             GROUP BY window_start, window_end",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[window_start, window_end, EXPR$2])
            +- Calc(select=[window_start, window_end, EXPR$0 AS EXPR$2])
               +- WindowAggregate(window=[TUMBLE(time_col=[window_end], size=[300000 ms])], select=[, MAX($f2) AS EXPR$0])
                  +- Exchange(distribution=[single])
                     +- Calc(select=[window_start, window_end, EXPR$0 AS $f2])
                        +- WindowAggregate(groupBy=[auction], window=[TUMBLE(time_col=[ts], size=[300000 ms])], select=[auction, SUM(price) AS EXPR$0])
                           +- Exchange(distribution=[hash[auction]])
                              +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                                 +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, price, ts])
        "#]],
    );
}

#[test]
fn two_phases_where_there_are_several_subtasks() {
    let mut shell = Shell::with_tables();
    shell.run("SET 'parallelism.default' = '2'");
    let tumble = "SELECT window_start, auction, SUM(price) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' MINUTE)
                  GROUP BY window_start, window_end, auction";
    check(
        shell.plan(tumble),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[window_start, auction, EXPR$2])
        +- Exchange(distribution=[single])
           +- Calc(select=[window_start, auction, EXPR$0 AS EXPR$2])
              +- GlobalWindowAggregate(groupBy=[auction], window=[TUMBLE(time_col=[ts], size=[600000 ms])], select=[auction, SUM(price) AS EXPR$0])
                 +- Exchange(distribution=[hash[auction]])
                    +- LocalWindowAggregate(groupBy=[auction], window=[TUMBLE(time_col=[ts], size=[600000 ms])], select=[auction, SUM(price) AS EXPR$0])
                       +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                          +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, price, ts])
    "#]],
    );
    let session = "SELECT auction, COUNT(*) FROM SESSION(TABLE bid PARTITION BY auction, DESCRIPTOR(ts), INTERVAL '10' MINUTE)
                   GROUP BY window_start, window_end, auction";
    check(
        shell.plan(session),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[auction, EXPR$1])
        +- Exchange(distribution=[single])
           +- Calc(select=[auction, EXPR$0 AS EXPR$1])
              +- WindowAggregate(groupBy=[auction], window=[SESSION(time_col=[ts], gap=[600000 ms])], select=[auction, COUNT(*) AS EXPR$0])
                 +- Exchange(distribution=[hash[auction]])
                    +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                       +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, ts])
    "#]],
    );
    shell.run("SET 'table.optimizer.agg-phase-strategy' = 'ONE_PHASE'");
    check(
        shell.plan(tumble),
        expect![[r#"
        Sink(table=[*anonymous_collect$1*], fields=[window_start, auction, EXPR$2])
        +- Exchange(distribution=[single])
           +- Calc(select=[window_start, auction, EXPR$0 AS EXPR$2])
              +- WindowAggregate(groupBy=[auction], window=[TUMBLE(time_col=[ts], size=[600000 ms])], select=[auction, SUM(price) AS EXPR$0])
                 +- Exchange(distribution=[hash[auction]])
                    +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                       +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, price, ts])
    "#]],
    );
}

#[test]
fn group_windows() {
    check(
        plan(
            "SELECT TUMBLE_START(ts, INTERVAL '10' MINUTE) AS s, auction, COUNT(*) FROM bid
             GROUP BY TUMBLE(ts, INTERVAL '10' MINUTE), auction",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[s, auction, EXPR$2])
            +- Calc(select=[window_start AS s, auction, EXPR$0 AS EXPR$2])
               +- WindowAggregate(groupBy=[auction], window=[TUMBLE(time_col=[ts], size=[600000 ms])], select=[auction, COUNT(*) AS EXPR$0])
                  +- Exchange(distribution=[hash[auction]])
                     +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                        +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, ts])
        "#]],
    );
}

#[test]
fn grouping_sets_within_windows() {
    check(
        plan(
            "SELECT window_start, auction, COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
             GROUP BY window_start, window_end, GROUPING SETS ((auction), ())",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[window_start, auction, EXPR$2])
            +- Calc(select=[window_start, auction, EXPR$0 AS EXPR$2])
               +- WindowAggregate(groupBy=[auction, $e], window=[TUMBLE(time_col=[window_end], size=[60000 ms])], select=[auction, $e, COUNT(*) AS EXPR$0])
                  +- Exchange(distribution=[hash[auction, $e]])
                     +- Expand(projects=[{window_start, window_end, auction, 0:BIGINT}, {window_start, window_end, null, 1:BIGINT}])
                        +- Calc(select=[window_start, window_end, auction])
                           +- WindowTableFunction(window=[TUMBLE(time_col=[ts], size=[60000 ms])])
                              +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                                 +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[auction, ts])
        "#]],
    );
}

#[test]
fn renamed_bounds_and_computed_keys() {
    check(
        plan(
            "SELECT ws, COUNT(*) FROM (
               SELECT window_start AS ws, window_end AS we, price + 1 AS p
               FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
             GROUP BY ws, we, p HAVING COUNT(*) > 3",
        ),
        expect![[r#"
            Sink(table=[*anonymous_collect$1*], fields=[ws, EXPR$1])
            +- Calc(select=[window_start AS ws, EXPR$0 AS EXPR$1], where=[(EXPR$0 > 3:BIGINT)])
               +- WindowAggregate(groupBy=[$f0], window=[TUMBLE(time_col=[ts], size=[60000 ms])], select=[$f0, COUNT(*) AS EXPR$0])
                  +- Exchange(distribution=[hash[$f0]])
                     +- Calc(select=[(price + 1) AS $f0, ts])
                        +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - 5000:INTERVAL SECOND(3))])
                           +- TableSourceScan(table=[[default_catalog, default_database, bid]], fields=[price, ts])
        "#]],
    );
}
