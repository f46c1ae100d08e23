//! The format `avro`: files and messages, others' and our own, and that no bytes make it panic.

use flott_batch::pretty;
use flott_types::TypeKind::{self, *};
use flott_types::{ErrorKind, LogicalType, RowField};
use proptest::prelude::*;

use crate::case::Case;
use crate::values::{self, rows_of};

fn boxed(kind: TypeKind) -> Box<LogicalType> {
    Box::new(kind.nullable())
}

fn row(fields: &[(&str, TypeKind)]) -> TypeKind {
    let field = |(name, kind): &(&str, TypeKind)| RowField {
        name: (*name).to_owned(),
        ty: kind.clone().nullable(),
        comment: None,
    };
    Row(fields.iter().map(field).collect())
}

fn file(codec: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/trips.{codec}.avro", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The table of the files that fastavro wrote.
fn trips() -> Case {
    let stop = row(&[("legs", Array(boxed(Double))), ("lat", Double), ("new", Int)]);
    Case::new(
        "avro",
        &[
            ("id", BigInt),
            ("name", TypeKind::STRING),
            ("kind", TypeKind::STRING),
            ("fare", Decimal(10, 2)),
            ("toll", Decimal(12, 4)),
            ("day", Date),
            ("noon", Time(3)),
            ("started", Timestamp(3)),
            ("ended", TimestampLtz(6)),
            ("seen", Timestamp(9)),
            ("hash", TypeKind::BYTES),
            ("again", TypeKind::BYTES),
            ("uuid", TypeKind::STRING),
            ("tags", Array(boxed(TypeKind::STRING))),
            ("counts", Map(boxed(TypeKind::STRING), boxed(BigInt))),
            ("stop", stop),
            ("flag", Boolean),
            ("missing", TypeKind::STRING),
        ],
        &[],
    )
}

#[test]
fn files_of_another_library_are_read() {
    let case = trips();
    let expected = case.read_whole(&file("null")).unwrap();
    expect_test::expect_file!["../data/trips.txt"].assert_eq(&expected);
    for codec in ["deflate", "snappy", "bzip2", "xz", "zstandard"] {
        assert_eq!(case.read_whole(&file(codec)).unwrap(), expected, "{codec}");
    }
}

/// A file of Flink 2.3: its root is a union with null, so a branch stands before each row.
#[test]
fn files_of_flink_are_read_and_have_the_schema_of_ours() {
    let page = row(&[("url", TypeKind::STRING), ("size", Int), ("inner_", row(&[("x", Int)]))]);
    let columns = [
        ("id", BigInt),
        ("a", TinyInt),
        ("b", SmallInt),
        ("c", Int),
        ("name", TypeKind::STRING),
        ("price", Decimal(10, 2)),
        ("big", Decimal(38, 10)),
        ("f", Float),
        ("d", Double),
        ("yes", Boolean),
        ("raw_", TypeKind::BYTES),
        ("day_", Date),
        ("t", Time(3)),
        ("at_", Timestamp(3)),
        ("tags", Array(boxed(TypeKind::STRING))),
        ("counts", Map(boxed(TypeKind::STRING), boxed(Int))),
        ("page", page),
    ];
    let mut case = Case::new("avro", &columns, &[]);
    case.schema.columns[0].ty = BigInt.not_null();
    let file = std::fs::read(format!("{}/tests/data/flink.avro", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let rows = "+I 1 -1 300 7 naïve 12.34 -0.0000000001 0.5 1.0E300 TRUE x'00ff' 2024-02-29 12:34:56.0 \
                2024-02-29T12:34:56.789 [a,NULL] {k=1} (u,2,(3))\n\
                +I 2 NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL\n";
    assert_eq!(case.read_whole(&file).unwrap(), rows);
    assert_eq!(case.read_file(&file, 1, &[0], 9).unwrap(), "+I 2\n");
    let (theirs, ours) = (schema_of(&file), schema_of(&case.write_file(rows, 9)));
    assert_eq!(theirs, serde_json::json!(["null", ours]));
}

/// The schema in the header of a file, as the first entry. A namespace that is that of the record around it is
/// left out.
fn schema_of(file: &[u8]) -> serde_json::Value {
    fn inherit(value: &mut serde_json::Value, around: Option<&str>) {
        let own = value.get("namespace").and_then(serde_json::Value::as_str).map(str::to_owned);
        if let (Some(members), Some(own)) = (value.as_object_mut(), &own)
            && around == Some(own)
        {
            members.remove("namespace");
        }
        let inner = own.as_deref().or(around);
        match value {
            serde_json::Value::Array(items) => items.iter_mut().for_each(|item| inherit(item, inner)),
            serde_json::Value::Object(members) => members.values_mut().for_each(|item| inherit(item, inner)),
            _ => {}
        }
    }
    let begin = file.windows(11).position(|bytes| bytes == b"avro.schema").unwrap() + 11;
    // Behind its length.
    let begin = begin + file[begin..].iter().position(|byte| *byte <= 0x7f).unwrap() + 1;
    let mut texts = serde_json::Deserializer::from_slice(&file[begin..]).into_iter::<serde_json::Value>();
    let mut schema = texts.next().unwrap().unwrap();
    inherit(&mut schema, None);
    schema
}

#[test]
fn reading_begins_at_any_row_and_takes_only_what_is_wanted() {
    let (case, file) = (trips(), file("snappy"));
    for first in 0..9 {
        for step in [1, 3, 100] {
            let ids: String =
                (first..8).map(|row| format!("+I {} {}\n", row % 2 == 1, row as i64 - 1)).collect();
            let ids = ids.replace("false", "FALSE").replace("true", "TRUE");
            assert_eq!(case.read_file(&file, first, &[16, 0], step).unwrap(), ids);
            assert_eq!(case.read_file(&file, first, &[], step).unwrap().lines().count() as u64, 8 - first);
        }
    }
}

#[test]
fn a_type_that_would_lose_something_is_refused_with_the_column() {
    let read = |name: &str, kind: TypeKind| {
        let case = Case::new("avro", &[(name, kind)], &[]);
        case.read_whole(&file("null")).map_err(|error| error.to_string())
    };
    assert_eq!(read("name", Int).unwrap_err(), "column 'name': string is not read as INT");
    assert_eq!(
        read("fare", Decimal(10, 1)).unwrap_err(),
        "column 'fare': decimal(10, 2) is not read as DECIMAL(10, 1)"
    );
    let narrow = read("fare", Decimal(2, 2)).unwrap_err();
    assert!(narrow.contains("field 'fare': a decimal is too large for DECIMAL(2, 2)"), "{narrow}");
    assert!(narrow.starts_with("the block at byte "), "{narrow}");
    // The branch that is no number is an error when it comes: in the third row.
    let either = read("either", Int).unwrap_err();
    assert!(either.contains("field 'either': string is not read as INT"), "{either}");
    let case = Case::new("avro", &[("either", Int)], &[]);
    assert_eq!(case.read_file(&file("null"), 0, &[], 9).unwrap().lines().count(), 8);
    let inner = read("stop", row(&[("lat", Int)])).unwrap_err();
    assert_eq!(inner, "column 'stop': column 'lat': float is not read as INT");
    let required = flott_plan::Schema::new([("gone", Int.not_null())]);
    let error =
        case.format.bulk().unwrap().reader(Box::new(crate::bulk::Memory(file("null"))), 0, &required, &[0]);
    assert!(error.err().unwrap().to_string().contains("has no field 'gone', which is NOT NULL"));
}

#[test]
fn a_file_that_was_cut_off_is_an_error_unless_it_ends_with_a_block() {
    let (case, whole) = (trips(), file("deflate"));
    let mut ends = Vec::new();
    for end in 0..whole.len() {
        match case.read_whole(&whole[..end]) {
            Ok(rows) => ends.push((end, rows.lines().count())),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Data, "cut at {end}: {error}"),
        }
    }
    // After the header, and after each block but the last.
    let blocks = whole.windows(16).filter(|bytes| bytes == b"0123456789abcdef").count();
    assert_eq!(ends.len(), blocks - 1, "{ends:?}");
}

#[test]
fn what_is_no_file_says_so() {
    let error = |bytes: &[u8]| trips().read_whole(bytes).unwrap_err().to_string();
    assert_eq!(error(b"PAR1"), "it is no Avro container file");
    assert_eq!(error(b""), "it is no Avro container file");
    let mut mark = file("null");
    let last = mark.len() - 1;
    mark[last] ^= 1;
    assert!(error(&mark).contains("the mark at the end is not that of the file"), "{}", error(&mark));
}

#[test]
fn messages_of_another_library_are_read_and_written_the_same() {
    let columns = [
        ("id", Int),
        ("name", TypeKind::STRING),
        ("price", Decimal(6, 2)),
        ("at_", Timestamp(3)),
        ("tags", Array(boxed(Int))),
    ];
    let mut case = Case::new("avro", &columns, &[]);
    case.schema.columns[0].ty = Int.not_null();
    let text =
        std::fs::read_to_string(format!("{}/tests/data/messages.avro.json", env!("CARGO_MANIFEST_DIR")));
    let messages: Vec<String> = serde_json::from_str(&text.unwrap()).unwrap();
    let messages: Vec<Vec<u8>> = messages.iter().map(|message| values::from_hex(message)).collect();
    let rows = "+I 0 n0 0.50 2024-01-01T00:00:00.001 [0,NULL]\n\
                +I 1 n1 1.50 2024-01-01T00:00:01.001 [1,NULL]\n\
                +I 2 NULL NULL NULL NULL\n";
    assert_eq!(case.decode_messages(&messages).unwrap(), rows);
    assert_eq!(case.encode_all(rows), messages);
}

#[test]
fn a_message_that_is_none_is_an_error_and_the_next_one_is_read() {
    let case = Case::new("avro", &[("a", Array(boxed(row(&[("x", Int), ("y", TypeKind::STRING)]))))], &[]);
    let good = case.encode_all("+I [(1,a),(2,b)]\n");
    let mut decoder = case.format.for_messages().unwrap().decoder(&case.schema, &[0]).unwrap();
    decoder.decode(&good[0]).unwrap();
    for cut in 0..good[0].len() {
        let error = decoder.decode(&good[0][..cut]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(error.to_string().contains("no Avro record of the table's schema: field 'a"), "{error}");
        assert_eq!(decoder.rows(), 1);
    }
    let mut bad_text = good[0].clone();
    *bad_text.iter_mut().rfind(|byte| **byte == b'b').unwrap() = 0xff;
    let error = decoder.decode(&bad_text).unwrap_err().to_string();
    assert!(error.ends_with("field 'a.y': a text is not UTF-8"), "{error}");
    decoder.decode(&good[0]).unwrap();
    let rows = decoder.finish().unwrap().unwrap();
    assert_eq!(pretty::print(&rows, &case.types()), "+I [(1,a),(2,b)]\n+I [(1,a),(2,b)]\n");
}

#[test]
fn null_where_there_is_none_is_refused() {
    let mut case = Case::new("avro", &[("a", Int)], &[]);
    case.schema.columns[0].ty = Int.not_null();
    let batch = pretty::parse("+I NULL", &[Int.nullable()]).unwrap();
    let mut encoder = case.format.for_messages().unwrap().encoder(&case.schema).unwrap();
    let error = encoder.encode(&batch, &mut |_, _| Ok(())).unwrap_err();
    assert_eq!(error.to_string(), "column 'a' is NULL, and its Avro type has no null");
}

#[test]
fn timestamps_are_written_by_either_mapping() {
    let columns = [("a", Timestamp(6)), ("b", TimestampLtz(3))];
    let legacy = Case::new("avro", &columns, &[]);
    let error = legacy.format.bulk().unwrap().check(&legacy.schema).unwrap_err().to_string();
    assert!(error.contains("set 'avro.timestamp_mapping.legacy' to 'false'"), "{error}");
    let case = Case::new("avro", &columns, &[("avro.timestamp_mapping.legacy", "false")]);
    let rows = "+I 2024-01-01T00:00:00.123456 1969-12-31T23:59:59.999\n+I NULL NULL\n";
    assert_eq!(case.decode_messages(&case.encode_all(rows)).unwrap(), rows);
    let file = case.write_file(rows, 1);
    assert!(String::from_utf8_lossy(&file).contains("local-timestamp-micros"));
    assert_eq!(case.read_whole(&file).unwrap(), rows);
}

#[test]
fn options_are_checked() {
    let error = |key: &str, value: &str| {
        Case::try_new("avro", &[("a", Int)], &[(key, value)]).err().unwrap().to_string()
    };
    assert!(error("avro.codec", "lzo").contains("null, deflate, snappy, bzip2, xz or zstandard"));
    assert!(error("avro.encoding", "json").contains("is not built yet; there is: binary"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn rows_survive_messages_and_files(
        rows in rows_of(values::all_of_avro(), 1..20),
        codec in prop::sample::select(vec!["null", "deflate", "snappy", "bzip2", "xz", "zstandard"]),
        step in 1usize..9,
        first in 0u64..20,
    ) {
        let kinds = values::all_of_avro();
        let named: Vec<(&str, TypeKind)> = values::NAMES.into_iter().zip(kinds).collect();
        let options = [("avro.codec", codec), ("avro.timestamp_mapping.legacy", "false")];
        let case = Case::new("avro", &named, &options);
        let rows = pretty::print(&pretty::parse(&rows, &case.types()).unwrap(), &case.types());
        prop_assert_eq!(&case.decode_messages(&case.encode_all(&rows)).unwrap(), &rows);
        let file = case.write_file(&rows, step);
        prop_assert_eq!(&case.read_whole(&file).unwrap(), &rows);
        let rest: String = rows.split_inclusive('\n').skip(first as usize).collect();
        let all: Vec<usize> = (0..case.schema.len()).collect();
        prop_assert_eq!(case.read_file(&file, first, &all, step).unwrap(), rest);
    }

    #[test]
    fn no_bytes_make_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        change in any::<u8>(),
        codec in prop::sample::select(vec!["null", "deflate", "snappy", "bzip2", "xz", "zstandard"]),
    ) {
        let case = trips();
        let _ = case.decode_messages(&[&bytes]);
        let _ = case.read_whole(&bytes);
        // A byte of a good file is another: nearly always an error, never more than that.
        let mut file = file(codec);
        let at = at.index(file.len());
        file[at] ^= change;
        let _ = case.read_whole(&file);
        let bare = Case::new("avro", &[("a", Array(boxed(row(&[("m", Map(boxed(TypeKind::STRING), boxed(Double)))]))))], &[]);
        let _ = bare.decode_messages(&[&bytes]);
    }
}
