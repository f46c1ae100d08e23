//! Files contain one idea each, and crates begin with a header that says what they are.

use std::collections::BTreeMap;
use std::path::Path;

use super::Complaints;
use crate::workspace::{self, Package};

/// The longest that a file may be, in lines.
const LONGEST: usize = 500;
/// Files that may be longer: `path: reason`.
const EXCEPTIONS: &str = "xtask/long-files.txt";
const FOLDERS: [&str; 2] = ["crates", "xtask"];

pub(super) fn check_length(root: &Path) -> Result<Complaints, String> {
    let mut lengths = BTreeMap::new();
    for path in FOLDERS.iter().flat_map(|folder| workspace::files(&root.join(folder), "rs")) {
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        lengths.insert(name, workspace::read(&path)?.lines().count());
    }
    Ok(too_long(&lengths, &workspace::read(&root.join(EXCEPTIONS))?))
}

fn too_long(lengths: &BTreeMap<String, usize>, exceptions: &str) -> Complaints {
    let mut complaints = Complaints::new();
    let mut excused = BTreeMap::new();
    for line in exceptions.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.split_once(": ") {
            Some((path, reason)) if !reason.trim().is_empty() => {
                excused.insert(path, reason);
            }
            _ => complaints.push(format!("{EXCEPTIONS}: '{line}' gives no reason; write `path: reason`")),
        }
    }
    for (path, lines) in lengths.iter().filter(|(_, lines)| **lines > LONGEST) {
        if excused.remove(path.as_str()).is_none() {
            complaints.push(format!("{path} has {lines} lines; more than {LONGEST} are more than one idea"));
        }
    }
    let needless = excused.keys().map(|path| format!("{EXCEPTIONS} excuses {path}, which needs no excuse"));
    complaints.extend(needless);
    complaints
}

pub(super) fn check_headers(root: &Path, packages: &[Package]) -> Result<Complaints, String> {
    let mut complaints = Complaints::new();
    for path in packages.iter().flat_map(|package| &package.roots) {
        if !has_header(&workspace::read(path)?) {
            let name = path.strip_prefix(root).unwrap_or(path).display();
            complaints.push(format!(
                "{name} does not begin with a header: what it is, what holds, why so, what it costs"
            ));
        }
    }
    Ok(complaints)
}

/// Two lines at least: a name alone says nothing.
fn has_header(text: &str) -> bool {
    let header = text.lines().take_while(|line| line.starts_with("//!"));
    header.filter(|line| line.len() > 4).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, lines: usize, exceptions: &str) -> Complaints {
        too_long(&BTreeMap::from([(path.to_owned(), lines)]), exceptions)
    }

    #[test]
    fn length_is_held_to_the_limit() {
        assert_eq!(of("crates/a.rs", 500, ""), Complaints::new());
        assert!(of("crates/a.rs", 501, "")[0].starts_with("crates/a.rs has 501 lines"));
        assert_eq!(of("crates/a.rs", 501, "# why\ncrates/a.rs: a table of names\n"), Complaints::new());
    }

    #[test]
    fn exceptions_are_needed_and_explained() {
        assert!(of("crates/a.rs", 20, "crates/a.rs: a table\n")[0].contains("needs no excuse"));
        assert!(of("crates/a.rs", 20, "crates/a.rs\n")[0].contains("gives no reason"));
    }

    #[test]
    fn a_header_is_more_than_a_name() {
        assert!(has_header("//! Records in motion.\n//!\n//! A task processes batches.\n\nmod a;\n"));
        assert!(!has_header("//! flott-something\nmod a;\n"));
        assert!(!has_header("mod a;\n"));
    }
}
