//! The format `protobuf`: messages of another library, of many definitions, and that no bytes make it panic.

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

fn data(file: &str) -> String {
    format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// A message that protobuf's own library wrote.
fn message(name: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(data("messages.protobuf.json")).unwrap();
    let messages: serde_json::Value = serde_json::from_str(&text).unwrap();
    values::from_hex(messages.get(name).and_then(serde_json::Value::as_str).unwrap())
}

fn of_file(file: &str, message: &str, columns: &[(&str, TypeKind)], more: &[(&str, &str)]) -> Case {
    let file = data(file);
    let mut options = vec![("protobuf.message-class-name", message), ("protobuf.descriptor-file", &*file)];
    options.extend(more);
    Case::new("protobuf", columns, &options)
}

fn item() -> TypeKind {
    row(&[
        ("name", TypeKind::STRING),
        ("count", Int),
        ("price", Double),
        ("gift", row(&[("name", TypeKind::STRING)])),
    ])
}

fn columns() -> Vec<(&'static str, TypeKind)> {
    vec![
        ("id", BigInt),
        ("rank", Int),
        ("delta", Int),
        ("small", Int),
        ("large", BigInt),
        ("huge", BigInt),
        ("paid", Boolean),
        ("weight", Float),
        ("total", Double),
        ("note", TypeKind::STRING),
        ("raw", TypeKind::BYTES),
        ("state", TypeKind::STRING),
        ("code", SmallInt),
        ("numbers", Array(boxed(BigInt))),
        ("loose", Array(boxed(Int))),
        ("tags", Array(boxed(TypeKind::STRING))),
        ("items", Array(boxed(item()))),
        ("counts", Map(boxed(TypeKind::STRING), boxed(Int))),
        ("by_id", Map(boxed(BigInt), boxed(row(&[("name", TypeKind::STRING)])))),
        ("first", item()),
        ("card", TypeKind::STRING),
        ("cash", Int),
        ("placed", row(&[("seconds", BigInt), ("nanos", Int)])),
        ("states", Array(boxed(TypeKind::STRING))),
    ]
}

const ORDER: &str = "+I -5 0 -3 -1 -9223372036854775808 -1 TRUE 0.5 -1.0E300 'naïve €' x'00ff' PAID -2 \
     [0,-1,9223372036854775807] [1,2] [a,''] [(anvil,2,0.0,('')),('',0,NULL,NULL)] {x=1,''=0} {7=(seven)} \
     ('',1,NULL,NULL) 1234 NULL (1704164645,6) [LOST,NEW]\n";

#[test]
fn messages_of_another_library_are_read_and_written_the_same() {
    let (order, empty) = (message("order"), message("empty"));
    let nothing = "+I 0 NULL 0 0 0 0 FALSE 0.0 0.0 '' x'' NEW 0 NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL\n";
    for (file, name) in [("order.proto", "shop.v1.Order"), ("order.desc", "com.shop.OrderOuterClass$Order")] {
        let case = of_file(file, name, &columns(), &[]);
        assert_eq!(case.decode_messages(&[&order]).unwrap(), ORDER);
        assert_eq!(case.decode_messages(&[&empty]).unwrap(), nothing);
        assert_eq!(case.encode_all(nothing), [&*empty]);
        // All but the gift of a gift, which is no column.
        let again = case.encode_all(ORDER);
        assert_eq!(case.decode_messages(&again).unwrap(), ORDER);
    }
    let rest: Vec<_> = columns().into_iter().filter(|(name, _)| *name != "items").collect();
    let case = of_file("order.proto", "shop.v1.Order", &rest, &[]);
    let written = case.encode_all(&case.decode_messages(&[&order]).unwrap());
    let without_items = of_file("order.proto", "shop.v1.Order", &columns(), &[]);
    let read = without_items.decode_messages(&written).unwrap();
    assert_eq!(read, ORDER.replace("[(anvil,2,0.0,('')),('',0,NULL,NULL)]", "NULL"));
}

#[test]
fn defaults_are_read_where_they_are_wanted() {
    let columns = [
        ("a", Int),
        ("b", TypeKind::STRING),
        ("kind", TypeKind::STRING),
        ("inner", row(&[("a", Int), ("b", TypeKind::STRING)])),
        ("list", Array(boxed(Int))),
    ];
    let strict = of_file("old.proto", "Old", &columns, &[]);
    assert_eq!(
        strict.decode_messages(&[message("old"), vec![]]).unwrap(),
        "+I 0 NULL B (NULL,'') [1]\n+I NULL NULL NULL NULL NULL\n"
    );
    let lenient = of_file("old.proto", "Old", &columns, &[("protobuf.read-default-values", "true")]);
    assert_eq!(
        lenient.decode_messages(&[message("old"), vec![]]).unwrap(),
        "+I 0 none B (7,'') [1]\n+I 7 none A (7,none) []\n"
    );
    // Of proto2 a number that an enum does not have is as if it was not there.
    assert_eq!(strict.decode_messages(&[[0x18, 9]]).unwrap(), "+I NULL NULL NULL NULL NULL\n");
    let proto3 = of_file("order.proto", "shop.v1.Order", &[("state", TypeKind::STRING), ("code", Int)], &[]);
    assert_eq!(proto3.decode_messages(&[[0x60, 9, 0x68, 9]]).unwrap(), "+I UNRECOGNIZED 9\n");
    assert_eq!(
        proto3.encode_all("+I LOST NULL\n")[0],
        [0x60, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]
    );
}

const DEFINITION: &str = "syntax = 'proto3';
    message M {
      message Inner { int32 a = 1; repeated int32 b = 2; }
      int32 n = 1;
      Inner inner = 2;
      repeated int32 list = 3;
      map<string, int32> map = 4;
      oneof one { int32 x = 5; string y = 6; }
      repeated string texts = 7;
    }";

fn small(more: &[(&str, &str)]) -> Case {
    let columns = [
        ("n", Int),
        ("inner", row(&[("a", Int), ("b", Array(boxed(Int)))])),
        ("list", Array(boxed(Int))),
        ("map", Map(boxed(TypeKind::STRING), boxed(Int))),
        ("x", Int),
        ("y", TypeKind::STRING),
        ("texts", Array(boxed(TypeKind::STRING))),
    ];
    let mut options = vec![("protobuf.message-class-name", "M"), ("protobuf.definition", DEFINITION)];
    options.extend(more);
    Case::new("protobuf", &columns, &options)
}

#[test]
fn fields_come_in_any_order_in_pieces_and_more_than_once() {
    let read = |bytes: &[u8]| small(&[]).decode_messages(&[bytes]).unwrap();
    let nothing = "+I 0 NULL NULL NULL NULL NULL NULL\n";
    // The last one counts; what is not known is passed over, a group too, and a field of another form.
    assert_eq!(read(&[0x08, 1, 0x08, 2]), nothing.replace("+I 0", "+I 2"));
    assert_eq!(
        read(&[0xa3, 1, 0x08, 9, 0xa4, 1, 0x0d, 1, 2, 3, 4, 0x08, 3]),
        nothing.replace("+I 0", "+I 3")
    );
    // A message in two pieces is one.
    assert_eq!(
        read(&[0x12, 2, 0x10, 1, 0x12, 4, 0x08, 7, 0x10, 2]),
        "+I 0 (7,[1,2]) NULL NULL NULL NULL NULL\n"
    );
    // Packed and not.
    assert_eq!(read(&[0x18, 1, 0x1a, 2, 2, 3, 0x18, 4]), "+I 0 NULL [1,2,3,4] NULL NULL NULL NULL\n");
    // Of equal keys the last one counts; a key or value that is not there is its default.
    assert_eq!(
        read(&[0x22, 5, 0x0a, 1, b'k', 0x10, 1, 0x22, 5, 0x10, 2, 0x0a, 1, b'k', 0x22, 0]),
        "+I 0 NULL NULL {k=2,''=0} NULL NULL NULL\n"
    );
    // The members of a oneof exclude each other.
    assert_eq!(read(&[0x28, 0, 0x32, 1, b'y']), "+I 0 NULL NULL NULL NULL y NULL\n");
    assert_eq!(read(&[0x32, 1, b'y', 0x28, 0]), "+I 0 NULL NULL NULL 0 NULL NULL\n");
}

#[test]
fn null_in_a_collection_is_written_as_the_option_says() {
    let case = small(&[("protobuf.write-null-string-literal", "(nil)")]);
    let messages = case.encode_all("+I NULL NULL [1,NULL] {a=NULL} NULL NULL [NULL,b]\n");
    assert_eq!(case.decode_messages(&messages).unwrap(), "+I 0 NULL [1,0] {a=0} NULL NULL ['(nil)',b]\n");
}

#[test]
fn a_message_that_is_none_is_an_error_or_skipped() {
    let case = small(&[]);
    let good = case.encode_all("+I 1 (2,[3]) [4] {k=5} NULL y [t]\n").remove(0);
    let mut decoder =
        case.format.for_messages().unwrap().decoder(&case.schema, &[0, 1, 2, 3, 4, 5, 6]).unwrap();
    decoder.decode(&good).unwrap();
    for (bad, what) in [
        (vec![0x08], "the bytes end in the middle of it"),
        (vec![0x12, 9, 1], "the bytes end in the middle of it"),
        (vec![0x12, 2, 0x08, 0x80], "field 'inner': the bytes end in the middle"),
        (vec![0x3a, 1, b'a', 0x3a, 1, 0xff], "field 'texts': a text is not UTF-8"),
        (vec![0x0f], "7 is no form of a field"),
        (vec![0x00, 1], "0 is no number of a field"),
    ] {
        let error = decoder.decode(&bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(error.to_string().contains(what), "{error}");
        assert_eq!(decoder.rows(), 1);
    }
    decoder.decode(&good).unwrap();
    let rows = decoder.finish().unwrap().unwrap();
    let text = "+I 1 (2,[3]) [4] {k=5} NULL y [t]\n";
    assert_eq!(pretty::print(&rows, &case.types()), text.repeat(2));
    let case = small(&[("protobuf.ignore-parse-errors", "true")]);
    let mut decoder = case.format.for_messages().unwrap().decoder(&case.schema, &[0]).unwrap();
    decoder.decode(&[0x08]).unwrap();
    decoder.decode(&good).unwrap();
    assert_eq!((decoder.rows(), decoder.take_skipped()), (1, 1));
}

#[test]
fn what_does_not_fit_is_refused_when_the_statement_is_planned() {
    let error = |options: &[(&str, &str)]| {
        let columns = [("n", TypeKind::STRING)];
        Case::try_new("protobuf", &columns, options).err().unwrap().to_string()
    };
    let name = ("protobuf.message-class-name", "M");
    let definition = ("protobuf.definition", DEFINITION);
    assert!(error(&[name, definition]).contains("column 'n': int32 is not read as STRING"));
    assert!(error(&[name]).contains("by 'protobuf.definition' or by 'protobuf.descriptor-file': set one"));
    assert!(error(&[definition]).contains("'protobuf.message-class-name' is missing"));
    assert!(
        error(&[("protobuf.message-class-name", "N"), definition])
            .contains("no message 'N'; there are: M, M.Inner")
    );
    assert!(
        error(&[name, ("protobuf.definition", "message {")])
            .contains("the definition is not one of protobuf's")
    );
    assert!(
        error(&[name, ("protobuf.descriptor-file", "/none.desc")])
            .contains("the file /none.desc cannot be read")
    );
    let missing = Case::try_new("protobuf", &[("z", Int)], &[name, definition]).err().unwrap().to_string();
    assert!(missing.contains("the message M has no field 'z'"), "{missing}");
}

/// Of every kind of 32 bits, as a BIGINT and as an INT.
fn narrow(ty: &TypeKind) -> Case {
    let definition = "syntax = 'proto3'; message N {
        optional int32 a = 1; optional sint32 b = 2; optional sfixed32 c = 3;
        optional uint32 d = 4; optional fixed32 e = 5; }";
    let columns = ["a", "b", "c", "d", "e"].map(|name| (name, ty.clone()));
    Case::new(
        "protobuf",
        &columns,
        &[("protobuf.message-class-name", "N"), ("protobuf.definition", definition)],
    )
}

#[test]
fn numbers_of_32_bits_have_their_own_range() {
    let case = narrow(&BigInt);
    let most = "+I 2147483647 2147483647 2147483647 4294967295 4294967295\n\
         +I -2147483648 -2147483648 -2147483648 0 0\n";
    let messages = case.encode_all(most);
    let unsigned = [0x20, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x2d, 0xff, 0xff, 0xff, 0xff];
    assert!(messages[0].ends_with(&unsigned), "{messages:?}");
    assert_eq!(case.decode_messages(&messages).unwrap(), most);
    let mut encoder = case.format.for_messages().unwrap().encoder(&case.schema).unwrap();
    for (values, what) in [
        ("3000000000 NULL NULL NULL NULL", "field 'a': 3000000000 does not fit into 32 bits with a sign"),
        ("NULL 3000000000 NULL NULL NULL", "field 'b': 3000000000 does not fit into 32 bits with a sign"),
        ("NULL NULL -2147483649 NULL NULL", "field 'c': -2147483649 does not fit into 32 bits with a sign"),
        ("NULL NULL NULL -1 NULL", "field 'd': -1 does not fit into 32 bits without a sign"),
        ("NULL NULL NULL NULL 4294967296", "field 'e': 4294967296 does not fit into 32 bits without a sign"),
    ] {
        let batch = pretty::parse(&format!("+I {values}\n"), &case.types()).unwrap();
        let error = encoder.encode(&batch, &mut |_, _| Ok(())).unwrap_err();
        assert!(error.kind() == ErrorKind::Data && error.to_string().contains(what), "{error}");
    }
    // An INT has the bits, as in Java.
    let rows = "+I -1 -1 -1 -1 -1\n";
    let bits = narrow(&Int);
    let messages = bits.encode_all(rows);
    assert!(messages[0].ends_with(&unsigned), "{messages:?}");
    assert_eq!(bits.decode_messages(&messages).unwrap(), rows);
    assert_eq!(case.decode_messages(&messages).unwrap(), "+I -1 -1 -1 4294967295 4294967295\n");
}

#[test]
fn of_several_entries_of_a_key_the_last_one_counts_however_it_is_written() {
    let definition = "syntax = 'proto3'; message K { map<int32, int32> n = 1; map<string, int32> t = 2; }";
    let columns = [("n", Map(boxed(Int), boxed(Int))), ("t", Map(boxed(TypeKind::STRING), boxed(Int)))];
    let case = Case::new(
        "protobuf",
        &columns,
        &[("protobuf.message-class-name", "K"), ("protobuf.definition", definition)],
    );
    let entry = |field: u8, key: &[u8], value: u8| {
        [&[field << 3 | 2, key.len() as u8 + 2][..], key, &[0x10, value]].concat()
    };
    let message = [
        entry(1, &[], 1),
        entry(1, &[0x08, 5], 2),
        entry(1, &[0x08, 0], 3),
        entry(1, &[0x08, 0x85, 0x00], 4),
        entry(2, &[0x0a, 0], 5),
        entry(2, &[], 6),
    ];
    assert_eq!(case.decode_messages(&[message.concat()]).unwrap(), "+I {0=3,5=4} {''=6}\n");
    // So many would take minutes if each was compared with each.
    let many: Vec<String> = (0..50_000).map(|key| format!("{key}={key}")).collect();
    let rows = format!("+I {{{}}} NULL\n", many.join(","));
    assert_eq!(case.decode_messages(&case.encode_all(&rows)).unwrap(), rows);
}

#[test]
fn a_member_of_a_oneof_that_is_no_column_clears_the_others() {
    let options = [("protobuf.message-class-name", "M"), ("protobuf.definition", DEFINITION)];
    let case = Case::new("protobuf", &[("n", Int), ("x", Int)], &options);
    // x = 5, then y = 'a'; and a y that is none, because it is written as a number.
    let (x, y, odd) = ([0x28, 5], [0x32, 1, b'a'], [0x30, 1]);
    let messages = [[&x[..], &y].concat(), [&y[..], &x].concat(), [&x[..], &odd].concat()];
    assert_eq!(case.decode_messages(&messages).unwrap(), "+I 0 NULL\n+I 0 5\n+I 0 5\n");
    let whole = Case::new("protobuf", &[("x", Int), ("y", TypeKind::STRING)], &options);
    let mut decoder = whole.format.for_messages().unwrap().decoder(&whole.schema, &[0]).unwrap();
    decoder.decode(&messages[0]).unwrap();
    let rows = decoder.finish().unwrap().unwrap();
    assert_eq!(pretty::print(&rows, &whole.types()[..1]), "+I NULL\n");
}

#[test]
fn a_class_is_of_its_package() {
    let file = data("order.desc");
    for (class, found) in [
        ("com.shop.OrderOuterClass$Order", true),
        ("com.shop.Order", true),
        ("com.shop.Order$Item", true),
        ("com.shopping.X$Order", false),
        ("com.shop.other.X$Order", false),
        ("com.shopOrder", false),
    ] {
        let options = [("protobuf.message-class-name", class), ("protobuf.descriptor-file", &*file)];
        let made = Case::try_new("protobuf", &[], &options).map(|_| ()).map_err(|error| error.to_string());
        match made {
            Ok(()) => assert!(found, "{class}"),
            Err(error) => assert!(!found && error.contains("has no message"), "{class}: {error}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// What is written is read the same, but for NULL where a message has none.
    #[test]
    fn rows_survive_messages(rows in rows_of(vec![BigInt, Int, row(&[("a", Int), ("b", Array(boxed(Int)))]), TypeKind::BYTES], 1..20)) {
        let definition = "syntax = 'proto3'; message R {
            message I { optional sint32 a = 1; repeated int32 b = 2; }
            optional sfixed64 l = 1; optional int32 i = 200; I r = 3; optional bytes s = 4; }";
        let columns = [("l", BigInt), ("i", Int), ("r", row(&[("a", Int), ("b", Array(boxed(Int)))])), ("s", TypeKind::BYTES)];
        let options = [("protobuf.message-class-name", "R"), ("protobuf.definition", definition)];
        let case = Case::new("protobuf", &columns, &options);
        let once = case.decode_messages(&case.encode_all(&rows)).unwrap();
        let expected = pretty::print(&pretty::parse(&rows, &case.types()).unwrap(), &case.types());
        let expected = expected.replace(",[])", ",NULL)").replace("[NULL", "[0").replace(",NULL,", ",0,").replace(",NULL]", ",0]").replace(",NULL,", ",0,");
        prop_assert_eq!(&once, &expected);
        prop_assert_eq!(case.decode_messages(&case.encode_all(&once)).unwrap(), once);
    }

    #[test]
    fn no_bytes_make_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..120),
        at in any::<prop::sample::Index>(),
        change in any::<u8>(),
    ) {
        let case = of_file("order.proto", "shop.v1.Order", &columns(), &[("protobuf.ignore-parse-errors", "true")]);
        prop_assert!(case.decode_messages(&[&bytes]).is_ok());
        let mut order = message("order");
        let at = at.index(order.len());
        order[at] ^= change;
        prop_assert!(case.decode_messages(&[&order]).is_ok());
    }
}
