//! When a table gives memory up, and how much of it.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use flott_state::spill::{SpillOptions, StateMemory};
use flott_state::{KeyedTable, NO_SLOT, PrimitiveColumn, SlotColumns};
use flott_types::{Error, Result};

fn field(name: &str, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type, true))
}

/// A number that does not fit into one column with many others, and counts how often its memory is asked for.
#[derive(Default)]
struct Bulky {
    number: Option<PrimitiveColumn<Int64Type>>,
    asked: Arc<AtomicUsize>,
    /// What it claims to hold beside the numbers.
    more: usize,
}

impl Bulky {
    fn table(budget: Option<usize>) -> (KeyedTable<Self>, Arc<AtomicUsize>) {
        let bulky = Bulky { number: Some(PrimitiveColumn::new("n", 0)), ..Bulky::default() };
        let asked = bulky.asked.clone();
        let table = KeyedTable::new("bulky", &[field("k", DataType::Int64)], 1, 128, bulky).unwrap();
        let memory = Arc::new(StateMemory::default());
        let options = SpillOptions { budget, ..SpillOptions::default() };
        (table.with_spilling(memory.join(options)).unwrap(), asked)
    }

    fn number(&self) -> &PrimitiveColumn<Int64Type> {
        self.number.as_ref().unwrap()
    }

    fn number_mut(&mut self) -> &mut PrimitiveColumn<Int64Type> {
        self.number.as_mut().unwrap()
    }
}

impl SlotColumns for Bulky {
    fn fields(&self) -> Vec<FieldRef> {
        self.number().fields()
    }

    fn reset(&mut self, slot: u32) {
        self.number_mut().reset(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        if slots.len() > 3 { Err(Error::too_large()) } else { self.number().read(slots) }
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        self.number_mut().write(slots, columns)
    }

    fn memory(&self) -> usize {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.number().memory() + self.more
    }
}

fn numbers(range: std::ops::Range<i64>) -> Vec<ArrayRef> {
    vec![Arc::new(range.collect::<Int64Array>())]
}

#[test]
fn values_of_which_few_fit_into_a_column_leave_and_come_back() {
    let (mut table, _) = Bulky::table(Some(1_000));
    let mut slots = Vec::new();
    table.intern(&numbers(0..1_000), 1_000, &mut slots, |_, _| ()).unwrap();
    for (number, slot) in slots.iter().enumerate() {
        table.values_mut().number_mut().set(*slot, Some(number as i64));
    }
    table.make_room().unwrap();
    assert!(table.len() < 1_000);
    table.lookup(&numbers(0..1_000), 1_000, &mut slots).unwrap();
    let found: Vec<i64> = slots.iter().map(|slot| table.values().number().get(*slot).unwrap()).collect();
    assert_eq!(found, (0..1_000).collect::<Vec<i64>>());
}

#[test]
fn keys_that_are_nowhere_take_no_memory() {
    let (mut table, _) = Bulky::table(Some(1_000));
    let mut slots = Vec::new();
    table.intern(&numbers(0..1_000), 1_000, &mut slots, |_, _| ()).unwrap();
    table.make_room().unwrap();
    let before = table.memory();
    table.lookup(&numbers(5_000..5_100), 100, &mut slots).unwrap();
    assert_eq!(slots, [NO_SLOT; 100]);
    assert!(table.memory() < before + (64 << 10), "{before} {}", table.memory());
}

#[test]
fn nobody_asks_what_a_table_holds_without_a_budget() {
    let (mut table, asked) = Bulky::table(None);
    table.intern(&numbers(0..1_000), 1_000, &mut Vec::new(), |_, _| ()).unwrap();
    table.make_room().unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    let (mut table, asked) = Bulky::table(Some(usize::MAX));
    table.intern(&numbers(0..1_000), 1_000, &mut Vec::new(), |_, _| ()).unwrap();
    table.make_room().unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[test]
fn a_table_of_many_keys_is_looked_at_sooner_when_its_rows_are_large() {
    let (mut table, asked) = Bulky::table(Some(64 << 20));
    let looks = |table: &mut KeyedTable<Bulky>, rows: i64| {
        table.intern(&numbers(0..rows), rows as usize, &mut Vec::new(), |_, _| ()).unwrap();
        table.make_room().unwrap();
        asked.swap(0, Ordering::Relaxed)
    };
    assert_eq!(looks(&mut table, 64_000), 1);
    assert_eq!(looks(&mut table, 500), 0, "the rows were small");
    table.values_mut().more = 10 << 20;
    assert_eq!(looks(&mut table, 500), 1);
    assert_eq!(looks(&mut table, 50), 0, "half a megabyte of the budget's 64");
    assert_eq!(looks(&mut table, 60), 1);
    assert_eq!(looks(&mut table, 500), 0, "the rows were small again");
}

#[test]
fn a_large_table_uses_what_small_ones_do_not() {
    let account = Arc::new(StateMemory::default());
    let options = || SpillOptions { budget: Some(100_000), ..SpillOptions::default() };
    let idle: Vec<_> = (0..16).map(|_| account.join(options())).collect();
    let keys = [field("k", DataType::Int64)];
    let count = PrimitiveColumn::<Int64Type>::new("n", 0);
    let table = KeyedTable::new("t", &keys, 1, 128, count).unwrap();
    let mut table = table.with_spilling(account.join(options())).unwrap();
    let (mut rows, mut slots) = (0, Vec::new());
    // Until something leaves.
    while table.len() as i64 == rows {
        table.intern(&numbers(rows..rows + 100), 100, &mut slots, |_, _| ()).unwrap();
        table.make_room().unwrap();
        rows += 100;
    }
    assert!(account.used() > 100_000);
    assert!(table.len() as i64 > rows / 4, "{} of {rows} stay", table.len());
    drop(idle);
}

#[test]
fn a_table_that_comes_to_have_room_keeps_what_comes_back() {
    let account = Arc::new(StateMemory::default());
    let options = || SpillOptions { budget: Some(300_000), ..SpillOptions::default() };
    let mut other = account.join(options());
    assert_eq!(other.report(150_000), None);
    let count = PrimitiveColumn::<Int64Type>::new("n", 0);
    let table = KeyedTable::new("t", &[field("k", DataType::Int64)], 1, 128, count).unwrap();
    let mut table = table.with_spilling(account.join(options())).unwrap();
    let (mut rows, mut slots) = (0, Vec::new());
    while table.len() as i64 == rows {
        table.intern(&numbers(rows..rows + 100), 100, &mut slots, |_, _| ()).unwrap();
        table.make_room().unwrap();
        rows += 100;
    }
    drop(other);
    table.intern(&numbers(0..rows), rows as usize, &mut slots, |_, _| ()).unwrap();
    table.make_room().unwrap();
    assert!(account.used() <= 300_000, "{}", account.used());
    assert_eq!(table.len() as i64, rows);
}
