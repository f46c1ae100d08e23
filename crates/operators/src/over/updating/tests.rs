use std::collections::BTreeMap;

use flott_batch::bytes::RowBytes;
use flott_batch::{ChangeBatch, RowKind};
use flott_plan::{AggregateCall, OperatorSpec, SortKey};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::harness::{Harness, call, node};

fn over(rows: bool, ttl: i64, aggregates: Vec<AggregateCall>) -> Harness {
    over_emitting(true, rows, ttl, aggregates)
}

fn over_emitting(emit_update_before: bool, rows: bool, ttl: i64, aggregates: Vec<AggregateCall>) -> Harness {
    let output = aggregates.iter().fold("INT INT".to_owned(), |output, call| format!("{output} {}", call.ty));
    let order = vec![SortKey { column: 1, descending: false, nulls_first: true }];
    let spec =
        OperatorSpec::UpdatingOver { partition: vec![0], order, rows, aggregates, ttl, emit_update_before };
    Harness::keyed(node(spec, &["INT INT"], &output), &[&[0]])
}

#[test]
fn a_row_between_others_changes_the_results_after_it() {
    let calls = || vec![call("SUM", &[(1, "INT")], "INT"), call("ROW_NUMBER", &[], "BIGINT")];
    let mut operator = over(false, 0, calls());
    assert_eq!(operator.push("+I 1 10\n+I 1 30\n+I 2 5"), "+I 1 10 10 1\n+I 1 30 40 2\n+I 2 5 5 1\n");
    assert_eq!(
        operator.push("+I 1 20").lines_sorted(),
        "-U 1 30 40 2\n+U 1 30 60 3\n+I 1 20 30 2\n".lines_sorted()
    );
    operator.checkpoint(false);
    operator.restore(2);
    assert_eq!(
        operator.push("-D 1 10").lines_sorted(),
        "-D 1 10 10 1\n-U 1 20 30 2\n+U 1 20 20 1\n-U 1 30 60 3\n+U 1 30 50 2\n".lines_sorted()
    );
    // Nothing is left of a key without rows.
    operator.push("-D 1 20\n-D 1 30\n-D 2 5");
    operator.checkpoint(true);
    assert!(!operator.table("rows").contains("\n1 "), "{}", operator.table("rows"));
}

#[test]
fn without_update_before_only_the_new_results_are_sent() {
    let mut operator = over_emitting(false, false, 0, vec![call("SUM", &[(1, "INT")], "INT")]).upsert();
    operator.push("+I 1 10\n+I 1 30");
    assert_eq!(operator.push("+I 1 20").lines_sorted(), "+U 1 30 60\n+I 1 20 30\n".lines_sorted());
    operator.checkpoint(false);
    operator.restore(2);
    assert_eq!(
        operator.push("-D 1 10").lines_sorted(),
        "-D 1 10 10\n+U 1 20 20\n+U 1 30 50\n".lines_sorted()
    );
}

#[test]
fn rows_with_equal_order_share_results_with_range_and_stay_in_order_of_arrival_with_rows() {
    let calls = || vec![call("COUNT", &[], "BIGINT"), call("RANK", &[], "BIGINT")];
    let mut range = over(false, 0, calls());
    assert_eq!(range.push("+I 1 7\n+I 1 7\n+I 1 8"), "+I 1 7 2 1\n+I 1 7 2 1\n+I 1 8 3 3\n");
    let mut rows = over(true, 0, calls());
    assert_eq!(rows.push("+I 1 7\n+I 1 7\n+I 1 8"), "+I 1 7 1 1\n+I 1 7 2 1\n+I 1 8 3 3\n");
    assert_eq!(rows.push("-D 1 7"), "-D 1 7 2 1\n-U 1 8 3 3\n+U 1 8 2 2\n");
}

#[test]
fn an_unused_key_is_forgotten_as_a_whole() {
    let mut operator = over(false, 1_000, vec![call("SUM", &[(1, "INT")], "INT")]);
    operator.push("+I 1 10\n+I 1 20\n+I 2 1");
    operator.advance(900);
    operator.push("+I 2 2");
    operator.advance(300);
    // The first key starts over, the second has continued.
    assert_eq!(operator.push("+I 1 5"), "+I 1 5 5\n");
    assert!(operator.push("+I 2 3").contains("+I 2 3 6\n"));
}

/// A key whose rows do not fit into one batch is sent in several, without splitting updates, and does not
/// split the others.
#[test]
fn a_large_key_is_sent_in_runs() {
    const LIMIT: usize = 2_000;
    let mut operator = over(false, 0, vec![call("SUM", &[(1, "INT")], "INT")]).batch_bytes(LIMIT);
    operator.push(&(1..400).map(|value| format!("+I 1 {value}\n")).collect::<String>());
    let before = operator.batches().len();
    let others = (2..30).map(|key| format!("+I {key} 1\n+I 1 {}\n", -key));
    operator.push(&others.collect::<String>());
    let batches = &operator.batches()[before..];
    for batch in batches {
        let bytes = RowBytes::new(batch.columns().columns()).of_range(0, batch.physical_rows());
        assert!(bytes <= LIMIT, "{bytes}");
        assert_ne!(batch.kind(0), RowKind::UpdateAfter, "an update was split");
    }
    // Each row of the large key changes once: 399 updates of twice 12 bytes, and the new rows.
    assert_eq!(batches.iter().map(ChangeBatch::physical_rows).sum::<usize>(), 2 * 399 + 28 + 28);
    assert!(batches.len() <= 8, "{}", batches.len());
}

/// Whatever is inserted and deleted, the changelog results in the results of the remaining rows.
#[test]
fn results_are_those_of_the_remaining_rows() {
    for seed in 0..40 {
        let mut random = SmallRng::seed_from_u64(seed);
        let calls = vec![
            call("SUM", &[(1, "INT")], "INT"),
            call("MAX", &[(1, "INT")], "INT"),
            call("DENSE_RANK", &[], "BIGINT"),
        ];
        let mut operator = over(false, 0, calls);
        if seed % 2 == 1 {
            operator = operator.batch_bytes(100);
        }
        let mut rows: Vec<(i32, i32)> = Vec::new();
        for _ in 0..30 {
            let mut batch = String::new();
            for _ in 0..random.random_range(1..6) {
                if !rows.is_empty() && random.random_bool(0.4) {
                    let (key, value) = rows.swap_remove(random.random_range(0..rows.len()));
                    batch += &format!("-D {key} {value}\n");
                } else {
                    let row = (random.random_range(0..3), random.random_range(0..9));
                    rows.push(row);
                    batch += &format!("+I {} {}\n", row.0, row.1);
                }
            }
            operator.push(&batch);
            if random.random_range(0..5) == 0 {
                operator.checkpoint(random.random());
                operator.restore(random.random_range(1..4));
            }
            let mut expected = Vec::new();
            for (key, value) in &rows {
                let frame = rows.iter().filter(|row| row.0 == *key && row.1 <= *value);
                let distinct: BTreeMap<i32, ()> = frame.clone().map(|row| (row.1, ())).collect();
                let sum: i32 = frame.map(|row| row.1).sum();
                expected.push(format!("{key} {value} {sum} {value} {}\n", distinct.len()));
            }
            expected.sort();
            assert_eq!(operator.result().lines_sorted(), expected.concat(), "seed {seed}");
        }
    }
}

trait Sorted {
    fn lines_sorted(&self) -> String;
}

impl Sorted for str {
    fn lines_sorted(&self) -> String {
        let mut lines: Vec<String> = self.lines().map(|line| format!("{line}\n")).collect();
        lines.sort();
        lines.concat()
    }
}
