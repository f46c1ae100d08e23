//! Timers against a sorted set.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod model;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryArray, Int32Array};
use arrow::datatypes::{DataType, Field, Int32Type};
use flott_state::TimerQueue;
use model::Chain;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

fn queue() -> TimerQueue {
    TimerQueue::new("event time timers", &[Arc::new(Field::new("key", DataType::Int32, true))], 128).unwrap()
}

type Timer = (i64, i32, Vec<u8>);

fn columns(timers: &[Timer]) -> (Vec<ArrayRef>, BinaryArray, Vec<i64>) {
    let keys: ArrayRef = Arc::new(timers.iter().map(|timer| Some(timer.1)).collect::<Int32Array>());
    let namespaces = BinaryArray::from_iter_values(timers.iter().map(|timer| &timer.2));
    (vec![keys], namespaces, timers.iter().map(|timer| timer.0).collect())
}

/// Takes out what is due, checking the order.
fn pop(queue: &mut TimerQueue, now: i64, limit: usize) -> BTreeSet<Timer> {
    let mut popped = BTreeSet::new();
    while let Some(due) = queue.pop_due(now, limit).unwrap() {
        assert!(due.timestamps.is_sorted() && due.timestamps.len() <= limit);
        assert!(popped.last().is_none_or(|(last, _, _): &Timer| *last <= due.timestamps[0]));
        let keys = due.keys[0].as_primitive::<Int32Type>();
        for (row, time) in due.timestamps.iter().enumerate() {
            let new = popped.insert((*time, keys.value(row), due.namespaces.value(row).to_vec()));
            assert!(new, "a timer fired twice");
        }
    }
    popped
}

#[test]
fn timers_fire_once_in_order_and_survive_snapshots() {
    for seed in 0..20 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let (mut queue, mut model, mut chain) = (queue(), BTreeSet::new(), Chain::default());
        let mut now = 0;
        for step in 0..120 {
            let timers: Vec<Timer> = (0..rng.random_range(0..8))
                .map(|_| {
                    let namespace = vec![b'w'; rng.random_range(0..3)];
                    (now + rng.random_range(1..40), rng.random_range(0..6), namespace)
                })
                .collect();
            let (keys, namespaces, times) = columns(&timers);
            if rng.random_bool(0.6) {
                queue.register(&keys, &namespaces, &times).unwrap();
                model.extend(timers);
            } else {
                queue.delete(&keys, &namespaces, &times).unwrap();
                timers.iter().for_each(|timer| _ = model.remove(timer));
            }
            if rng.random_bool(0.2) {
                now += rng.random_range(0..20);
                let later = model.split_off(&(now + 1, i32::MIN, Vec::new()));
                assert_eq!(pop(&mut queue, now, rng.random_range(1..5)), model, "seed {seed} step {step}");
                model = later;
            }
            if rng.random_bool(0.1) {
                for delta in queue.snapshot(rng.random_bool(0.2)).unwrap() {
                    chain.apply(&delta);
                }
                if rng.random_bool(0.5) {
                    queue = self::queue();
                    queue.restore(chain.batches(0..=127)).unwrap();
                }
            }
            assert_eq!(queue.len(), model.len());
            assert_eq!(queue.earliest(), model.first().map(|timer| timer.0), "seed {seed} step {step}");
        }
        assert_eq!(pop(&mut queue, i64::MAX, 3), model);
        assert!(queue.is_empty());
    }
}
