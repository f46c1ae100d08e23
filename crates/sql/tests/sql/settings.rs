//! SET and RESET.

use expect_test::expect;

use crate::support::{Shell, check};

#[test]
fn set_shows_what_is_set() {
    let mut shell = Shell::new();
    check(
        shell.dialog(
            "SET;
             SET 'parallelism.default' = '3';
             SET 'pipeline.name' = 'nightly';
             SET;
             RESET 'pipeline.name';
             SET;
             RESET;
             SET",
        ),
        expect![[r#"
            > SET
            > SET 'parallelism.default' = '3'
            > SET 'pipeline.name' = 'nightly'
            > SET
            parallelism.default | 3
            pipeline.name | nightly
            > RESET 'pipeline.name'
            > SET
            parallelism.default | 3
            > RESET
            > SET
        "#]],
    );
}

#[test]
fn set_does_not_show_secrets() {
    check(
        Shell::new().dialog(
            "SET 's3.access-key' = 'me';
             SET 's3.secret-key' = 'nobody-knows';
             SET",
        ),
        expect![[r#"
            > SET 's3.access-key' = 'me'
            > SET 's3.secret-key' = 'nobody-knows'
            > SET
            s3.access-key | me
            s3.secret-key | ******
        "#]],
    );
}

#[test]
fn unknown_keys_and_values() {
    check(
        Shell::new().dialog(
            "SET 'parallelism.defalt' = '3';
             SET 'table.exec.state.tll' = '1 h';
             SET 'parallelism.default' = 'abc';
             SET 'table.exec.state.ttl' = 'soon';
             SET 'execution.runtime-mode' = 'sometimes';
             SET 'pipeline.operator-chaining.enabled' = 'perhaps';
             SET 'table.local-time-zone' = 'Mars/Olympus';
             SET 'table.local-time-zone' = 'Europe/Berlin';
             SET",
        ),
        expect![[r#"
            > SET 'parallelism.defalt' = '3'
            > SET 'table.exec.state.tll' = '1 h'
            > SET 'parallelism.default' = 'abc'
            invalid: SET at line 1, column 5: option 'parallelism.default' is 'abc'; expected a whole number
            > SET 'table.exec.state.ttl' = 'soon'
            invalid: SET at line 1, column 5: option 'table.exec.state.ttl' is 'soon'; expected a duration such as '500 ms', '10 s', '5 min', '1 h' or '1 d'
            > SET 'execution.runtime-mode' = 'sometimes'
            invalid: SET at line 1, column 5: option 'execution.runtime-mode' is 'sometimes'; expected one of STREAMING, BATCH, AUTOMATIC
            > SET 'pipeline.operator-chaining.enabled' = 'perhaps'
            invalid: SET at line 1, column 5: option 'pipeline.operator-chaining.enabled' is 'perhaps'; expected true or false
            > SET 'table.local-time-zone' = 'Mars/Olympus'
            invalid: option 'table.local-time-zone' is 'Mars/Olympus', which is not a known time zone; write a name such as Europe/Berlin
            > SET 'table.local-time-zone' = 'Europe/Berlin'
            > SET
            parallelism.defalt | 3
            table.exec.state.tll | 1 h
            table.local-time-zone | Europe/Berlin
        "#]],
    );
}

#[test]
fn bounds_are_reported_with_the_statement() {
    let mut shell = Shell::with_tables();
    check(
        shell.dialog(
            "SET 'parallelism.default' = '0';
             SELECT a FROM t;
             SET 'parallelism.default' = '1';
             SET 'pipeline.max-parallelism' = '40000';
             SELECT a FROM t",
        ),
        expect![[r#"
            > SET 'parallelism.default' = '0'
            > SELECT a FROM t
            invalid: option 'parallelism.default' is 0; expected a number from 1 to 32768
            > SET 'parallelism.default' = '1'
            > SET 'pipeline.max-parallelism' = '40000'
            > SELECT a FROM t
            invalid: option 'pipeline.max-parallelism' is 40000; expected a number from 0 to 32768
        "#]],
    );
}

#[test]
fn the_name_of_a_job() {
    let mut shell = Shell::with_tables();
    assert_eq!(
        shell.job("INSERT INTO log SELECT a, c FROM t").name,
        "insert-into_default_catalog.default_database.log"
    );
    shell.run("SET 'pipeline.name' = 'nightly'");
    assert_eq!(shell.job("INSERT INTO log SELECT a, c FROM t").name, "nightly");
}

#[test]
fn settings_travel_with_the_job() {
    let mut shell = Shell::with_tables();
    shell.run("SET 'table.exec.state.ttl' = '1 h'");
    let configuration = shell.job("SELECT a FROM t").configuration;
    assert_eq!(configuration.get("table.exec.state.ttl").map(String::as_str), Some("1 h"));
    assert_eq!(configuration.get("table.local-time-zone").map(String::as_str), Some("UTC"));
}

#[test]
fn chaining_can_be_switched_off() {
    let mut shell = Shell::with_tables();
    let query = "SELECT a + 1 FROM t WHERE c > 3";
    assert_eq!(shell.job(query).vertices.len(), 1);
    shell.run("SET 'pipeline.operator-chaining.enabled' = 'false'");
    assert_eq!(shell.job(query).vertices.len(), 3);
}
