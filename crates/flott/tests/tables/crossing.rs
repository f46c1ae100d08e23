//! Rows and values: which column is which field.

use std::collections::BTreeMap;

use flott::prelude::*;
use flott::table::Schema;

use crate::{environment, values};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Order {
    id: i64,
    user: String,
    price: f64,
    note: Option<String>,
    tags: Vec<String>,
    counts: BTreeMap<String, i32>,
    place: Place,
    paid: bool,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Place {
    city: String,
    floor: i16,
}

fn order(id: i64, user: &str, note: Option<&str>) -> Order {
    Order {
        id,
        user: user.to_owned(),
        price: 2.5 * id as f64,
        note: note.map(str::to_owned),
        tags: vec![format!("t{id}")],
        counts: BTreeMap::from([("a".to_owned(), id as i32)]),
        place: Place { city: "Bonn".to_owned(), floor: 3 },
        paid: id % 2 == 0,
    }
}

#[test]
fn a_value_goes_through_a_table_and_comes_back() {
    let (env, tables) = environment();
    let orders = [order(1, "ann", None), order(2, "bob", Some("quick")), order(3, "eve", None)];
    let stream = env.from_collection(orders.clone());
    let table = tables.from_data_stream(&stream).unwrap();
    let columns: Vec<String> = table.schema().iter().map(|(name, ty)| format!("{name} {ty}")).collect();
    assert_eq!(
        columns,
        [
            "id BIGINT",
            "user STRING",
            "price DOUBLE",
            "note STRING",
            "tags ARRAY<STRING>",
            "counts MAP<STRING, INT>",
            "place ROW<`city` STRING, `floor` SMALLINT>",
            "paid BOOLEAN"
        ]
    );
    assert_eq!(values(&table.to_data_stream::<Order>().unwrap()), orders);
}

#[test]
fn columns_are_found_by_name_in_structs_and_by_position_in_tuples() {
    let (env, tables) = environment();
    tables.create_temporary_view("orders", &env.from_collection([order(1, "ann", Some("x"))])).unwrap();
    #[derive(PartialEq, Debug, Serialize, Deserialize)]
    struct Short {
        user: String,
        city: String,
        absent: Option<i32>,
    }
    let table = tables.sql_query("SELECT orders.place.city AS city, `user` FROM orders").unwrap();
    let short = Short { user: "ann".to_owned(), city: "Bonn".to_owned(), absent: None };
    assert_eq!(values(&table.to_data_stream::<Short>().unwrap()), [short]);
    let tuples = values(&table.to_data_stream::<(String, String)>().unwrap());
    assert_eq!(tuples, [("Bonn".to_owned(), "ann".to_owned())]);
}

#[test]
fn only_columns_that_are_read_are_made_and_none_if_only_rows_count() {
    let (env, tables) = environment();
    tables.create_temporary_view("numbers", &env.from_sequence(1, 1_000)).unwrap();
    env.set_runtime_mode(RuntimeMode::Batch);
    let count = tables.sql_query("SELECT COUNT(*) FROM numbers").unwrap();
    assert_eq!(values(&count.to_data_stream::<i64>().unwrap()), [1_000]);
    let plan = env.execution_plan().unwrap();
    assert!(plan.contains("nodes"), "{plan}");
}

#[test]
fn columns_can_be_declared_and_computed() {
    let (env, tables) = environment();
    let stream = env.from_collection([(7_i32, 86_400_123_i64), (8, -1)]);
    let schema = Schema::new()
        .column("f0", "BIGINT")
        .column("f1", "TIMESTAMP(3)")
        .column_by_expression("twice", "f0 * 2");
    let table = tables.from_data_stream_with(&stream, &schema).unwrap();
    let table = tables.sql_query(&format!("SELECT f0, twice, CAST(f1 AS STRING), f1 FROM {table}")).unwrap();
    assert_eq!(
        values(&table.to_data_stream::<(i64, i64, String, i64)>().unwrap()),
        [
            (7, 14, "1970-01-02 00:00:00.123".to_owned(), 86_400_123),
            (8, 16, "1969-12-31 23:59:59.999".to_owned(), -1)
        ]
    );
}

#[test]
fn functions_of_the_program_are_functions_of_its_tables() {
    use flott::sql::{scalar, table};
    let (env, tables) = environment();
    tables.create_temporary_system_function("shout", scalar(|text: String| format!("{text}!"))).unwrap();
    tables
        .define_function(
            "letters",
            table(|word: String| word.chars().map(|letter| (letter.to_string(),)).collect::<Vec<_>>()),
        )
        .unwrap();
    tables.execute_sql("CREATE TEMPORARY FUNCTION letters AS 'letters' LANGUAGE RUST").unwrap();
    tables.create_temporary_view("words", &env.from_collection(["ab", "c"].map(String::from))).unwrap();
    let query = "SELECT shout(f0), letter FROM words, LATERAL TABLE(letters(f0)) AS t (letter)";
    let rows = values(&tables.sql_query(query).unwrap().to_data_stream::<(String, String)>().unwrap());
    let row = |word: &str, letter: &str| (word.to_owned(), letter.to_owned());
    assert_eq!(rows, [row("ab!", "a"), row("ab!", "b"), row("c!", "c")]);
}

#[test]
fn streams_become_tables_and_tables_streams_again_and_again() {
    let (env, tables) = environment();
    env.set_parallelism(3);
    let words = env.from_parallel_collection((0..300).map(|n| (format!("w{}", n % 10), n as i64)));
    tables.create_temporary_view("words", &words).unwrap();
    let even = tables.sql_query("SELECT f0, f1 FROM words WHERE MOD(f1, 2) = 0").unwrap();
    let even = even.to_data_stream::<(String, i64)>().unwrap();
    // State of the program between two parts of SQL.
    let sums = even.key_by_ref(|(word, _)| word).sum(|(_, value)| value).uid("sums");
    tables.create_temporary_view("sums", &sums).unwrap();
    let largest = tables.sql_query("SELECT f0, MAX(f1) FROM sums GROUP BY f0").unwrap();
    let changes = values(&largest.to_changelog_stream::<(String, i64)>().unwrap());
    let mut last = BTreeMap::new();
    for (kind, (word, sum)) in changes {
        if kind.is_addition() {
            last.insert(word, sum);
        }
    }
    let expected = [0, 2, 4, 6, 8]
        .map(|digit: i64| (format!("w{digit}"), (0..300).filter(|n| n % 10 == digit).sum::<i64>()));
    assert_eq!(last, BTreeMap::from(expected));
}
