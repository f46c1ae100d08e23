use flott_types::ErrorKind;

use super::*;

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone, Default)]
struct Order {
    id: u64,
    user: String,
    total: f64,
    paid: bool,
    note: Option<String>,
    lines: Vec<Line>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone, Default)]
struct Line {
    item: String,
    count: i32,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone, Copy, PartialOrd, Ord, Eq)]
enum Level {
    Low,
    High,
    #[serde(rename = "{\"odd\"}")]
    Odd,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
enum Event {
    Tick,
    Moved { x: f64, to: Option<String> },
    Pair(i8, u128),
    Said(String),
    Nested(Box<Event>),
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Tree {
    value: i64,
    children: Vec<Tree>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(untagged)]
enum Untagged {
    Number(i64),
    Text(String),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(tag = "type")]
enum Tagged {
    A { x: i32 },
    B,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    A(i32),
    B(String),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Flat {
    id: i32,
    #[serde(flatten)]
    rest: BTreeMap<String, i32>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Unit;

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Empty {}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Meters(f32);

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Point(i16, char);

/// Text of an unguessable form.
#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
#[serde(try_from = "String", into = "String")]
struct Plate(u32);

impl TryFrom<String> for Plate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let number = text.strip_prefix("B-XY ").and_then(|number| number.parse().ok());
        number.map(Plate).ok_or_else(|| "not a plate".to_owned())
    }
}

impl From<Plate> for String {
    fn from(plate: Plate) -> String {
        format!("B-XY {}", plate.0)
    }
}

#[test]
fn structs_are_columns_with_the_names_and_types_of_their_fields() {
    let line = |count| Line { item: format!("item {count}"), count };
    let orders = [
        Order::default(),
        Order {
            id: u64::MAX,
            user: "ann".to_owned(),
            total: f64::NEG_INFINITY,
            paid: true,
            note: Some(String::new()),
            lines: vec![line(1), line(2)],
        },
        Order { lines: vec![line(-3)], ..Order::default() },
    ];
    assert_eq!(
        round(&orders),
        "{id: BIGINT UNSIGNED, user: STRING, total: DOUBLE, paid: BOOLEAN, note: STRING, \
         lines: ARRAY<{item: STRING, count: INT}>}"
    );
    let (_, column) = stored(&orders);
    let ids = column.as_struct().column_by_name("id").unwrap();
    assert_eq!(ids.as_primitive::<arrow::datatypes::UInt64Type>().value(1), u64::MAX);
}

#[test]
fn scalars_are_columns_of_their_type() {
    assert_eq!(round(&[true, false]), "BOOLEAN");
    assert_eq!(round(&[i8::MIN, i8::MAX]), "TINYINT");
    assert_eq!(round(&[i16::MIN, i16::MAX]), "SMALLINT");
    assert_eq!(round(&[i32::MIN, i32::MAX]), "INT");
    assert_eq!(round(&[i64::MIN, i64::MAX]), "BIGINT");
    assert_eq!(round(&[u8::MAX]), "TINYINT UNSIGNED");
    assert_eq!(round(&[u16::MAX]), "SMALLINT UNSIGNED");
    assert_eq!(round(&[u32::MAX]), "INT UNSIGNED");
    assert_eq!(round(&[u64::MAX]), "BIGINT UNSIGNED");
    assert_eq!(round(&[f32::MIN_POSITIVE, f32::INFINITY, -0.0]), "FLOAT");
    assert_eq!(round(&[f64::MIN_POSITIVE, 0.1 + 0.2]), "DOUBLE");
    assert_eq!(round(&['a', '\u{1f600}', '"']), "STRING");
    assert_eq!(round(&[String::new(), "\"{\0".to_owned()]), "STRING");
    assert_eq!(round(&[std::num::NonZeroU32::MAX]), "INT UNSIGNED");
    assert_eq!(round(&[i128::MIN, 0, i128::MAX]), "JSON");
    assert_eq!(round(&[u128::MAX]), "JSON");
    assert_eq!(round(&[(), ()]), "NULL");
    assert_eq!(round(&[Unit]), "NULL");
    assert_eq!(round(&[Meters(1.5)]), "FLOAT");
    let nan = ColumnCodec::<f64>::new("s").unwrap();
    assert!(nan.decode(&nan.encode(&[f64::NAN]).unwrap()).unwrap()[0].is_nan());
}

#[test]
fn compound_values_are_structs_lists_and_maps() {
    assert_eq!(
        round(&[(1u8, "a".to_owned(), Some(2i64)), (2, String::new(), None)]),
        "{f0: TINYINT UNSIGNED, f1: STRING, f2: BIGINT}"
    );
    assert_eq!(round(&[Point(-1, 'x')]), "{f0: SMALLINT, f1: STRING}");
    assert_eq!(round(&[[1i32, 2], [3, 4]]), "{f0: INT, f1: INT}");
    assert_eq!(round(&[vec![Some(1i32), None], vec![]]), "ARRAY<INT>");
    assert_eq!(round(&[vec![vec![()], vec![]], vec![]]), "ARRAY<ARRAY<NULL>>");
    assert_eq!(round(&[Some(vec![1u8]), None, Some(vec![])]), "ARRAY<TINYINT UNSIGNED>");
    assert_eq!(round(&[BTreeSet::from([Level::High, Level::Odd])]), "ARRAY<ENUM>");
    let map = |text: &str| HashMap::from([(text.to_owned(), vec![1i64]), (format!("{text}!"), vec![])]);
    assert_eq!(round(&[map("a"), HashMap::new(), map("b")]), "MAP<STRING, ARRAY<BIGINT>>");
    assert_eq!(
        round(&[BTreeMap::from([((1u8, 'a'), Some(0.5f32)), ((2, 'b'), None)])]),
        "MAP<{f0: TINYINT UNSIGNED, f1: STRING}, FLOAT>"
    );
    assert_eq!(round(&[Some(Line::default()), None]), "{item: STRING, count: INT}");
}

#[test]
fn bytes_are_binary() {
    #[derive(PartialEq, Debug)]
    struct Blob(Vec<u8>);
    impl Serialize for Blob {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(&self.0)
        }
    }
    impl<'de> Deserialize<'de> for Blob {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl serde::de::Visitor<'_> for Visitor {
                type Value = Blob;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("bytes")
                }
                fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Blob, E> {
                    Ok(Blob(bytes.to_vec()))
                }
            }
            deserializer.deserialize_byte_buf(Visitor)
        }
    }
    assert_eq!(round(&[Blob(vec![]), Blob(vec![0, 255])]), "BYTES");
}

#[test]
fn enums_are_text() {
    assert_eq!(round(&[Level::Low, Level::Odd, Level::High]), "ENUM");
    let events = [
        Event::Tick,
        Event::Moved { x: 0.1, to: Some("\u{1}\"\\\u{fc}".to_owned()) },
        Event::Moved { x: -1e300, to: None },
        Event::Pair(-1, u128::MAX),
        Event::Said("{".to_owned()),
        Event::Nested(Box::new(Event::Nested(Box::new(Event::Tick)))),
    ];
    assert_eq!(round(&events), "ENUM");
    let (_, column) = stored(&events);
    let text: Vec<&str> = column.as_string::<i32>().iter().flatten().collect();
    assert_eq!(
        text,
        [
            "Tick",
            "{\"Moved\":{\"x\":0.1,\"to\":\"\\u0001\\\"\\\\\u{fc}\"}}",
            "{\"Moved\":{\"x\":-1e300,\"to\":null}}",
            "{\"Pair\":[-1,340282366920938463463374607431768211455]}",
            "{\"Said\":\"{\"}",
            "{\"Nested\":{\"Nested\":\"Tick\"}}",
        ]
    );
    assert_eq!(round(&[Some(Level::Low), None]), "ENUM");
    assert_eq!(round(&[Ok::<i32, String>(1), Err("no".to_owned())]), "ENUM");
}

#[test]
fn only_what_has_no_columns_is_json() {
    let leaf = |value| Tree { value, children: Vec::new() };
    let tree = Tree { value: 1, children: vec![leaf(2), Tree { value: 3, children: vec![leaf(4)] }] };
    assert_eq!(round(&[tree, leaf(5)]), "{value: BIGINT, children: ARRAY<JSON>}");
    assert_eq!(round(&[Untagged::Number(1), Untagged::Text("1".to_owned())]), "JSON");
    assert_eq!(round(&[(Tagged::A { x: 1 }, 1u8), (Tagged::B, 2)]), "JSON");
    assert_eq!(round(&[vec![Tagged::A { x: 1 }, Tagged::B]]), "ARRAY<JSON>");
    assert_eq!(round(&[Adjacent::A(1), Adjacent::B("b".to_owned())]), "JSON");
    assert_eq!(round(&[Flat { id: 1, rest: BTreeMap::from([("a".to_owned(), 2)]) }]), "JSON");
    assert_eq!(round(&[serde_json::json!({"a": [1, null, 0.5]}), serde_json::Value::Null]), "JSON");
    assert_eq!(round(&[Empty {}]), "JSON");
}

#[test]
fn types_that_are_written_as_text_are_strings() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Car {
        plate: Plate,
        seen: Vec<std::net::IpAddr>,
        trailer: Option<Plate>,
        speed: i32,
    }
    let address = "10.0.0.1".parse().unwrap();
    let cars = [
        Car { plate: Plate(1), seen: vec![address], trailer: None, speed: 50 },
        Car { plate: Plate(2), seen: vec![], trailer: Some(Plate(3)), speed: 0 },
    ];
    assert_eq!(round(&cars), "{plate: STRING, seen: ARRAY<STRING>, trailer: STRING, speed: INT}");
    assert_eq!(round(&[Plate(7)]), "STRING");
    assert_eq!(round(&[(address, 1u8)]), "{f0: STRING, f1: TINYINT UNSIGNED}");
    assert_eq!(round(&[HashMap::from([(Plate(7).0, Plate(8))])]), "MAP<INT UNSIGNED, STRING>");
    assert_eq!(round(&[std::time::Duration::new(1, 2)]), "{secs: BIGINT UNSIGNED, nanos: INT UNSIGNED}");
}

#[test]
fn attributes_of_serde_are_followed() {
    #[derive(Serialize, Deserialize, PartialEq, Debug, Default, Clone)]
    #[serde(rename_all = "camelCase", default)]
    struct Attributes {
        #[serde(alias = "first", alias = "a_first")]
        plain_field: i64,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        rare_values: Vec<i32>,
        #[serde(skip)]
        hidden: i32,
        #[serde(skip_deserializing)]
        computed: i32,
        #[serde(rename(serialize = "out", deserialize = "in"), alias = "out")]
        both: u8,
    }
    let values = [
        Attributes { plain_field: 1, both: 7, ..Attributes::default() },
        Attributes { plain_field: 2, rare_values: vec![3], ..Attributes::default() },
    ];
    assert_eq!(round(&values), "{plainField: BIGINT, rareValues: ARRAY<INT>, in: TINYINT UNSIGNED}");
}

#[test]
fn what_would_not_come_back_is_refused() {
    let message = |error: flott_types::Error| {
        assert_eq!(error.kind(), flott_types::ErrorKind::Unsupported);
        error.to_string()
    };
    let error = message(ColumnCodec::<Vec<Option<Option<i32>>>>::new("twice").unwrap_err());
    assert!(error.contains("column 'twice'") && error.contains("Option within an Option"), "{error}");
    message(ColumnCodec::<Option<()>>::new("s").unwrap_err());
    message(ColumnCodec::<Option<Unit>>::new("s").unwrap_err());

    let codec = ColumnCodec::<Event>::new("events").unwrap();
    let error = message(codec.encode(&[Event::Moved { x: f64::NAN, to: None }]).unwrap_err());
    assert!(error.contains("column 'events'") && error.contains("JSON has no NaN"), "{error}");
    let mut deep = Event::Tick;
    for _ in 0..200 {
        deep = Event::Nested(Box::new(deep));
    }
    assert!(message(codec.encode(&[deep]).unwrap_err()).contains("nested deeper than"));

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    enum Keys {
        Tuples(BTreeMap<(i32, i32), i32>),
        Numbers(BTreeMap<i32, bool>),
        Options(Vec<Option<Option<i32>>>),
    }
    assert_eq!(round(&[Keys::Numbers(BTreeMap::from([(-1, true)]))]), "ENUM");
    let codec = ColumnCodec::<Keys>::new("s").unwrap();
    let error = message(codec.encode(&[Keys::Tuples(BTreeMap::from([((1, 2), 3)]))]).unwrap_err());
    assert!(
        error.contains("a key of a map in JSON must be a string, a number or a boolean, not [1,2]"),
        "{error}"
    );
    let error = message(codec.encode(&[Keys::Options(vec![Some(None)])]).unwrap_err());
    assert!(error.contains("Some(None)"), "{error}");
}

#[test]
fn values_as_deep_as_json_allows_come_back() {
    for depth in 100..140 {
        let mut deep = Event::Tick;
        for _ in 0..depth {
            deep = Event::Nested(Box::new(deep));
        }
        let codec = ColumnCodec::<Event>::new("s").unwrap();
        if let Ok(column) = codec.encode([&deep]) {
            assert_eq!(codec.decode(&column).unwrap(), [deep]);
        } else {
            assert!(depth > 120);
        }
    }
}

#[test]
fn a_type_that_contradicts_itself_is_refused() {
    #[derive(Deserialize)]
    struct Liar {
        #[serde(rename = "n")]
        _n: i32,
    }
    impl Serialize for Liar {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_str("n")
        }
    }
    let codec = ColumnCodec::<Liar>::new("s").unwrap();
    let error = codec.encode(&[Liar { _n: 1 }]).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "the type is read as a struct and written as a string; its Serialize and Deserialize must agree"
        ),
        "{error}"
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_the_value_it_comes_back(
        values in proptest::collection::vec((
            proptest::prelude::any::<Option<(i64, String, bool)>>(),
            proptest::prelude::any::<Vec<Option<char>>>(),
            proptest::prelude::any::<BTreeMap<u16, String>>(),
            proptest::prelude::any::<Result<i128, String>>(),
        ), 0..20)
    ) {
        round(&values);
    }

    #[test]
    fn floats_come_back_to_the_bit(double in proptest::num::f64::NORMAL, float in proptest::num::f32::NORMAL) {
        round(&[Ok::<(f64, f32), ()>((double, float))]);
    }
}

#[test]
fn values_too_large_for_one_column_may_be_several() {
    crate::limit_columns(1 << 20);
    let codec = ColumnCodec::<String>::new("text").unwrap();
    let text = |bytes: usize| "x".repeat(bytes);
    let kind = |texts: &[String]| codec.encode(texts).map(|_| ()).map_err(|error| error.kind());
    assert_eq!(kind(&[text(600_000), text(300_000)]), Ok(()));
    assert_eq!(kind(&[text(600_000), text(600_000)]), Err(ErrorKind::TooLarge));
    assert_eq!(kind(&[text(2_000_000)]), Err(ErrorKind::Unsupported), "fewer values than one there are not");
}
