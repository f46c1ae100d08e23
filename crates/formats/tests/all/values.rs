//! Rows of any values, for tests of round trips.

use flott_types::TypeKind::{self, *};
use flott_types::{LogicalType, RowField};
use proptest::prelude::*;

/// Names for columns.
pub const NAMES: [&str; 24] = [
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u",
    "v", "w", "x",
];

fn boxed(kind: TypeKind) -> Box<LogicalType> {
    Box::new(kind.nullable())
}

/// Every type that avro holds.
pub fn all_of_avro() -> Vec<TypeKind> {
    let field =
        |name: &str, kind: TypeKind| RowField { name: name.into(), ty: kind.nullable(), comment: None };
    let row = |inner: TypeKind| Row(vec![field("x", Int), field("y", inner)]);
    vec![
        TinyInt,
        SmallInt,
        Int,
        BigInt,
        Float,
        Double,
        Boolean,
        TypeKind::STRING,
        TypeKind::BYTES,
        Decimal(38, 10),
        Decimal(5, 2),
        Date,
        Time(3),
        Timestamp(3),
        Timestamp(6),
        TimestampLtz(6),
        Array(boxed(Array(boxed(Int)))),
        Map(boxed(TypeKind::STRING), boxed(row(TypeKind::STRING))),
        Multiset(boxed(TypeKind::STRING)),
        Array(boxed(row(Array(boxed(TypeKind::STRING))))),
        row(row(Decimal(20, 0))),
    ]
}

/// Lines of values of these types, as `flott_batch::pretty` reads them.
pub fn rows_of(
    kinds: Vec<TypeKind>,
    count: impl Into<prop::collection::SizeRange>,
) -> impl Strategy<Value = String> {
    let row: Vec<BoxedStrategy<String>> = kinds.iter().map(|kind| value(kind, true)).collect();
    prop::collection::vec(row, count).prop_map(|rows| {
        let line = |values: Vec<String>| format!("+I {}\n", values.join(" "));
        rows.into_iter().map(line).collect()
    })
}

/// A value of a type, as text.
pub fn value(kind: &TypeKind, nullable: bool) -> BoxedStrategy<String> {
    let some = match kind {
        TinyInt => any::<i8>().prop_map(|value| value.to_string()).boxed(),
        SmallInt => any::<i16>().prop_map(|value| value.to_string()).boxed(),
        Int => any::<i32>().prop_map(|value| value.to_string()).boxed(),
        BigInt => any::<i64>().prop_map(|value| value.to_string()).boxed(),
        Float => any::<i32>().prop_map(|value| format!("{:?}", value as f32 / 16.0)).boxed(),
        Double => any::<i64>().prop_map(|value| format!("{:?}", value as f64 / 256.0)).boxed(),
        Boolean => any::<bool>().prop_map(|value| value.to_string()).boxed(),
        Char(_) | Varchar(_) => "[a-zé€😀_]{0,9}".prop_map(|text: String| format!("'{text}'")).boxed(),
        Binary(_) | Varbinary(_) => prop::collection::vec(any::<u8>(), 0..9)
            .prop_map(|bytes| {
                format!("x'{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
            })
            .boxed(),
        Decimal(precision, scale) => {
            let (scale, most) = (*scale, 10i128.pow(u32::from(*precision)) - 1);
            (-most..=most)
                .prop_map(move |value| {
                    let digits = format!("{:0>width$}", value.unsigned_abs(), width = usize::from(scale) + 1);
                    let (whole, part) = digits.split_at(digits.len() - usize::from(scale));
                    let point = if scale > 0 { "." } else { "" };
                    format!("{}{whole}{point}{part}", if value < 0 { "-" } else { "" })
                })
                .boxed()
        }
        Date => (1900u32..2100, 1u32..13, 1u32..29)
            .prop_map(|(year, month, day)| format!("{year}-{month:02}-{day:02}"))
            .boxed(),
        Time(_) => time(3),
        Timestamp(precision) | TimestampLtz(precision) => {
            (value(&Date, false), time(*precision)).prop_map(|(date, time)| format!("{date}T{time}")).boxed()
        }
        Array(element) => prop::collection::vec(value(&element.kind, true), 0..4)
            .prop_map(|items| format!("[{}]", items.join(",")))
            .boxed(),
        Map(_, item) => map(value(&item.kind, true)),
        Multiset(_) => map((1..100).prop_map(|count: i32| count.to_string()).boxed()),
        Row(fields) => {
            let fields: Vec<BoxedStrategy<String>> =
                fields.iter().map(|field| value(&field.ty.kind, true)).collect();
            fields.prop_map(|fields| format!("({})", fields.join(","))).boxed()
        }
        other => panic!("there are no values of {other}"),
    };
    if nullable { prop_oneof![1 => Just("NULL".to_owned()), 5 => some].boxed() } else { some }
}

fn time(precision: u8) -> BoxedStrategy<String> {
    (0u32..24, 0u32..60, 0u32..60, 0u32..10u32.pow(precision.into()))
        .prop_map(move |(hour, minute, second, part)| {
            format!("{hour:02}:{minute:02}:{second:02}.{part:0width$}", width = usize::from(precision))
        })
        .boxed()
}

fn map(item: BoxedStrategy<String>) -> BoxedStrategy<String> {
    prop::collection::btree_map("[a-f]{1,3}", item, 0..4)
        .prop_map(|entries| {
            let entries: Vec<String> =
                entries.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("{{{}}}", entries.join(","))
        })
        .boxed()
}

/// Bytes from their digits.
pub fn from_hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}
