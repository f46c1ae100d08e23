//! What connectors and formats say of themselves is so.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests")]

use flott::connector::Manual;
use flott::sql::{Environment, parse_script};

/// Plans the tables of an example: each can be read or written.
fn check(name: &str, manual: &Manual) {
    let mut environment = Environment::local().unwrap();
    let mut run = |script: &str| -> Result<(), String> {
        for statement in parse_script(script).map_err(|error| error.to_string())? {
            environment.session.execute(&statement).map_err(|error| error.to_string())?;
        }
        Ok(())
    };
    run(manual.example).unwrap_or_else(|error| panic!("the example of {name}: {error}"));
    let tables = manual.example.split("CREATE TABLE ").skip(1);
    let tables: Vec<&str> = tables.filter_map(|rest| rest.split([' ', '(']).next()).collect();
    assert!(!tables.is_empty(), "the example of {name} has no table");
    for table in tables {
        let read = run(&format!("EXPLAIN SELECT * FROM {table}"));
        let written = run(&format!(
            "CREATE TEMPORARY TABLE made_up WITH ('connector' = 'datagen') LIKE {table} (EXCLUDING ALL);
             EXPLAIN INSERT INTO {table} SELECT * FROM made_up; DROP TEMPORARY TABLE made_up"
        ));
        // All that is wrong is that the example's savepoint is not on this machine.
        let is_elsewhere = read.as_ref().is_err_and(|error| error.contains("there is no snapshot in"));
        assert!(
            read.is_ok() || written.is_ok() || is_elsewhere,
            "the table {table} of {name} can neither be read ({read:?}) nor written ({written:?})"
        );
    }
}

#[test]
fn examples_are_planned() {
    let registry = flott::connectors::builtin();
    for connector in registry.iter() {
        check(connector.name(), &connector.manual());
    }
    for format in registry.formats().iter() {
        check(format.name(), &format.manual());
    }
}

#[test]
fn catalogs_of_examples_are_made() {
    for catalog in flott::connectors::builtin().catalogs() {
        let mut environment = Environment::local().unwrap();
        for statement in parse_script(catalog.manual().example).unwrap() {
            environment.session.execute(&statement).unwrap();
        }
        assert_eq!(environment.session.catalogs().catalogs.len(), 2, "{}", catalog.name());
    }
}

#[test]
fn defaults_are_values_that_can_be_written() {
    let registry = flott::connectors::builtin();
    let connectors = registry.iter().map(|connector| (connector.name(), connector.manual()));
    let formats = registry.formats().iter().map(|format| (format.name(), format.manual()));
    for (name, manual) in connectors.chain(formats) {
        assert!(!manual.summary.is_empty() && !manual.details.is_empty(), "{name} says nothing of itself");
        for (index, option) in manual.options.iter().enumerate() {
            let key = option.key();
            assert!(manual.options[..index].iter().all(|other| other.key() != key), "{name} has {key} twice");
            assert!(!option.description().is_empty(), "{name} says nothing of {key}");
            if let Some(default) = option.default_text() {
                option.check(key, default).unwrap();
            }
        }
    }
}
