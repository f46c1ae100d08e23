//! Formats with a schema registry, beside one that answers as Confluent's does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use flott_batch::pretty;
use flott_connector::Changelog;
use flott_types::ErrorKind;
use flott_types::TypeKind::{self, *};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::case::Case;

/// A registry that keeps schemas in memory, and what it was asked.
#[derive(Clone)]
struct Registry {
    url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    schemas: Vec<String>,
    /// The first line of each request, and its authorization.
    asked: Vec<(String, String)>,
    /// So many requests are answered with an error first.
    failures: usize,
}

impl Registry {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state: Arc<Mutex<State>> = Arc::default();
        let served = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let served = served.clone();
                std::thread::spawn(move || answer(stream, &served));
            }
        });
        Registry { url, state }
    }

    /// A schema that somebody else has registered; its id.
    fn add(&self, schema: &Value) -> u32 {
        let mut state = self.state.lock();
        state.schemas.push(schema.to_string());
        state.schemas.len() as u32
    }

    fn asked(&self) -> Vec<String> {
        self.state.lock().asked.iter().map(|(line, _)| line.clone()).collect()
    }

    fn case(&self, format: &str, columns: &[(&str, TypeKind)], options: &[(&str, &str)]) -> Case {
        let url = (format!("{format}.url"), self.url.clone());
        let mut all: Vec<(&str, &str)> = vec![(&url.0, &url.1)];
        all.extend(options);
        Case::new(format, columns, &all)
    }
}

fn answer(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let (mut length, mut authorization) = (0, String::new());
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "authorization" => authorization = value.to_owned(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let line = line.trim().trim_end_matches(" HTTP/1.1").to_owned();
        let (status, answer) = respond(&mut state.lock(), &line, &authorization, &body);
        let answer = answer.to_string();
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{answer}", answer.len())?;
    }
}

fn respond(state: &mut State, line: &str, authorization: &str, body: &[u8]) -> (&'static str, Value) {
    state.asked.push((line.to_owned(), authorization.to_owned()));
    if state.failures > 0 {
        state.failures -= 1;
        return ("503 Service Unavailable", json!({ "error_code": 50302, "message": "try again" }));
    }
    if let Some(id) = line.strip_prefix("GET /schemas/ids/") {
        let index = id.parse::<usize>().unwrap().wrapping_sub(1);
        return match state.schemas.get(index) {
            Some(schema) => ("200 OK", json!({ "schema": schema })),
            None => ("404 Not Found", json!({ "error_code": 40403, "message": "Schema not found" })),
        };
    }
    if line.starts_with("GET") {
        return ("404 Not Found", json!({ "error_code": 404, "message": "HTTP 404 Not Found" }));
    }
    let schema = serde_json::from_slice::<Value>(body).unwrap();
    let schema = schema.get("schema").and_then(Value::as_str).unwrap().to_owned();
    if schema.contains("forbidden") {
        return (
            "409 Conflict",
            json!({ "error_code": 409, "message": "Schema being registered is incompatible" }),
        );
    }
    let found = state.schemas.iter().position(|other| *other == schema);
    let id = found.unwrap_or_else(|| {
        state.schemas.push(schema);
        state.schemas.len() - 1
    });
    ("200 OK", json!({ "id": id + 1 }))
}

const COLUMNS: [(&str, TypeKind); 2] = [("id", Int), ("name", TypeKind::STRING)];

#[test]
fn what_is_written_is_registered_once_and_read_back() {
    let registry = Registry::start();
    let case = registry.case("avro-confluent", &COLUMNS, &[("avro-confluent.subject", "t/a-value")]);
    let rows = "+I 1 a\n+I NULL NULL\n";
    let mut encoder = case.format.for_messages().unwrap().encoder(&case.schema).unwrap();
    assert!(registry.asked().is_empty(), "planning asks nobody");
    let batch = pretty::parse(rows, &case.types()).unwrap();
    let mut messages: Vec<Vec<u8>> = Vec::new();
    for _ in 0..2 {
        let mut take = |_: usize, message: &[u8]| {
            messages.push(message.to_vec());
            Ok(())
        };
        encoder.encode(&batch, &mut take).unwrap();
    }
    // Branch 1 of a union and the int 1; branch 1 and a text of one byte.
    assert_eq!(messages[0], [0, 0, 0, 0, 1, 2, 2, 2, 2, b'a']);
    assert_eq!(messages[1], [0, 0, 0, 0, 1, 0, 0]);
    assert_eq!(case.decode_messages(&messages).unwrap(), rows.repeat(2));
    assert_eq!(registry.asked(), ["POST /subjects/t%2Fa-value/versions", "GET /schemas/ids/1"]);
}

#[test]
fn messages_of_many_versions_are_mixed() {
    let registry = Registry::start();
    let field = |name: &str, ty: Value| json!({ "name": name, "type": ty });
    let record = |name: &str, fields: Value| json!({ "type": "record", "name": name, "fields": fields });
    registry.add(&record("A", json!([field("id", json!("int"))])));
    registry.add(&record(
        "B",
        json!([field("extra", json!("double")), field("name", json!("string")), field("id", json!("long"))]),
    ));
    registry.add(&record("C", json!([field("id", json!("string"))])));
    let case = registry.case("avro-confluent", &COLUMNS, &[]);
    let one = [0, 0, 0, 0, 1, 14];
    let two = [0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 2, b'x', 16];
    let rows = case.decode_messages(&[one.to_vec(), two.to_vec(), one.to_vec()]).unwrap();
    assert_eq!(rows, "+I 7 NULL\n+I 8 x\n+I 7 NULL\n");
    let error = |message: &[u8]| case.decode_messages(&[message]).unwrap_err();
    assert_eq!(
        error(&[0, 0, 0, 0, 3, 2, b'x']).to_string(),
        "the schema 3 of the registry: column 'id': string is not read as INT"
    );
    // The record's own fault, and not asked for with every record.
    let unknown = error(&[0, 0, 0, 0, 9, 2]);
    assert_eq!(unknown.kind(), ErrorKind::Data);
    let asked = registry.asked().len();
    assert_eq!(error(&[0, 0, 0, 0, 9, 4]).to_string(), unknown.to_string());
    assert_eq!(registry.asked().len(), asked);
    // A server that is no registry says that too.
    let elsewhere = ("avro-confluent.url".to_owned(), format!("{}/elsewhere", registry.url));
    let elsewhere = Case::new("avro-confluent", &COLUMNS, &[(&elsewhere.0, &elsewhere.1)]);
    assert_eq!(elsewhere.decode_messages(&[&one]).unwrap_err().kind(), ErrorKind::External);
    assert!(
        unknown.to_string().contains("the schema 9: ") && unknown.to_string().contains("Schema not found"),
        "{unknown}"
    );
    assert!(error(b"{\"id\":1}").to_string().contains("does not begin with a zero and the id of a schema"));
    assert!(error(&[0, 0, 0, 0, 1, 14, 14]).to_string().contains("its schema 1: 1 bytes follow the record"));
    assert!(error(&[0, 0, 0, 0, 2, 0]).to_string().contains("its schema 2: the bytes end in the middle"));
}

/// Of Debezium's, with fields that are of no interest between the others.
#[test]
fn changes_are_unwrapped() {
    let registry = Registry::start();
    let row = json!({ "type": "record", "name": "Value", "fields": [
        { "name": "name", "type": ["null", "string"] },
        { "name": "id", "type": "int" } ] });
    registry.add(&json!({ "type": "record", "name": "Envelope", "fields": [
        { "name": "before", "type": ["null", row] },
        { "name": "after", "type": ["null", "Value"] },
        { "name": "source", "type": { "type": "record", "name": "Source", "fields": [{ "name": "table", "type": "string" }] } },
        { "name": "op", "type": "string" },
        { "name": "ts_ms", "type": ["null", "long"] } ] }));
    let case = registry.case("debezium-avro-confluent", &COLUMNS, &[]);
    assert_eq!(case.format.changelog(), Changelog::Retract);
    let row = |id: u8| vec![2, 2, 2, b'a', 2 * id];
    let message = |before: Vec<u8>, after: Vec<u8>, op: u8| {
        [vec![0, 0, 0, 0, 1], before, after, vec![2, b't', 2, op, 0]].concat()
    };
    let messages = [
        message(vec![0], row(1), b'c'),
        message(row(1), row(2), b'u'),
        message(row(2), vec![0], b'd'),
        message(vec![0], row(3), b'r'),
    ];
    assert_eq!(case.decode_messages(&messages).unwrap(), "+I 1 a\n-U 1 a\n+U 2 a\n-D 2 a\n+I 3 a\n");
    let error = |message: Vec<u8>| case.decode_messages(&[message]).unwrap_err().to_string();
    assert!(error(message(vec![0], row(1), b'u')).contains("REPLICA IDENTITY FULL"));
    assert!(error(message(vec![0], row(1), b'x')).contains("unknown \"op\" value \"x\""));
    // The half of an update that was read is none.
    let mut decoder = case.format.for_messages().unwrap().decoder(&case.schema, &[0, 1]).unwrap();
    decoder.decode(&messages[0]).unwrap();
    decoder.decode(&message(row(1), vec![0], b'u')).unwrap_err();
    assert_eq!(decoder.rows(), 1);
    decoder.decode(&messages[2]).unwrap();
    let rows = decoder.finish().unwrap().unwrap();
    assert_eq!(pretty::print(&rows, &case.types()), "+I 1 a\n-D 2 a\n");
}

#[test]
fn changes_are_written_in_an_envelope() {
    let registry = Registry::start();
    let subject = ("debezium-avro-confluent.subject", "s");
    let case = registry.case("debezium-avro-confluent", &COLUMNS, &[subject]);
    let messages = case.encode_all("+I 1 a\n-U 1 a\n+U 2 b\n-D 2 b\n");
    assert_eq!(messages[0], [0, 0, 0, 0, 1, 0, 2, 2, 2, 2, 2, b'a', 2, 2, b'c']);
    assert_eq!(case.decode_messages(&messages).unwrap(), "+I 1 a\n-D 1 a\n+I 2 b\n-D 2 b\n");
}

#[test]
fn a_given_schema_is_registered_as_it_is() {
    let registry = Registry::start();
    let schema = r#"{"type":"record","name":"Mine","fields":[{"name":"name","type":["string","null"]},{"name":"id","type":["null","long"]}]}"#;
    let options = |schema| [("avro-confluent.subject", "s"), ("avro-confluent.schema", schema)];
    let case = registry.case("avro-confluent", &COLUMNS, &options(schema));
    let messages = case.encode_all("+I 1 a\n");
    assert_eq!(messages[0], [0, 0, 0, 0, 1, 0, 2, b'a', 2, 2]);
    assert_eq!(registry.state.lock().schemas, [schema]);
    let wrong = schema.replace("\"id\"", "\"key\"");
    let case = registry.case("avro-confluent", &COLUMNS, &options(&wrong));
    let error = case.format.for_messages().unwrap().encoder(&case.schema).err().unwrap().to_string();
    assert!(error.contains("the Avro record Mine has no field for column 'id'"), "{error}");
}

#[test]
fn who_asks_is_told_and_a_registry_that_is_busy_is_asked_again() {
    let registry = Registry::start();
    let id =
        registry.add(&json!({ "type": "record", "name": "A", "fields": [{ "name": "id", "type": "int" }] }));
    let message = [&[0, 0, 0, 0, id as u8][..], &[2]].concat();
    let basic = [
        ("avro-confluent.basic-auth.credentials-source", "USER_INFO"),
        ("avro-confluent.basic-auth.user-info", "me:secret"),
    ];
    registry.state.lock().failures = 2;
    let case = registry.case("avro-confluent", &COLUMNS, &basic);
    assert_eq!(case.decode_messages(&[&message]).unwrap(), "+I 1 NULL\n");
    assert!(!format!("{:?}", case.format).contains("secret"));
    let bearer = [
        ("avro-confluent.bearer-auth.credentials-source", "STATIC_TOKEN"),
        ("avro-confluent.bearer-auth.token", "xyz"),
    ];
    registry.case("avro-confluent", &COLUMNS, &bearer).decode_messages(&[&message]).unwrap();
    let who: Vec<String> = registry.state.lock().asked.iter().map(|(_, who)| who.clone()).collect();
    assert_eq!(who, ["Basic bWU6c2VjcmV0", "Basic bWU6c2VjcmV0", "Basic bWU6c2VjcmV0", "Bearer xyz"]);
    registry.state.lock().failures = 9;
    let error = registry.case("avro-confluent", &COLUMNS, &[]).decode_messages(&[&message]).unwrap_err();
    assert!(error.kind() == ErrorKind::External && error.to_string().contains("503"), "{error}");
}

#[test]
fn a_schema_that_the_registry_refuses_is_an_error() {
    let registry = Registry::start();
    let options = [("avro-confluent.subject", "s")];
    let case = registry.case("avro-confluent", &[("forbidden", Int)], &options);
    let batch = pretty::parse("+I 1\n", &case.types()).unwrap();
    let mut encoder = case.format.for_messages().unwrap().encoder(&case.schema).unwrap();
    let error = encoder.encode(&batch, &mut |_, _| Ok(())).unwrap_err().to_string();
    assert!(error.contains("the schema of the subject 's'") && error.contains("is incompatible"), "{error}");
    assert_eq!(registry.asked().len(), 1, "nobody asks again");
}

#[test]
fn passwords_that_would_not_be_sent_are_refused_and_none_is_shown() {
    let error = |options: &[(&str, &str)]| {
        let error = Case::try_new("avro-confluent", &COLUMNS, options).err().unwrap().to_string();
        assert!(!error.contains("secret"), "{error}");
        error
    };
    let url = ("avro-confluent.url", "http://localhost:1");
    let of_url = ("avro-confluent.basic-auth.credentials-source", "URL");
    let with_user = ("avro-confluent.url", "http://me:secret@localhost:1");
    let shown = error(&[("avro-confluent.url", "http://me:secret@a,htp://you:secret@b")]);
    assert!(shown.contains("'http://******@a,htp://******@b'"), "{shown}");
    let unsent = error(&[with_user]);
    assert!(
        unsent.contains("in 'avro-confluent.url' is not sent: it needs 'avro-confluent.basic-auth.credentials-source' = 'URL'"),
        "{unsent}"
    );
    let user = ("avro-confluent.basic-auth.user-info", "me:secret");
    let of_option = ("avro-confluent.basic-auth.credentials-source", "USER_INFO");
    let token = ("avro-confluent.bearer-auth.token", "secret");
    assert!(error(&[with_user, of_option, user]).contains("in 'avro-confluent.url' is not sent"));
    assert!(error(&[url, user]).contains("basic-auth.user-info' is not sent"));
    assert!(error(&[with_user, of_url, user]).contains("basic-auth.user-info' is not sent"));
    assert!(error(&[url, token]).contains("= 'STATIC_TOKEN'"));
    assert!(error(&[url, of_url]).contains("expected addresses with a name and a password"));
    let two = ("avro-confluent.url", "http://me:secret@a,http://you:secret@b");
    assert!(error(&[two, of_url]).contains("expected one name and password for all addresses"));
    Case::new("avro-confluent", &COLUMNS, &[with_user, of_url]);
}

/// A record, or nothing: Flink's files have such a root, and a registry may.
#[test]
fn a_root_that_is_a_union_with_null_is_read_and_not_written() {
    let registry = Registry::start();
    let record = json!({ "type": "record", "name": "A", "fields": [{ "name": "id", "type": "int" }] });
    let null_first = registry.add(&json!(["null", record])) as u8;
    let null_last = registry.add(&json!([record, "null"])) as u8;
    let three = registry.add(&json!(["null", record, "int"])) as u8;
    let case = registry.case("avro-confluent", &COLUMNS, &[]);
    let message = |id: u8, branch: u8| [0, 0, 0, 0, id, branch, 14];
    let read = case.decode_messages(&[message(null_first, 2), message(null_last, 0)]).unwrap();
    assert_eq!(read, "+I 7 NULL\n+I 7 NULL\n");
    for id in [null_first, null_last] {
        let branch = if id == null_first { 0 } else { 2 };
        let error = case.decode_messages(&[&message(id, branch)[..6]]).unwrap_err();
        assert!(error.kind() == ErrorKind::Data && error.to_string().contains("NULL is no row"), "{error}");
    }
    let error = case.decode_messages(&[message(three, 2)]).unwrap_err().to_string();
    assert!(error.contains("union of null, record A, int"), "{error}");
    let changes = registry.case("debezium-avro-confluent", &COLUMNS, &[]);
    let error = changes.decode_messages(&[message(null_first, 2)]).unwrap_err().to_string();
    assert!(error.contains("union of null, record A, and a record is needed"), "{error}");
    let union = json!(["null", record]).to_string();
    for format in ["avro-confluent", "debezium-avro-confluent"] {
        let (url, schema) = (format!("{format}.url"), format!("{format}.schema"));
        let options = [(&*url, "http://localhost:1"), (&*schema, &*union)];
        let error = Case::try_new(format, &COLUMNS, &options).err().unwrap().to_string();
        assert!(error.contains("union of null, record A, and a record is needed"), "{error}");
    }
}

#[test]
fn options_are_checked() {
    let error = |options: &[(&str, &str)]| {
        Case::try_new("avro-confluent", &COLUMNS, options).err().unwrap().to_string()
    };
    let url = ("avro-confluent.url", "http://localhost:1");
    assert!(error(&[]).contains("the option 'avro-confluent.url' is missing"));
    assert!(error(&[("avro-confluent.url", "localhost:8081")]).contains("begin with http:// or https://"));
    assert!(error(&[url, ("avro-confluent.schema", "\"int\"")]).contains("a record is needed"));
    let user = ("avro-confluent.basic-auth.credentials-source", "USER_INFO");
    assert!(error(&[url, user]).contains("'avro-confluent.basic-auth.user-info' is missing"));
    let stores = error(&[url, ("avro-confluent.ssl.keystore.location", "/x")]);
    assert!(stores.contains("is not built yet; there is: trust in the certificates"), "{stores}");
    let case = Case::new("avro-confluent", &COLUMNS, &[url]);
    let missing = case.format.for_messages().unwrap().encoder(&case.schema).err().unwrap().to_string();
    assert!(missing.contains("'avro-confluent.subject' is missing"), "{missing}");
}
