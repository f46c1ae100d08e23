//! Values of every kind by slot: what is written is read, and a slot that is reset is as new.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Int32Array, ListArray, MapArray,
    StringArray, StructArray, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Decimal128Type, Field, Fields, Int32Type};
use flott_state::{
    AnyColumn, BinaryColumn, BooleanColumn, KeptRows, PrimitiveColumn, SlotColumns, StringColumn,
};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

fn round_trip(mut column: impl SlotColumns, values: &ArrayRef) {
    let slots: Vec<u32> = (0..values.len() as u32).map(|row| row * 3 + 1).collect();
    let all: Vec<u32> = (0..slots.len() as u32 * 3 + 2).collect();
    all.iter().for_each(|slot| column.reset(*slot));
    let initial = column.read(&slots).unwrap();
    assert_eq!(initial[0].data_type(), values.data_type());
    assert_eq!(column.fields()[0].data_type(), values.data_type());
    column.write(&slots, std::slice::from_ref(values)).unwrap();
    assert_eq!(&column.read(&slots).unwrap()[0], values);
    // Once more over values of other lengths.
    let reversed: Vec<u32> = slots.iter().rev().copied().collect();
    column.write(&reversed, std::slice::from_ref(values)).unwrap();
    assert_eq!(&column.read(&reversed).unwrap()[0], values);
    slots.iter().for_each(|slot| column.reset(*slot));
    assert_eq!(column.read(&slots).unwrap(), initial);
}

fn nested() -> Vec<ArrayRef> {
    let item = Arc::new(Field::new_list_field(DataType::Int32, true));
    let ints = |values: Vec<Option<i32>>| -> ArrayRef { Arc::new(Int32Array::from(values)) };
    let offsets = || OffsetBuffer::from_lengths([2, 0, 1]);
    let values = || ints(vec![Some(1), None, Some(3)]);
    let nulls = || Some(vec![true, true, false].into());
    let list: ArrayRef = Arc::new(ListArray::new(item, offsets(), values(), None));
    let entries = Fields::from(vec![
        Field::new("keys", DataType::Utf8, false),
        Field::new("values", DataType::Int32, true),
    ]);
    let keys: ArrayRef = Arc::new(StringArray::from(vec!["b", "a", "c"]));
    let field = Arc::new(Field::new("entries", DataType::Struct(entries.clone()), false));
    let entries = StructArray::new(entries, vec![keys, values()], None);
    let map: ArrayRef =
        Arc::new(MapArray::new(field, OffsetBuffer::from_lengths([2, 1, 0]), entries, nulls(), false));
    let fields = Fields::from(vec![
        Field::new("list", list.data_type().clone(), true),
        Field::new("map", map.data_type().clone(), true),
    ]);
    let row: ArrayRef = Arc::new(StructArray::new(fields, vec![list.clone(), map.clone()], nulls()));
    vec![list, map, row, new_null_array(&DataType::Null, 3)]
}

#[test]
fn columns_keep_what_is_written_to_them() {
    let ints: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(i32::MIN)]));
    round_trip(PrimitiveColumn::<Int32Type>::nullable("v"), &ints);
    let never_null: ArrayRef = Arc::new(Int32Array::from(vec![5, 6]));
    round_trip(PrimitiveColumn::<Int32Type>::new("v", 7), &never_null);
    let decimals = Decimal128Array::from(vec![Some(1), None]).with_data_type(DataType::Decimal128(20, 3));
    let column = PrimitiveColumn::<Decimal128Type>::nullable("v").with_data_type(DataType::Decimal128(20, 3));
    round_trip(column, &(Arc::new(decimals) as ArrayRef));
    let bools: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]));
    round_trip(BooleanColumn::new("v", Some(false)), &bools);
    let long = "long ".repeat(3000);
    let texts: ArrayRef =
        Arc::new(StringArray::from(vec![Some("a"), None, Some(""), Some(&long), Some("ü")]));
    round_trip(StringColumn::new("v"), &texts);
    let bytes: ArrayRef = Arc::new(BinaryArray::from_opt_vec(vec![Some(b"\0\xff"), None, Some(b"")]));
    round_trip(BinaryColumn::new("v"), &bytes);
    for values in nested().into_iter().chain([ints, texts, bytes]) {
        let field = Arc::new(Field::new("v", values.data_type().clone(), true));
        round_trip(AnyColumn::new(vec![field]).unwrap(), &values);
    }
}

#[test]
fn columns_lie_side_by_side() {
    let ints: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![None, Some("x")]));
    let inner: Vec<Box<dyn SlotColumns>> =
        vec![Box::new(PrimitiveColumn::<Int32Type>::nullable("a")), Box::new(StringColumn::new("b"))];
    let mut columns = (inner, (), PrimitiveColumn::<Int32Type>::new("c", 1));
    let names: Vec<String> = columns.fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    (0..2).for_each(|slot| columns.reset(slot));
    let rest: ArrayRef = Arc::new(Int32Array::from(vec![8, 9]));
    columns.write(&[1, 0], &[ints.clone(), texts.clone(), rest.clone()]).unwrap();
    assert_eq!(columns.read(&[1, 0]).unwrap(), [ints, texts, rest]);
    assert!(columns.write(&[0], &[]).is_err());
}

#[test]
fn rows_stay_in_the_batches_in_which_they_came() {
    let field = |name: &str, data_type| Arc::new(Field::new(name, data_type, true));
    for values in nested() {
        round_trip(KeptRows::new(vec![field("v", values.data_type().clone())]), &values);
    }
    for seed in 0..30 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut rows = KeptRows::new(vec![field("text", DataType::Utf8), field("number", DataType::Int32)]);
        let columns = |numbers: &[i32]| -> Vec<ArrayRef> {
            let texts: StringArray = numbers.iter().map(|n| Some(format!("{n}!"))).collect();
            vec![Arc::new(texts), Arc::new(Int32Array::from(numbers.to_vec()))]
        };
        let most = [3, 40, 2_000][seed as usize % 3];
        let mut model: Vec<Option<i32>> = vec![None; [7, 300, 5_000][rng.random_range(0..3)]];
        for _ in 0..150 {
            let numbers: Vec<i32> = (0..rng.random_range(1..=most)).map(|_| rng.random()).collect();
            let end = model.len() as u32;
            let slot = |rng: &mut SmallRng| rng.random_range(0..end);
            let slots: Vec<u32> = numbers.iter().map(|_| slot(&mut rng)).collect();
            match rng.random_range(0..3) {
                0 => {
                    rows.write(&slots, &columns(&numbers)).unwrap();
                    slots.iter().zip(&numbers).for_each(|(slot, n)| model[*slot as usize] = Some(*n));
                }
                1 => {
                    let step = rng.random_range(1..4);
                    let picked: Vec<u32> = (0..numbers.len() as u32).step_by(step).collect();
                    let slots = &slots[..picked.len()];
                    rows.set_rows(slots, &columns(&numbers), &picked).unwrap();
                    let values = picked.iter().map(|row| numbers[*row as usize]);
                    slots.iter().zip(values).for_each(|(slot, n)| model[*slot as usize] = Some(n));
                }
                _ => slots.iter().for_each(|slot| {
                    rows.reset(*slot);
                    model[*slot as usize] = None;
                }),
            }
            let wanted: Vec<u32> = (0..rng.random_range(0..50)).map(|_| slot(&mut rng)).collect();
            let read = rows.read(&wanted).unwrap();
            let expected: Int32Array = wanted.iter().map(|slot| model[*slot as usize]).collect();
            let texts: StringArray =
                wanted.iter().map(|slot| model[*slot as usize].map(|n| format!("{n}!"))).collect();
            assert_eq!(read[0].as_ref(), &texts as &dyn Array, "seed {seed}");
            assert_eq!(read[1].as_ref(), &expected as &dyn Array, "seed {seed}");
        }
        // What is no longer needed does not pile up.
        let live = model.iter().flatten().count();
        let most = 400_000 + 400 * model.len().max(live);
        assert!(rows.memory() < most, "seed {seed}: {} bytes for {live} rows", rows.memory());
    }
}

#[test]
fn memory_of_rows_that_are_gone_is_freed_although_none_come() {
    let mut rows = KeptRows::new(vec![Arc::new(Field::new("number", DataType::Int32, true))]);
    let (batches, size) = (400u32, 1_000u32);
    for batch in 0..batches {
        let slots: Vec<u32> = (batch * size..(batch + 1) * size).collect();
        let numbers = Int32Array::from_iter_values(slots.iter().map(|slot| *slot as i32));
        rows.write(&slots, &[Arc::new(numbers)]).unwrap();
    }
    // One of ten stays, in each batch.
    (0..batches * size).filter(|slot| slot % 10 != 0).for_each(|slot| rows.reset(slot));
    let live = (batches * size / 10) as usize;
    assert_eq!(rows.unneeded(), 9 * live);
    let mut calls = 0;
    while rows.unneeded() > live + 4096 {
        let before = rows.unneeded();
        rows.tidy().unwrap();
        assert!(rows.unneeded() < before, "a call frees something");
        assert!(before - rows.unneeded() < 10 * 20_000, "a call does not copy everything");
        calls += 1;
    }
    assert!(calls > 1);
    rows.tidy().unwrap();
    let kept: Vec<u32> = (0..batches * size).step_by(10).collect();
    let expected = Int32Array::from_iter_values(kept.iter().map(|slot| *slot as i32));
    assert_eq!(rows.read(&kept).unwrap()[0].as_ref(), &expected as &dyn Array);
}
