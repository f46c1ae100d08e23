//! Window table functions, and where they become one with the aggregation above.

use expect_test::expect;

use crate::support::{Shell, check};

fn plan(query: &str) -> String {
    Shell::with_tables().plan(query)
}

#[test]
fn without_an_aggregation_the_rows_get_their_windows() {
    check(plan("SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' MINUTE)"), expect![[]]);
    check(plan("SELECT price, window_end FROM HOP(TABLE bid, DESCRIPTOR(ts), INTERVAL '5' MINUTE, INTERVAL '10' MINUTE)"), expect![[]]);
    check(plan("SELECT price FROM SESSION(TABLE bid PARTITION BY auction, DESCRIPTOR(ts), INTERVAL '10' MINUTE)"), expect![[]]);
}

#[test]
fn tumble() {
    check(
        plan(
            "SELECT window_start, window_end, auction, SUM(price) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' MINUTE)
             GROUP BY window_start, window_end, auction",
        ),
        expect![[]],
    );
}

#[test]
fn tumble_without_keys() {
    check(
        plan(
            "SELECT window_start, window_end, COUNT(*) FROM TUMBLE(DATA => TABLE bid, TIMECOL => DESCRIPTOR(ts),
             SIZE => INTERVAL '10' MINUTE, `OFFSET` => INTERVAL '1' MINUTE) GROUP BY window_start, window_end",
        ),
        expect![[]],
    );
}

#[test]
fn hop_and_cumulate() {
    check(
        plan(
            "SELECT window_end, MAX(price) FROM HOP(TABLE bid, DESCRIPTOR(ts), INTERVAL '5' MINUTE, INTERVAL '10' MINUTE)
             GROUP BY window_start, window_end",
        ),
        expect![[]],
    );
    check(
        plan(
            "SELECT window_time, auction, MAX(price) FROM CUMULATE(TABLE bid, DESCRIPTOR(ts), INTERVAL '2' MINUTE,
             INTERVAL '10' MINUTE) GROUP BY auction, window_start, window_end, window_time",
        ),
        expect![[]],
    );
}

#[test]
fn session_by_the_keys_of_the_aggregation() {
    check(
        plan(
            "SELECT auction, COUNT(*) FROM SESSION(TABLE bid PARTITION BY auction, DESCRIPTOR(ts), INTERVAL '10' MINUTE)
             GROUP BY window_start, window_end, auction",
        ),
        expect![[]],
    );
}

#[test]
fn session_by_other_keys_keeps_its_rows() {
    check(
        plan(
            "SELECT price, COUNT(*) FROM SESSION(TABLE bid PARTITION BY auction, DESCRIPTOR(ts), INTERVAL '10' MINUTE)
             GROUP BY window_start, window_end, price",
        ),
        expect![[]],
    );
}

#[test]
fn a_condition_on_the_rows_goes_below() {
    check(
        plan(
            "SELECT window_start, COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' MINUTE) WHERE price > 5
             GROUP BY window_start, window_end",
        ),
        expect![[]],
    );
}

#[test]
fn a_condition_on_the_window_stays_between() {
    check(
        plan(
            "SELECT window_start, COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' MINUTE)
             WHERE window_start > TIMESTAMP '2024-01-01 00:00:00' GROUP BY window_start, window_end",
        ),
        expect![[]],
    );
}

#[test]
fn one_bound_alone_is_a_plain_aggregation() {
    check(
        plan(
            "SELECT window_start, COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' MINUTE)
             GROUP BY window_start",
        ),
        expect![[]],
    );
}

#[test]
fn windows_over_windows() {
    check(
        plan(
            "SELECT window_start, window_end, SUM(s) FROM TUMBLE(TABLE five, DESCRIPTOR(rowtime), INTERVAL '10' MINUTE)
             GROUP BY window_start, window_end",
        ),
        expect![[]],
    );
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
        expect![[]],
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
        expect![[]],
    );
}

#[test]
fn two_phases_where_there_are_several_subtasks() {
    let mut shell = Shell::with_tables();
    shell.run("SET 'parallelism.default' = '2'");
    let tumble = "SELECT window_start, auction, SUM(price) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' MINUTE)
                  GROUP BY window_start, window_end, auction";
    check(shell.plan(tumble), expect![[]]);
    let session = "SELECT auction, COUNT(*) FROM SESSION(TABLE bid PARTITION BY auction, DESCRIPTOR(ts), INTERVAL '10' MINUTE)
                   GROUP BY window_start, window_end, auction";
    check(shell.plan(session), expect![[]]);
    shell.run("SET 'table.optimizer.agg-phase-strategy' = 'ONE_PHASE'");
    check(shell.plan(tumble), expect![[]]);
}

#[test]
fn group_windows() {
    check(
        plan(
            "SELECT TUMBLE_START(ts, INTERVAL '10' MINUTE) AS s, auction, COUNT(*) FROM bid
             GROUP BY TUMBLE(ts, INTERVAL '10' MINUTE), auction",
        ),
        expect![[]],
    );
}
