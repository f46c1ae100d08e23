use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{Int32Type, Int64Type};
use flott_types::{KeyGroup, TypeKind};

use super::*;
use crate::{ChangeBatch, pretty};

fn hashes(columns: &[ArrayRef]) -> Vec<u64> {
    let mut out = vec![99];
    hash_columns(columns, columns[0].len(), &mut out);
    out
}

fn one(array: impl Array + 'static) -> Vec<u64> {
    hashes(&[Arc::new(array)])
}

#[test]
fn the_hash_never_changes() {
    let batch = pretty::parse(
        "+I 1 a 2.50 1.5 TRUE 2020-01-01T00:00:00.000 x'00ff' [1,2] (1,a) {a=1}
         +I NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL
         +I -1 '' 0.00 0.0 FALSE 1970-01-01T00:00:00.000 x'' [] (NULL,NULL) {}",
        &[
            TypeKind::BigInt.nullable(),
            TypeKind::STRING.nullable(),
            TypeKind::Decimal(10, 2).nullable(),
            TypeKind::Double.nullable(),
            TypeKind::Boolean.nullable(),
            TypeKind::Timestamp(3).nullable(),
            TypeKind::BYTES.nullable(),
            TypeKind::Array(Box::new(TypeKind::Int.nullable())).nullable(),
            pretty::row([TypeKind::Int, TypeKind::STRING]).nullable(),
            TypeKind::Map(Box::new(TypeKind::STRING.not_null()), Box::new(TypeKind::Int.nullable()))
                .nullable(),
        ],
    )
    .unwrap();
    let by_column: Vec<Vec<u64>> =
        batch.columns().columns().iter().map(|c| hashes(std::slice::from_ref(c))).collect();
    let text: Vec<String> =
        by_column.iter().map(|hashes| format!("{:016x} {:016x}", hashes[0], hashes[2])).collect();
    assert_eq!(
        text,
        [
            "2fbc593564db792e 5111c7e47d784413",
            "e6c632b61e964e1f 2d06800538d394c2",
            "b33015310200f51e d0a66a65c7528968",
            "2561a4889ff63458 c77b3abb6f87acd9",
            "e12ef9d2eb86ceeb c44bdff4074eecdb",
            "2ba7e82d40bd8015 c77b3abb6f87acd9",
            "a99b043a346c8bf3 2d06800538d394c2",
            "fbf791342a735224 c77b3abb6f87acd9",
            "b75e6b6565384fa1 fc6e2cb6fd8b87d5",
            "ce975cf84a87e756 08613e8d9c5d2547",
        ]
    );
    let null = by_column[0][1];
    assert_eq!(format!("{null:016x}"), "4c093276ae47a555");
    assert!(by_column.iter().all(|hashes| hashes[1] == null));
    // The values come from the definition, computed by another implementation of xxh3.
    let together = hashes(batch.columns().columns()).into_iter();
    assert_eq!(
        together.map(|hash| format!("{hash:016x}")).collect::<Vec<_>>(),
        ["bd4315209010e157", "784b89e4f99c50e9", "09422052911d14f5",]
    );
}

#[test]
fn values_that_are_equal_hash_alike() {
    let nan = f64::from_bits(0xfff8_0000_0000_0001);
    let doubles = one(Float64Array::from(vec![0.0, -0.0, f64::NAN, nan, 1.5]));
    assert_eq!(doubles[0], doubles[1]);
    assert_eq!(doubles[2], doubles[3]);
    assert_eq!(doubles[4], one(Float32Array::from(vec![1.5f32]))[0]);
    assert_eq!(one(Int8Array::from(vec![-7])), one(Int64Array::from(vec![-7])));
    assert_eq!(one(UInt8Array::from(vec![200])), one(Int64Array::from(vec![200])));
    assert_eq!(one(UInt16Array::from(vec![60_000])), one(UInt32Array::from(vec![60_000])));
    assert_eq!(one(UInt64Array::from(vec![u64::MAX])), one(Int64Array::from(vec![-1])));
    assert_eq!(one(StringArray::from(vec!["ab"])), one(BinaryArray::from(vec![&b"ab"[..]])));
}

#[test]
fn values_that_differ_hash_differently() {
    let numbers = one(Int64Array::from_iter((0..10_000).map(Some).chain([None])));
    let distinct: flott_types::FastSet<u64> = numbers.iter().copied().collect();
    assert_eq!(distinct.len(), numbers.len());
    let strings = one(StringArray::from(vec![None, Some(""), Some("a")]));
    assert!(strings[0] != strings[1] && strings[1] != strings[2]);
    let a: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let b: ArrayRef = Arc::new(Int32Array::from(vec![2, 1]));
    let together = hashes(&[a, b]);
    assert_ne!(together[0], together[1]);
}

#[test]
fn slices_and_nulls_hash_as_the_rows_they_hold() {
    let list = |rows: Vec<Option<Vec<Option<i32>>>>| ListArray::from_iter_primitive::<Int32Type, _, _>(rows);
    let whole: ArrayRef =
        Arc::new(list(vec![Some(vec![Some(1)]), None, Some(vec![None, Some(2)]), Some(vec![])]));
    let hashed = hashes(std::slice::from_ref(&whole));
    for (row, hash) in hashed.iter().enumerate() {
        assert_eq!(hashes(&[whole.slice(row, 1)]), [*hash]);
    }
    assert_ne!(hashed[1], hashed[3]);
}

#[test]
fn maps_hash_whatever_the_order_of_their_entries() {
    let ty =
        [TypeKind::Map(Box::new(TypeKind::STRING.not_null()), Box::new(TypeKind::Int.nullable())).nullable()];
    let batch = pretty::parse("+I {a=1,b=2}\n+I {b=2,a=1}\n+I {a=2,b=1}", &ty).unwrap();
    let hashed = hashes(&[batch.column(0).clone()]);
    assert_eq!(hashed[0], hashed[1]);
    assert_ne!(hashed[0], hashed[2]);
}

#[test]
fn groups_are_balanced() {
    let mut counts = [0; 128];
    for hash in one(Int64Array::from_iter_values(0..128_000)) {
        counts[usize::from(KeyGroup::of_hash(hash, 128).0)] += 1;
    }
    assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
}

fn types() -> [flott_types::LogicalType; 2] {
    [TypeKind::BigInt.nullable(), TypeKind::STRING.nullable()]
}

#[test]
fn parts_hold_every_selected_row_once_in_order_at_its_owner() {
    let text: String =
        (0..200).map(|i| format!("{} {i} v{}\n", if i % 3 == 0 { "-D" } else { "+I" }, i % 7)).collect();
    let batch = pretty::parse(&text, &types()).unwrap();
    let keep = BooleanBuffer::from_iter((0..200).map(|row| row % 5 != 0));
    for batch in [batch.clone(), batch.select(&keep)] {
        let expected: Vec<String> =
            pretty::print(&batch.clone().compact().unwrap(), &types()).lines().map(str::to_owned).collect();
        for parallelism in [1, 2, 3, 128] {
            let parts = partition(&batch, &[1], 128, parallelism).unwrap();
            assert_eq!(parts.len(), parallelism as usize);
            let mut seen = 0;
            for (index, part) in parts.into_iter().enumerate() {
                let Some(part) = part else { continue };
                let part = part.compact().unwrap();
                seen += part.num_rows();
                for hash in hashes(&[part.column(1).clone()]) {
                    assert_eq!(KeyGroup::of_hash(hash, 128).subtask(128, parallelism).index(), index);
                }
                let lines: Vec<String> = pretty::print(&part, &types()).lines().map(str::to_owned).collect();
                let mut rest = expected.iter();
                assert!(lines.iter().all(|line| rest.any(|other| other == line)), "order or content changed");
                assert!(part.column(0).as_primitive::<Int64Type>().values().is_sorted());
            }
            assert_eq!(seen, expected.len());
        }
    }
}

#[test]
fn updates_that_change_their_owner_become_deletions_and_insertions() {
    let target =
        |key: i64| KeyGroup::of_hash(one(Int64Array::from(vec![key]))[0], 128).subtask(128, 2).index();
    let here = (0..).find(|key| target(*key) == 0).unwrap();
    let there = (0..).find(|key| target(*key) == 1).unwrap();
    let text = format!("-U {here} a\n+U {here} b\n-U {here} b\n+U {there} c\n-U {there} c\n+U {there} d");
    let parts = partition(&pretty::parse(&text, &types()).unwrap(), &[0], 128, 2).unwrap();
    let text = |part: &Option<ChangeBatch>| pretty::print(part.as_ref().unwrap(), &types());
    assert_eq!(text(&parts[0]), format!("-U {here} a\n+U {here} b\n-D {here} b\n"));
    assert_eq!(text(&parts[1]), format!("+I {there} c\n-U {there} c\n+U {there} d\n"));
}

#[test]
fn a_batch_for_one_owner_is_not_copied() {
    let batch = pretty::parse("+I 5 a\n+I 5 b", &types()).unwrap();
    let parts = partition(&batch, &[0], 128, 4).unwrap();
    let part = parts.iter().flatten().next().unwrap();
    assert_eq!(
        part.column(0).to_data().buffers()[0].as_ptr(),
        batch.column(0).to_data().buffers()[0].as_ptr()
    );
    assert_eq!(parts.iter().flatten().count(), 1);
}
