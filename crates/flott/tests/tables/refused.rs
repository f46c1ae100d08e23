//! What is refused, and what is said about it.

use flott::prelude::*;
use flott::table::{Schema, StreamTableEnvironment};

use crate::environment;

fn told<T>(result: Result<T>) -> String {
    result.err().map(|error| error.to_string()).unwrap_or_else(|| "it is not refused".to_owned())
}

#[test]
fn a_table_that_is_updated_is_no_stream_of_rows() {
    let (env, tables) = environment();
    tables.create_temporary_view("n", &env.from_sequence(1, 3)).unwrap();
    let counts = tables.sql_query("SELECT f0, COUNT(*) FROM n GROUP BY f0").unwrap();
    let told = told(counts.to_data_stream::<(i64, i64)>());
    assert!(told.contains("doesn't support consuming update changes which is produced by node"), "{told}");
}

#[test]
fn fields_and_columns_must_match() {
    let (env, tables) = environment();
    #[derive(Debug, Serialize, Deserialize)]
    struct Pair {
        a: i64,
        b: i64,
    }
    tables.create_temporary_view("n", &env.from_sequence(1, 3)).unwrap();
    let table = |query: &str| tables.sql_query(query).unwrap();
    let told_of = |query: &str| told(table(query).to_data_stream::<Pair>());
    assert!(told_of("SELECT f0 AS a FROM n").contains("has fields that the table has no columns for: b"));
    assert!(told_of("SELECT f0 AS a, f0 AS b, f0 AS c FROM n").contains("has no fields for: c"));
    assert!(told_of("SELECT f0 AS a, ARRAY[f0] AS b FROM n").contains("column 'b' cannot be read"));
    let told = told(table("SELECT f0, f0 FROM n").to_data_stream::<i64>());
    assert!(told.contains("rows of 2 columns cannot be read as i64"), "{told}");
}

#[test]
fn columns_that_are_no_fields_are_refused() {
    let (env, tables) = environment();
    let stream = env.from_sequence(1, 3);
    let made = |schema: &Schema| told(tables.from_data_stream_with(&stream, schema));
    assert!(
        made(&Schema::new().column("f1", "INT"))
            .contains("the column 'f1' is no field of i64; there are: f0")
    );
    let text = made(&Schema::new().column("f0", "STRING"));
    assert!(text.contains("column 'f0' cannot hold the field"), "{text}");
    assert!(made(&Schema::new().column("f0", "FANCY")).contains("the type of column 'f0'"));
    let computed = made(&Schema::new().column_by_expression("x", "nothing + 1"));
    assert!(computed.contains("computed column 'x'"), "{computed}");
    let metadata = made(&Schema::new().column_by_metadata("x", "INT", "offset"));
    assert!(metadata.contains("Invalid metadata key 'offset'"), "{metadata}");
    let upserts = env.from_collection([(flott::batch::RowKind::Insert, 1_i64)]);
    let upserts =
        tables.from_changelog_stream_with(&upserts, &Schema::new(), flott::connector::Changelog::Upsert);
    let upserts = told(upserts.and_then(|table| table.to_changelog_stream::<i64>()));
    assert!(upserts.contains("needs a PRIMARY KEY"), "{upserts}");
}

#[test]
fn a_source_without_watermarks_has_no_source_watermark() {
    let (_, tables) = environment();
    let table = "CREATE TABLE t (ts TIMESTAMP(3), WATERMARK FOR ts AS SOURCE_WATERMARK())
                 WITH ('connector' = 'datagen')";
    let made = tables.execute_sql(table).and_then(|_| tables.sql_query("SELECT * FROM t"));
    let told = told(made);
    assert!(told.contains("its source sends no watermarks of its own"), "{told}");
}

#[test]
fn streams_and_tables_are_of_one_environment() {
    let (_, tables) = environment();
    let other = StreamExecutionEnvironment::new();
    let stream = other.from_sequence(1, 3);
    assert!(told(tables.from_data_stream(&stream)).contains("one of another environment"));
    let others = StreamTableEnvironment::new(&other).unwrap();
    let again = StreamTableEnvironment::new(&other).unwrap();
    others.from_data_stream(&stream).unwrap().to_data_stream::<i64>().unwrap().discard();
    let second = again.from_data_stream(&stream).unwrap().to_data_stream::<i64>();
    assert!(told(second).contains("the tables of one table environment"));
}

#[test]
fn names_are_taken_once_and_statements_say_what_a_program_does_instead() {
    let (env, tables) = environment();
    let stream = env.from_sequence(1, 3);
    tables.create_temporary_view("n", &stream).unwrap();
    assert!(told(tables.create_temporary_view("n", &stream)).contains("already exists"));
    assert!(
        told(tables.create_temporary_view("a.b.c.d", &stream))
            .contains("is not a name of one to three parts")
    );
    assert!(told(tables.from_path("m")).contains("Object 'default_catalog.default_database.m' not found"));
    assert!(
        told(tables.execute_sql("CREATE TABLE t AS SELECT * FROM n"))
            .contains("write CREATE TABLE and INSERT INTO")
    );
    assert!(told(tables.execute_sql("SHOW JOBS")).contains("a `JobClient` knows its job"));
    assert!(told(tables.create_statement_set().attach_as_data_stream()).contains("needs a statement"));
    env.set_runtime_mode(RuntimeMode::Automatic);
    assert!(told(tables.sql_query("SELECT * FROM n")).contains("AUTOMATIC"));
}
