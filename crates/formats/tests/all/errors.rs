//! Records that cannot be read leave no trace: the rows around them are those of an input without them.

use flott_batch::pretty;
use flott_types::ErrorKind;
use flott_types::TypeKind::{self, *};

use crate::case::Case;

/// A format, its options, rows, and records of which none can be read, however far one gets.
type Of = (&'static str, &'static [(&'static str, TypeKind)], &'static str, &'static [&'static str]);

const COLUMNS: [(&str, TypeKind); 3] = [("s", TypeKind::STRING), ("id", Int), ("x", Double)];
const ROWS: &str = "+I a 1 0.5\n+I b 2 1.5\n+I c 3 2.5\n+I d 4 3.5\n";

const FORMATS: [Of; 6] = [
    ("csv", &COLUMNS, ROWS, &["x,1", "x,1,2,3", "x,y,1", "x,1,y", "\"x\"y,1,1"]),
    (
        "json",
        &COLUMNS,
        ROWS,
        &[
            "{",
            "7",
            r#"{"s":"x","id":"y","x":1}"#,
            r#"{"s":"x","id":1,"x":"y"}"#,
            r#"[{"s":"x","id":1,"x":1},{"s":"x","id":"y"}]"#,
            r#"{"s":"x"} {"s":"y"}"#,
        ],
    ),
    (
        "debezium-json",
        &COLUMNS,
        ROWS,
        &[
            r#"{"before":null,"after":{"s":"x","id":"y"},"op":"c"}"#,
            r#"{"before":{"s":"x","id":1,"x":1},"after":{"s":"x","id":"y"},"op":"u"}"#,
            r#"{"before":null,"after":{"s":"x","id":1,"x":1},"op":"?"}"#,
        ],
    ),
    (
        "canal-json",
        &COLUMNS,
        ROWS,
        &[
            r#"{"data":[{"s":"x","id":"1","x":"1"},{"s":"x","id":"y"}],"type":"INSERT"}"#,
            r#"{"data":[{"s":"x","id":"1"}],"old":[{"id":"y"}],"type":"UPDATE"}"#,
        ],
    ),
    ("maxwell-json", &COLUMNS, ROWS, &[r#"{"data":{"s":"x","id":"y"},"type":"insert"}"#]),
    ("avro", &COLUMNS, ROWS, &["", "\u{2}", "\u{2}\u{4}xy\u{2}"]),
];

#[test]
fn the_messages_around_one_that_cannot_be_read() {
    for (name, columns, rows, unreadable) in FORMATS {
        let case = Case::new(name, columns, &[]);
        let all: Vec<usize> = (0..columns.len()).collect();
        let mut decoder = case.format.for_messages().unwrap().decoder(&case.schema, &all).unwrap();
        let mut bad = unreadable.iter().cycle();
        for message in case.encode_all(rows) {
            for _ in 0..unreadable.len() {
                let bad = bad.next().unwrap();
                // An empty text is no record; of Avro it is one.
                let before = decoder.rows();
                let error = decoder.decode(bad.as_bytes()).err();
                let error = error.unwrap_or_else(|| panic!("{name} reads {bad:?}"));
                assert_eq!((error.kind(), decoder.rows()), (ErrorKind::Data, before), "{name}: {bad}");
            }
            decoder.decode(&message).unwrap();
        }
        let batch = decoder.finish().unwrap().unwrap();
        assert_eq!(pretty::print(&batch, &case.types()), rows, "{name}");
        assert!(decoder.finish().unwrap().is_none() && decoder.take_skipped() == 0, "{name}");
    }
}

#[test]
fn the_records_of_a_file_around_one_that_cannot_be_read() {
    for (name, columns, rows, unreadable) in FORMATS {
        let case = Case::new(name, columns, &[]);
        let Some(records) = case.format.records() else { continue };
        let all: Vec<usize> = (0..columns.len()).collect();
        let mut decoder = records.decoder(&case.schema, &all).unwrap();
        let mut text = String::new();
        for record in case.encode_all(rows) {
            text += std::str::from_utf8(&record).unwrap().trim_end();
            text += "\n";
            unreadable.iter().for_each(|bad| text += &format!("{bad}\n"));
        }
        let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
        while at < text.len() {
            let progress = decoder.decode(&text.as_bytes()[at..], true, line, usize::MAX).unwrap();
            if let Some(unreadable) = progress.unreadable {
                let bytes = at + unreadable.bytes.start..at + unreadable.bytes.end;
                let number = line + progress.lines - 1;
                assert!(unreadable.error.to_string().contains(&format!("line {number}: ")), "{name}");
                found.push(text[bytes].to_owned());
            }
            assert!(progress.consumed > 0, "{name} makes no progress");
            at += progress.consumed;
            line += progress.lines;
        }
        assert_eq!(found, unreadable.repeat(4), "{name}");
        let batch = decoder.finish().unwrap().unwrap();
        assert_eq!(pretty::print(&batch, &case.types()), rows, "{name}");
    }
}

#[test]
fn numbers_of_a_wrong_length() {
    let case = Case::new("raw", &[("id", Int)], &[]);
    let mut decoder = case.format.for_messages().unwrap().decoder(&case.schema, &[0]).unwrap();
    for message in [&[0, 0, 0, 1][..], &[1, 2], &[], &[0, 0, 0, 2]] {
        assert_eq!(decoder.decode(message).is_ok(), message.len() == 4);
    }
    let batch = decoder.finish().unwrap().unwrap();
    assert_eq!(pretty::print(&batch, &case.types()), "+I 1\n+I 2\n");
}
