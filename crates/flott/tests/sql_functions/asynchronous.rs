//! Asynchronous functions of a program. The answers are those of a real Flink with the same functions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Poll, Waker};

use flott::sql::{async_scalar, async_table};
use flott::{Error, Result};
use parking_lot::Mutex;

use crate::Shell;
use crate::process::ROWS;

const TABLES: &str = "
    CREATE TEMPORARY TABLE names (name STRING, amount INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH (
        'connector' = 'filesystem', 'path' = '{path}', 'format' = 'csv');
    CREATE TEMPORARY TABLE others (k STRING, amount BIGINT) WITH (
        'connector' = 'filesystem', 'path' = '{path}', 'format' = 'csv', 'csv.ignore-parse-errors' = 'false');";

fn shell() -> (Shell, tempfile::TempDir) {
    let mut shell = Shell::new();
    let env = &mut shell.0;
    let upper = async_scalar(|text: Option<String>| async move {
        Ok(text.map_or_else(|| "none".to_owned(), |text| text.to_uppercase()))
    });
    env.create_temporary_system_function("up", upper).unwrap();
    let strict = async_scalar(|text: String| async move { Ok(text.len() as i32) });
    env.create_temporary_system_function("size_of", strict.parameters(["text"])).unwrap();
    let words = async_table(|text: String| async move {
        Ok(text.split('o').map(|word| (word.to_owned(), word.len() as i32)).collect::<Vec<_>>())
    });
    env.create_temporary_system_function("words", words.columns(["word", "letters"])).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("names.csv");
    std::fs::write(&path, ROWS).unwrap();
    let others = folder.path().join("others.csv");
    std::fs::write(&others, "Bob,1\nAlice,2\n").unwrap();
    let (names, rest) = TABLES.split_at(TABLES.find("CREATE TEMPORARY TABLE others").unwrap());
    shell.ask(&names.replace("{path}", &path.display().to_string())).unwrap();
    shell.ask(&rest.replace("{path}", &others.display().to_string())).unwrap();
    (shell, folder)
}

#[test]
fn values_come_in_the_order_of_the_rows() {
    let (mut shell, _folder) = shell();
    assert_eq!(
        shell.ask_in_order("SELECT up(name) FROM names").unwrap(),
        ["BOB", "ALICE", "BOB", "CID", "ALICE", "BOB"]
    );
    let query = "SELECT name, up(name), up(up(name) || 'x'), amount FROM names WHERE up(name) <> 'CID' AND amount < 6";
    let expected = ["Bob|BOB|BOBX|1", "Alice|ALICE|ALICEX|2", "Bob|BOB|BOBX|3", "Alice|ALICE|ALICEX|5"];
    assert_eq!(shell.ask_in_order(query).unwrap(), expected);
    let query = "SELECT CASE WHEN amount > 2 THEN up(name) ELSE name END, UPPER(up(name)), up('a'), size_of(text => name) FROM names";
    assert_eq!(shell.ask_in_order(query).unwrap()[..3], ["Bob|BOB|A|3", "Alice|ALICE|A|5", "BOB|BOB|A|3"]);
    // NULL is an argument where the parameter is an Option; elsewhere the function is not called.
    let query = "SELECT up(v), size_of(v) FROM (SELECT CASE WHEN amount > 5 THEN name END AS v FROM names)";
    assert_eq!(shell.ask(query).unwrap(), ["BOB|3", "none|", "none|", "none|", "none|", "none|"]);
    let counted = shell.ask(
        "SET 'execution.runtime-mode' = 'batch'; SELECT up(name), COUNT(*) FROM names GROUP BY up(name)",
    );
    assert_eq!(counted.unwrap(), ["ALICE|2", "BOB|3", "CID|1"]);
    let joined =
        shell.ask("SELECT a.amount FROM names a JOIN others b ON up(a.name) = up(b.k) AND a.amount > 1");
    assert_eq!(joined.unwrap(), ["2", "3", "5", "6"]);
    let error =
        shell.ask("SELECT a.amount FROM names a LEFT JOIN others b ON a.name = b.k AND up(a.name) = 'BOB'");
    assert!(error.unwrap_err().contains("AsyncScalarFunction not supported for non inner join condition"));
    let query = "SELECT a.amount FROM names a JOIN others b ON a.name = b.k AND up(a.name || b.k) = 'BOBBOB'";
    assert_eq!(shell.ask(query).unwrap(), ["1", "3", "6"]);
    assert!(
        shell.ask("SELECT words(name) FROM names").unwrap_err().contains("write LATERAL TABLE(words(...))")
    );
    let described = shell.ask("DESCRIBE FUNCTION EXTENDED up").unwrap();
    assert!(described.contains(&"kind|ASYNC_SCALAR".to_owned()), "{described:?}");
}

#[test]
fn rows_come_in_the_order_of_the_rows() {
    let (mut shell, _folder) = shell();
    let rows = shell.ask_in_order(
        "SELECT name, word FROM names, LATERAL TABLE(words(name)) AS t(word, n) WHERE amount < 4",
    );
    assert_eq!(rows.unwrap(), ["Bob|B", "Bob|b", "Alice|Alice", "Bob|B", "Bob|b"]);
    let left = "SELECT amount, word, letters FROM names LEFT JOIN LATERAL TABLE(words(CASE WHEN amount > 3 THEN up(name) END)) ON TRUE";
    assert_eq!(shell.ask(left).unwrap(), ["1||", "2||", "3||", "4|CID|3", "5|ALICE|5", "6|BOB|3"]);
    assert_eq!(
        shell.ask("SELECT * FROM TABLE(words('foo bar')) AS t(w, n)").unwrap(),
        ["''|0", "'|bar'|4", "f|1"]
    );
    let plan =
        shell.ask_in_order("EXPLAIN SELECT name, up(name) FROM names WHERE amount > 1").unwrap().join("\n");
    assert!(plan.contains("AsyncCalc(select=[name, up(name) AS f0])"), "{plan}");
}

#[test]
fn requests_are_in_flight_together() {
    let (mut shell, _folder) = shell();
    // Four must be under way before one is answered.
    let begun: Arc<(AtomicUsize, Mutex<Vec<Waker>>)> = Arc::default();
    let together = async_scalar(move |amount: i32| {
        let begun = begun.clone();
        let mut counted = false;
        std::future::poll_fn(move |context| {
            let (count, wakers) = &*begun;
            let mut wakers = wakers.lock();
            if !counted {
                counted = true;
                count.fetch_add(1, Ordering::SeqCst);
            }
            if count.load(Ordering::SeqCst) >= 4 {
                wakers.drain(..).for_each(Waker::wake);
                return Poll::Ready(Ok(amount * 10));
            }
            wakers.push(context.waker().clone());
            Poll::<Result<i32>>::Pending
        })
    });
    shell.0.create_temporary_system_function("together", together).unwrap();
    shell.ask("SET 'table.exec.async-scalar.max-concurrent-operations' = '4'").unwrap();
    let rows = shell.ask_in_order("SELECT together(amount) FROM names").unwrap();
    assert_eq!(rows, ["10", "20", "30", "40", "50", "60"]);
}

#[test]
fn errors_are_tried_again_and_time_is_limited() {
    let (mut shell, _folder) = shell();
    let tries: Arc<Mutex<BTreeMap<String, u32>>> = Arc::default();
    let flaky = async_scalar(move |text: String| {
        let attempt = {
            let mut tries = tries.lock();
            let attempt = tries.entry(text).or_default();
            *attempt += 1;
            *attempt
        };
        async move {
            if attempt < 3 { Err(Error::external(format!("down {attempt}"))) } else { Ok(attempt) }
                .map(|a| a as i32)
        }
    });
    shell.0.create_temporary_system_function("flaky", flaky).unwrap();
    let never = async_scalar(|_: String| std::future::pending::<Result<i32>>());
    shell.0.create_temporary_system_function("never", never).unwrap();
    shell.ask("SET 'table.exec.async-scalar.retry-delay' = '1 ms'").unwrap();
    assert_eq!(shell.ask("SELECT flaky(name) FROM names WHERE amount = 4").unwrap(), ["3"]);
    shell.ask("SET 'table.exec.async-scalar.retry-strategy' = 'NO_RETRY'").unwrap();
    let error = shell.ask("SELECT flaky(name) FROM names WHERE amount = 1").unwrap_err();
    assert!(
        error.contains("function 'flaky' failed for the arguments (Bob)") && error.contains("down 1"),
        "{error}"
    );
    shell.ask("SET 'table.exec.async-scalar.timeout' = '20 ms'").unwrap();
    let error = shell.ask("SELECT never(name) FROM names").unwrap_err();
    assert!(error.contains("function never") && error.contains("20 ms"), "{error}");
    shell.ask("RESET 'table.exec.async-scalar.timeout'").unwrap();
    let panics = async_scalar(|text: String| async move {
        assert!(text.is_empty(), "no answer for it");
        Ok(text)
    });
    shell.0.create_temporary_system_function("panics", panics).unwrap();
    let error = shell.ask("SELECT panics(name) FROM names").unwrap_err();
    assert!(error.contains("panicked: no answer for it"), "{error}");
}

#[test]
fn rows_in_flight_survive_a_failure() {
    static FAILED: AtomicBool = AtomicBool::new(false);
    let (mut shell, folder) = shell();
    let twice = async_scalar(|v: i64| async move {
        if v == 3_333 && !FAILED.swap(true, Ordering::SeqCst) {
            return Err(Error::external("a service is down"));
        }
        Ok(v * 2)
    });
    shell.0.create_temporary_system_function("twice", twice).unwrap();
    let path = folder.path().join("rows.csv");
    std::fs::write(&path, (0..5_000).map(|v| format!("{v}\n")).collect::<String>()).unwrap();
    let script = format!(
        "SET 'table.exec.batch-size' = '10'; SET 'execution.checkpointing.interval' = '5 ms';
         SET 'table.exec.async-scalar.retry-strategy' = 'NO_RETRY';
         SET 'restart-strategy.type' = 'fixed-delay'; SET 'restart-strategy.fixed-delay.delay' = '0 ms';
         SET 'restart-strategy.fixed-delay.attempts' = '5';
         CREATE TEMPORARY TABLE numbers (v BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv');
         SELECT twice(v) FROM numbers",
        path.display()
    );
    let rows = shell.ask_in_order(&script).unwrap();
    assert!(FAILED.load(Ordering::SeqCst));
    let mut numbers: Vec<i64> = rows.iter().map(|row| row.parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..5_000).map(|v| v * 2).collect::<Vec<_>>());
}
