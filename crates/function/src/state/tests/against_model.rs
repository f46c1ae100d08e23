use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::{Store, Subject};
use crate::state::{StateTtlConfig, TtlUpdateType};

#[derive(Clone, Debug)]
enum Op {
    SetValue(i64),
    ChangeValue,
    TakeValue,
    AddToList(i64),
    UpdateList(Vec<i64>),
    TakeList,
    Insert(u8, i64),
    ChangeEntry(u8),
    Remove(u8),
    ClearMap,
    Reduce(i64),
    ClearSum,
    /// Reads all states of the key.
    Read,
    Wait(i64),
    /// How many records have arrived.
    Tidy(usize),
    Snapshot(bool),
    Restart(bool),
}

fn ops() -> impl Strategy<Value = Vec<(u32, Op)>> {
    let op = prop_oneof![
        3 => any::<i8>().prop_map(|v| Op::SetValue(v.into())),
        1 => Just(Op::ChangeValue),
        1 => Just(Op::TakeValue),
        5 => any::<i8>().prop_map(|v| Op::AddToList(v.into())),
        1 => prop::collection::vec(-9..9i64, 0..4).prop_map(Op::UpdateList),
        1 => Just(Op::TakeList),
        5 => (0..5u8, any::<i8>()).prop_map(|(k, v)| Op::Insert(k, v.into())),
        1 => (0..5u8).prop_map(Op::ChangeEntry),
        2 => (0..5u8).prop_map(Op::Remove),
        1 => Just(Op::ClearMap),
        2 => any::<i8>().prop_map(|v| Op::Reduce(v.into())),
        1 => Just(Op::ClearSum),
        4 => Just(Op::Read),
        3 => (0..60i64).prop_map(Op::Wait),
        2 => (0..6usize).prop_map(Op::Tidy),
        2 => any::<bool>().prop_map(Op::Snapshot),
        1 => any::<bool>().prop_map(Op::Restart),
    ];
    prop::collection::vec((0..4u32, op), 1..120)
}

/// A value and when it was last used.
type Stamped = (i64, i64);

/// The states of one key.
#[derive(Default)]
struct Model {
    value: Option<Stamped>,
    list: Vec<Stamped>,
    map: BTreeMap<String, Stamped>,
    sum: Option<Stamped>,
}

impl Model {
    /// Drops expired values: nobody can see them any more.
    fn expire(&mut self, now: i64) {
        let lives = |stamped: &Stamped| stamped.1 + TTL > now;
        self.value = self.value.filter(lives);
        self.list.retain(lives);
        self.map.retain(|_, stamped| lives(stamped));
        self.sum = self.sum.filter(lives);
    }

    fn touch(&mut self, now: i64) {
        let all =
            self.value.iter_mut().chain(&mut self.list).chain(self.map.values_mut()).chain(&mut self.sum);
        all.for_each(|stamped| stamped.1 = now);
    }
}

const TTL: i64 = 100;

fn run(ops: Vec<(u32, Op)>, update: TtlUpdateType) {
    let expires = update != TtlUpdateType::Disabled;
    let ttl =
        StateTtlConfig::new(Duration::from_millis(TTL as u64)).update_type(update).cleanup_full_snapshot();
    let mut now = 1_000;
    let mut store = Store::default();
    let mut subject = Subject::new(&store, Some(&ttl), now);
    let mut models: [Model; 4] = Default::default();
    for (key, op) in ops {
        if expires {
            models.iter_mut().for_each(|model| model.expire(now));
        }
        let model = &mut models[key as usize];
        subject.states.now = now;
        let (value, list, map, sum) = (subject.value, subject.list, subject.map, subject.sum);
        let states = subject.at(key);
        match op {
            Op::SetValue(v) => {
                value.set(states, v);
                model.value = Some((v, now));
            }
            Op::ChangeValue => {
                let found = value.get_mut(states).map(|v| *v += 1);
                assert_eq!(found.is_some(), model.value.is_some());
                model.value = model.value.map(|(v, _)| (v + 1, now));
            }
            Op::TakeValue => assert_eq!(value.take(states), model.value.take().map(|(v, _)| v)),
            Op::AddToList(v) => {
                list.add(states, v);
                model.list.push((v, now));
            }
            Op::UpdateList(values) => {
                model.list = values.iter().map(|v| (*v, now)).collect();
                list.update(states, values);
            }
            Op::TakeList => {
                let expected: Vec<i64> =
                    std::mem::take(&mut model.list).into_iter().map(|(v, _)| v).collect();
                assert_eq!(list.take(states), expected);
            }
            Op::Insert(k, v) => {
                let old = map.insert(states, k.to_string(), v);
                assert_eq!(old, model.map.insert(k.to_string(), (v, now)).map(|(v, _)| v));
            }
            Op::ChangeEntry(k) => {
                let found = map.get_mut(states, k.to_string().as_str()).map(|v| *v += 1);
                let entry = model.map.get_mut(&k.to_string());
                assert_eq!(found.is_some(), entry.is_some());
                if let Some((v, at)) = entry {
                    (*v, *at) = (*v + 1, now);
                }
            }
            Op::Remove(k) => {
                let removed = map.remove(states, k.to_string().as_str());
                assert_eq!(removed, model.map.remove(&k.to_string()).map(|(v, _)| v));
            }
            Op::ClearMap => {
                map.clear(states);
                model.map.clear();
            }
            Op::Reduce(v) => {
                sum.add(states, v);
                model.sum = Some((model.sum.map_or(v, |(sum, _)| sum + v), now));
            }
            Op::ClearSum => {
                sum.clear(states);
                model.sum = None;
            }
            Op::Read => {
                assert_eq!(value.get(states).copied(), model.value.map(|(v, _)| v));
                let values: Vec<i64> = list.iter(states).copied().collect();
                assert_eq!(values, model.list.iter().map(|(v, _)| *v).collect::<Vec<_>>());
                let entries: BTreeMap<&String, i64> = map.iter(states).map(|(k, v)| (k, *v)).collect();
                assert_eq!(entries, model.map.iter().map(|(k, (v, _))| (k, *v)).collect());
                assert_eq!(sum.get(states).copied(), model.sum.map(|(v, _)| v));
                if update == TtlUpdateType::OnReadAndWrite {
                    model.touch(now);
                }
            }
            Op::Wait(millis) => now += millis,
            Op::Tidy(rows) => subject.tidy(rows),
            Op::Snapshot(full) => _ = subject.snapshot(full, &mut store),
            Op::Restart(full) => {
                subject.snapshot(full, &mut store);
                subject = Subject::new(&store, Some(&ttl), now);
            }
        }
        subject.free();
    }
    // When everything is cleared and a snapshot has seen it, nothing is left of any key.
    for key in 0..4 {
        let (value, list, map, sum) = (subject.value, subject.list, subject.map, subject.sum);
        let states = subject.at(key);
        value.clear(states);
        list.clear(states);
        map.clear(states);
        sum.clear(states);
    }
    subject.snapshot(false, &mut store);
    assert_eq!(subject.keys.len(), 0);
    assert!(store.0.values().all(BTreeMap::is_empty), "{:?}", store.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn states_are_what_a_naive_model_says(ops in ops()) {
        run(ops, TtlUpdateType::Disabled);
    }

    #[test]
    fn states_that_expire_after_a_write_are_what_a_naive_model_says(ops in ops()) {
        run(ops, TtlUpdateType::OnCreateAndWrite);
    }

    #[test]
    fn states_that_expire_after_a_read_are_what_a_naive_model_says(ops in ops()) {
        run(ops, TtlUpdateType::OnReadAndWrite);
    }
}
