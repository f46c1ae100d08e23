//! Compiled plans: written to a file, run from it, also when another version wrote it.

use std::fs::{read_to_string, write};
use std::path::Path;

use crate::support::{Run, run_in};

/// Reads two tables and writes two: expressions, a join, an aggregation, a window, a Top-N and OVER.
const TABLES: &str = "
    CREATE TABLE bids (id INT, item STRING, price DECIMAL(10, 2), ts TIMESTAMP(3),
        WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
        WITH ('connector' = 'filesystem', 'path' = 'bids.csv', 'format' = 'csv');
    CREATE TABLE items (item STRING, name STRING, PRIMARY KEY (item) NOT ENFORCED)
        WITH ('connector' = 'filesystem', 'path' = 'items.csv', 'format' = 'csv');
    CREATE TABLE per_minute (w TIMESTAMP(3), item STRING, n BIGINT, top DECIMAL(10, 2))
        WITH ('connector' = 'filesystem', 'path' = 'per_minute', 'format' = 'csv');
    CREATE TABLE named (id INT, name STRING, price STRING, seen BIGINT)
        WITH ('connector' = 'filesystem', 'path' = 'named', 'format' = 'csv');";

const INSERTS: &str = "STATEMENT SET BEGIN
    INSERT INTO per_minute
        SELECT window_start, item, COUNT(*), MAX(price)
        FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, item;
    INSERT INTO named
        SELECT b.id, UPPER(i.name), CAST(b.price * 2 AS STRING), b.seen
        FROM (SELECT id, item, price, COUNT(*) OVER (PARTITION BY item ORDER BY ts) AS seen FROM bids) AS b
        JOIN items AS i ON b.item = i.item WHERE b.price > 1.5;
    END";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let bids = "1,a,1.00,2024-01-01 00:00:01\n2,b,2.50,2024-01-01 00:00:02\n3,a,7.25,2024-01-01 00:01:30\n";
    write(folder.path().join("bids.csv"), bids).unwrap();
    write(folder.path().join("items.csv"), "a,apple\nb,pear\n").unwrap();
    folder
}

fn sql(folder: &Path, script: &str) -> Run {
    run_in(folder, &["sql", "-q", "-D", "parallelism.default=1", "-e", script])
}

/// The lines of all files of a table, sorted.
fn lines(folder: &Path, table: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for file in std::fs::read_dir(folder.join(table)).unwrap() {
        lines.extend(read_to_string(file.unwrap().path()).unwrap().lines().map(str::to_owned));
    }
    lines.sort();
    lines
}

fn is_right(folder: &Path) {
    let per_minute = [
        "\"2024-01-01 00:00:00\",a,1,1.00",
        "\"2024-01-01 00:00:00\",b,1,2.50",
        "\"2024-01-01 00:01:00\",a,1,7.25",
    ];
    assert_eq!(lines(folder, "per_minute"), per_minute);
    assert_eq!(lines(folder, "named"), ["2,PEAR,5.00,1", "3,APPLE,14.50,2"]);
}

#[test]
fn a_plan_runs_without_the_tables_it_was_made_of() {
    let folder = folder();
    let run = sql(folder.path(), &format!("{TABLES} COMPILE PLAN 'plans/p.json' FOR {INSERTS}"));
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(!folder.path().join("named").exists(), "a plan that is compiled does not run");
    let run = sql(folder.path(), "SET 'table.local-time-zone' = 'Asia/Tokyo'; EXECUTE PLAN 'plans/p.json'");
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    is_right(folder.path());
}

#[test]
fn a_plan_that_is_there_is_replaced_only_if_that_is_asked_for() {
    let folder = folder();
    let table = "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = 't', 'format' = 'csv');";
    let compile = |set: &str, compile: &str, number: u32| {
        sql(folder.path(), &format!("{set} {table} {compile} FOR INSERT INTO t VALUES ({number})"))
    };
    assert_eq!(compile("", "COMPILE PLAN 'p.json'", 1).code, 0);
    let refused = compile("", "COMPILE PLAN 'p.json'", 2);
    assert!(refused.err.contains("Cannot overwrite the plan file 'p.json'"), "{refused:?}");
    assert_eq!(refused.code, 1);
    // The plan that is there is the one that runs.
    assert_eq!(compile("", "COMPILE AND EXECUTE PLAN 'p.json' IF NOT EXISTS", 3).code, 0);
    assert_eq!(lines(folder.path(), "t"), ["1"]);
    let recompile = "SET 'table.plan.force-recompile' = 'true';";
    assert_eq!(compile(recompile, "COMPILE AND EXECUTE PLAN 'p.json'", 4).code, 0);
    assert_eq!(lines(folder.path(), "t"), ["1", "4"]);
}

/// Written by version 1. Never to be changed: a later build computes what an earlier one planned.
#[test]
fn plans_of_version_1_give_what_they_gave() {
    let folder = folder();
    write(folder.path().join("p.json"), include_str!("plans/version_1.json")).unwrap();
    let run = sql(folder.path(), "EXECUTE PLAN 'p.json'");
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    is_right(folder.path());
}

#[test]
fn what_is_no_plan_is_refused() {
    let folder = folder();
    let version_1 = include_str!("plans/version_1.json");
    let refused = |text: &str| {
        write(folder.path().join("p.json"), text).unwrap();
        let run = sql(folder.path(), "EXECUTE PLAN 'p.json'");
        assert_eq!(run.code, 1, "{run:?}");
        run.err
    };
    assert!(refused("SELECT 1").contains("plan file 'p.json': this is not a compiled plan"));
    assert!(refused(r#"{"format": "x", "version": 1}"#).contains("its format is 'x'"));
    let newer = version_1.replacen("\"version\": 1", "\"version\": 2", 1);
    assert!(refused(&newer).contains("a plan of version 2 is not supported: this build reads version 1"));
    let unknown = version_1.replacen("\"parallelism\": 1", "\"parallelism\": 1, \"mystery\": 2", 1);
    assert!(refused(&unknown).contains("unknown field `mystery`"));
    let run = sql(folder.path(), "EXECUTE PLAN 'nowhere/p.json'");
    assert!(run.err.contains("there is no plan file 'nowhere/p.json'"), "{run:?}");
}
