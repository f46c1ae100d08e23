//! Catalogs that outlive a session.

use std::fs::write;

use crate::support::run_in;

#[test]
fn tables_of_a_catalog_in_a_folder_are_there_in_the_next_session() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path().join("n.csv"), "1\n2\n").unwrap();
    let sql = |script: &str| run_in(folder.path(), &["sql", "-q", "--output", "csv", "-e", script]);
    let create = "CREATE CATALOG lake WITH ('type' = 'filesystem', 'path' = 'catalog'); USE CATALOG lake;";
    let tables = "CREATE DATABASE d; USE d;
        CREATE TABLE n (a INT, t AS PROCTIME(), PRIMARY KEY (a) NOT ENFORCED)
            WITH ('connector' = 'filesystem', 'path' = 'n.csv', 'format' = 'csv');
        CREATE VIEW twice (b) AS SELECT a * 2 FROM n;";
    let run = sql(&format!("{create} {tables}"));
    assert_eq!((run.err.as_str(), run.code), ("", 0));
    let run = sql(&format!("{create} SELECT b FROM d.twice; SHOW TABLES FROM d"));
    assert_eq!((run.out.as_str(), run.err.as_str()), ("b\n2\n4\ntable name\nn\ntwice\n", ""));
}

#[test]
fn a_catalog_store_keeps_what_create_catalog_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = ["-D", "table.catalog-store.kind=file", "-D", "table.catalog-store.file.path=store"];
    let sql = |script: &str| {
        let args = [&["sql", "-q", "--output", "csv"][..], &store[..], &["-e", script][..]].concat();
        run_in(folder.path(), &args)
    };
    let run = sql(
        "CREATE CATALOG a COMMENT 'one' WITH ('type' = 'filesystem', 'path' = 'catalog');
         CREATE CATALOG b WITH ('type' = 'generic_in_memory'); CREATE VIEW a.default_database.v AS SELECT 1 AS n",
    );
    assert_eq!((run.err.as_str(), run.code), ("", 0));
    let run = sql("ALTER CATALOG a COMMENT 'two'; DROP CATALOG b");
    assert_eq!((run.err.as_str(), run.code), ("", 0));
    // What the next session could not open is not kept.
    let run = sql("ALTER CATALOG default_catalog COMMENT 'x'; ALTER CATALOG a RESET ('path')");
    assert!(run.err.contains("path") && run.code == 1, "{run:?}");
    let run = sql("SHOW CATALOGS; DESCRIBE CATALOG a; SELECT * FROM a.default_database.v");
    let expected = "catalog name\na\ndefault_catalog\ninfo name,info value\nname,a\ntype,filesystem\ncomment,two\nn\n1\n";
    assert_eq!((run.out.as_str(), run.err.as_str()), (expected, ""));

    std::fs::remove_dir_all(folder.path().join("catalog")).unwrap();
    write(folder.path().join("catalog"), "no folder").unwrap();
    let run = sql("SHOW CATALOGS");
    assert!(run.err.contains("catalog 'a' of the catalog store"), "{run:?}");
    let run = run_in(folder.path(), &["sql", "-D", "table.catalog-store.kind=file", "-e", "SHOW CATALOGS"]);
    assert!(run.err.contains("'table.catalog-store.file.path' is missing"), "{run:?}");
}
