//! State that expires: what lives, what is found, and how much there is at most.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use flott_state::{
    GroupedRows, KeyedTable, PrimitiveColumn, RestoredState, RowColumn, SharedIndex, SlotColumns,
    StateColumn, Ttl, TtlPolicy,
};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// A snapshot that has these rows of one state.
fn restored_rows(name: &str, rows: Vec<RecordBatch>) -> RestoredState {
    let mut restored = RestoredState { found: true, ..RestoredState::default() };
    restored.keyed.insert(name.to_owned(), rows);
    restored
}

type Counts = KeyedTable<PrimitiveColumn<Int64Type>>;

fn key() -> FieldRef {
    Arc::new(Field::new("key", DataType::Int64, true))
}

fn table(ttl: i64) -> Counts {
    KeyedTable::new("counts", &[key()], 1, 128, PrimitiveColumn::new("count", 0)).unwrap().with_ttl(ttl)
}

/// Counts the keys of a batch; what has expired starts over.
fn count(table: &mut Counts, keys: &[i64], now: i64) {
    let column: ArrayRef = Arc::new(Int64Array::from(keys.to_vec()));
    let mut slots = Vec::new();
    table.intern(&[column], keys.len(), &mut slots, |_, _| ()).unwrap();
    for slot in slots {
        if table.is_expired(slot, now) {
            table.values_mut().reset(slot);
        }
        table.touch(slot, now);
        table.values_mut().values_mut()[slot as usize] += 1;
        table.mark(slot);
    }
}

/// What has not expired.
fn alive(table: &Counts, now: i64) -> BTreeMap<i64, i64> {
    let slots: Vec<u32> = table.live().filter(|slot| !table.is_expired(*slot, now)).collect();
    let keys = table.keys_of(&slots).unwrap();
    let keys = keys[0].as_primitive::<Int64Type>().values().iter().copied();
    keys.zip(slots.iter().map(|slot| table.values().values()[*slot as usize])).collect()
}

#[test]
fn what_is_not_used_expires_within_a_sixteenth_of_its_time() {
    let mut ttl = Ttl::new(TtlPolicy::coarse(1600), None, &[]);
    assert!(ttl.touch(0, 1000) && ttl.touch(1, 1000) && ttl.touch(2, 1000));
    assert!(!ttl.touch(1, 1050), "the same grain");
    assert!(ttl.touch(1, 1100));
    assert!(!ttl.touch(1, 900), "a clock that goes back shortens no life");
    for (slot, used) in [(0, 1000), (1, 1100)] {
        assert!(!ttl.is_expired(slot, used + 1600));
        assert!(ttl.is_expired(slot, used + 1700));
    }
    ttl.unset(2);
    let mut expired = Vec::new();
    ttl.sweep(2700, 0, &mut expired);
    assert_eq!((ttl.wake_at(), &expired), (Some(2800), &Vec::new()));
    ttl.sweep(2800, 0, &mut expired);
    ttl.sweep(2900, 0, &mut expired);
    ttl.sweep(3000, 0, &mut expired);
    assert_eq!(expired, [0, 1]);
    ttl.unset(0);
    ttl.unset(1);
    assert_eq!(ttl.wake_at(), None);
}

#[test]
fn reads_let_live_on_and_find_what_has_expired() {
    let policy = TtlPolicy { on_read: true, background: false, ..TtlPolicy::exact(100) };
    let mut ttl = Ttl::new(policy, Some(0), &[]);
    assert!(ttl.touch(0, 0) && ttl.touch(1, 0));
    assert!(ttl.read(0, 60) && ttl.read(0, 60), "seen");
    assert_eq!(ttl.take_touched(), [0]);
    assert!(!ttl.read(1, 100), "expired and hidden");
    assert!(ttl.read(0, 150), "it was read");
    let mut expired = Vec::new();
    ttl.sweep(155, 0, &mut expired);
    assert_eq!(
        (expired.as_slice(), ttl.wake_at()),
        ([1].as_slice(), None),
        "without a search in the background"
    );
    let seen = Ttl::new(TtlPolicy { hides_expired: false, ..policy }, Some(0), &[]);
    assert!(seen.read(0, i64::MAX), "what was never used has not expired");
}

#[test]
fn tables_with_a_time_to_live_are_what_a_naive_model_says() {
    for seed in 0..40 {
        println!("seed {seed}");
        let mut rng = SmallRng::seed_from_u64(seed);
        let ttl = rng.random_range(1..2_000);
        let grain = (ttl / 16).max(1);
        let mut table = table(ttl);
        // By key: the count and the end of the grain of the last use.
        let mut model: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        let (mut now, mut wake_at) = (0, None);
        for _ in 0..400 {
            now += rng.random_range(0..ttl / 8 + 2);
            while wake_at.is_some_and(|at: i64| at <= now) {
                wake_at = table.expire(now, 0);
            }
            let keys: Vec<i64> = (0..rng.random_range(0..20)).map(|_| rng.random_range(0..60)).collect();
            count(&mut table, &keys, now);
            for key in &keys {
                let (count, until) = model.entry(*key).or_default();
                if *until + ttl <= now {
                    *count = 0;
                }
                *count += 1;
                *until = (now / grain + 1) * grain - 1;
            }
            wake_at = table.expire(now, keys.len());
            let expected = model.iter().filter(|(_, (_, until))| *until + ttl > now);
            let expected: BTreeMap<i64, i64> = expected.map(|(key, (count, _))| (*key, *count)).collect();
            assert_eq!(alive(&table, now), expected, "at {now}");
            let most = model.values().filter(|(_, until)| *until + 2 * ttl + 8 > now).count();
            assert!(table.len() <= most, "{} keys at {now}, {most} used lately", table.len());
            if rng.random_bool(0.05) {
                table.snapshot(false).unwrap();
            }
            if rng.random_bool(0.02) {
                let rows: Vec<RecordBatch> =
                    table.snapshot(true).unwrap().into_iter().map(|delta| delta.rows).collect();
                table = self::table(ttl);
                table.restore(&mut restored_rows("counts", rows)).unwrap();
                wake_at = table.expire(now, 0);
            }
        }
    }
}

#[test]
fn ever_new_keys_take_no_more_than_one_and_a_half_times_what_lives() {
    let mut table = table(1_000);
    let (per_milli, mut most) = (20, 0);
    for now in 0..20_000 {
        let keys: Vec<i64> = (0..per_milli).map(|key| now * per_milli + key).collect();
        count(&mut table, &keys, now);
        table.expire(now, keys.len());
        if now % 500 == 0 {
            table.snapshot(false).unwrap();
        }
        most = most.max(table.len());
    }
    assert!(most <= 1_500 * per_milli as usize, "{most}");
    // The dead of half a second beside them.
    assert!(table.slots_end() <= 2_100 * per_milli as usize, "{}", table.slots_end());
}

#[test]
fn without_input_everything_goes_in_bounded_steps() {
    let mut table = table(1_000);
    let keys: Vec<i64> = (0..300_000).collect();
    count(&mut table, &keys, 0);
    let (mut now, mut before, mut wake_at) = (0, table.len(), table.expire(0, keys.len()));
    while let Some(at) = wake_at {
        now = now.max(at);
        wake_at = table.expire(now, 0);
        assert!(before - table.len() <= 8 << 10, "one step removed {}", before - table.len());
        before = table.len();
    }
    assert!(table.is_empty() && now <= 1_500, "{} keys at {now}", table.len());
}

#[test]
fn rows_of_keys_expire_with_their_keys() {
    let row = Arc::new(Field::new("last_access", DataType::Int64, true));
    let mut index = SharedIndex::new(&[key()], 1, 128).unwrap();
    // The row has a column of the stamps' name.
    let rows = RowColumn::new("rows", GroupedRows::new(std::slice::from_ref(&row), None, ()).unwrap());
    let mut rows = rows.with_coarse_ttl(100, &index);
    let (mut memory, mut keys, mut entries) = (0, Vec::new(), Vec::new());
    let expire = |index: &mut SharedIndex, rows: &mut RowColumn<GroupedRows<()>>, now, number| {
        rows.tidy(now, number, index.freed());
        index.release(|key| rows.occupied(key));
        rows.wake_at()
    };
    for now in 0..4_000 {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values((0..10).map(|key| now * 10 + key)));
        index.intern(std::slice::from_ref(&column), 10, &mut keys).unwrap();
        rows.intern(&keys, &[column], &mut entries, |_, _| ()).unwrap();
        entries.iter().for_each(|entry| rows.touch(*entry, now));
        expire(&mut index, &mut rows, now, 10);
        if now == 1_000 {
            memory = index.memory() + rows.memory();
        }
    }
    let after = index.memory() + rows.memory();
    // What lists have spare comes and goes.
    assert!(after <= memory + memory / 100, "{after} bytes, {memory} before");
    let (mut now, mut wake_at) = (4_000, expire(&mut index, &mut rows, 4_000, 0));
    while let Some(at) = wake_at {
        now = now.max(at);
        wake_at = expire(&mut index, &mut rows, now, 0);
    }
    assert!(rows.is_empty() && index.keys().is_empty());
}

#[test]
fn a_time_to_live_can_be_switched_on_off_and_changed() {
    let restored = |from: &mut Counts, ttl: i64| {
        let rows = from.snapshot(true).unwrap().remove(0).rows;
        let mut table = table(ttl);
        table.restore(&mut restored_rows("counts", vec![rows])).unwrap();
        table
    };
    let mut without = table(0);
    count(&mut without, &[1, 2, 2], 0);
    // On: as if used at the restore, which the next snapshot says.
    let mut with = restored(&mut without, 160);
    assert_eq!(with.pending(), 2);
    assert_eq!(with.expire(1_000, 0), Some(1_010));
    assert_eq!(alive(&with, 1_160), BTreeMap::from([(1, 1), (2, 2)]));
    assert_eq!(alive(&with, 1_170), BTreeMap::new());
    count(&mut with, &[2], 1_100);
    // To another value: from the last use on.
    let mut longer = restored(&mut with, 1_600);
    assert_eq!(longer.pending(), 0);
    longer.expire(1_100, 0);
    assert_eq!(alive(&longer, 2_650), BTreeMap::from([(2, 3)]));
    // Off: the next snapshot replaces the files that have stamps.
    let off = restored(&mut longer, 0);
    assert_eq!(off.pending(), 2);
    assert_eq!(alive(&off, i64::MAX), BTreeMap::from([(1, 1), (2, 3)]));
}

#[test]
fn other_columns_of_state_fit_or_are_refused() {
    let named = |keys: &[&str], value: &str| {
        let key = |name: &&str| Arc::new(Field::new(*name, DataType::Int64, true));
        let keys: Vec<FieldRef> = keys.iter().map(key).collect();
        KeyedTable::new("counts", &keys, 1, 128, PrimitiveColumn::<Int64Type>::new(value, 0)).unwrap()
    };
    let mut table = named(&["key"], "count");
    let one: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    table.intern(&[one], 1, &mut Vec::new(), |_, _| ()).unwrap();
    let rows = table.snapshot(true).unwrap().remove(0).rows;
    let error = named(&["key"], "sum").restore(&mut restored_rows("counts", vec![rows.clone()])).unwrap_err();
    assert!(error.to_string().contains("restored state 'counts': column 'sum' is missing"), "{error}");
    let error = named(&["id"], "count").restore(&mut restored_rows("counts", vec![rows])).unwrap_err();
    assert!(error.to_string().contains("restored state 'counts': column 'id' is missing"), "{error}");
}
