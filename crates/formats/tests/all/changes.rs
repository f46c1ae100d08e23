//! The change formats and `raw`.

use crate::case::Case;
use flott_types::TypeKind::{self, *};

fn products(format: &str, options: &[(&str, &str)]) -> Case {
    Case::new(format, &[("id", Int), ("name", TypeKind::STRING), ("price", Decimal(10, 2))], options)
}

const CHANGES: &str = "+I 1 anvil 19.99\n-U 1 anvil 19.99\n+U 1 NULL 24.50\n-D 1 NULL 24.50\n";

#[test]
fn debezium() {
    let input = r#"{"before": null, "after": {"id": 1, "name": "anvil", "price": 19.99}, "op": "c", "ts_ms": 0}

{"before": {"id": 1, "name": "anvil", "price": 19.99}, "after": {"id": 1, "name": null, "price": 24.5}, "op": "u"}
{"before": {"id": 1, "name": null, "price": 24.5}, "after": null, "op": "d"}
null
"#;
    let case = products("debezium-json", &[]);
    assert_eq!(case.decode(input).unwrap(), CHANGES);
    assert_eq!(case.decode_in_pieces(input, 7).unwrap().0, CHANGES);
    assert_eq!(case.decode_columns(input, &[2]).unwrap(), "+I 19.99\n-U 19.99\n+U 24.50\n-D 24.50\n");
    let wrapped: String = input
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| format!("{{\"schema\": {{}}, \"payload\": {line}}}\n"))
        .collect();
    let schema = products("debezium-json", &[("debezium-json.schema-include", "true")]);
    assert_eq!(schema.decode(wrapped).unwrap(), CHANGES);

    assert_eq!(
        case.encode("+I 1 a 1.50\n-U 1 a 1.50\n+U 2 NULL NULL\n-D 3 c 1.00"),
        "{\"before\":null,\"after\":{\"id\":1,\"name\":\"a\",\"price\":1.50},\"op\":\"c\"}\n\
         {\"before\":{\"id\":1,\"name\":\"a\",\"price\":1.50},\"after\":null,\"op\":\"d\"}\n\
         {\"before\":null,\"after\":{\"id\":2,\"name\":null,\"price\":null},\"op\":\"c\"}\n\
         {\"before\":{\"id\":3,\"name\":\"c\",\"price\":1.00},\"after\":null,\"op\":\"d\"}\n"
    );
    let error = |input: &str| case.decode(input).unwrap_err().to_string();
    assert!(
        error("{\"before\": null, \"after\": {\"id\": 1}, \"op\": \"u\"}").contains("REPLICA IDENTITY FULL")
    );
    assert!(error("{\"after\": {\"id\": 1}, \"op\": \"x\"}").contains("unknown \"op\" value \"x\""));
    assert!(error("{\"after\": {\"id\": \"x\"}, \"op\": \"c\"}").contains("column 'id'"));
}

#[test]
fn canal() {
    let input = r#"{"data": [{"id": 1, "name": "anvil", "price": 19.99}], "type": "INSERT", "database": "inv", "table": "products", "old": null}
{"data": null, "type": "CREATE", "database": "inv", "table": "products", "sql": "create table"}
{"data": [{"id": 1, "name": null, "price": 24.5}], "type": "UPDATE", "database": "inv", "table": "products", "old": [{"name": "anvil", "price": 19.99}]}
{"data": [{"id": 1, "name": null, "price": 24.5}], "type": "DELETE", "database": "inv", "table": "products", "old": null}
{"data": [{"id": 9}, {"id": 10}], "type": "INSERT", "database": "other", "table": "t"}
"#;
    let case = products(
        "canal-json",
        &[("canal-json.database.include", "in."), ("canal-json.table.include", "prod.*")],
    );
    assert_eq!(case.decode(input).unwrap(), CHANGES);
    assert!(
        products("canal-json", &[]).decode(input).unwrap().ends_with("+I 9 NULL NULL\n+I 10 NULL NULL\n")
    );
    assert_eq!(
        products("canal-json", &[]).encode("+U 1 a 1.50\n-U 1 a 1.50"),
        "{\"data\":[{\"id\":1,\"name\":\"a\",\"price\":1.50}],\"type\":\"INSERT\"}\n\
         {\"data\":[{\"id\":1,\"name\":\"a\",\"price\":1.50}],\"type\":\"DELETE\"}\n"
    );
    assert!(case.decode("{\"type\":\"INSERT\"}").is_err());
}

#[test]
fn maxwell() {
    let input = r#"{"database": "inv", "type": "insert", "data": {"id": 1, "name": "anvil", "price": 19.99}}
{"type": "update", "data": {"id": 1, "name": null, "price": 24.5}, "old": {"name": "anvil", "price": 19.99}}
{"type": "delete", "data": {"id": 1, "name": null, "price": 24.5}}
"#;
    let case = products("maxwell-json", &[]);
    assert_eq!(case.decode(input).unwrap(), CHANGES);
    // A member that is null in the old row was null: only what is missing there is unchanged.
    let update = r#"{"type": "update", "data": {"id": 1, "name": "a", "price": 1}, "old": {"name": null}}"#;
    assert_eq!(case.decode(update).unwrap(), "-U 1 NULL 1.00\n+U 1 a 1.00\n");
    assert_eq!(
        case.encode("-D 1 a 1.50"),
        "{\"data\":{\"id\":1,\"name\":\"a\",\"price\":1.50},\"type\":\"delete\"}\n"
    );
}

#[test]
fn ogg() {
    let input = r#"{"table": "INV.PRODUCTS", "op_type": "I", "pos": "1", "after": {"id": 1, "name": "anvil", "price": 19.99}}
{"op_type": "U", "before": {"id": 1, "name": "anvil", "price": 19.99}, "after": {"id": 1, "name": null, "price": 24.5}}
{"op_type": "D", "before": {"id": 1, "name": null, "price": 24.5}, "after": null}
"#;
    let case = products("ogg-json", &[]);
    assert_eq!(case.decode(input).unwrap(), CHANGES);
    let error = case.decode("{\"op_type\":\"T\"}").unwrap_err().to_string();
    assert!(error.contains("unknown \"op_type\" value \"T\" of GoldenGate's"), "{error}");
    assert!(
        case.decode("{\"op_type\":\"U\",\"after\":{}}")
            .unwrap_err()
            .to_string()
            .contains("\"before\" is null or missing")
    );
    assert_eq!(
        case.encode("+U 1 a 1.50\n-U 1 a 1.50"),
        "{\"before\":null,\"after\":{\"id\":1,\"name\":\"a\",\"price\":1.50},\"op_type\":\"I\"}\n\
         {\"before\":{\"id\":1,\"name\":\"a\",\"price\":1.50},\"after\":null,\"op_type\":\"D\"}\n"
    );
    let short = products("ogg-json", &[("ogg-json.encode.ignore-null-fields", "true")]);
    assert_eq!(short.encode("-D 1 NULL 1.50"), "{\"before\":{\"id\":1,\"price\":1.50},\"op_type\":\"D\"}\n");
}

#[test]
fn bad_changes_are_counted_when_ignored() {
    let case = products("debezium-json", &[("debezium-json.ignore-parse-errors", "true")]);
    let input = "{\"op\":\"u\"}\n{\"op\":\"c\",\"after\":{\"id\":\"x\"}}\n[\n";
    assert_eq!(case.decode_in_pieces(input, usize::MAX).unwrap(), ("+I NULL NULL NULL\n".to_owned(), 3));
}

#[test]
fn raw() {
    let text = Case::new("raw", &[("line", TypeKind::STRING)], &[]);
    assert_eq!(
        text.decode("first line\r\nsecond,line\n\n fourth").unwrap(),
        "+I 'first line'\n+I 'second,line'\n+I ''\n+I ' fourth'\n"
    );
    assert_eq!(text.decode_columns("a\nb", &[]).unwrap(), "+I\n+I\n");
    assert_eq!(text.encode("+I 'a b'\n+I ''\n"), "a b\n\n");
    let number = |options| Case::new("raw", &[("n", Int)], options);
    assert_eq!(number(&[]).decode(b"\x00\x00\x01\x02\n").unwrap(), "+I 258\n");
    assert_eq!(
        number(&[("raw.endianness", "little-endian")]).decode(b"\x02\x01\x00\x00\n").unwrap(),
        "+I 258\n"
    );
    assert_eq!(number(&[]).encode("+I 1633837924\n"), "abcd\n");
    assert!(
        number(&[])
            .decode("abc\n")
            .unwrap_err()
            .to_string()
            .contains("line 1: column 'n': 'abc' is not a value of INT")
    );
    assert!(
        Case::try_new("raw", &[("a", Int), ("b", Int)], &[])
            .err()
            .unwrap()
            .to_string()
            .contains("one column")
    );
    assert!(Case::try_new("raw", &[("a", Date)], &[]).is_err());
    assert!(Case::try_new("raw", &[("a", TypeKind::STRING)], &[("raw.charset", "EBCDIC")]).is_err());
}

#[test]
fn messages_are_records_without_an_end() {
    let columns = [("id", Int), ("name", TypeKind::STRING)];
    for (format, first, third) in [
        ("csv", "1,a", "3,c"),
        ("json", "{\"id\":1,\"name\":\"a\"}", "{\"id\":3,\"name\":\"c\"}"),
        (
            "maxwell-json",
            "{\"data\":{\"id\":1,\"name\":\"a\"},\"type\":\"insert\"}",
            "{\"data\":{\"id\":3,\"name\":\"c\"},\"type\":\"insert\"}",
        ),
    ] {
        let case = Case::new(format, &columns, &[]);
        let messages = case.encode_messages("+I 1 a\n+I 2 b\n+I 3 c\n");
        assert_eq!(messages, [(0, first.to_owned()), (2, third.to_owned())]);
        assert_eq!(case.decode_messages(&[first, third]).unwrap(), "+I 1 a\n+I 3 c\n");
    }
    let raw = Case::new("raw", &[("line", TypeKind::STRING)], &[]);
    assert_eq!(raw.encode_messages("+I 'a b'\n+I c\n"), [(0, "a b".to_owned())]);
    assert_eq!(raw.decode_messages(&["a", ""]).unwrap(), "+I a\n+I ''\n");
}

#[test]
fn unknown_options_of_a_format_are_reported_and_those_of_another_refused() {
    let made = |name: &str, key: &str| Case::try_new(name, &[("a", Int)], &[(key, "true")]);
    // As in Flink, a format skips what it does not know. A warning reports it.
    assert!(made("json", "json.ignore-parse-error").is_ok());
    // What one of a family has the others need not have.
    assert!(made("canal-json", "canal-json.schema-include").is_ok());
    // What belongs to another format is unknown to the table.
    let refused = made("json", "csv.allow-comments").err().unwrap().to_string();
    assert!(refused.starts_with("table t has no option 'csv.allow-comments'"), "{refused}");
}

#[test]
fn unknown_formats_are_named() {
    let error = |name: &str| Case::try_new(name, &[("a", Int)], &[]).err().unwrap().to_string();
    assert!(error("orc").contains("the format 'orc' is not built yet"));
    assert!(error("cvs").contains("there is no format 'cvs'; there are: avro, "));
}
