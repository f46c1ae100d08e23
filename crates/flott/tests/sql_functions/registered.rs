//! Functions that the program registers under a name.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};
use flott::sql::{aggregate, scalar, table};
use flott::types::Result;

use crate::Shell;

fn with_functions() -> Shell {
    let mut shell = Shell::new();
    let environment = &mut shell.0;
    environment.create_temporary_system_function("add_one", scalar(|x: i64| x + 1)).unwrap();
    environment
        .create_temporary_system_function(
            "size",
            scalar(|x: Option<String>| x.map_or(-1, |x| x.len() as i32)),
        )
        .unwrap();
    let words =
        |text: String| text.split(' ').map(|word| (word.to_owned(), word.len() as i32)).collect::<Vec<_>>();
    environment.create_temporary_function("words", table(words).columns(["word", "letters"])).unwrap();
    let failing = |x: i32| -> Result<i32> {
        if x < 3 { Ok(x) } else { Err(flott::Error::data(format!("{x} is too much"))) }
    };
    environment.create_temporary_system_function("small", scalar(failing)).unwrap();
    shell
}

#[test]
fn a_scalar_function_is_called_wherever_an_expression_stands() {
    let mut shell = with_functions();
    let rows = shell.ask("SELECT id, Add_One(id), size(text) FROM t WHERE add_one(id) > 2").unwrap();
    assert_eq!(rows, ["2|3|-1", "3|4|3"]);
    // An argument is cast to the type of the parameter; NULL gives NULL where the parameter has none.
    let rows = shell.ask("SELECT add_one(CAST(NULL AS INT)), add_one(id + 1) FROM t WHERE id = 1").unwrap();
    assert_eq!(rows, ["|3"]);
    let rows = shell
        .ask("SELECT size(text) AS s, COUNT(*) AS c FROM t GROUP BY size(text) HAVING COUNT(*) < add_one(1)");
    assert_eq!(rows.unwrap(), ["-1|1", "3|1", "8|1"]);
    let error = shell.ask("SELECT add_one(text) FROM t").unwrap_err();
    assert!(error.contains("Cannot apply 'add_one'") && error.contains("'add_one(<BIGINT>)'"), "{error}");
    assert!(shell.ask("SELECT add_one(1, 2)").unwrap_err().contains("Cannot apply"));
    assert_eq!(shell.ask("SELECT small(id) FROM t WHERE id < 3").unwrap(), ["1", "2"]);
    let error = shell.ask("SELECT small(id) FROM t").unwrap_err();
    assert!(error.contains("function 'small' failed for the arguments (3): 3 is too much"), "{error}");
}

#[test]
fn a_table_function_gives_rows_for_each_row() {
    let mut shell = with_functions();
    let rows = shell.ask("SELECT id, word, letters FROM t, LATERAL TABLE(words(text))").unwrap();
    assert_eq!(rows, ["1|be|2", "1|or|2", "1|to|2", "3|not|3"]);
    let left = "SELECT t.id, w.a FROM t LEFT JOIN LATERAL TABLE(default_catalog.default_database.words(text)) AS w (a, b) ON TRUE";
    assert_eq!(shell.ask(left).unwrap(), ["1|be", "1|or", "1|to", "2|", "3|not"]);
    assert_eq!(
        shell.ask("SELECT SUM(letters) AS n FROM TABLE(words('a bc')) WHERE letters > 1").unwrap(),
        ["2"]
    );
    assert!(shell.ask("SELECT words(text) FROM t").unwrap_err().contains("write LATERAL TABLE(words(...))"));
    assert!(
        shell
            .ask("SELECT 1 FROM t, LATERAL TABLE(size(text))")
            .unwrap_err()
            .contains("size is not a table function")
    );
    assert!(shell.ask("SELECT 1 FROM t, LATERAL TABLE(nope(text))").unwrap_err().contains("nope"));
}

#[test]
fn names_are_found_as_in_flink_shown_and_dropped() {
    let mut shell = with_functions();
    assert_eq!(shell.ask("SHOW USER FUNCTIONS").unwrap(), ["add_one", "size", "small", "words"]);
    assert!(shell.ask("SHOW FUNCTIONS LIKE 'wor%'").unwrap().contains(&"words".to_owned()));
    assert_eq!(
        shell.ask("DESCRIBE FUNCTION words").unwrap(),
        ["is system function|false", "is temporary|true"]
    );
    assert!(shell.ask("DESCRIBE FUNCTION EXTENDED words").unwrap().contains(&"kind|TABLE".to_owned()));
    assert!(shell.ask("DESCRIBE FUNCTION reverse").unwrap().contains(&"is temporary|false".to_owned()));
    assert!(shell.ask("DESCRIBE FUNCTION nope").unwrap_err().contains("doesn't exist"));

    // A system function that is temporary comes before Flott's own, and those before one of the database.
    let twice = || scalar(|x: String| format!("{x}{x}"));
    shell.0.create_temporary_function("reverse", twice()).unwrap();
    assert_eq!(shell.ask("SELECT REVERSE('ab')").unwrap(), ["ba"]);
    assert_eq!(shell.ask("SELECT default_catalog.default_database.reverse('ab')").unwrap(), ["abab"]);
    shell.0.create_temporary_system_function("REVERSE", twice()).unwrap();
    assert_eq!(shell.ask("SELECT reverse('ab')").unwrap(), ["abab"]);
    assert!(shell.0.create_temporary_system_function("reverse", twice()).is_err(), "there is one already");
    assert_eq!(shell.ask("DROP TEMPORARY SYSTEM FUNCTION reverse; SELECT reverse('ab')").unwrap(), ["ba"]);

    assert!(shell.ask("DROP FUNCTION words").unwrap_err().contains("DROP TEMPORARY FUNCTION"));
    shell.ask("DROP TEMPORARY FUNCTION words; DROP TEMPORARY FUNCTION IF EXISTS words").unwrap();
    assert!(shell.ask("DROP TEMPORARY FUNCTION words").unwrap_err().contains("doesn't exist"));
    assert!(shell.ask("SELECT 1 FROM t, LATERAL TABLE(words(text))").unwrap_err().contains("words"));
    // The name is free again, for another function.
    shell.0.create_temporary_function("words", scalar(|x: i32| x * 10)).unwrap();
    assert_eq!(shell.ask("SELECT words(4)").unwrap(), ["40"]);
}

#[test]
fn a_panic_of_a_function_names_it_and_the_row() {
    let mut shell = Shell::new();
    let panics = |id: i32, text: String| -> Vec<String> {
        assert!(id < 3, "no words for it");
        vec![text]
    };
    shell.0.create_temporary_system_function("picky", table(panics)).unwrap();
    let error = shell.ask("SELECT * FROM t, LATERAL TABLE(picky(id, text))").unwrap_err();
    let expected = "function 'picky' failed for the arguments (3, not): it panicked: no words for it";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn arguments_have_names_where_the_function_gives_them() {
    let mut shell = Shell::new();
    let minus = || scalar(|x: i64, y: i64| x - y).parameters(["x", "y"]);
    shell.0.create_temporary_function("minus", minus()).unwrap();
    let repeat = |text: String, times: i32| vec![text; times as usize];
    shell.0.create_temporary_system_function("copies", table(repeat).parameters(["text", "times"])).unwrap();
    let total =
        aggregate(|sum: &mut i64, x: i64, y: i64| *sum += x * y, |sum: &i64| *sum).parameters(["x", "y"]);
    shell.0.create_temporary_system_function("total", total).unwrap();
    shell.0.create_temporary_system_function("unnamed", scalar(|x: i64| x)).unwrap();
    assert_eq!(shell.ask("SELECT minus(y => 1, x => id) FROM t WHERE id > 2").unwrap(), ["2"]);
    assert_eq!(shell.ask("SELECT f0 FROM TABLE(copies(times => 2, text => 'a'))").unwrap(), ["a", "a"]);
    let rows = shell.ask("SET 'execution.runtime-mode' = 'BATCH'; SELECT total(y => 2, x => id) FROM t");
    assert_eq!(rows.unwrap(), ["12"]);
    let described = shell.ask("DESCRIBE FUNCTION EXTENDED minus").unwrap();
    let signature = "signature|default_catalog.default_database.minus(x => BIGINT, y => BIGINT)";
    assert!(described.contains(&signature.to_owned()), "{described:?}");
    for (call, message) in [
        ("minus(x => 1)", "the call of minus lacks the argument 'y'"),
        ("minus(x => 1, z => 2)", "does not take the argument 'z => 2' by name: its parameters are x, y"),
        ("minus(x => 1, x => 2)", "the argument 'x => 2' of minus is given twice"),
        ("minus(1, y => 2)", "the argument '1' of minus has no name, and others have"),
        ("unnamed(x => 1)", "its parameters have no names"),
    ] {
        let error = shell.ask(&format!("SELECT {call}")).unwrap_err();
        assert!(error.contains(message), "{call}: {error}");
    }
}

#[test]
fn dates_and_times_are_those_of_chrono() {
    let mut shell = Shell::new();
    let environment = &mut shell.0;
    let next = scalar(|date: NaiveDate| date.succ_opt());
    environment.create_temporary_system_function("next_day", next).unwrap();
    let later = scalar(|time: NaiveDateTime| time + TimeDelta::milliseconds(1500));
    environment.create_temporary_system_function("later", later).unwrap();
    let instant = scalar(|time: DateTime<Utc>| time + TimeDelta::microseconds(1));
    environment.create_temporary_system_function("instant", instant).unwrap();
    environment
        .create_temporary_system_function(
            "half",
            scalar(|time: Option<NaiveTime>| time.and_then(|time| time.with_second(30))),
        )
        .unwrap();
    let rows = shell.ask(
        "SELECT CAST(next_day(DATE '2024-02-28') AS STRING) || ' ' || CAST(later(TIMESTAMP '1969-12-31 23:59:59.25') AS STRING)
             || ' ' || CAST(instant(TO_TIMESTAMP_LTZ(1500, 3)) AS STRING) || ' ' || CAST(half(TIME '12:34:56') AS STRING)",
    );
    let expected = "'2024-02-29 1970-01-01 00:00:00.750000 1970-01-01 00:00:01.500001 12:34:30'";
    let rows = rows.unwrap().join("").replace('|', " ");
    assert!(rows.starts_with(&expected[..40]) && rows.contains("00:00:01.500001 12:34:30"), "{rows}");
}
