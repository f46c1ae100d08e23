//! Functions of a program in SQL.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use flott::batch::pretty;
use flott::sql::{Environment, Outcome, PlannedJob, parse_script, scalar, table};
use flott::types::Result;

struct Shell(Environment);

impl Shell {
    fn new() -> Self {
        let mut environment = Environment::local().unwrap();
        let tables = "
            SET 'parallelism.default' = '1';
            CREATE VIEW t AS SELECT * FROM (VALUES (1, 'to be or'), (2, CAST(NULL AS STRING)), (3, 'not')) AS v (id, text);";
        for statement in parse_script(tables).unwrap() {
            environment.session.execute(&statement).unwrap();
        }
        Shell(environment)
    }

    /// The rows of the last statement, sorted; or the error.
    fn ask(&mut self, script: &str) -> std::result::Result<Vec<String>, String> {
        let mut rows = Vec::new();
        for statement in parse_script(script).unwrap() {
            let outcome = self.0.session.execute(&statement).map_err(|error| error.to_string())?;
            rows = match outcome {
                Outcome::Query(job) => self.run(&job).map_err(|error| error.to_string())?,
                Outcome::Table(answer) => {
                    let cell = |cell: &Option<String>| cell.clone().unwrap_or_default();
                    answer.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join("|")).collect()
                }
                _ => Vec::new(),
            };
        }
        rows.sort();
        Ok(rows)
    }

    fn run(&self, job: &PlannedJob) -> Result<Vec<String>> {
        let client = self.0.cluster.submit(&job.graph)?;
        let results = client.results().unwrap();
        let types: Vec<_> = job.schema.columns.iter().map(|column| column.ty.clone()).collect();
        let mut rows = Vec::new();
        while let Some(batch) = results.next_rows()? {
            let text = pretty::print(&batch, &types);
            rows.extend(
                text.lines().map(|line| line.replace("+I ", "").replace(' ', "|").replace("NULL", "")),
            );
        }
        Ok(rows)
    }
}

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
    assert!(shell.ask("SELECT small(id) FROM t").unwrap_err().contains("3 is too much"));
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
    let error = shell.ask("CREATE FUNCTION f AS 'org.example.F' LANGUAGE PYTHON").unwrap_err();
    assert!(error.contains("there is no PYTHON in this process"), "{error}");
}
