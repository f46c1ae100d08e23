//! Timers against a sorted set.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod model;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int32Array};
use arrow::datatypes::{DataType, Field, FieldRef, Int32Type};
use flott_state::{ColumnIndex, Index, StateColumn, TimerQueue};
use model::Chain;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const NAME: &str = "event-time-timers";

/// Timers and their keys: a number and a window.
struct Subject {
    index: ColumnIndex,
    queue: TimerQueue,
    freed: Vec<u32>,
}

type Timer = (i64, i32, i32);

impl Subject {
    fn new() -> Self {
        let field = |name| -> FieldRef { Arc::new(Field::new(name, DataType::Int32, true)) };
        let index = ColumnIndex::new(&[field("key"), field("window")], 1, 128).unwrap();
        Subject { index, queue: TimerQueue::new(NAME), freed: Vec::new() }
    }

    fn slot(&mut self, (_, key, window): Timer) -> u32 {
        let column = |value| -> ArrayRef { Arc::new(Int32Array::from(vec![value])) };
        let mut slots = Vec::new();
        let keys = self.index.keys_mut();
        keys.intern(&[column(key), column(window)], 1, &mut slots, |_, _| ()).unwrap();
        self.freed.push(slots[0]);
        slots[0]
    }

    /// Keys that no timer needs go, as in an operator.
    fn free(&mut self) {
        for slot in self.freed.drain(..) {
            if !self.queue.occupied(slot) {
                self.index.keys_mut().remove(slot);
            }
        }
    }

    /// Takes out what is due, checking the order.
    fn pop(&mut self, now: i64) -> BTreeSet<Timer> {
        let (mut popped, mut last) = (BTreeSet::new(), i64::MIN);
        while let Some(((at, slot), freed)) = self.queue.pop_due(now) {
            assert!(at <= now && last <= at);
            last = at;
            let keys = self.index.columns(&[slot]).unwrap();
            let part = |at: usize| keys[at].as_primitive::<Int32Type>().value(0);
            assert!(popped.insert((at, part(0), part(1))), "a timer fired twice");
            self.freed.extend(freed.then_some(slot));
        }
        self.free();
        popped
    }

    fn snapshot(&mut self, full: bool, chain: &mut Chain) {
        let mut deltas = Vec::new();
        self.queue.snapshot(&self.index, full, &mut self.freed, &mut deltas).unwrap();
        deltas.iter().for_each(|delta| chain.apply(delta));
        self.free();
    }
}

#[test]
fn timers_fire_once_in_order_and_survive_snapshots() {
    for seed in 0..20 {
        println!("seed {seed}");
        let mut rng = SmallRng::seed_from_u64(seed);
        let (mut subject, mut model, mut chain) = (Subject::new(), BTreeSet::new(), Chain::default());
        let mut now = 0;
        for step in 0..120 {
            let timer = |rng: &mut SmallRng| {
                (now + rng.random_range(1..40), rng.random_range(0..6), rng.random_range(0..3))
            };
            let timers: Vec<Timer> = (0..rng.random_range(0..8)).map(|_| timer(&mut rng)).collect();
            let sets = rng.random_bool(0.6);
            for timer in timers {
                let slot = subject.slot(timer);
                if sets {
                    subject.queue.register(timer.0, slot).unwrap();
                    model.insert(timer);
                } else {
                    let freed = subject.queue.delete(timer.0, slot);
                    assert!(!freed || !subject.queue.occupied(slot));
                    model.remove(&timer);
                }
            }
            subject.free();
            if rng.random_bool(0.2) {
                now += rng.random_range(0..20);
                let later = model.split_off(&(now + 1, i32::MIN, i32::MIN));
                assert_eq!(subject.pop(now), model, "step {step}");
                model = later;
            }
            if rng.random_bool(0.1) {
                subject.snapshot(rng.random_bool(0.2), &mut chain);
                if rng.random_bool(0.5) {
                    subject = Subject::new();
                    let mut restored = model::restored(NAME, chain.batches(0..=127));
                    subject.queue.restore(&mut subject.index, &mut restored).unwrap();
                }
            }
            assert_eq!(subject.queue.len(), model.len());
            assert_eq!(subject.queue.earliest(), model.first().map(|timer| timer.0), "step {step}");
        }
        assert_eq!(subject.pop(i64::MAX), model);
        assert!(subject.queue.is_empty());
        subject.snapshot(false, &mut chain);
        assert!(subject.index.keys().is_empty(), "a key that no timer needs");
    }
}

#[test]
fn timers_that_come_and_go_without_snapshots_leave_nothing_behind() {
    let (mut subject, mut memory) = (Subject::new(), 0);
    for at in 0..20_000 {
        let slot = subject.slot((at, at as i32, 0));
        subject.queue.register(at, slot).unwrap();
        subject.queue.delete(at, slot);
        subject.free();
        if at == 5_000 {
            memory = subject.queue.memory();
        }
    }
    assert!(subject.queue.memory() <= memory, "{memory} -> {}", subject.queue.memory());
}
