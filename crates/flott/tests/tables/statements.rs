//! Statements in a program: tables beside its streams, statement sets, settings.

use flott::batch::RowKind;
use flott::prelude::*;
use flott::table::TableResult;

use crate::{environment, values};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn lines(folder: &std::path::Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let visible = files.filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with(['.', '_']));
    let mut lines: Vec<String> = visible
        .flat_map(|path| {
            std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    lines.sort();
    lines
}

fn table(name: &str, columns: &str, folder: &std::path::Path) -> String {
    let path = folder.display();
    format!(
        "CREATE TABLE {name} ({columns}) WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'csv')"
    )
}

/// A table of SQL, a stream of the program and INSERTs are one job.
#[test]
fn a_statement_set_is_a_part_of_the_job() {
    let (input, all, large) = (folder(), folder(), folder());
    std::fs::write(input.path().join("orders.csv"), "1,tea\n2,cake\n3,tea\n").unwrap();
    let (env, tables) = environment();
    tables.execute_sql(&table("orders", "id INT, product STRING", input.path())).unwrap();
    tables.execute_sql(&table("ids", "id BIGINT", all.path())).unwrap();
    tables.execute_sql(&table("named", "id BIGINT, product STRING", large.path())).unwrap();
    tables.create_temporary_view("more", &env.from_sequence(4, 5)).unwrap();

    let mut set = tables.create_statement_set();
    set.add_insert_sql("INSERT INTO ids SELECT id FROM orders UNION ALL SELECT f0 FROM more").unwrap();
    let tea = tables.sql_query("SELECT id, product FROM orders WHERE product = 'tea'").unwrap();
    set.add_insert("named", &tea).unwrap();
    set.attach_as_data_stream().unwrap();
    // A stream of the same program, in the same job.
    let products = tables.sql_query("SELECT product FROM orders").unwrap();
    let products = products.to_data_stream::<String>().unwrap().map(|product| product.len() as u64);
    let mut lengths = values(&products);
    lengths.sort_unstable();
    assert_eq!(lengths, [3, 3, 4]);
    assert_eq!(lines(all.path()), ["1", "2", "3", "4", "5"]);
    assert_eq!(lines(large.path()), ["1,tea", "3,tea"]);
}

/// What a table cannot read goes to another one, in a job of the program as in one of its own.
#[test]
fn records_that_cannot_be_read_go_to_another_table() {
    let (input, out, bad) = (folder(), folder(), folder());
    std::fs::write(input.path().join("orders.csv"), "1,tea\nx,cake\n3,tea\n").unwrap();
    let (_, tables) = environment();
    tables.execute_sql(&table("orders", "id INT, product STRING", input.path())).unwrap();
    tables.execute_sql(&table("ids", "id INT", out.path())).unwrap();
    tables.execute_sql(&table("bad", "file_position BIGINT, table_name STRING", bad.path())).unwrap();
    let one_bad = ["6,\"default_catalog.default_database.orders\""];

    let read = tables.sql_query("SELECT id FROM orders ERRORS INTO bad").unwrap();
    let mut ids = values(&read.to_data_stream::<i32>().unwrap());
    ids.sort_unstable();
    assert_eq!(ids, [1, 3]);
    assert_eq!(lines(bad.path()), one_bad);

    let insert = "INSERT INTO ids SELECT id FROM orders ERRORS INTO bad";
    tables.execute_sql(insert).unwrap().wait().unwrap();
    assert_eq!(lines(out.path()), ["1", "3"]);
    assert_eq!(lines(bad.path()), one_bad.repeat(2));
}

/// An INSERT runs at once, with the streams that it reads, and is no part of the program's job.
#[test]
fn a_statement_is_a_job_of_its_own() {
    let out = folder();
    let (env, tables) = environment();
    tables.execute_sql(&table("sums", "n BIGINT", out.path())).unwrap();
    let numbers = env.from_sequence(1, 3);
    tables.create_temporary_view("numbers", &numbers.map(|n| n * 10)).unwrap();
    tables.execute_sql("INSERT INTO sums SELECT f0 FROM numbers").unwrap().wait().unwrap();
    assert_eq!(lines(out.path()), ["10", "20", "30"]);
    let mut own = values(&numbers);
    own.sort_unstable();
    assert_eq!(own, [1, 2, 3]);
    assert_eq!(lines(out.path()), ["10", "20", "30"], "it ran once");

    let result = tables.execute_sql("SELECT f0 + 1 FROM numbers").unwrap();
    let mut rows = result.collect::<i64>().unwrap().collect::<Result<Vec<_>>>().unwrap();
    rows.sort();
    assert_eq!(rows, [11, 21, 31].map(|n| (RowKind::Insert, n)));
}

#[test]
fn settings_of_the_program_are_those_of_its_tables_unless_a_statement_sets_them() {
    let (env, tables) = environment();
    env.set("table.local-time-zone", "Asia/Tokyo");
    let zone = |tables: &flott::table::StreamTableEnvironment| {
        let table = tables.sql_query("SELECT CAST(TO_TIMESTAMP_LTZ(0, 3) AS STRING)").unwrap();
        values(&table.to_data_stream::<String>().unwrap())
    };
    assert_eq!(zone(&tables), ["1970-01-01 09:00:00.000"]);
    tables.execute_sql("SET 'table.local-time-zone' = 'Europe/Berlin'").unwrap();
    assert_eq!(zone(&tables), ["1970-01-01 01:00:00.000"]);
    env.set("table.local-time-zone", "UTC");
    assert_eq!(zone(&tables), ["1970-01-01 01:00:00.000"]);
    let TableResult::Answer(set) = tables.execute_sql("SHOW VIEWS").unwrap() else { panic!() };
    assert!(set.rows.is_empty());
}

#[test]
fn a_bounded_program_runs_in_batch_mode() {
    let (env, tables) = environment();
    env.set_parallelism(2);
    env.set_runtime_mode(RuntimeMode::Batch);
    let words = env.from_parallel_collection(["a", "b", "a", "c", "a"].map(String::from));
    tables.create_temporary_view("words", &words).unwrap();
    let counts = tables.sql_query("SELECT f0, COUNT(*) FROM words GROUP BY f0").unwrap();
    // A batch has only final rows.
    let mut counts = values(&counts.to_data_stream::<(String, i64)>().unwrap());
    counts.sort();
    assert_eq!(counts, [("a".to_owned(), 3), ("b".to_owned(), 1), ("c".to_owned(), 1)]);
}

#[test]
fn the_plan_shows_both_parts() {
    let (env, tables) = environment();
    tables.create_temporary_view("n", &env.from_sequence(1, 3)).unwrap();
    let sums = tables.sql_query("SELECT MOD(f0, 2), SUM(f0) FROM n GROUP BY MOD(f0, 2)").unwrap();
    sums.to_changelog_stream::<(i64, i64)>().unwrap().map(|(_, sum)| sum).name("behind").discard();
    let plan = env.execution_plan().unwrap();
    for part in ["Sequence Source", "GroupAggregate", "behind"] {
        assert!(plan.contains(part), "{part} is not in {plan}");
    }
}

/// A table that was made before its name was given to another stream.
#[test]
fn a_table_reads_the_stream_that_it_was_made_of() {
    let (env, tables) = environment();
    tables.create_temporary_view("n", &env.from_sequence(1, 2)).unwrap();
    let old = tables.sql_query("SELECT f0 FROM n").unwrap();
    tables.execute_sql("DROP TEMPORARY TABLE n").unwrap();
    tables.create_temporary_view("n", &env.from_sequence(11, 12)).unwrap();
    let new = tables.sql_query("SELECT f0 FROM n").unwrap();
    assert_eq!(values(&old.to_data_stream::<i64>().unwrap()), [1, 2]);
    assert_eq!(values(&new.to_data_stream::<i64>().unwrap()), [11, 12]);
}
