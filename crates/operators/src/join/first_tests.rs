//! Joins of which only the first row of each key is wanted.

use std::collections::BTreeMap;

use flott_plan::{Expr, JoinKind, JoinRows, OperatorSpec, SortKey};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::harness::{Harness, column, node, ty};

const ROW: &str = "INT INT STRING";

fn spec(order: Vec<SortKey>, condition: bool) -> OperatorSpec {
    let less = || Expr::call("<", vec![column(1, "INT"), column(4, "INT")], ty("BOOLEAN"));
    OperatorSpec::Join {
        kind: JoinKind::Inner,
        left_keys: vec![0],
        right_keys: vec![0],
        null_safe: vec![false],
        condition: condition.then(less),
        ttl: 0,
        right_ttl: None,
        bound: None,
        rows: [JoinRows::Repeated, JoinRows::Repeated],
        emit_update_before: false,
        first_by: order,
    }
}

/// The largest of the right's second column first, then the smallest of the left's.
fn order() -> Vec<SortKey> {
    let key = |column, descending| SortKey { column, descending, nulls_first: false };
    vec![key(4, true), key(1, false)]
}

fn harness(order: Vec<SortKey>, condition: bool) -> Harness {
    let both = format!("{ROW} {ROW}");
    Harness::keyed(node(spec(order, condition), &[ROW, ROW], &both), &[&[0], &[0]])
}

#[test]
fn rows_behind_the_first_one_are_not_joined() {
    let mut join = harness(order(), false);
    assert_eq!(join.push_to(0, "+I 1 5 a\n+I 1 4 b"), "");
    assert_eq!(join.push_to(1, "+I 1 7 x\n+I 1 9 y\n+I 1 8 z"), "+I 1 4 b 1 9 y\n", "the first of a batch");
    let equal = join.push_to(1, "+I 2 9 v\n+I 1 9 v\n+I 1 8 w\n+I 1 9 u");
    assert_eq!(equal, "+I 1 4 b 1 9 v\n+I 1 4 b 1 9 u\n", "they sort equal");
}

#[test]
fn the_first_row_of_each_key_is_among_those_that_are_joined() {
    for seed in 0..60u64 {
        let mut random = SmallRng::seed_from_u64(seed);
        let condition = random.random();
        let mut join = harness(order(), condition);
        let mut rows: [Vec<(i32, i32, i32)>; 2] = Default::default();
        // By key: the sort key of the first row that came out.
        let mut first: BTreeMap<i32, (i32, i32)> = BTreeMap::new();
        for number in 0..80 {
            let input = random.random_range(0..2);
            let batch: Vec<(i32, i32, i32)> = (0..random.random_range(1..4))
                .map(|_| (random.random_range(0..3), random.random_range(0..20), number))
                .collect();
            let text: Vec<String> =
                batch.iter().map(|(key, value, id)| format!("+I {key} {value} {id}")).collect();
            rows[input].extend(batch);
            for line in join.push_to(input, &text.join("\n")).lines() {
                let values: Vec<i32> = line.split(' ').skip(1).map(|value| value.parse().unwrap()).collect();
                let left = (values[0], values[1], values[2]);
                let right = (values[3], values[4], values[5]);
                let there = rows[0].contains(&left) && rows[1].contains(&right);
                let holds = left.0 == right.0 && (!condition || left.1 < right.1);
                assert!(line.starts_with("+I ") && there && holds, "{line}, seed {seed}");
                let sorted = (-right.1, left.1);
                let known = first.entry(left.0).or_insert(sorted);
                *known = sorted.min(*known);
            }
            let mut expected: BTreeMap<i32, (i32, i32)> = BTreeMap::new();
            for left in &rows[0] {
                for right in
                    rows[1].iter().filter(|right| right.0 == left.0 && (!condition || left.1 < right.1))
                {
                    let known = expected.entry(left.0).or_insert((-right.1, left.1));
                    *known = (-right.1, left.1).min(*known);
                }
            }
            assert_eq!(first, expected, "seed {seed}");
            if random.random_range(0..6) == 0 {
                join.checkpoint(random.random());
                join.restore(random.random_range(1..3));
            }
        }
    }
}

#[test]
#[should_panic(expected = "a join whose rows change has no first ones")]
fn rows_that_change_have_no_first_ones() {
    let mut wrong = spec(order(), false);
    if let OperatorSpec::Join { rows, .. } = &mut wrong {
        rows[0] = JoinRows::Any;
    }
    let both = format!("{ROW} {ROW}");
    Harness::keyed(node(wrong, &[ROW, ROW], &both), &[&[0], &[0]]);
}
