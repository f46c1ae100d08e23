//! INSERT OVERWRITE as a real Flink does it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test must not meet ends it")]

use std::fs;
use std::path::Path;

use flott::sql::{Environment, Outcome, parse_script};
use flott::types::{Configuration, Result};

fn session(mode: &str) -> Environment {
    let mut configuration = Configuration::default();
    for (key, value) in [("execution.runtime-mode", mode), ("parallelism.default", "2")] {
        configuration.set(key, value).unwrap();
    }
    Environment::new(flott::connectors::builtin(), configuration).unwrap()
}

fn run(environment: &mut Environment, script: &str) -> Result<()> {
    for statement in parse_script(script)? {
        match environment.session.execute(&statement)? {
            Outcome::Insert(job) => environment.cluster.submit(&job.graph)?.wait()?,
            Outcome::Done => {}
            other => panic!("{other:?}"),
        }
    }
    Ok(())
}

/// The lines of all files, each behind its directory; nothing is left that is hidden.
fn lines(root: &Path, folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        assert!(!entry.file_name().to_string_lossy().starts_with('.'), "{}", path.display());
        if path.is_dir() {
            found.extend(lines(root, &path));
            continue;
        }
        let directory = folder.strip_prefix(root).unwrap().display().to_string();
        let text = fs::read_to_string(&path).unwrap();
        found.extend(text.lines().map(|line| format!("{directory} {line}").trim().to_owned()));
    }
    found.sort();
    found
}

#[test]
fn a_table_is_replaced_also_by_what_is_read_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut environment = session("BATCH");
    let mut after = |statement: &str| {
        run(&mut environment, statement).unwrap();
        lines(folder.path(), folder.path())
    };
    after(&format!(
        "CREATE TABLE u (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv')",
        folder.path().display()
    ));
    after("INSERT INTO u VALUES (1, 'x'), (2, 'y')");
    assert_eq!(after("INSERT INTO u VALUES (3, 'z')"), ["1,x", "2,y", "3,z"]);
    assert_eq!(after("INSERT OVERWRITE u VALUES (4, 'n')"), ["4,n"]);
    assert_eq!(after("INSERT OVERWRITE u SELECT a + 10, b FROM u"), ["14,n"]);
    assert_eq!(after("INSERT OVERWRITE u SELECT * FROM u WHERE a < 0"), [""; 0]);
}

#[test]
fn partitions_are_replaced_that_have_new_rows_or_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut environment = session("BATCH");
    let mut after = |statement: &str| {
        run(&mut environment, statement).unwrap();
        lines(folder.path(), folder.path()).join("; ").replace("d=", "").replace("/h=", "")
    };
    after(&format!(
        "CREATE TABLE p (a INT, d STRING, h INT) PARTITIONED BY (d, h)
           WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv')",
        folder.path().display()
    ));
    let all = after("INSERT INTO p VALUES (1, 'x', 1), (2, 'x', 2), (3, 'y', 1), (4, 'y', 2)");
    assert_eq!(all, "x1 1; x2 2; y1 3; y2 4");
    let dynamic = after("INSERT OVERWRITE p VALUES (10, 'x', 1), (11, 'z', 1)");
    assert_eq!(dynamic, "x1 10; x2 2; y1 3; y2 4; z1 11");
    let named = after("INSERT OVERWRITE p PARTITION (d = 'x', h = 2) SELECT 20");
    assert_eq!(named, "x1 10; x2 20; y1 3; y2 4; z1 11");
    let half = after("INSERT OVERWRITE p PARTITION (d = 'y') SELECT 30, 1");
    assert_eq!(half, "x1 10; x2 20; y1 30; y2 4; z1 11");
    let none = after("INSERT OVERWRITE p PARTITION (d = 'x') SELECT a, h FROM p WHERE a < 0");
    assert_eq!(none, half);
    assert_eq!(after("INSERT OVERWRITE p SELECT * FROM p WHERE a < 0"), half);
    // Flink leaves that one as it is.
    let named = after("INSERT OVERWRITE p PARTITION (d = 'y', h = 02) SELECT a FROM p WHERE a < 0");
    assert_eq!(named, "x1 10; x2 20; y1 30; z1 11");
}

#[test]
fn streams_and_other_connectors_are_refused() {
    for (mode, connector, wanted) in [
        (
            "STREAMING",
            "blackhole",
            "Streaming mode not support overwrite: INSERT OVERWRITE at line 1, column 1",
        ),
        ("BATCH", "blackhole", "INSERT OVERWRITE requires a connector that replaces"),
        ("BATCH", "print", "INSERT OVERWRITE requires a connector that replaces"),
    ] {
        let mut environment = session(mode);
        run(&mut environment, &format!("CREATE TABLE k (a INT) WITH ('connector' = '{connector}')")).unwrap();
        let error = run(&mut environment, "INSERT OVERWRITE k VALUES (1)").unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}
