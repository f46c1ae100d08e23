use std::collections::{BTreeMap, BTreeSet};

use expect_test::expect;
use flott_batch::ChangeBatch;
use flott_plan::{AggregateCall, AggregatePhase, OperatorSpec};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::harness::{Harness, call, node};

const SUMS: &str = "INT INT";

fn spec(keys: &[usize], aggregates: Vec<AggregateCall>, input_updates: bool) -> OperatorSpec {
    OperatorSpec::GroupAggregate {
        keys: keys.to_vec(),
        aggregates,
        phase: AggregatePhase::Single,
        input_updates,
        emit_update_before: true,
        ttl: 0,
    }
}

fn count_and_sum(input_updates: bool) -> Harness {
    let calls = vec![call("COUNT", &[], "BIGINT"), call("SUM", &[(1, "INT")], "INT")];
    Harness::keyed(node(spec(&[0], calls, input_updates), &[SUMS], "INT BIGINT INT"), &[&[0]])
}

/// One aggregate over the whole input.
fn global(function: &str, args: &[(usize, &str)], result: &str, input: &str, updates: bool) -> Harness {
    Harness::keyed(node(spec(&[], vec![call(function, args, result)], updates), &[input], result), &[&[]])
}

#[test]
fn a_batch_gives_the_net_change_of_each_group() {
    let mut operator = count_and_sum(false);
    expect![[r#"
        +I 1 2 30
        +I NULL 1 NULL
    "#]]
    .assert_eq(&operator.push("+I 1 10\n+I NULL NULL\n+I 1 20"));
    expect![[r#"
        +I 2 1 1
        -U 1 2 30
        +U 1 3 30
        -U NULL 1 NULL
        +U NULL 2 7
    "#]]
    .assert_eq(&operator.push("+I 2 1\n+I 1 NULL\n+I NULL 7"));
}

#[test]
fn a_result_that_stays_the_same_is_not_sent_again() {
    let mut operator = global("MAX", &[(0, "INT")], "INT", "INT", false);
    assert_eq!(operator.push("+I 5"), "+I 5\n");
    assert_eq!(operator.push("+I 4\n+I NULL"), "");
    assert_eq!(operator.push("+I 6"), "-U 5\n+U 6\n");
}

#[test]
fn a_group_is_deleted_with_its_last_row() {
    let mut operator = count_and_sum(true);
    operator.push("+I 1 10\n+I 1 20\n+I 2 5");
    assert_eq!(operator.push("-D 1 10\n-U 2 5\n+U 2 6"), "-U 1 2 30\n+U 1 1 20\n-U 2 1 5\n+U 2 1 6\n");
    assert_eq!(operator.push("-D 1 20"), "-D 1 1 20\n");
    assert_eq!(operator.push("+I 3 1\n-D 3 1"), "");
    assert_eq!(operator.push("-D 9 1\n+I 1 2"), "+I 1 1 2\n", "a retraction of a missing row is ignored");
}

#[test]
fn without_update_before_only_the_new_result_is_sent() {
    let mut spec = spec(&[0], vec![call("COUNT", &[], "BIGINT")], false);
    if let OperatorSpec::GroupAggregate { emit_update_before, .. } = &mut spec {
        *emit_update_before = false;
    }
    let mut operator = Harness::new(node(spec, &[SUMS], "INT BIGINT")).upsert();
    operator.push("+I 1 1");
    assert_eq!(operator.push("+I 1 1"), "+U 1 2\n");
}

#[test]
fn a_global_aggregate_over_no_rows_sends_nothing() {
    let mut operator = global("COUNT", &[], "BIGINT", "INT", true);
    assert_eq!(operator.watermark(i64::MAX), "watermark MAX\n");
    assert_eq!(operator.push("+I 1"), "+I 1\n");
    assert_eq!(operator.push("-D 1"), "-D 1\n");
}

#[test]
fn a_batch_query_has_a_result_for_no_rows_and_narrow_averages() {
    let mut operator = global("COUNT", &[], "BIGINT", "INT", false).batch();
    assert_eq!(operator.finish(), "+I 0\n");
    let mut operator = global("AVG", &[(0, "INT")], "INT", "INT", false).batch();
    assert_eq!(operator.push("+I 2147483647\n+I 2147483647\n+I -1"), "+I -1\n");
    assert_eq!(operator.finish(), "");
    let mut stream = global("AVG", &[(0, "INT")], "INT", "INT", false);
    assert_eq!(stream.push("+I 2147483647\n+I 2147483647\n+I -1"), "+I 1431655764\n");
    assert_eq!(global("AVG", &[(0, "INT")], "INT", "INT", false).finish(), "");
}

#[test]
fn functions_over_append_only_rows() {
    let rows = "+I 1\n+I NULL\n+I 2\n+I 5\n+I 2";
    let check = |function: &str, result: &str, expected: &str| {
        let mut operator = global(function, &[(0, "INT")], result, "INT", false);
        assert_eq!(operator.push(rows), format!("+I {expected}\n"), "{function}");
    };
    check("COUNT", "BIGINT", "4");
    check("COUNT DISTINCT", "BIGINT", "3");
    check("SUM", "INT", "10");
    check("SUM0", "INT", "10");
    check("SUM DISTINCT", "INT", "8");
    check("AVG", "INT", "2");
    check("MIN", "INT", "1");
    check("MAX", "INT", "5");
    check("FIRST_VALUE", "INT", "1");
    check("LAST_VALUE", "INT", "2");
    check("COLLECT", "MULTISET<INT>", "{1=1,2=2,5=1}");
    check("ARRAY_AGG", "ARRAY<INT>", "[1,NULL,2,5,2]");
    check("JSON_ARRAYAGG", "STRING", "'[1,2,5,2]'");
    check("STDDEV_POP", "INT", "1");
    check("VAR_SAMP", "DOUBLE", "3.0");
}

#[test]
fn functions_over_no_values() {
    let check = |function: &str, result: &str, expected: &str| {
        let mut operator = global(function, &[(0, "INT")], result, "INT", true);
        assert_eq!(operator.push("+I NULL"), format!("+I {expected}\n"), "{function}");
    };
    check("COUNT", "BIGINT", "0");
    check("SUM", "INT", "NULL");
    check("SUM0", "INT", "0");
    check("AVG", "INT", "NULL");
    check("MIN", "INT", "NULL");
    check("FIRST_VALUE", "INT", "NULL");
    check("COLLECT", "MULTISET<INT>", "{}");
    check("STDDEV_SAMP", "INT", "NULL");
}

#[test]
fn decimals_and_floats_add_up_as_in_flink() {
    let mut operator = global("SUM", &[(0, "DECIMAL(10,2)")], "DECIMAL(38,2)", "DECIMAL(10,2)", false);
    assert_eq!(operator.push("+I 1.10\n+I 2.20\n+I 2.20"), "+I 5.50\n");
    let mut operator = global("AVG", &[(0, "DECIMAL(10,2)")], "DECIMAL(38,6)", "DECIMAL(10,2)", false);
    assert_eq!(operator.push("+I 1.10\n+I 2.20\n+I 2.20"), "+I 1.833333\n");
    let mut operator = global("AVG", &[(0, "FLOAT")], "FLOAT", "FLOAT", false);
    assert_eq!(operator.push("+I 2.5\n+I 2.5\n+I 1.5"), "+I 2.1666667\n");
    let mut operator = global("SUM", &[(0, "TINYINT")], "TINYINT", "TINYINT", false);
    assert_eq!(operator.push("+I 127\n+I 127\n+I -1"), "+I -3\n");
}

#[test]
fn strings_are_joined_and_compared() {
    let mut operator = global("LISTAGG", &[(0, "STRING"), (1, "STRING")], "STRING", "STRING STRING", true);
    assert_eq!(operator.push("+I a |\n+I b |\n+I a |"), "+I a|b|a\n");
    assert_eq!(operator.push("-D a |"), "-U a|b|a\n+U b|a\n");
    let mut operator = global("MAX", &[(0, "STRING")], "STRING", "STRING", false);
    assert_eq!(operator.push("+I a\n+I zz\n+I b"), "+I zz\n");
    let mut operator = global("LISTAGG DISTINCT", &[(0, "STRING")], "STRING", "STRING", false);
    assert_eq!(operator.push("+I a\n+I b\n+I a"), "+I 'a,b'\n");
}

#[test]
fn the_greatest_value_is_found_again_after_a_retraction() {
    let mut operator = global("MAX", &[(0, "INT")], "INT", "INT", true);
    assert_eq!(operator.push("+I 5\n+I 7\n+I 7\n+I NULL"), "+I 7\n");
    assert_eq!(operator.push("-D 7"), "");
    assert_eq!(operator.push("-D 7"), "-U 7\n+U 5\n");
    assert_eq!(operator.push("-D 5"), "-U 5\n+U NULL\n");
}

#[test]
fn a_filter_hides_rows_from_one_call() {
    let mut sum = call("SUM", &[(0, "INT")], "INT");
    sum.filter = Some(1);
    let calls = vec![sum, call("COUNT", &[], "BIGINT")];
    let mut operator = Harness::new(node(spec(&[], calls, false), &["INT BOOLEAN"], "INT BIGINT"));
    assert_eq!(operator.push("+I 1 TRUE\n+I 2 FALSE\n+I 4 NULL\n+I 8 TRUE"), "+I 9 4\n");
}

#[test]
fn more_than_one_single_value_fails() {
    let mut operator = global("SINGLE_VALUE", &[(0, "INT")], "INT", "INT", true);
    assert_eq!(operator.push("+I 1"), "+I 1\n");
    assert_eq!(operator.push("-U 1\n+U 2"), "-U 1\n+U 2\n");
    let error = operator.try_push(0, "+I 3").unwrap_err();
    assert_eq!(error.message(), "SingleValueAggFunction received more than one element.");
}

/// Groups that do not fit into one batch are computed part by part, each of them once.
#[test]
fn a_large_group_is_computed_once_and_does_not_split_the_others() {
    let calls = vec![call("LISTAGG", &[(1, "STRING")], "STRING")];
    let mut operator =
        Harness::new(node(spec(&[0], calls, false), &["INT STRING"], "INT STRING")).batch_bytes(1_000);
    operator.push(&format!("+I 1 {}", "x".repeat(2_000)));
    let before = operator.batches().len();
    operator.push(&(2..22).map(|key| format!("+I {key} a\n+I 1 y\n")).collect::<String>());
    let batches = &operator.batches()[before..];
    assert_eq!(batches.len(), 3, "the group before the large one, that, and the others");
    assert_eq!(batches.iter().map(ChangeBatch::physical_rows).sum::<usize>(), 2 + 20);
    assert_eq!(operator.result().matches(",y").count(), 20);
}

#[test]
fn unused_groups_expire() {
    let mut spec = spec(&[0], vec![call("COUNT", &[], "BIGINT")], false);
    if let OperatorSpec::GroupAggregate { ttl, .. } = &mut spec {
        *ttl = 16_000;
    }
    let mut operator = Harness::new(node(spec, &[SUMS], "INT BIGINT")).upsert();
    operator.push("+I 1 1\n+I 2 1");
    operator.advance(10_000);
    operator.push("+I 1 1");
    operator.advance(10_000);
    assert_eq!(operator.push("+I 2 1\n+I 1 1"), "+I 2 1\n-U 1 2\n+U 1 3\n");
}

#[test]
fn a_snapshot_holds_what_changed_under_meaningful_names() {
    let mut operator = count_and_sum(true);
    operator.push("+I 1 10\n+I 2 20");
    assert_eq!(operator.checkpoint(false), 2);
    expect![[r#"
        a count_.count sum_1.sum sum_1.count $rows
        1 1 10 1 1
        2 1 20 1 1
    "#]]
    .assert_eq(&operator.table("groups"));
    operator.push("+I 2 1");
    assert_eq!(operator.checkpoint(false), 1);
    operator.push("-D 1 10");
    assert_eq!(operator.checkpoint(false), 1);
    assert_eq!(operator.checkpoint(false), 0);
    operator.restore(1);
    assert_eq!(operator.push("-D 2 20\n+I 1 1"), "-U 2 2 21\n+U 2 1 1\n+I 1 1 1\n");
}

#[test]
fn partial_results_of_two_phases_add_up() {
    let calls = || {
        vec![
            call("COUNT", &[], "BIGINT"),
            call("AVG", &[(1, "INT")], "INT"),
            call("MAX", &[(1, "INT")], "INT"),
            call("STDDEV_POP", &[(1, "INT")], "DOUBLE"),
        ]
    };
    let phase = |wanted: AggregatePhase| {
        let mut spec = spec(&[0], calls(), false);
        if let OperatorSpec::GroupAggregate { phase, .. } = &mut spec {
            *phase = wanted;
        }
        spec
    };
    let partial = "INT BIGINT BIGINT BIGINT INT BIGINT DOUBLE DOUBLE";
    let mut schema = vec![("a".to_owned(), crate::harness::ty("INT"))];
    schema.extend(calls().iter().flat_map(|call| call.accumulators().unwrap()));
    let types: Vec<_> = schema.iter().map(|(_, ty)| ty.clone()).collect();
    assert_eq!(types, crate::harness::types(partial));

    let mut local = Harness::new(node(phase(AggregatePhase::Local), &[SUMS], partial));
    assert_eq!(local.push("+I 1 4\n+I 2 7\n+I 1 8"), "");
    let first = local.dry();
    assert_eq!(first, "+I 1 2 12 2 8 2 6.0 8.0\n+I 2 1 7 1 7 1 7.0 0.0\n");
    assert_eq!(local.dry(), "");
    local.push("+I 1 6\n+I 1 NULL");
    let second = local.watermark(5);
    assert!(second.ends_with("watermark 5\n"));

    let mut global =
        Harness::new(node(phase(AggregatePhase::Global), &[partial], "INT BIGINT INT INT DOUBLE"));
    assert_eq!(global.push(&first), "+I 1 2 6 8 2.0\n+I 2 1 7 7 0.0\n");
    let out = global.push(second.trim_end_matches("watermark 5\n"));
    assert_eq!(out, "-U 1 2 6 8 2.0\n+U 1 4 6 8 1.632993161855452\n");
}

/// Random changes, split into random batches, with snapshots at random points and restores at another
/// parallelism, compared with results computed from all rows at the end.
#[test]
fn random_changes_give_the_results_of_all_rows() {
    for seed in 0..18 {
        let mut random = SmallRng::seed_from_u64(seed);
        let updates = seed % 3 != 0;
        let calls = vec![
            call("COUNT", &[], "BIGINT"),
            call("SUM", &[(1, "INT")], "INT"),
            call("MIN", &[(1, "INT")], "INT"),
            call("MAX", &[(1, "INT")], "INT"),
            call("COUNT DISTINCT", &[(1, "INT")], "BIGINT"),
            call("SUM DISTINCT", &[(1, "INT")], "INT"),
        ];
        let output = "INT BIGINT INT INT INT BIGINT INT";
        let mut operator = Harness::keyed(node(spec(&[0], calls, updates), &[SUMS], output), &[&[0]]);
        let mut rows: Vec<(i32, Option<i32>)> = Vec::new();
        let print = |(key, value): &(i32, Option<i32>)| {
            format!("{key} {}", value.map_or("NULL".to_owned(), |value| value.to_string()))
        };
        for _ in 0..60 {
            let mut batch = String::new();
            for _ in 0..random.random_range(1..20) {
                if updates && !rows.is_empty() && random.random_bool(0.45) {
                    let gone = rows.swap_remove(random.random_range(0..rows.len()));
                    batch += &format!("-D {}\n", print(&gone));
                } else {
                    let value = random.random_bool(0.9).then(|| random.random_range(0..9));
                    rows.push((random.random_range(0..6), value));
                    batch += &format!("+I {}\n", print(&rows[rows.len() - 1]));
                }
            }
            operator.push(&batch);
            if random.random_bool(0.2) {
                operator.checkpoint(random.random_bool(0.2));
                if random.random_bool(0.5) {
                    operator.restore(random.random_range(1..4));
                }
            }
        }
        let mut groups: BTreeMap<i32, Vec<Option<i32>>> = BTreeMap::new();
        rows.iter().for_each(|(key, value)| groups.entry(*key).or_default().push(*value));
        let mut expected: Vec<String> = groups
            .iter()
            .map(|(key, values)| {
                let count = values.len();
                let mut values: Vec<i32> = values.iter().flatten().copied().collect();
                let or_null = |value: Option<i32>| value.map_or("NULL".to_owned(), |value| value.to_string());
                let sum = |values: &[i32]| or_null((!values.is_empty()).then(|| values.iter().sum()));
                let (all, min, max) = (
                    sum(&values),
                    or_null(values.iter().min().copied()),
                    or_null(values.iter().max().copied()),
                );
                values.sort();
                values.dedup();
                format!("{key} {count} {all} {min} {max} {} {}\n", values.len(), sum(&values))
            })
            .collect();
        expected.sort();
        assert_eq!(operator.result(), expected.concat(), "seed {seed}");
    }
}

/// DISTINCT with FILTERs over one set of values, or several with retractions, snapshotted and restored at
/// another parallelism, compared with results computed from all rows at the end.
#[test]
fn distinct_values_are_counted_for_each_filter() {
    for seed in 0..12 {
        let mut random = SmallRng::seed_from_u64(seed);
        let updates = seed % 2 != 0;
        let filtered = |filter| AggregateCall { filter, ..call("COUNT DISTINCT", &[(1, "INT")], "BIGINT") };
        let calls = vec![
            filtered(Some(2)),
            filtered(None),
            AggregateCall { filter: Some(3), ..call("SUM DISTINCT", &[(1, "INT")], "INT") },
            filtered(Some(3)),
        ];
        let node =
            node(spec(&[0], calls, updates), &["INT INT BOOLEAN BOOLEAN"], "INT BIGINT BIGINT INT BIGINT");
        let mut operator = Harness::keyed(node, &[&[0]]);
        let mut rows: Vec<(i32, Option<i32>, bool, Option<bool>)> = Vec::new();
        for _ in 0..40 {
            let mut batch = String::new();
            for _ in 0..random.random_range(1..20) {
                let retract = updates && !rows.is_empty() && random.random_bool(0.4);
                let row = match retract {
                    true => rows.swap_remove(random.random_range(0..rows.len())),
                    false => {
                        let value = random.random_bool(0.9).then(|| random.random_range(0..9));
                        let second = random.random_bool(0.8).then(|| random.random_bool(0.5));
                        (random.random_range(0..4), value, random.random_bool(0.3), second)
                    }
                };
                let null =
                    |value: Option<String>| value.map_or("NULL".to_owned(), |value| value.to_uppercase());
                let (value, second) = (row.1.map(|v| v.to_string()), row.3.map(|v| v.to_string()));
                let first = row.2.to_string().to_uppercase();
                let kind = if retract { "-D" } else { "+I" };
                batch += &format!("{kind} {} {} {first} {}\n", row.0, null(value), null(second));
                if !retract {
                    rows.push(row);
                }
            }
            operator.push(&batch);
            if random.random_bool(0.2) {
                operator.checkpoint(random.random_bool(0.2));
                operator.restore(random.random_range(1..4));
            }
        }
        let mut expected = String::new();
        for key in 0..4 {
            let of_key: Vec<_> = rows.iter().filter(|row| row.0 == key).collect();
            let values = |passes: &dyn Fn(bool, Option<bool>) -> bool| -> BTreeSet<i32> {
                of_key.iter().filter(|row| passes(row.2, row.3)).filter_map(|row| row.1).collect()
            };
            let (first, second) = (values(&|first, _| first), values(&|_, second| second == Some(true)));
            let sum =
                second.iter().copied().reduce(|a, b| a + b).map_or("NULL".to_owned(), |sum| sum.to_string());
            let all = values(&|_, _| true).len();
            if !of_key.is_empty() {
                expected += &format!("{key} {} {all} {sum} {}\n", first.len(), second.len());
            }
        }
        assert_eq!(operator.result(), expected, "seed {seed}");
    }
}

/// A changed query has one more aggregate: it starts empty for existing groups, and counts from here on. A
/// removed one is forgotten.
#[test]
fn an_added_aggregate_starts_empty() {
    let aggregates = [
        ("COUNT", "INT", "BIGINT"),
        ("SUM", "INT", "INT"),
        ("AVG", "INT", "INT"),
        ("MIN", "INT", "INT"),
        ("MAX", "INT", "INT"),
        ("FIRST_VALUE", "INT", "INT"),
        ("LAST_VALUE", "INT", "INT"),
        ("VAR_POP", "INT", "INT"),
        ("ARRAY_AGG", "INT", "ARRAY<INT>"),
        ("COLLECT", "INT", "MULTISET<INT>"),
        ("MAX", "STRING", "STRING"),
        ("LISTAGG", "STRING", "STRING"),
        ("JSON_ARRAYAGG_ABSENT_ON_NULL", "STRING", "STRING"),
    ];
    for (function, arg, result) in aggregates {
        let input = format!("INT {arg}");
        let counts = || call("COUNT", &[], "BIGINT");
        let more = || AggregateCall { name: "more".to_owned(), ..call(function, &[(1, arg)], result) };
        let with =
            |calls: Vec<AggregateCall>, output: &str| node(spec(&[0], calls, false), &[&input], output);
        let both = || with(vec![more(), counts()], &format!("INT {result} BIGINT"));
        let mut edited = Harness::keyed(with(vec![counts()], "INT BIGINT"), &[&[0]]);
        edited.push("+I 1 7\n+I 1 8");
        edited.checkpoint(true);
        edited.continue_as(both());
        let results = edited.push("+I 1 3\n+I 2 4");
        let mut anew = Harness::keyed(both(), &[&[0]]);
        // Two rows of the first group were counted before.
        let expected = anew.push("+I 1 3\n+I 2 4").replacen(" 1\n", " 3\n", 1).replacen("+I", "+U", 1);
        assert!(results.ends_with(&expected), "{function}({arg}): {results}");
        edited.checkpoint(false);
        edited.continue_as(with(vec![counts()], "INT BIGINT"));
        assert!(edited.push("+I 1 9").ends_with("+U 1 4\n"), "{function}({arg})");
    }
}
