//! Every direct dependency says what it is for.

use std::collections::BTreeSet;

use super::Complaints;
use crate::workspace::Package;

pub(super) const FILE: &str = "docs/dependencies.md";

/// `text` is the document: a table whose first column holds names, separated by commas.
pub(super) fn check(packages: &[Package], text: &str) -> Complaints {
    let mut told = BTreeSet::new();
    let mut complaints = Complaints::new();
    let mut previous = String::new();
    for cells in text.lines().filter_map(row) {
        let first = cells[0].replace('`', "");
        if cells.len() < 2 || cells[1].is_empty() {
            complaints.push(format!("{FILE} does not say what {first} is for"));
        }
        if first < previous {
            complaints.push(format!("{FILE} is to be sorted: {first} comes after {previous}"));
        }
        for name in first.split(',').map(|name| name.trim().to_owned()) {
            if !told.insert(name.clone()) {
                complaints.push(format!("{FILE} has two lines for {name}"));
            }
        }
        previous = first;
    }
    let used: BTreeSet<String> = packages
        .iter()
        .flat_map(|package| &package.dependencies)
        .filter(|dependency| dependency.source.is_some())
        .map(|dependency| dependency.name.clone())
        .collect();
    let missing = used.difference(&told);
    complaints
        .extend(missing.map(|name| format!("{name} has no line in {FILE}: what for, and why this one?")));
    let left_over = told.difference(&used);
    complaints.extend(left_over.map(|name| format!("{FILE} has a line for {name}, which nobody uses")));
    complaints
}

/// The cells of a table's row; not of its head.
fn row(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?;
    let cells: Vec<&str> = inner.strip_suffix('|').unwrap_or(inner).split(" | ").map(str::trim).collect();
    (!cells[0].starts_with("---") && !cells[0].starts_with(":-") && cells[0] != "crate").then_some(cells)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn of(names: &[&str], text: &str) -> Complaints {
        let dependency = |name: &&str| Dependency {
            name: (*name).to_owned(),
            source: Some("registry+x".to_owned()),
            ..Dependency::default()
        };
        let dependencies = names.iter().map(dependency).collect();
        check(&[Package { name: "a".to_owned(), roots: Vec::new(), dependencies }], text)
    }

    const HEAD: &str = "| crate | what for |\n|---|---|\n";

    #[test]
    fn a_line_for_each() {
        assert_eq!(of(&["a", "b", "c"], &format!("{HEAD}| `a`, b | x |\n| c | y |\n")), Complaints::new());
    }

    #[test]
    fn missing_left_over_unsorted_and_empty() {
        let complaints = of(&["a", "z"], &format!("{HEAD}| b | x |\n| a | |\n"));
        assert_eq!(
            complaints,
            [
                "docs/dependencies.md does not say what a is for",
                "docs/dependencies.md is to be sorted: a comes after b",
                "z has no line in docs/dependencies.md: what for, and why this one?",
                "docs/dependencies.md has a line for b, which nobody uses",
            ]
        );
    }
}
