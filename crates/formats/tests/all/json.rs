//! The format `json`: what is read and written, and that nothing makes it panic.

use crate::case::Case;
use flott_batch::pretty;
use flott_types::ErrorKind;
use flott_types::TypeKind::{self, *};
use proptest::prelude::*;

fn boxed(kind: TypeKind) -> Box<flott_types::LogicalType> {
    Box::new(kind.nullable())
}

fn plain(options: &[(&str, &str)]) -> Case {
    Case::new(
        "json",
        &[("id", Int), ("name", TypeKind::STRING), ("tags", Array(boxed(TypeKind::STRING)))],
        options,
    )
}

#[test]
fn half_of_a_character_is_a_question_mark_as_flink_writes_it() {
    let case = Case::new("json", &[("a", TypeKind::STRING)], &[]);
    let lines = r#"{"a":"x\ud83dy"}
{"a":"\udc00"}
{"a":"\ud83d\ud83d\ude00"}
"#;
    assert_eq!(case.decode(lines).unwrap(), "+I x?y\n+I ?\n+I ?😀\n");
}

#[test]
fn every_type() {
    let columns = [
        ("a", TinyInt),
        ("b", BigInt),
        ("c", Decimal(5, 2)),
        ("d", Double),
        ("e", Float),
        ("f", Boolean),
        ("g", Date),
        ("h", Time(3)),
        ("i", Timestamp(3)),
        ("k", TimestampLtz(6)),
        ("l", TypeKind::BYTES),
        ("m", Array(boxed(Array(boxed(Int))))),
        ("n", Row(vec![flott_types::RowField { name: "x".into(), ty: Int.nullable(), comment: None }])),
        ("o", Map(boxed(TypeKind::STRING), boxed(Double))),
        ("p", Multiset(boxed(TypeKind::STRING))),
    ];
    let rows = "+I -1 2 1.50 1.0E7 NaN TRUE 2020-02-29 12:34:56.7 2020-02-29T12:34:56.789 2020-02-29T12:34:56.000001 \
                x'00ff' [[1,NULL],NULL,[]] (1) {a=1.5,'b c'=NULL} {q=2}\n\
                +I NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL\n";
    let case = Case::new("json", &columns, &[]);
    let nulls: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\":null")).collect();
    assert_eq!(
        case.encode(rows),
        "{\"a\":-1,\"b\":2,\"c\":1.50,\"d\":1.0E7,\"e\":\"NaN\",\"f\":true,\"g\":\"2020-02-29\",\"h\":\"12:34:56.7\",\
         \"i\":\"2020-02-29 12:34:56.789\",\"k\":\"2020-02-29 12:34:56.000001Z\",\"l\":\"AP8=\",\
         \"m\":[[1,null],null,[]],\"n\":{\"x\":1},\"o\":{\"a\":1.5,\"b c\":null},\"p\":{\"q\":2}}\n"
            .to_owned()
            + &format!("{{{}}}\n", nulls.join(","))
    );
    case.round_trip(rows);
    Case::new("json", &columns, &[("json.timestamp-format.standard", "ISO-8601")]).round_trip(rows);
    let short = Case::new("json", &columns, &[("json.encode.ignore-null-fields", "true")]);
    assert!(short.encode(rows).ends_with("\n{}\n"));
    short.round_trip(rows);
}

#[test]
fn values_are_read_leniently() {
    let case = Case::new(
        "json",
        &[
            ("i", Int),
            ("b", BigInt),
            ("t", TypeKind::STRING),
            ("f", Boolean),
            ("d", Double),
            ("c", Decimal(4, 1)),
        ],
        &[],
    );
    let input = r#"{"i": " 12 ", "b": 1.9e3, "t": {"a" : [1, "x y"]}, "f": "TRUE", "d": "Infinity", "c": 99999}
{"i": -1.9, "b": "-5", "t": 1.50, "f": 1, "d": 1, "c": "1.25"}

{"t": "\u00e4\ud83d\ude00\n\"\\\/", "t ": 1, "f": false}
{"t": true, "i": 1, "i": 2}
null
[{"i": 7}, null, {"i": 8}]
"#;
    assert_eq!(
        case.decode(input).unwrap(),
        "+I 12 1900 '{\"a\":[1,\"x y\"]}' TRUE Infinity NULL\n\
         +I -1 -5 1.50 FALSE 1.0 1.3\n\
         +I NULL NULL 'ä😀\n\"\\/' FALSE NULL NULL\n\
         +I 2 NULL true NULL NULL NULL\n\
         +I 7 NULL NULL NULL NULL NULL\n\
         +I 8 NULL NULL NULL NULL NULL\n"
    );
}

#[test]
fn keys_may_come_in_any_order_and_number() {
    let input = r#"{"id":1,"name":"a"}
{"name":"b","id":2,"x":{"id":9}}
{"x":[],"na\u006de":"c","id":3}
{"id":4}
{"id":5,"name":"e"}
"#;
    let expected = "+I 1 a NULL\n+I 2 b NULL\n+I 3 c NULL\n+I 4 NULL NULL\n+I 5 e NULL\n";
    assert_eq!(plain(&[]).decode(input).unwrap(), expected);
    assert_eq!(plain(&[]).decode_columns("{\"id\":\"x\",\"name\":\"b\"}", &[1]).unwrap(), "+I b\n");
}

#[test]
fn bad_records_name_their_line() {
    let error = |input: &str| {
        let error = plain(&[]).decode(input).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        error.to_string()
    };
    assert_eq!(
        error("{\"id\":1}\n{\"id\":\"x\"}\n"),
        "line 2: column 'id': 'x' is not a value of INT, in: {\"id\":\"x\"}"
    );
    assert_eq!(error("{\"id\":1"), "line 1: not JSON: expected ',' or '}' at byte 8, in: {\"id\":1");
    for wrong in [
        "{\"id\":01}",
        "{\"id\":1}{}",
        "{id:1}",
        "[1]",
        "1",
        "{\"id\":tru}",
        "{\"a\":\"\\x\"}",
        "{\"id\":1,}",
        "{\"id\":+1}",
    ] {
        assert!(error(wrong).contains("not JSON: expected"), "{wrong}");
    }
    assert!(error("{\"tags\":[\"a\",{\"b\":1},2],\"id\":[]}").contains("'[]' is not a value of INT"));
    assert!(error("{\"tags\":{}}").contains("expected an ARRAY"));
    assert!(error("{\"id\":3000000000}").contains("is not a value of INT"));
    let strict = plain(&[("json.fail-on-missing-field", "true")]);
    assert!(
        strict
            .decode("{\"id\":1,\"name\":\"a\"}")
            .unwrap_err()
            .to_string()
            .contains("the field 'tags' is missing")
    );
}

#[test]
fn bad_values_are_counted_when_ignored() {
    let case = plain(&[("json.ignore-parse-errors", "true")]);
    let input =
        "{\"id\":\"x\",\"name\":\"a\"}\n{broken\n{\"id\":2,\"tags\":[\"a\",null]}\n{\"id\":3,\"tags\":7}\n";
    assert_eq!(
        case.decode_in_pieces(input, usize::MAX).unwrap(),
        ("+I NULL a NULL\n+I 2 NULL [a,NULL]\n+I 3 NULL NULL\n".to_owned(), 3)
    );
}

#[test]
fn wrong_options_are_refused() {
    let error =
        |options: &[(&str, &str)]| Case::try_new("json", &[("a", Int)], options).err().unwrap().to_string();
    assert!(error(&[("json.timestamp-format.standard", "RFC")]).contains("SQL or ISO-8601"));
    assert!(
        error(&[("json.ignore-parse-errors", "true"), ("json.fail-on-missing-field", "true")])
            .contains("contradict")
    );
    assert!(error(&[("json.map-null-key.mode", "x")]).contains("FAIL, DROP or LITERAL"));
    let map = Map(boxed(Int), boxed(Int));
    assert!(Case::try_new("json", &[("a", map)], &[]).err().unwrap().to_string().contains("are not STRING"));
}

#[test]
fn deep_nesting_is_refused() {
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(plain(&[]).decode(deep).unwrap_err().to_string().contains("nested less deeply"));
}

#[test]
fn decimals_are_javas_unless_plain() {
    let columns = [("a", Decimal(10, 8))];
    assert_eq!(Case::new("json", &columns, &[]).encode("+I 0.00000001\n"), "{\"a\":1E-8}\n");
    let options = [("json.encode.decimal-as-plain-number", "true")];
    assert_eq!(Case::new("json", &columns, &options).encode("+I 0.00000001\n"), "{\"a\":0.00000001}\n");
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

proptest! {
    #[test]
    fn any_text_survives_a_round_trip(
        texts in prop::collection::vec((any::<i32>(), "\\PC{0,12}", prop::collection::vec("[ -~\u{1}\t]{0,9}", 0..3)), 1..5),
        piece in 1usize..60,
    ) {
        let case = plain(&[]);
        let types: Vec<_> = case.schema.iter().map(|(_, ty)| ty.clone()).collect();
        let rows: String = texts.iter().map(|(id, name, tags)| {
            let tags: Vec<String> = tags.iter().map(|tag| quoted(tag)).collect();
            format!("+I {id} {} [{}]\n", quoted(&name.replace(['\u{85}', '\u{2028}', '\u{2029}'], "_")), tags.join(","))
        }).collect();
        let rows = pretty::print(&pretty::parse(&rows, &types).unwrap(), &types);
        let encoded = case.encode(&rows);
        prop_assert_eq!(&case.decode(&encoded).unwrap(), &rows, "{}", encoded);
        prop_assert_eq!(&case.decode_in_pieces(&encoded, piece).unwrap().0, &rows, "{}", encoded);
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_pieces_do_not_matter(
        input in prop::collection::vec(prop_oneof![
            Just("{".to_owned()), Just("}".to_owned()), Just("[".to_owned()), Just("]".to_owned()), Just(",".to_owned()),
            Just("\"id\":".to_owned()), Just("\"tags\":".to_owned()), Just("\"name\":".to_owned()), Just("\"r\":".to_owned()),
            Just("null".to_owned()), Just("1.5e3".to_owned()), Just("\"a\\u00e4\"".to_owned()), Just("\\".to_owned()),
            Just("\n".to_owned()), Just("\"op\":\"u\"".to_owned()), Just("\"before\":".to_owned()), Just("\"after\":".to_owned()),
            Just("\"type\":\"UPDATE\"".to_owned()), Just("\"op_type\":\"U\"".to_owned()), Just("\"data\":".to_owned()), Just("\"old\":".to_owned()), "\\PC{0,3}"
        ], 0..40),
        format in prop::sample::select(vec!["json", "debezium-json", "canal-json", "maxwell-json", "ogg-json"]),
        ignore in any::<bool>(),
        piece in 1usize..20,
    ) {
        let option = format!("{format}.ignore-parse-errors");
        let row = Row(vec![flott_types::RowField { name: "id".into(), ty: Int.nullable(), comment: None }]);
        let columns = [("id", Int), ("name", TypeKind::STRING), ("tags", Array(boxed(Int))), ("r", row), ("m", Map(boxed(TypeKind::STRING), boxed(Int)))];
        let case = Case::new(format, &columns, &[(&option, if ignore { "true" } else { "false" })]);
        let input = input.concat();
        let whole = case.decode_in_pieces(&input, usize::MAX).map_err(|error| error.to_string());
        let pieces = case.decode_in_pieces(&input, piece).map_err(|error| error.to_string());
        prop_assert!(!ignore || whole.is_ok());
        prop_assert_eq!(whole, pieces);
    }
}
