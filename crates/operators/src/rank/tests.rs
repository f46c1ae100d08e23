use expect_test::expect;
use flott_plan::{Conflict, OperatorSpec, SortKey};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::harness::{Harness, node};

const ROW: &str = "STRING INT INT";

fn key(column: usize, descending: bool) -> SortKey {
    SortKey { column, descending, nulls_first: !descending }
}

fn top(order: Vec<SortKey>, from: u64, to: u64, output_rank: bool, input_updates: bool) -> Harness {
    let spec = OperatorSpec::TopN {
        partition: vec![0],
        order,
        from,
        to: Some(to),
        output_rank,
        input_updates,
        ttl: 0,
        window_end: None,
        emit_update_before: true,
    };
    let output = if output_rank { "STRING INT INT BIGINT" } else { ROW };
    Harness::keyed(node(spec, &[ROW], output), &[&[0]])
}

#[test]
fn a_row_displaces_the_last_one() {
    let mut top = top(vec![key(1, true)], 1, 2, false, false);
    assert_eq!(top.push("+I a 5 1\n+I a 7 2\n+I b 1 3\n+I a 1 4"), "+I a 7 2\n+I a 5 1\n+I b 1 3\n");
    assert_eq!(top.push("+I a 6 5\n+I a 5 6"), "-D a 5 1\n+I a 6 5\n");
    assert_eq!(top.push("+I a 6 7"), "", "the earlier of equal rows stays");
    top.checkpoint(false);
    top.restore(2);
    assert_eq!(top.push("+I a 6 8\n+I a 9 9"), "-D a 6 5\n+I a 9 9\n");
}

#[test]
fn with_the_rank_every_changed_rank_is_updated() {
    let mut top = top(vec![key(1, true)], 1, 3, true, false);
    assert_eq!(top.push("+I a 5 1\n+I a 7 2"), "+I a 7 2 1\n+I a 5 1 2\n");
    expect![[r#"
        -U a 7 2 1
        +U a 8 3 1
        -U a 5 1 2
        +U a 7 2 2
        +I a 5 1 3
    "#]]
    .assert_eq(&top.push("+I a 8 3"));
}

#[test]
fn a_retraction_brings_the_next_row_up() {
    let mut top = top(vec![key(1, false)], 1, 2, false, true);
    assert_eq!(top.push("+I a 3 1\n+I a 1 1\n+I a 2 1\n+I a 2 1"), "+I a 1 1\n+I a 2 1\n");
    assert_eq!(top.push("-D a 1 1"), "-D a 1 1\n+I a 2 1\n");
    assert_eq!(top.push("-D a 2 1"), "-D a 2 1\n+I a 3 1\n");
    assert_eq!(top.push("-U a 3 1\n+U a 1 1"), "-D a 3 1\n+I a 1 1\n");
}

#[test]
fn the_last_row_of_a_key_is_updated_in_place_and_the_later_of_two_wins() {
    let order = vec![key(1, true)];
    let row = "STRING TIMESTAMP(3) INT";
    let spec = OperatorSpec::TopN {
        partition: vec![0],
        order,
        from: 1,
        to: Some(1),
        output_rank: false,
        input_updates: false,
        ttl: 0,
        window_end: None,
        emit_update_before: true,
    };
    let mut last = Harness::new(node(spec, &[row], row));
    let at = |second: u32| format!("1970-01-01T00:00:0{second}.000");
    last.push(&format!("+I a {} 1", at(5)));
    assert_eq!(last.push(&format!("+I a {} 2", at(4))), "");
    let out = last.push(&format!("+I a {} 3", at(5)));
    assert_eq!(out, format!("-U a {} 1\n+U a {} 3\n", at(5), at(5)));
}

#[test]
fn the_earlier_of_equal_rows_ranks_first_and_is_retracted_first() {
    let mut top = top(vec![key(1, false)], 1, 2, true, true);
    assert_eq!(top.push("+I a 1 9\n+I a 1 5\n+I a 1 7"), "+I a 1 9 1\n+I a 1 5 2\n");
    top.checkpoint(false);
    top.restore(2);
    assert_eq!(top.push("-D a 1 5"), "-U a 1 5 2\n+U a 1 7 2\n");
    assert_eq!(top.push("+I a 1 9\n+I a 1 7\n-D a 1 9"), "-U a 1 9 1\n+U a 1 7 1\n-U a 1 7 2\n+U a 1 9 2\n");
    assert_eq!(top.push("-D a 1 3\n-D b 1 9"), "", "a retraction of a missing row is ignored");
    assert_eq!(top.push("-U a 1 7\n+U a 1 7"), "-U a 1 7 1\n+U a 1 9 1\n-U a 1 9 2\n+U a 1 7 2\n");
}

#[test]
fn the_first_row_of_a_key_stays() {
    let mut first = top(vec![key(1, false)], 1, 1, false, false);
    assert_eq!(first.push("+I a 5 1\n+I a 4 2\n+I a 4 3\n+I b 1 1"), "+I a 4 2\n+I b 1 1\n");
    assert_eq!(first.push("+I a 4 0\n+I b 2 2"), "");
    assert_eq!(first.push("+I a 3 1\n+I a NULL 9"), "-U a 4 2\n+U a NULL 9\n");
    assert_eq!(first.checkpoint(false), 2);
}

#[test]
fn a_limit_of_a_changelog_fills_up_again() {
    let spec = OperatorSpec::TopN {
        partition: vec![],
        order: vec![],
        from: 1,
        to: Some(2),
        output_rank: false,
        input_updates: true,
        ttl: 0,
        window_end: None,
        emit_update_before: true,
    };
    let mut limit = Harness::keyed(node(spec, &["INT"], "INT"), &[&[]]);
    assert_eq!(limit.push("+I 3\n+I 1\n+I 2"), "+I 3\n+I 1\n");
    assert_eq!(limit.push("-D 3"), "-D 3\n+I 2\n");
}

#[test]
fn without_an_upper_rank_rows_are_emitted_in_order_at_the_end() {
    for input_updates in [false, true] {
        let spec = OperatorSpec::TopN {
            partition: vec![],
            order: vec![key(0, true), key(1, false)],
            from: 2,
            to: None,
            output_rank: false,
            input_updates,
            ttl: 0,
            window_end: None,
            emit_update_before: true,
        };
        let mut sort = Harness::keyed(node(spec, &["INT INT"], "INT INT"), &[&[]]);
        assert_eq!(sort.push("+I 1 1\n+I 3 3\n+I NULL 0\n+I 2 2\n+I 3 NULL"), "");
        sort.checkpoint(false);
        sort.restore(1);
        if input_updates {
            assert_eq!(sort.push("-D 1 1"), "");
        }
        let end = if input_updates { "" } else { "+I 1 1\n" };
        assert_eq!(sort.end(0), format!("+I 3 3\n+I 2 2\n{end}+I NULL 0\n"));
        sort.checkpoint(false);
        assert!(sort.tables().is_empty(), "what was sent is not sent again");
    }
}

#[test]
fn a_limit_counts() {
    let spec = OperatorSpec::TopN {
        partition: vec![],
        order: vec![],
        from: 2,
        to: Some(3),
        output_rank: false,
        input_updates: false,
        ttl: 0,
        window_end: None,
        emit_update_before: true,
    };
    let mut limit = Harness::keyed(node(spec, &["INT"], "INT"), &[&[]]);
    assert_eq!(limit.push("+I 1\n+I 2"), "+I 2\n");
    limit.checkpoint(false);
    limit.restore(1);
    assert_eq!(limit.push("+I 3\n+I 4"), "+I 3\n");
}

#[test]
fn random_changes_give_the_first_of_all_rows() {
    for seed in 0..36 {
        let mut random = SmallRng::seed_from_u64(seed);
        let (updates, ranked) = (seed % 2 == 0, seed % 4 < 2);
        let (from, to) = [(2, 4), (1, 1), (1, 3)][seed as usize % 3];
        let mut top = top(vec![key(1, true), key(2, false)], from, to, ranked, updates);
        let mut rows: Vec<(char, i32, i32)> = Vec::new();
        for _ in 0..40 {
            let mut batch = String::new();
            for _ in 0..random.random_range(1..10) {
                if updates && !rows.is_empty() && random.random_bool(0.45) {
                    let (k, a, b) = rows.swap_remove(random.random_range(0..rows.len()));
                    batch += &format!("-D {k} {a} {b}\n");
                } else {
                    let row =
                        (random.random_range('a'..'d'), random.random_range(0..9), random.random_range(0..9));
                    rows.push(row);
                    batch += &format!("+I {} {} {}\n", row.0, row.1, row.2);
                }
            }
            top.push(&batch);
            if random.random_bool(0.2) {
                top.checkpoint(random.random_bool(0.2));
                top.restore(random.random_range(1..4));
            }
        }
        let mut expected = Vec::new();
        for partition in 'a'..'d' {
            let mut mine: Vec<_> = rows.iter().filter(|row| row.0 == partition).collect();
            mine.sort_by_key(|row| (-row.1, row.2));
            for (rank, (k, a, b)) in mine.into_iter().enumerate().take(to as usize).skip(from as usize - 1) {
                let rank = if ranked { format!(" {}", rank + 1) } else { String::new() };
                expected.push(format!("{k} {a} {b}{rank}\n"));
            }
        }
        expected.sort();
        assert_eq!(top.result(), expected.concat(), "seed {seed}");
    }
}

#[test]
fn rows_that_were_told_apart_by_all_of_their_columns_are_restored() {
    for (to, updates) in [(1, false), (2, false), (2, true)] {
        // Earlier versions kept one row in the same way as several.
        let mut rows = top(vec![key(1, true)], 1, 2, false, updates);
        rows.push("+I a 5 1\n+I b 7 2");
        rows.checkpoint(false);
        rows.as_earlier("rows", 1, "$arrival");
        rows.restore_as(OperatorSpec::TopN {
            partition: vec![0],
            order: vec![key(1, true)],
            from: 1,
            to: Some(to),
            output_rank: false,
            input_updates: updates,
            ttl: 0,
            window_end: None,
            emit_update_before: true,
        });
        let first = if to == 1 { "-U a 5 1\n+U a 6 3\n" } else { "+I a 6 3\n" };
        assert_eq!(rows.push("+I a 6 3\n+I c 0 0").replace("+I c 0 0\n", ""), first, "{to} {updates}");
        assert_eq!(rows.push("+I b 6 1\n+I b 8 9").contains("b 7 2"), to == 1, "{to} {updates}");
        rows.checkpoint(false);
        rows.restore(2);
        let result = if to == 1 { "a 6 3\nb 8 9\nc 0 0\n" } else { "a 5 1\na 6 3\nb 7 2\nb 8 9\nc 0 0\n" };
        assert_eq!(rows.result(), result, "{to} {updates}");
    }
}

#[test]
fn the_rows_of_a_window_are_emitted_once_when_it_ends() {
    let order = vec![SortKey { column: 1, descending: true, nulls_first: false }];
    let spec = OperatorSpec::TopN {
        partition: vec![0, 2],
        order,
        from: 1,
        to: Some(2),
        output_rank: true,
        input_updates: false,
        ttl: 0,
        window_end: Some(2),
        emit_update_before: true,
    };
    let input = "STRING INT TIMESTAMP(3)";
    let mut top = Harness::keyed(node(spec, &[input], &format!("{input} BIGINT")), &[&[0, 2]]);
    let row = |key: &str, number: i64, end: i64| format!("+I {key} {number} 1970-01-01T00:00:{end:02}\n");
    assert_eq!(top.push(&[row("x", 1, 10), row("x", 3, 10), row("x", 2, 10), row("x", 9, 20)].concat()), "");
    assert_eq!(top.push(&row("y", 5, 10)), "");
    assert_eq!(top.watermark(9_998), "watermark 9998\n");
    top.checkpoint(false);
    top.restore(1);
    expect![[r#"
        +I x 3 1970-01-01T00:00:10.000 1
        +I x 2 1970-01-01T00:00:10.000 2
        +I y 5 1970-01-01T00:00:10.000 1
        watermark 9999
    "#]]
    .assert_eq(&top.watermark(9_999));
    top.checkpoint(false);
    top.restore(1);
    // Late for the first window, even after a restore; not for the second.
    assert_eq!(top.push(&[row("x", 7, 10), row("x", 8, 20)].concat()), "");
    assert_eq!(top.metrics.num_late_records_dropped.get(), 1);
    expect![[r#"
        +I x 9 1970-01-01T00:00:20.000 1
        +I x 8 1970-01-01T00:00:20.000 2
        watermark MAX
    "#]]
    .assert_eq(&top.watermark(i64::MAX));
    top.checkpoint(true);
    assert_eq!(top.table("rows"), "");
}

#[test]
fn without_update_before_only_the_new_rows_are_sent() {
    let changes = ["+I a 5 1\n+I a 7 2\n+I b 1 3", "+I a 9 4\n+I b 2 5", "-D a 9 4\n-U b 2 5\n+U b 2 6"];
    for (to, rank, updates) in [(1, false, false), (2, true, false), (1, false, true), (2, true, true)] {
        let mut both = top(vec![key(1, true)], 1, to, rank, updates);
        let spec = |emit_update_before| OperatorSpec::TopN {
            partition: vec![0],
            order: vec![key(1, true)],
            from: 1,
            to: Some(to),
            output_rank: rank,
            input_updates: updates,
            ttl: 0,
            window_end: None,
            emit_update_before,
        };
        let output = if rank { "STRING INT INT BIGINT" } else { ROW };
        let mut after = Harness::keyed(node(spec(false), &[ROW], output), &[&[0]]).upsert();
        let mut left_out = 0;
        for rows in changes.iter().take(if updates { 3 } else { 2 }) {
            let with = both.push(rows);
            let sorted = |rows: &str| {
                let mut rows: Vec<String> = rows.lines().map(str::to_owned).collect();
                rows.sort();
                rows
            };
            let mut without = sorted(&with);
            without.retain(|row| !row.starts_with("-U"));
            assert_eq!(sorted(&after.push(rows)), without, "{to} {rank} {updates}");
            left_out += with.lines().count() - without.len();
            after.checkpoint(false);
            after.restore(2);
        }
        assert!(left_out > 1, "{to} {rank} {updates}");
    }
}

fn one_per_key(conflict: Conflict) -> Harness {
    let spec = OperatorSpec::SinkMaterializer { keys: vec![0], conflict, ttl: 0 };
    Harness::keyed(node(spec, &[ROW], ROW), &[&[0]]).upsert()
}

#[test]
fn of_the_rows_of_a_primary_key_the_last_one_counts() {
    let mut rows = one_per_key(Conflict::Last);
    assert_eq!(rows.push("+I a 1 1\n+I a 2 1"), "+I a 2 1\n");
    assert_eq!(rows.push("+I a 3 1"), "+U a 3 1\n");
    rows.checkpoint(false);
    rows.restore(2);
    assert_eq!(rows.push("-D a 1 1"), "", "it was not the last");
    let mut moved: Vec<String> = rows.push("-U a 3 1\n+U b 3 1").lines().map(str::to_owned).collect();
    moved.sort();
    assert_eq!(moved, ["+I b 3 1", "+U a 2 1"]);
    assert_eq!(rows.push("-D a 2 1"), "-D a 2 1\n");
}

#[test]
fn of_the_rows_of_a_primary_key_the_first_one_counts() {
    let mut rows = one_per_key(Conflict::First);
    assert_eq!(rows.push("+I a 1 1\n+I a 2 1"), "+I a 1 1\n");
    assert_eq!(rows.push("+I a 3 1"), "");
    assert_eq!(rows.push("-D a 1 1"), "+U a 2 1\n");
}

#[test]
fn several_rows_of_a_primary_key_are_an_error_when_event_time_moves_on() {
    let mut rows = one_per_key(Conflict::Error);
    rows.push("+I a 1 1\n+I a 2 1");
    rows.push("-D a 1 1\n+I b 4 4\n+I b 4 4");
    rows.watermark(5);
    rows.push("+I a 3 1");
    rows.checkpoint(false);
    rows.restore(1);
    let failed = rows.try_watermark(9).unwrap_err().to_string();
    assert!(failed.contains("=a]. Use ON CONFLICT DO NOTHING"), "{failed}");
}

#[test]
fn of_several_rows_that_are_restored_the_first_of_each_partition_stays() {
    let spec = |order: Vec<SortKey>| OperatorSpec::TopN {
        partition: vec![0],
        order,
        from: 1,
        to: Some(1),
        output_rank: false,
        input_updates: false,
        ttl: 0,
        window_end: None,
        emit_update_before: true,
    };
    for updates in [false, true] {
        // The first of three.
        let mut rows = top(vec![key(1, true)], 1, 3, false, updates);
        rows.push("+I a 5 1\n+I b 1 1\n+I a 9 2\n+I a 9 3");
        rows.checkpoint(false);
        rows.push("+I a 7 4\n+I b 1 0");
        rows.checkpoint(false);
        rows.restore_as(spec(vec![key(1, true)]));
        assert_eq!(rows.push("+I a 8 5\n+I a 9 6\n+I b 1 9"), "", "{updates}");
        assert_eq!(rows.checkpoint(false), 2, "all rows are written as they are now");
        assert!(!rows.table("rows").contains("$arrival"), "{}", rows.table("rows"));
        rows.restore(2);
        assert_eq!(rows.push("+I a 10 7"), "-U a 9 2\n+U a 10 7\n", "the earlier of equal rows counts");
        assert_eq!(rows.push("+I b 2 7"), "-U b 1 1\n+U b 2 7\n");
    }
}

#[test]
fn of_equal_times_that_are_restored_the_last_row_counts() {
    let row = "STRING TIMESTAMP(3) INT";
    let spec = |to, input_updates| OperatorSpec::TopN {
        partition: vec![0],
        order: vec![key(1, true)],
        from: 1,
        to: Some(to),
        output_rank: false,
        input_updates,
        ttl: 0,
        window_end: None,
        emit_update_before: true,
    };
    let at = |second: u32| format!("1970-01-01T00:00:0{second}.000");
    let mut rows = Harness::keyed(node(spec(3, false), &[row], row), &[&[0]]);
    rows.push(&format!("+I a {0} 1\n+I a {0} 2\n+I a {1} 3", at(5), at(4)));
    rows.checkpoint(false);
    rows.restore_as(spec(1, false));
    let out = rows.push(&format!("+I a {} 4", at(6)));
    assert_eq!(out, format!("-U a {} 2\n+U a {} 4\n", at(5), at(6)));
}
