//! Aggregate functions of a program. The answers are those of a real Flink with the same functions.

use flott::Result;
use flott::batch::pretty;
use flott::sql::{AggregateDefinition, Outcome, aggregate};
use serde::{Deserialize, Serialize};

use crate::Shell;

/// A weighted average of integers.
#[derive(Default, Serialize, Deserialize)]
struct Weighted {
    sum: i64,
    weight: i64,
}

impl Weighted {
    fn add(&mut self, value: i64, weight: i32) {
        self.sum += value * i64::from(weight);
        self.weight += i64::from(weight);
    }

    fn remove(&mut self, value: i64, weight: i32) {
        self.sum -= value * i64::from(weight);
        self.weight -= i64::from(weight);
    }

    fn merge(&mut self, other: &Weighted) {
        self.sum += other.sum;
        self.weight += other.weight;
    }

    fn average(&self) -> Option<i64> {
        (self.weight != 0).then(|| self.sum / self.weight)
    }
}

/// It can only add.
fn adding() -> AggregateDefinition<Weighted, (i64, i32)> {
    aggregate(Weighted::add, Weighted::average)
}

const EVENTS: &str = "
    CREATE TEMPORARY TABLE ev (k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH (
        'connector' = 'filesystem', 'path' = '{path}', 'format' = 'csv');";

const ROWS: &str = "\
a,1,2020-01-01 00:00:00.500
b,2,2020-01-01 00:00:01.000
a,3,2020-01-01 00:00:01.200
a,5,2020-01-01 00:00:03.000
b,7,2020-01-01 00:00:09.000
";

/// With the functions `adds`, which can only add, and `wavg`, and the tables `t` and `ev`.
fn shell() -> (Shell, tempfile::TempDir) {
    let mut shell = Shell::new();
    shell.0.define_function("org.example.Adds", adding()).unwrap();
    let all = adding().retract(Weighted::remove).merge(Weighted::merge);
    shell.0.define_function("org.example.Wavg", all).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ev.csv");
    std::fs::write(&path, ROWS).unwrap();
    shell
        .ask(
            &("CREATE FUNCTION adds AS 'org.example.Adds'; CREATE FUNCTION wavg AS 'org.example.Wavg';
              CREATE VIEW w AS SELECT * FROM (VALUES (1, 2, 'a b'), (3, 4, 'c'), (CAST(NULL AS INT), 1, 'd')) AS v (x, w, s);"
                .to_owned()
                + &EVENTS.replace("{path}", &path.display().to_string())),
        )
        .unwrap();
    (shell, folder)
}

fn fails(shell: &mut Shell, query: &str, with: &str) {
    let error = shell.ask(query).unwrap_err();
    assert!(error.contains(with), "{query}: {error}");
}

#[test]
fn groups_have_results() {
    let (mut shell, _folder) = shell();
    // NULL is passed over where the parameter has none; a group of such rows has the result of the first state.
    assert_eq!(shell.ask("SELECT s, adds(x, w) AS a FROM w GROUP BY s").unwrap(), ["'a|b'|1", "c|3", "d|"]);
    for mode in ["STREAMING", "BATCH"] {
        shell.ask(&format!("SET 'execution.runtime-mode' = '{mode}'")).unwrap();
        let rows =
            shell.ask("SELECT COUNT(*) AS n, adds(x, w) FILTER (WHERE w > 1), adds(DISTINCT x, 1) FROM w");
        let rows: Vec<String> = rows.unwrap().into_iter().filter(|row| row.starts_with('3')).collect();
        assert_eq!(rows, ["3|2|2"], "{mode}");
        assert_eq!(shell.ask("SELECT s FROM w GROUP BY s HAVING adds(x, w) > 1").unwrap(), ["c"]);
    }
    assert_eq!(shell.ask("SELECT adds(x, w) FROM w WHERE x > 100").unwrap(), [""]);
    fails(&mut shell, "SELECT adds(s, w) FROM w", "Cannot apply 'adds'");
    fails(&mut shell, "SELECT adds(x) FROM w", "Cannot apply 'adds'");
    fails(&mut shell, "SELECT x FROM w WHERE adds(x, w) > 1", "adds is not allowed here");
    fails(&mut shell, "SELECT * FROM w, LATERAL TABLE(adds(x, w))", "adds is not a table function");
    let described = shell.ask("DESCRIBE FUNCTION EXTENDED adds").unwrap();
    assert!(described.contains(&"kind|AGGREGATE".to_owned()), "{described:?}");
}

#[test]
fn updates_need_retract() {
    let (mut shell, _folder) = shell();
    let counts = "SELECT {f}(c, 1) AS a FROM (SELECT text, COUNT(*) AS c FROM (SELECT text FROM t UNION ALL SELECT 'not') GROUP BY text)";
    let needs = "the aggregate function 'org.example.Adds' has no retract, which an input with updates needs";
    fails(&mut shell, &counts.replace("{f}", "adds"), needs);
    let rows = shell.ask(&counts.replace("{f}", "wavg")).unwrap();
    // (1 + 1 + 2) / 3
    assert!(rows.iter().any(|row| row == "1" || row.ends_with("|1")), "{rows:?}");
}

#[test]
fn windows_that_overlap_need_merge() {
    let (mut shell, _folder) = shell();
    let query = |function: &str, window: &str| {
        format!(
            "SELECT k, DATE_FORMAT(window_start, 'ss.SSS') AS s, {function}(v, 1) AS a FROM TABLE({window}) GROUP BY k, window_start, window_end"
        )
    };
    let tumble = "TUMBLE(TABLE ev, DESCRIPTOR(ts), INTERVAL '2' SECOND)";
    let expected = ["a|00.000|2", "a|02.000|5", "b|00.000|2", "b|08.000|7"];
    assert_eq!(shell.ask(&query("adds", tumble)).unwrap(), expected);
    let hop = "HOP(TABLE ev, DESCRIPTOR(ts), INTERVAL '1' SECOND, INTERVAL '2' SECOND)";
    let session = "SESSION(TABLE ev PARTITION BY k, DESCRIPTOR(ts), INTERVAL '1' SECOND)";
    fails(&mut shell, &query("adds", hop), "has no merge, which a hopping window needs");
    fails(&mut shell, &query("adds", session), "has no merge, which a session window needs");
    let expected = [
        "a|00.000|2",
        "a|01.000|3",
        "a|02.000|5",
        "a|03.000|5",
        "a|59.000|1",
        "b|00.000|2",
        "b|01.000|2",
        "b|08.000|7",
        "b|09.000|7",
    ];
    assert_eq!(shell.ask(&query("wavg", hop)).unwrap(), expected);
    let expected = ["a|00.500|2", "a|03.000|5", "b|01.000|2", "b|09.000|7"];
    assert_eq!(shell.ask(&query("wavg", session)).unwrap(), expected);
}

#[test]
fn over_moves_a_frame() {
    let (mut shell, _folder) = shell();
    let all = "SELECT k, v, adds(v, 1) OVER (PARTITION BY k ORDER BY ts) AS a FROM ev";
    assert_eq!(shell.ask(all).unwrap(), ["a|1|1", "a|3|2", "a|5|3", "b|2|2", "b|7|4"]);
    let two = "SELECT k, v, {f}(v, 1) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS a FROM ev";
    fails(&mut shell, &two.replace("{f}", "adds"), "has no retract, which a bounded frame needs");
    let expected = ["a|1|1", "a|3|2", "a|5|4", "b|2|2", "b|7|4"];
    assert_eq!(shell.ask(&two.replace("{f}", "wavg")).unwrap(), expected);
    // In batch a frame is computed anew.
    let batch = format!("SET 'execution.runtime-mode' = 'BATCH'; {}", two.replace("{f}", "adds"));
    assert_eq!(shell.ask(&batch).unwrap(), expected);
}

#[test]
fn failures_name_the_function_and_the_row() {
    let mut shell = Shell::new();
    let picky = |state: &mut i64, value: i32| -> Result<()> {
        *state += 1;
        if value < 3 { Ok(()) } else { Err(flott::Error::data("too large")) }
    };
    shell.0.create_temporary_system_function("picky", aggregate(picky, |state: &i64| *state)).unwrap();
    fails(&mut shell, "SELECT picky(id) FROM t", "function 'picky' failed for the arguments (3): too large");
    let panics = aggregate(|state: &mut i64, _: i32| *state += 1, |_: &i64| -> i64 { panic!("no result") });
    shell.0.create_temporary_system_function("panics", panics).unwrap();
    fails(&mut shell, "SELECT panics(id) FROM t", "function 'panics' failed: it panicked: no result");
}

/// Runs a query over a folder that grows until there is a row that ends so.
fn until(
    shell: &mut Shell,
    folder: &std::path::Path,
    restore: Option<&str>,
    wanted: &str,
) -> flott::cluster::JobClient {
    let table = format!(
        "CREATE TEMPORARY TABLE grows (k STRING, v BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv', 'source.monitor-interval' = '20 ms');",
        folder.display()
    );
    shell.ask(&table).unwrap();
    if let Some(path) = restore {
        shell.ask(&format!("SET 'execution.state-recovery.path' = '{path}'")).unwrap();
    }
    let query = flott::sql::parse_script("SELECT k, wavg(v, 1) AS a FROM grows GROUP BY k").unwrap();
    let Outcome::Query(job) = shell.0.session.execute(&query[0]).unwrap() else { unreachable!() };
    let client = shell.0.cluster.submit(&job.graph).unwrap();
    let results = client.results().unwrap();
    let types: Vec<_> = job.schema.columns.iter().map(|column| column.ty.clone()).collect();
    let mut seen = Vec::new();
    while !seen.iter().any(|line: &String| line.ends_with(wanted)) {
        let batch = results.next_rows().unwrap().unwrap();
        seen.extend(pretty::print(&batch, &types).lines().map(str::to_owned));
        assert!(seen.len() < 20, "{wanted} is not among {seen:?}");
    }
    client
}

#[test]
fn state_is_found_again_in_a_savepoint() {
    let folder = tempfile::tempdir().unwrap();
    let (files, savepoints) = (folder.path().join("files"), folder.path().join("savepoints"));
    std::fs::create_dir(&files).unwrap();
    std::fs::write(files.join("1.csv"), "a,1\na,3\nb,5\n").unwrap();
    let (mut first, _folder) = shell();
    let client = until(&mut first, &files, None, " a 2");
    let savepoint = client.stop_with_savepoint(Some(&savepoints.display().to_string()), false).unwrap();
    client.wait().unwrap();
    // Another process, as it were.
    std::fs::write(files.join("2.csv"), "a,9\n").unwrap();
    let (mut second, _folder) = shell();
    // (1 + 3 + 9) / 3
    until(&mut second, &files, Some(&savepoint), " a 4").cancel();
}
