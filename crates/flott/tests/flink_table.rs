//! The tables of `docs/coming-from-flink.md`: what they say there is in Flott, there is.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Names of other libraries, and parts of examples.
const OTHERS: &[&str] = &["Deserialize", "MATCH_RECOGNIZE", "Serialize", "T"];

#[test]
fn what_the_tables_name_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/coming-from-flink.md")).unwrap();
    let section = page.split("## The DataStream API").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let named: BTreeSet<&str> = rows
        .filter_map(|row| row.split_once(" | "))
        .flat_map(|(_, ours)| ours.split('`').skip(1).step_by(2))
        .flat_map(|code| code.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter(|name| name.contains('_') || name.starts_with(char::is_uppercase))
        .filter(|name| !OTHERS.contains(name))
        .collect();
    assert!(named.len() > 90, "{named:?}");
    let sources = sources(&root.join("crates"));
    let defined = |name: &str| {
        let kinds = ["fn", "struct", "trait", "enum", "type"];
        let is = |text: &str, kind: &str| {
            let wanted = format!("pub {kind} {name}");
            let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            text.match_indices(&wanted).any(|(at, _)| ends(&text[at + wanted.len()..]))
                || kind == "fn" && text.contains(&format!("    fn {name}("))
        };
        // A variant or constructor such as `Ordering::Less` is named with its type.
        sources.iter().any(|text| kinds.iter().any(|kind| is(text, kind)))
    };
    let missing: Vec<&str> = named.into_iter().filter(|name| !defined(name)).collect();
    assert!(missing.is_empty(), "the tables name what there is not: {missing:?}");
}

/// The texts of all files of Rust.
fn sources(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                texts.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    texts
}
