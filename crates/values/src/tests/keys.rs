use proptest::prelude::*;

use super::*;

/// The hash of the key, after checking it against that of its column.
fn hash<K: Serialize + DeserializeOwned>(key: K) -> u64 {
    let codec = ColumnCodec::<K>::for_keys("k").unwrap();
    let column = codec.encode([&key]).unwrap();
    let mut hashes = Vec::new();
    hash_columns(&[column], 1, &mut hashes);
    let hash = key_hash(&key).unwrap();
    assert_eq!(hash, hashes[0], "{} {}", std::any::type_name::<K>(), codec.type_text());
    hash
}

#[derive(Serialize, Deserialize, Clone, Debug)]
struct Key {
    tenant: u32,
    user: Option<String>,
    path: Vec<u8>,
    kind: Kind,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
enum Kind {
    Plain,
    Numbered(u64),
    Both(i8, char),
    Named {
        name: String,
        old: bool,
    },
    #[serde(rename = "{}")]
    Odd,
}

#[test]
fn the_hashes_of_keys_never_change() {
    let key = |kind| Key { tenant: 7, user: Some("ann".to_owned()), path: vec![1, 2], kind };
    let hashes = [
        hash(1i64),
        hash(-1i32),
        hash(u64::MAX),
        hash(String::new()),
        hash("a".to_owned()),
        hash("a longer string than sixteen bytes".to_owned()),
        hash(true),
        hash(1.5f64),
        hash(None::<i64>),
        hash((1i64, "a".to_owned())),
        hash(vec![1i32, 2]),
        hash(i128::MIN),
        hash(key(Kind::Plain)),
        hash(key(Kind::Numbered(5))),
        hash(key(Kind::Both(-1, 'x'))),
        hash(key(Kind::Named { name: "n\n".to_owned(), old: false })),
        hash(BTreeMap::from([("a".to_owned(), 1i32)])),
    ];
    let text: Vec<String> = hashes.iter().map(|hash| format!("{hash:016x}")).collect();
    // The values come from the definition, computed by another implementation of xxh3.
    assert_eq!(
        text,
        [
            "2fbc593564db792e",
            "5111c7e47d784413",
            "5111c7e47d784413",
            "2d06800538d394c2",
            "e6c632b61e964e1f",
            "327f51481ba014ab",
            "e12ef9d2eb86ceeb",
            "2561a4889ff63458",
            "4c093276ae47a555",
            "b75e6b6565384fa1",
            "fbf791342a735224",
            "fc7d8e59d769072b",
            "3ca97730345a816d",
            "2c342d038201a1f6",
            "2eb7fadeb7bc6d03",
            "f300e4730133d5fe",
            "ce975cf84a87e756",
        ]
    );
}

#[test]
fn equal_keys_hash_alike_whatever_their_type() {
    assert_eq!(hash(-7i8), hash(-7i64));
    assert_eq!(hash(200u8), hash(200i64));
    assert_eq!(hash(u64::MAX), hash(-1i64));
    assert_eq!(hash(0.0f64), hash(-0.0f32));
    assert_eq!(hash(f64::NAN), hash(-f64::NAN));
    assert_eq!(hash(Some("a".to_owned())), hash('a'));
    assert_eq!(hash("Plain".to_owned()), hash(Kind::Plain));
    assert_eq!(hash((1u8, 2u8)), hash([1i64, 2i64]));
    assert_eq!(hash(()), hash(None::<i32>));
    assert_ne!(hash(Kind::Odd), hash("{}".to_owned()));
    let map = |keys: [u8; 2]| HashMap::from(keys.map(|key| (key, key)));
    assert_eq!(hash(map([1, 2])), hash(map([2, 1])));
}

#[test]
fn a_field_that_is_left_out_of_a_key_counts_as_null() {
    #[derive(Serialize, Deserialize)]
    struct Sparse {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        first: Vec<i32>,
        second: i32,
        #[serde(skip_serializing_if = "Option::is_none")]
        third: Option<i32>,
    }
    let sparse = |first: &[i32], third| hash(Sparse { first: first.to_vec(), second: 1, third });
    let hashes = [sparse(&[], None), sparse(&[1], None), sparse(&[], Some(1)), sparse(&[1], Some(1))];
    assert_eq!(BTreeSet::from(hashes).len(), hashes.len());
}

#[test]
fn types_that_cannot_be_keys_are_refused() {
    #[derive(Serialize, Deserialize, Debug)]
    struct Flat {
        id: i32,
        #[serde(flatten)]
        rest: BTreeMap<String, i32>,
    }
    #[derive(Serialize, Deserialize)]
    struct Hidden {
        id: i32,
        #[serde(default, skip_serializing)]
        rest: i32,
    }
    let error = ColumnCodec::<(u8, Vec<serde_json::Value>)>::for_keys("k").unwrap_err().to_string();
    assert!(error.contains("its part 'f1.item' has no column of its own"), "{error}");
    assert!(ColumnCodec::<Flat>::for_keys("k").is_err());
    let hidden = Hidden { id: 1, rest: 2 };
    assert_eq!(hidden.id + hidden.rest, 3);
    let error = ColumnCodec::<Hidden>::for_keys("k").unwrap_err().to_string();
    assert!(error.contains("not written with the fields that it is read with"), "{error}");
    struct Endless;
    impl Serialize for Endless {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serde::ser::SerializeSeq::end(serializer.serialize_seq(None)?)
        }
    }
    let error = key_hash(&Endless).unwrap_err().to_string();
    assert!(error.contains("does not know its length"), "{error}");
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Plain),
        Just(Kind::Odd),
        any::<u64>().prop_map(Kind::Numbered),
        any::<(i8, char)>().prop_map(|(a, b)| Kind::Both(a, b)),
        any::<(String, bool)>().prop_map(|(name, old)| Kind::Named { name, old }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_key_hashes_as_its_column(
        signed in any::<(i8, i16, i32, i64, i128)>(),
        unsigned in any::<(u8, u16, u32, u64, u128)>(),
        floats in any::<(f32, f64)>(),
        texts in any::<(String, char, Option<String>, bool, ())>(),
        lists in any::<(Vec<u8>, Vec<Vec<Option<i32>>>, [i16; 3])>(),
        map in any::<BTreeMap<(u8, Option<String>), Vec<i64>>>(),
        key in (any::<(u32, Option<String>, Vec<u8>)>(), kinds())
            .prop_map(|((tenant, user, path), kind)| Key { tenant, user, path, kind }),
    ) {
        hash(signed.0);
        hash(signed.3);
        hash(signed.4);
        hash(unsigned.4);
        hash(texts.0.clone());
        hash((signed, unsigned));
        hash((floats, texts));
        hash(lists);
        hash(Some(map.clone()));
        hash(map);
        hash(vec![Some(key.clone()), None, Some(key)]);
    }
}
