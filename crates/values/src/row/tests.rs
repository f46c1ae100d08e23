use std::collections::BTreeMap;

use arrow::array::{Date32Array, Int32Array, Int64Array, TimestampMicrosecondArray};
use flott_types::TypeKind;
use serde::{Deserialize, Serialize};

use super::*;

#[derive(Serialize, Deserialize, PartialEq, Clone, Copy, Debug)]
enum Size {
    Small,
    Large,
}

#[derive(Serialize, Deserialize, PartialEq, Clone, Debug)]
struct Item {
    name: String,
    size: Size,
    weights: Vec<u16>,
}

#[derive(Serialize, Deserialize, PartialEq, Clone, Debug)]
struct Order {
    id: u64,
    item: Option<Item>,
    tags: BTreeMap<String, u8>,
    place: (i32, f64),
    note: Option<String>,
    paid: bool,
}

fn texts<T: Serialize + DeserializeOwned>(codec: &RowCodec<T>) -> Vec<String> {
    codec.columns().iter().map(|(name, ty)| format!("{name} {ty}")).collect()
}

fn there_and_back<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    values: &[T],
) -> Vec<String> {
    let codec = RowCodec::<T>::new().unwrap();
    let rows = codec.encode(values).unwrap();
    let columns = codec.columns();
    let schema = arrow_type::schema(columns.iter().map(|(name, ty)| (name.as_str(), ty)));
    assert_eq!(rows.schema(), schema);
    assert_eq!(codec.reader(columns).unwrap().read(&rows).unwrap(), values);
    texts(&codec)
}

#[test]
fn structs_become_rows_and_come_back() {
    let item = Item { name: "tea".to_owned(), size: Size::Large, weights: vec![1, u16::MAX] };
    let orders = [
        Order {
            id: u64::MAX,
            item: Some(item),
            tags: [("a".to_owned(), 255)].into(),
            place: (-1, 0.5),
            note: None,
            paid: true,
        },
        Order {
            id: 0,
            item: None,
            tags: BTreeMap::new(),
            place: (2, -0.0),
            note: Some("x".to_owned()),
            paid: false,
        },
    ];
    assert_eq!(
        there_and_back(&orders),
        [
            "id DECIMAL(20, 0)",
            "item ROW<`name` STRING, `size` STRING, `weights` ARRAY<INT>>",
            "tags MAP<STRING, SMALLINT>",
            "place ROW<`f0` INT, `f1` DOUBLE>",
            "note STRING",
            "paid BOOLEAN",
        ]
    );
}

#[test]
fn tuples_and_single_values_have_numbered_columns() {
    assert_eq!(
        there_and_back(&[("a".to_owned(), 1i64, Some(2u32))]),
        ["f0 STRING", "f1 BIGINT", "f2 BIGINT"]
    );
    assert_eq!(there_and_back(&["a".to_owned(), String::new()]), ["f0 STRING"]);
    assert_eq!(there_and_back(&[Some(1.5f32), None]), ["f0 FLOAT"]);
    assert_eq!(there_and_back(&[Size::Small]), ["f0 STRING"]);
    assert_eq!(there_and_back(&[vec![1i8]]), ["f0 ARRAY<TINYINT>"]);
    assert_eq!(there_and_back::<(i32, i32)>(&[]), ["f0 INT", "f1 INT"]);
}

#[test]
fn what_holds_nothing_is_refused_with_its_place() {
    let error = RowCodec::<(i32, (String, ()))>::new().err().unwrap();
    assert!(error.to_string().ends_with("its part 'f1.f1' holds nothing"), "{error}");
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Event {
    at: i64,
    day: String,
    number: u8,
}

fn table() -> (Vec<(String, LogicalType)>, RecordBatch) {
    let columns = [
        ("number", TypeKind::Int, Arc::new(Int32Array::from(vec![7, 300])) as ArrayRef),
        ("other", TypeKind::BigInt, Arc::new(Int64Array::from(vec![1, 2]))),
        ("day", TypeKind::Date, Arc::new(Date32Array::from(vec![0, 19_723]))),
        ("at", TypeKind::Timestamp(3), Arc::new(TimestampMicrosecondArray::from(vec![1_500_000, -1_000]))),
    ];
    let types: Vec<(String, LogicalType)> =
        columns.iter().map(|(name, kind, _)| ((*name).to_owned(), kind.clone().nullable())).collect();
    let schema = arrow_type::schema(types.iter().map(|(name, ty)| (name.as_str(), ty)));
    let arrays = columns.into_iter().map(|(.., array)| array).collect();
    (types, RecordBatch::try_new(schema, arrays).unwrap())
}

#[test]
fn rows_of_a_table_are_read_by_name() {
    let (columns, rows) = table();
    let reader = RowCodec::<Event>::new().unwrap().reader(&columns).unwrap();
    let events = reader.read(&rows.slice(0, 1)).unwrap();
    assert_eq!(events, [Event { at: 1_500, day: "1970-01-01".to_owned(), number: 7 }]);
    let error = reader.read(&rows).unwrap_err();
    assert!(error.to_string().contains("column 'number'") && error.to_string().contains("300"), "{error}");
}

#[test]
fn columns_that_do_not_fit_are_told_at_once() {
    let (columns, rows) = table();
    #[derive(Serialize, Deserialize)]
    struct Wrong {
        day: i64,
    }
    let error = RowCodec::<Wrong>::new().unwrap().reader(&columns).err().unwrap();
    assert!(error.to_string().ends_with("it is DATE, and the field is BIGINT"), "{error}");
    let error = RowCodec::<(i32, i32)>::new().unwrap().reader(&columns).err().unwrap();
    assert!(error.to_string().contains("rows of 4 columns"), "{error}");
    #[derive(Serialize, Deserialize)]
    struct More {
        missing: i64,
    }
    let reader = RowCodec::<More>::new().unwrap().reader(&columns).unwrap();
    let error = reader.read(&rows).err().unwrap();
    assert!(error.to_string().contains("missing field `missing`"), "{error}");
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Maybe {
        missing: Option<i64>,
    }
    let reader = RowCodec::<Maybe>::new().unwrap().reader(&columns).unwrap();
    assert_eq!(reader.read(&rows).unwrap(), [Maybe { missing: None }, Maybe { missing: None }]);
}
