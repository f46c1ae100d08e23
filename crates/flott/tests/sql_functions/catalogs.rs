//! Functions that the program defines and statements name: CREATE FUNCTION.

use flott::sql::{scalar, table};
use flott::types::Configuration;

use crate::Shell;

fn defining(mut shell: Shell) -> Shell {
    let environment = &mut shell.0;
    environment.define_function("org.example.AddOne", scalar(|x: i64| x + 1)).unwrap();
    environment.define_function("org.example.Twice", scalar(|x: String| format!("{x}{x}"))).unwrap();
    let words = |text: String| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    environment.define_function("org.example.Words", table(words).columns(["word"])).unwrap();
    shell
}

fn fails(shell: &mut Shell, script: &str, with: &str) {
    let error = shell.ask(script).unwrap_err();
    assert!(error.contains(with), "{script}: {error}");
}

#[test]
fn a_function_is_created_altered_and_dropped() {
    let mut shell = defining(Shell::new());
    let rows = shell.ask("CREATE FUNCTION Inc AS 'org.example.AddOne' LANGUAGE RUST; SELECT inc(id) FROM t");
    assert_eq!(rows.unwrap(), ["2", "3", "4"]);
    fails(
        &mut shell,
        "CREATE FUNCTION inc AS 'org.example.Twice'",
        "Function default_database.inc already exists in Catalog default_catalog.",
    );
    shell.ask("CREATE FUNCTION IF NOT EXISTS inc AS 'org.example.Twice'").unwrap();
    assert_eq!(shell.ask("SELECT default_database.INC(1)").unwrap(), ["2"]);
    fails(&mut shell, "SELECT inc('a')", "Cannot apply 'inc'");
    assert_eq!(shell.ask("ALTER FUNCTION inc AS 'org.example.Twice'; SELECT inc('a')").unwrap(), ["aa"]);
    shell.ask("CREATE FUNCTION words AS 'org.example.Words'").unwrap();
    let rows = shell.ask("SELECT id, word FROM t, LATERAL TABLE(words(text)) WHERE id > 1").unwrap();
    assert_eq!(rows, ["3|not"]);
    assert_eq!(shell.ask("SHOW USER FUNCTIONS").unwrap(), ["inc", "words"]);
    shell.ask("DROP FUNCTION inc; DROP FUNCTION IF EXISTS inc").unwrap();
    let missing = "Function default_database.inc does not exist in Catalog default_catalog.";
    fails(&mut shell, "DROP FUNCTION inc", missing);
    fails(&mut shell, "ALTER FUNCTION inc AS 'x'", missing);
    shell.ask("ALTER FUNCTION IF EXISTS inc AS 'x'").unwrap();
    fails(&mut shell, "SELECT inc('a')", "No match found for function signature INC");
    assert!(
        shell.0.define_function("org.example.Twice", scalar(|x: i32| x)).is_err(),
        "it is defined already"
    );
}

#[test]
fn what_the_program_does_not_define_is_an_error_when_flink_says_so() {
    let mut shell = defining(Shell::new());
    // Of a permanent function it is one when it is called or described.
    shell.ask("CREATE FUNCTION f AS 'org.example.Nope'").unwrap();
    let unknown = "Cannot instantiate user-defined function 'default_catalog.default_database.f': this program defines no \
                   function of the identifier 'org.example.Nope'; it defines org.example.AddOne, org.example.Twice, \
                   org.example.Words";
    fails(&mut shell, "SELECT f(1)", unknown);
    fails(&mut shell, "DESCRIBE FUNCTION f", unknown);
    // Of a temporary one, at once.
    for (kind, name) in [("catalog", "default_catalog.default_database.g"), ("system", "g")] {
        let statement = if kind == "system" { "TEMPORARY SYSTEM" } else { "TEMPORARY" };
        fails(
            &mut shell,
            &format!("CREATE {statement} FUNCTION g AS 'org.example.Nope'"),
            &format!(
                "Could not register temporary {kind} function '{name}' due to implementation errors: this program"
            ),
        );
    }
    fails(&mut shell, "CREATE FUNCTION g AS ''", "cannot be empty");
    fails(&mut shell, "CREATE FUNCTION g AS 'a' LANGUAGE PYTHON", "there is no PYTHON in this process");
    fails(&mut shell, "CREATE FUNCTION nowhere.g AS 'org.example.Twice'", "nowhere");
    fails(&mut shell, "CREATE FUNCTION nowhere.d.g AS 'org.example.Twice'", "nowhere");
    fails(&mut shell, "CREATE TEMPORARY SYSTEM FUNCTION a.g AS 'org.example.Twice'", "has no dots");
}

#[test]
fn temporary_functions_hide_permanent_ones() {
    let mut shell = defining(Shell::new());
    shell.ask("CREATE FUNCTION f AS 'org.example.AddOne'").unwrap();
    let rows = shell.ask("CREATE TEMPORARY FUNCTION f AS 'org.example.Twice'; SELECT f('a')").unwrap();
    assert_eq!(rows, ["aa"]);
    fails(
        &mut shell,
        "CREATE TEMPORARY FUNCTION f AS 'org.example.Twice'",
        "Could not register temporary catalog function. A function 'default_catalog.default_database.f' does already exist.",
    );
    shell.ask("CREATE TEMPORARY FUNCTION IF NOT EXISTS f AS 'org.example.AddOne'").unwrap();
    fails(&mut shell, "ALTER TEMPORARY FUNCTION f AS 'org.example.AddOne'", "is not supported");
    assert_eq!(shell.ask("DROP TEMPORARY FUNCTION f; SELECT f(1)").unwrap(), ["2"]);
    // A permanent one goes from below a temporary one; then only that is left.
    shell.ask("CREATE TEMPORARY FUNCTION f AS 'org.example.Twice'; DROP FUNCTION f").unwrap();
    assert_eq!(shell.ask("SELECT f('b')").unwrap(), ["bb"]);
    fails(&mut shell, "DROP FUNCTION f", "DROP TEMPORARY FUNCTION");
    // Flott's own come before those of a catalog and after those of the system.
    shell.ask("CREATE TEMPORARY FUNCTION `reverse` AS 'org.example.Twice'").unwrap();
    assert_eq!(shell.ask("SELECT REVERSE('ab'), default_database.REVERSE('ab')").unwrap(), ["ba|abab"]);
    shell.ask("CREATE TEMPORARY SYSTEM FUNCTION `reverse` AS 'org.example.Twice'").unwrap();
    assert_eq!(shell.ask("SELECT reverse('ab')").unwrap(), ["abab"]);
    assert!(shell.0.create_temporary_system_function("reverse", scalar(|x: i32| x)).is_err());
    fails(
        &mut shell,
        "CREATE TEMPORARY SYSTEM FUNCTION `reverse` AS 'org.example.Twice'",
        "does already exist",
    );
    assert_eq!(shell.ask("DROP TEMPORARY SYSTEM FUNCTION `reverse`; SELECT reverse('ab')").unwrap(), ["ba"]);
    // A temporary one needs no database.
    shell.ask("CREATE TEMPORARY FUNCTION nowhere.at_all.f AS 'org.example.AddOne'").unwrap();
    assert_eq!(shell.ask("SELECT nowhere.at_all.f(1)").unwrap(), ["2"]);
    assert_eq!(shell.ask("SHOW USER FUNCTIONS FROM nowhere.at_all").unwrap(), ["f"]);
}

#[test]
fn functions_of_a_database_are_listed_and_described() {
    let mut shell = defining(Shell::new());
    shell
        .ask(
            "CREATE DATABASE d;
             CREATE FUNCTION d.f AS 'org.example.AddOne' USING JAR '/a.jar', ARTIFACT '/b';
             CREATE FUNCTION g AS 'org.example.AddOne';
             CREATE TEMPORARY FUNCTION d.h AS 'org.example.Words';
             CREATE TEMPORARY SYSTEM FUNCTION s AS 'org.example.AddOne'",
        )
        .unwrap();
    assert_eq!(shell.ask("SHOW USER FUNCTIONS FROM d").unwrap(), ["f", "h", "s"]);
    assert_eq!(shell.ask("SHOW USER FUNCTIONS").unwrap(), ["g", "s"]);
    assert_eq!(shell.ask("SHOW USER FUNCTIONS IN default_catalog.d NOT LIKE 's%'").unwrap(), ["f", "h"]);
    assert_eq!(shell.ask("SHOW FUNCTIONS FROM nowhere LIKE 'upp%'").unwrap(), ["upper"]);
    assert_eq!(shell.ask("SHOW FUNCTIONS LIKE 'field'").unwrap(), Vec::<String>::new());
    let described = shell.ask("DESCRIBE FUNCTION EXTENDED d.f").unwrap();
    assert_eq!(
        described,
        [
            "class name|org.example.AddOne",
            "function language|RUST",
            "is deterministic|true",
            "is system function|false",
            "is temporary|false",
            "kind|SCALAR",
            "requirements|[]",
            "resource uris|[ResourceUri{resourceType=JAR, uri='/a.jar'}, ResourceUri{resourceType=ARTIFACT, uri='/b'}]",
            "signature|default_catalog.d.f(BIGINT)",
            "supports constant folding|true",
        ]
    );
    let described = shell.ask("DESCRIBE FUNCTION s").unwrap();
    assert_eq!(described, ["is system function|true", "is temporary|true"]);
    assert!(shell.ask("DESCRIBE FUNCTION EXTENDED d.h").unwrap().contains(&"kind|TABLE".to_owned()));
    fails(&mut shell, "DROP DATABASE d", "is not empty");
    shell.ask("DROP DATABASE d CASCADE").unwrap();
    fails(&mut shell, "SELECT d.f(1)", "d.f");
    // A view calls the functions of the database that it was made in.
    let rows = shell
        .ask("CREATE VIEW v AS SELECT g(1) AS n; CREATE DATABASE e; USE e; SELECT n FROM default_database.v");
    assert_eq!(rows.unwrap(), ["2"]);
}

#[test]
fn functions_of_a_catalog_in_a_folder_outlive_the_session() {
    let folder = tempfile::tempdir().unwrap();
    let catalog =
        format!("CREATE CATALOG lake WITH ('type' = 'filesystem', 'path' = '{}');", folder.path().display());
    let session = || {
        let mut shell = defining(Shell::with(Configuration::default()));
        shell.ask(&catalog).unwrap();
        shell
    };
    session().ask("CREATE FUNCTION lake.default_database.twice AS 'org.example.Twice'").unwrap();
    let mut other = session();
    assert_eq!(other.ask("SELECT lake.default_database.twice('a')").unwrap(), ["aa"]);
    assert_eq!(other.ask("USE CATALOG lake; SELECT Twice('b')").unwrap(), ["bb"]);
    other.ask("ALTER FUNCTION twice AS 'org.example.AddOne'").unwrap();
    assert_eq!(session().ask("USE CATALOG lake; SELECT twice(1)").unwrap(), ["2"]);
    other.ask("DROP FUNCTION twice").unwrap();
    assert!(session().ask("SELECT lake.default_database.twice(1)").is_err());
}
