use std::time::Duration;

use super::{Store, Subject};
use crate::state::{StateTtlConfig, TtlVisibility};

#[test]
fn a_snapshot_has_the_entries_that_changed_and_no_more() {
    let mut store = Store::default();
    let mut subject = Subject::new(&store, None, 0);
    let (list, map) = (subject.list, subject.map);
    let states = subject.at(1);
    list.add_all(states, 0..10_000);
    map.extend(states, (0..10_000).map(|n| (n.to_string(), n)));
    subject.at(2);
    let counts = subject.snapshot(false, &mut store);
    assert_eq!((counts["list"], counts["map"]), (10_000, 10_000));

    let states = subject.at(1);
    list.add(states, 10_000);
    *map.get_mut(states, "77").unwrap() = -1;
    map.remove(states, "78");
    map.insert(states, "new".to_owned(), 5);
    map.insert(states, "gone".to_owned(), 6);
    map.remove(states, "gone");
    let counts = subject.snapshot(false, &mut store);
    assert_eq!((counts["list"], counts["map"]), (1, 3));
    assert_eq!((store.rows("list"), store.rows("map")), (10_001, 10_000));

    assert!(subject.snapshot(false, &mut store).is_empty(), "nothing has changed");

    let mut subject = Subject::new(&store, None, 0);
    let states = subject.at(1);
    assert_eq!(list.iter(states).copied().collect::<Vec<_>>(), (0..=10_000).collect::<Vec<_>>());
    assert_eq!(map.get(states, "77"), Some(&-1));
    assert!(!map.contains(states, "78") && map.contains(states, "new"));
    assert!(subject.snapshot(false, &mut store).is_empty(), "what was restored is in the snapshot");
}

/// A column has up to a megabyte in this test, and 2 GB elsewhere.
#[test]
fn what_is_too_large_for_one_column_comes_in_parts() {
    flott_values::limit_columns(1 << 20);
    let mut store = Store::default();
    let mut subject = Subject::new(&store, None, 0);
    let map = subject.map;
    let key = |number: i64| number.to_string().repeat(400_000);
    map.extend(subject.at(1), (0..5).map(|number| (key(number), number)));
    let parts = |subject: &mut Subject, store: &mut Store, full: bool| {
        let deltas = subject.states.snapshot(&subject.keys, full).unwrap();
        let of_map = deltas.iter().filter(|delta| delta.name == "map");
        let parts: Vec<_> = of_map.map(|delta| (delta.rows.num_rows(), delta.full)).collect();
        store.add(deltas);
        parts
    };
    assert_eq!(parts(&mut subject, &mut store, false), [(2, false), (2, false), (1, false)]);
    assert_eq!(parts(&mut subject, &mut store, true), [(2, true), (2, false), (1, false)]);
    let mut subject = Subject::new(&store, None, 0);
    assert!((0..5).all(|number| map.get(subject.at(1), &key(number)) == Some(&number)));
    // Deletions, too.
    (0..5).for_each(|number| _ = map.remove(subject.at(1), &key(number)));
    assert_eq!(parts(&mut subject, &mut store, false), [(2, false), (2, false), (1, false)]);
    assert_eq!(store.rows("map"), 0);
}

#[test]
fn state_written_without_a_time_to_live_begins_to_live_when_it_is_restored_and_the_other_way_round() {
    let ttl = StateTtlConfig::new(Duration::from_millis(100));
    let mut store = Store::default();
    let mut subject = Subject::new(&store, None, 0);
    let (value, list, map) = (subject.value, subject.list, subject.map);
    let write = |subject: &mut Subject| {
        let states = subject.at(1);
        value.set(states, 1);
        list.add(states, 1);
        map.insert(states, "a".to_owned(), 1);
    };
    let seen = |subject: &mut Subject, now: i64| {
        subject.states.now = now;
        let states = subject.at(1);
        (value.get(states).is_some(), list.iter(states).count() == 1, map.contains(states, "a"))
    };
    write(&mut subject);
    subject.snapshot(false, &mut store);

    let mut subject = Subject::new(&store, Some(&ttl), 5_000);
    let counts = subject.snapshot(false, &mut store);
    assert_eq!(counts["value"] + counts["list"] + counts["map"], 3, "the files get the stamps");
    assert_eq!(seen(&mut subject, 5_099), (true, true, true));
    assert_eq!(seen(&mut subject, 5_100), (false, false, false));

    let mut subject = Subject::new(&store, Some(&ttl), 5_050);
    assert_eq!(seen(&mut subject, 5_100), (false, false, false), "stamps are those of the snapshot");

    let mut subject = Subject::new(&store, None, 9_000);
    assert_eq!(seen(&mut subject, i64::MAX), (true, true, true));
    let counts = subject.snapshot(false, &mut store);
    assert_eq!(counts["value"] + counts["list"] + counts["map"], 3, "the files lose the stamps");
}

#[test]
fn what_has_expired_is_cleaned_up_little_by_little_and_deleted_by_the_next_snapshot() {
    let ttl = StateTtlConfig::new(Duration::from_millis(100));
    let mut store = Store::default();
    let mut subject = Subject::new(&store, Some(&ttl), 0);
    let (value, list, map) = (subject.value, subject.list, subject.map);
    for key in 0..100 {
        let states = subject.at(key);
        value.set(states, 1);
        list.add_all(states, [1, 2]);
        map.extend(states, [("a".to_owned(), 1), ("b".to_owned(), 1)]);
    }
    subject.snapshot(false, &mut store);
    subject.states.now = 97;
    subject.tidy(0);
    subject.states.now = 100;
    subject.tidy(0);
    // All are checked in a quarter of the time to live; in 3 ms, an eighth of that and a little more.
    let counts = subject.snapshot(false, &mut store);
    let (value, list, map) = (counts["value"], counts["list"], counts["map"]);
    assert!(value > 0 && value < 30 && list > 0 && list < 60 && map > 0 && map < 60, "{counts:?}");
    while let Some(at) = subject.states.wake_at() {
        assert!(at <= 150, "{at}");
        subject.states.now = at.max(subject.states.now);
        subject.tidy(0);
        // Lists in a snapshot are checked until the next one has deleted them.
        subject.snapshot(false, &mut store);
    }
    assert_eq!(subject.keys.len(), 0);
    assert!(store.0.values().all(|rows| rows.is_empty()));
}

#[test]
fn ever_new_keys_are_no_more_than_those_of_one_and_a_half_times_to_live() {
    let ttl = StateTtlConfig::new(Duration::from_millis(100));
    let mut subject = Subject::new(&Store::default(), Some(&ttl), 0);
    let (value, list, map) = (subject.value, subject.list, subject.map);
    let mut most = 0;
    for key in 0..4_000 {
        subject.states.now = i64::from(key / 4);
        let states = subject.at(key);
        value.set(states, 1);
        list.add(states, 1);
        map.insert(states, "a".to_owned(), 1);
        subject.tidy(1);
        subject.free();
        most = most.max(subject.keys.len());
    }
    assert!(most <= 4 * 150, "{most}");
    while let Some(at) = subject.states.wake_at() {
        assert!(at <= 1_160, "{at}");
        subject.states.now = at;
        subject.tidy(0);
    }
    subject.free();
    assert_eq!(subject.keys.len(), 0);
}

#[test]
fn what_has_expired_can_be_seen_until_it_is_cleaned_up_where_that_is_asked_for() {
    let ttl = StateTtlConfig::new(Duration::from_millis(100))
        .visibility(TtlVisibility::ReturnExpiredIfNotCleanedUp)
        .disable_cleanup_in_background();
    let mut subject = Subject::new(&Store::default(), Some(&ttl), 0);
    let (value, list, map) = (subject.value, subject.list, subject.map);
    let states = subject.at(1);
    value.set(states, 1);
    list.add(states, 1);
    map.insert(states, "a".to_owned(), 1);
    subject.states.now = 500;
    subject.tidy(100);
    let states = subject.at(1);
    assert_eq!(value.get(states), Some(&1));
    assert_eq!(list.iter(states).count(), 1);
    assert_eq!(map.get(states, "a"), Some(&1));
    // A read has found them to be expired.
    subject.tidy(0);
    let states = subject.at(1);
    assert_eq!(value.get(states), None);
    assert_eq!(list.iter(states).count(), 0);
    assert_eq!(map.get(states, "a"), None);
}

#[test]
fn a_full_snapshot_leaves_out_what_has_expired_where_that_is_asked_for() {
    for (cleans, left) in [(false, 1), (true, 0)] {
        let mut ttl = StateTtlConfig::new(Duration::from_millis(100)).disable_cleanup_in_background();
        if cleans {
            ttl = ttl.cleanup_full_snapshot();
        }
        let mut store = Store::default();
        let mut subject = Subject::new(&store, Some(&ttl), 0);
        let (value, list, map) = (subject.value, subject.list, subject.map);
        let states = subject.at(1);
        value.set(states, 1);
        list.add(states, 1);
        map.insert(states, "a".to_owned(), 1);
        subject.states.now = 100;
        subject.tidy(100);
        subject.snapshot(true, &mut store);
        assert_eq!([store.rows("value"), store.rows("list"), store.rows("map")], [left; 3]);
    }
}
