//! A catalog in a folder.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use flott_connector::Registry;
use flott_connector::catalog::{Catalog, Database};
use flott_connector::conformance::check_catalog;
use flott_connector_filesystem::FilesystemCatalogFactory;
use flott_types::Result;

fn open(folder: &tempfile::TempDir) -> Result<Box<dyn Catalog>> {
    let mut registry = Registry::default();
    registry.register_catalog(Arc::new(FilesystemCatalogFactory));
    let options = [("type", "filesystem"), ("path", folder.path().to_str().unwrap())];
    let options: BTreeMap<String, String> =
        options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    registry.catalog("c", &options)
}

#[test]
fn it_keeps_the_rules_of_catalogs() {
    let folder = tempfile::tempdir().unwrap();
    check_catalog(&|| open(&folder), true).unwrap();
}

#[test]
fn a_damaged_file_and_one_of_a_later_version_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut catalog = open(&folder).unwrap();
    catalog.create_database("d", Database::default()).unwrap();
    for (text, message) in [
        ("{\"version\": 1, \"cont", "d/t.json of the catalog cannot be read"),
        (
            "{\"version\": 2, \"content\": 1}",
            "d/t.json of the catalog has version 2; this build reads version 1",
        ),
        (
            "{\"version\": 1, \"content\": {\"table\": {\"colums\": []}}}",
            "d/t.json of the catalog cannot be read",
        ),
    ] {
        fs::write(folder.path().join("d/t.json"), text).unwrap();
        let error = catalog.object("d", "t").unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_database_whose_dropping_was_interrupted_is_there_and_can_be_dropped_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut catalog = open(&folder).unwrap();
    catalog.create_database("d", Database::default()).unwrap();
    fs::write(folder.path().join("d/t.json"), "left").unwrap();
    assert!(catalog.create_database("d", Database::default()).is_err(), "another session has created it");
    assert!(folder.path().join("d/t.json").exists(), "and its tables stay");
    catalog.drop_database("d").unwrap();
    assert!(!folder.path().join("d").exists());
}
