use flott_types::ErrorKind;

use super::*;

/// Writes values of one type and reads them as another.
fn read_as<A, B>(values: &[A]) -> flott_types::Result<Vec<B>>
where
    A: Serialize + DeserializeOwned,
    B: Serialize + DeserializeOwned,
{
    let (field, column) = stored(values);
    ColumnCodec::<B>::new("s").unwrap().decode_stored(&field, &column)
}

#[derive(Serialize, Deserialize)]
struct Old {
    user: String,
    amount: i32,
    dropped: Vec<i32>,
    inner: OldInner,
}

#[derive(Serialize, Deserialize)]
struct OldInner {
    rate: f32,
    level: Level,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone, Copy)]
enum Level {
    Low,
    High,
}

fn old() -> [Old; 2] {
    let old = |user: &str, amount| Old {
        user: user.to_owned(),
        amount,
        dropped: vec![1],
        inner: OldInner { rate: 0.5, level: Level::High },
    };
    [old("ann", 1), old("bob", -2)]
}

#[test]
fn fields_are_found_by_name() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct New {
        inner: NewInner,
        #[serde(default = "seven")]
        with_default: i32,
        amount: i64,
        optional: Option<String>,
        #[serde(alias = "user")]
        name: String,
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct NewInner {
        level: NewLevel,
        rate: f64,
        #[serde(default)]
        deep: Vec<i32>,
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    enum NewLevel {
        Middle(i32),
        High,
        Low,
    }
    fn seven() -> i32 {
        7
    }
    let new = |name: &str, amount| New {
        inner: NewInner { level: NewLevel::High, rate: 0.5, deep: vec![] },
        with_default: 7,
        amount,
        optional: None,
        name: name.to_owned(),
    };
    assert_eq!(read_as::<_, New>(&old()).unwrap(), [new("ann", 1), new("bob", -2)]);
}

#[test]
fn a_field_without_a_default_is_an_error_that_shows_both() {
    #[derive(Serialize, Deserialize, Debug)]
    struct New {
        user: String,
        country: String,
    }
    let error = read_as::<_, New>(&old()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    let error = error.to_string();
    assert!(
        error.starts_with(
            "column 's' was stored as {user: STRING, amount: INT, dropped: ARRAY<INT>, \
             inner: {rate: FLOAT, level: ENUM}} and is read as {user: STRING, country: STRING} ("
        ) && error.ends_with("New): missing field `country`"),
        "{error}"
    );
}

#[test]
fn a_field_of_another_type_is_an_error_that_names_it() {
    #[derive(Serialize, Deserialize, Debug)]
    struct New {
        inner: NewInner,
    }
    #[derive(Serialize, Deserialize, Debug)]
    struct NewInner {
        rate: String,
    }
    let error = read_as::<_, New>(&old()).unwrap_err().to_string();
    assert!(error.ends_with("field 'inner': field 'rate': FLOAT cannot be read as STRING"), "{error}");
    // Whatever the rows contain.
    assert!(read_as::<Vec<i64>, Vec<String>>(&[vec![]]).is_err());
}

#[test]
fn numbers_widen_and_never_narrow() {
    assert_eq!(read_as::<i8, i64>(&[-1]).unwrap(), [-1]);
    assert_eq!(read_as::<u32, i64>(&[u32::MAX]).unwrap(), [i64::from(u32::MAX)]);
    assert_eq!(read_as::<u8, u64>(&[255]).unwrap(), [255]);
    assert_eq!(read_as::<f32, f64>(&[1.5]).unwrap(), [1.5]);
    assert_eq!(read_as::<i32, f64>(&[i32::MIN]).unwrap(), [f64::from(i32::MIN)]);
    assert_eq!(read_as::<Vec<i16>, Vec<Option<i32>>>(&[vec![5]]).unwrap(), [[Some(5)]]);
    assert_eq!(
        read_as::<HashMap<u8, i8>, BTreeMap<u16, i16>>(&[HashMap::from([(1, 2)])]).unwrap(),
        [[(1, 2)].into()]
    );
    assert!(read_as::<i64, i32>(&[1]).is_err());
    assert!(read_as::<i64, u64>(&[1]).is_err());
    assert!(read_as::<i64, f64>(&[1]).is_err());
    assert!(read_as::<bool, i32>(&[true]).is_err());
    assert!(read_as::<i64, String>(&[1]).is_err());
    assert!(read_as::<String, i64>(&["1".to_owned()]).is_err());
    assert!(read_as::<(i32, i32), (i32, i32, i32)>(&[(1, 2)]).is_err());
    assert!(read_as::<Old, (String, i32, Vec<i32>, (f32, Level))>(&old()).is_err());
    assert!(read_as::<(i32, i32), Vec<i32>>(&[(1, 2)]).is_err());
}

#[test]
fn options_come_and_go_where_there_is_a_value() {
    assert_eq!(read_as::<i32, Option<i32>>(&[1]).unwrap(), [Some(1)]);
    assert_eq!(read_as::<Option<i32>, i32>(&[Some(1)]).unwrap(), [1]);
    let error = read_as::<Option<i32>, i32>(&[None]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
}

#[test]
fn json_and_columns_read_each_other() {
    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
    #[serde(untagged)]
    enum Loose {
        Number(i64),
        Row { user: String, level: Option<i32> },
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
    struct Row {
        user: String,
        level: Option<i32>,
    }
    let row = Row { user: "ann".to_owned(), level: None };
    let loose = Loose::Row { user: "ann".to_owned(), level: None };
    assert_eq!(read_as::<Loose, Row>(std::slice::from_ref(&loose)).unwrap(), std::slice::from_ref(&row));
    assert_eq!(read_as::<Row, Loose>(&[row]).unwrap(), [loose]);
    assert_eq!(read_as::<i64, Loose>(&[1]).unwrap(), [Loose::Number(1)]);
    assert_eq!(read_as::<Loose, i64>(&[Loose::Number(1)]).unwrap(), [1]);
    assert!(read_as::<Loose, Row>(&[Loose::Number(1)]).is_err());
    assert_eq!(
        read_as::<Vec<Level>, serde_json::Value>(&[vec![Level::High]]).unwrap(),
        [serde_json::json!(["High"])]
    );
    // Text that is JSON is not mistaken for a string.
    assert!(read_as::<Loose, String>(&[Loose::Number(1)]).is_err());
}

#[test]
fn enums_gain_variants_and_data() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    enum More {
        High,
        Low,
        Other { why: String },
    }
    assert_eq!(read_as::<_, More>(&[Level::Low, Level::High]).unwrap(), [More::Low, More::High]);
    let error = read_as::<_, Level>(&[More::Other { why: String::new() }]).unwrap_err().to_string();
    assert!(error.contains("unknown variant `Other`"), "{error}");
    assert_eq!(read_as::<_, Level>(&["Low".to_owned()]).unwrap(), [Level::Low]);
    assert_eq!(read_as::<_, String>(&[Level::Low]).unwrap(), ["Low"]);
}

#[test]
fn a_row_that_is_null_is_an_error_unless_the_type_is_an_option() {
    let codec = ColumnCodec::<Vec<i32>>::new("s").unwrap();
    let absent = new_null_array(codec.field().data_type(), 1);
    assert!(codec.decode(&absent).is_err());
    let codec = ColumnCodec::<Option<Level>>::new("s").unwrap();
    let absent = new_null_array(codec.field().data_type(), 1);
    assert_eq!(codec.decode(&absent).unwrap(), [None]);
}
