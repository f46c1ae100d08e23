//! What is refused, and what is said about it.

use flott::prelude::*;
use flott::sql::process::{
    OpenContext, ProcessTableFunction, Row, TableArgument, TableContext, process_table,
};
use flott::table::{Schema, StreamTableEnvironment};

use crate::{environment, values};

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

#[test]
fn a_stream_is_not_written_to() {
    let (env, tables) = environment();
    tables.create_temporary_view("orders", &env.from_sequence(1, 3)).unwrap();
    let insert = "INSERT INTO orders SELECT f0 + 10 FROM orders";
    let refused = "orders' is a stream and cannot be written to";
    let ran = told(tables.execute_sql(insert));
    assert!(ran.contains(refused), "{ran}");
    let explained = told(tables.execute_sql(&format!("EXPLAIN {insert}")));
    assert!(explained.contains(refused), "{explained}");
    let mut set = tables.create_statement_set();
    let attached = told(set.add_insert_sql(insert).unwrap().attach_as_data_stream());
    assert!(attached.contains(refused), "{attached}");
    // What a table that becomes a stream has as options, made by hand.
    tables
        .execute_sql("CREATE TABLE made (n BIGINT) WITH ('connector' = 'datastream', 'stream' = 'out')")
        .unwrap();
    let made = told(tables.execute_sql("INSERT INTO made SELECT f0 FROM orders"));
    assert!(made.contains("made' is a stream and cannot be written to"), "{made}");
}

/// The zone is read when the job runs: one would count for the tables of the other, too.
#[test]
fn tables_of_a_job_are_planned_with_one_zone() {
    let (env, tables) = environment();
    let times = || {
        let table = tables.sql_query("SELECT CAST(TO_TIMESTAMP_LTZ(0, 3) AS STRING)").unwrap();
        table.to_data_stream::<String>().unwrap()
    };
    let first = times();
    tables.execute_sql("SET 'table.local-time-zone' = 'Asia/Tokyo'").unwrap();
    // A job of its own has a zone of its own.
    let own = tables.sql_query("SELECT CAST(TO_TIMESTAMP_LTZ(0, 3) AS STRING)").unwrap();
    let own: Vec<_> = own.execute_and_collect::<String>("own").unwrap().collect::<Result<_>>().unwrap();
    assert_eq!(own[0].1, "1970-01-01 09:00:00.000");
    first.union(&times()).discard();
    let told = told(env.execute("both"));
    assert!(
        told.contains("one 'table.local-time-zone'")
            && told.contains("with 'UTC' and 'Asia/Tokyo'; execute the first ones before it is set"),
        "{told}"
    );
}

/// What only the planner reads may differ.
#[test]
fn settings_of_the_planner_are_those_of_each_table() {
    let (env, tables) = environment();
    tables.create_temporary_view("n", &env.from_sequence(1, 3)).unwrap();
    let sums = || {
        let sums = tables.sql_query("SELECT SUM(f0) FROM n").unwrap();
        sums.to_changelog_stream::<i64>().unwrap().map(|(_, sum)| sum)
    };
    let first = sums();
    tables.execute_sql("SET 'table.exec.state.ttl' = '1 h'").unwrap();
    let last = values(&first.union(&sums())).into_iter().filter(|sum| *sum == 6).count();
    assert_eq!(last, 2);
}

/// Nothing of it becomes a part of the job.
#[test]
fn a_table_that_cannot_be_read_as_the_type_leaves_nothing_behind() {
    let plan = |wrong: bool| {
        let (env, tables) = environment();
        tables.create_temporary_view("n", &env.from_sequence(1, 3)).unwrap();
        let sums = tables.sql_query("SELECT SUM(f0) FROM n").unwrap();
        if wrong {
            let told = told(sums.to_changelog_stream::<(i64, i64)>());
            assert!(told.contains("cannot be read"), "{told}");
        }
        sums.to_changelog_stream::<i64>().unwrap().discard();
        env.execution_plan().unwrap()
    };
    assert_eq!(plan(true), plan(false));
}

/// Numbers the rows of each key.
#[derive(Clone, Default)]
struct Numbers(ValueState<i64>);

impl ProcessTableFunction for Numbers {
    type Out = i64;

    fn open(&mut self, context: &mut OpenContext<'_>) -> Result<()> {
        self.0 = context.value_state("count")?;
        Ok(())
    }

    fn eval(&mut self, _: &Row<'_>, context: &mut TableContext<'_, i64>) -> Result<()> {
        let count = self.0.update(context, |count| {
            *count += 1;
            *count
        });
        context.collect(count);
        Ok(())
    }
}

/// In each part of the job it would name other state, depending on whether there is another part.
#[test]
fn a_process_table_function_has_its_uid_once_in_a_job() {
    let uids = |first: &str, second: &str| {
        let (env, tables) = environment();
        let numbers = process_table(Numbers::default()).table(TableArgument::set("input"));
        tables.create_temporary_system_function("numbers", numbers).unwrap();
        tables.create_temporary_view("n", &env.from_collection([1_i64, 1, 2])).unwrap();
        let made = |uid: &str, than: i64| {
            let query = format!(
                "SELECT * FROM numbers(TABLE (SELECT * FROM n WHERE f0 > {than}) PARTITION BY f0, uid => '{uid}')"
            );
            tables.sql_query(&query).unwrap().to_data_stream::<(i64, i64)>().unwrap()
        };
        let both = made(first, 0).union(&made(second, 1));
        both.execute_and_collect("both").and_then(|rows| rows.collect::<Result<Vec<_>>>())
    };
    let mut rows = uids("first", "second").unwrap();
    rows.sort_unstable();
    assert_eq!(rows, [(1, 1), (1, 2), (2, 1), (2, 1)]);
    let told = told(uids("same", "same"));
    assert!(told.contains("two process table functions of the job have the uid 'same'"), "{told}");
}
