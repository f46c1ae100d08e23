//! Paths in documents and comments exist: a story that refers to a moved file is worse than none.

use std::path::Path;

use super::Complaints;
use crate::workspace;

/// Where a path begins that is meant to exist.
const FOLDERS: [&str; 6] = ["crates/", "docs/", "examples/", "tests/", "xtask/", ".ci/"];

pub(super) fn check(root: &Path) -> Result<Complaints, String> {
    let mut documents = workspace::files(&root.join("docs"), "md");
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        documents.push(root.join(name));
    }
    let mut complaints = Complaints::new();
    for path in documents {
        let folder = path.parent().unwrap_or(root);
        let text = workspace::read(&path)?;
        let quoted = quoted_paths(&text).map(|name| (name, root.join(name)));
        let linked = links(&text).map(|name| (name, folder.join(name)));
        for (name, target) in quoted.chain(linked) {
            if !target.exists() {
                let document = path.strip_prefix(root).unwrap_or(&path).display();
                complaints.push(format!("{document} names {name}, which does not exist"));
            }
        }
    }
    for path in workspace::files(&root.join("crates"), "rs") {
        for name in decisions(&workspace::read(&path)?) {
            if !root.join(name).exists() {
                let source = path.strip_prefix(root).unwrap_or(&path).display();
                complaints.push(format!("{source} names {name}, which does not exist"));
            }
        }
    }
    Ok(complaints)
}

/// `paths` in backticks, from the root of the repository.
fn quoted_paths(text: &str) -> impl Iterator<Item = &str> {
    let plain = |name: &&str| !name.contains(['*', '<', ' ', '{', '\n', '$']);
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(plain)
        .filter(|name| FOLDERS.iter().any(|folder| name.starts_with(folder)))
}

/// The targets of links that stay here: `[text](path)`, relative to the document.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let target = |rest: &&str| !rest.starts_with("http") && !rest.starts_with('#');
    let ends = text.split("](").skip(1).filter(target);
    ends.filter_map(|rest| rest.split([')', '#']).next()).filter(|name| !name.is_empty())
}

/// Decisions that comments refer to.
fn decisions(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("docs/decisions/").filter_map(|(at, _)| {
        let rest = &text[at..];
        let end = rest.find(".md").map(|end| end + ".md".len())?;
        Some(&rest[..end]).filter(|name| !name.contains(char::is_whitespace))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_backticks_and_links_are_found() {
        let text = "See `crates/a/src/lib.rs` and `crates/*/b`, `not a path`, [here](docs/x.md#top), [there](https://x).";
        assert_eq!(quoted_paths(text).collect::<Vec<_>>(), ["crates/a/src/lib.rs"]);
        assert_eq!(links(text).collect::<Vec<_>>(), ["docs/x.md"]);
    }

    #[test]
    fn decisions_in_comments_are_found() {
        let text =
            "//! Why: `docs/decisions/0002-own-binder.md`. Others are in docs/decisions/ as well. x.md";
        assert_eq!(decisions(text).collect::<Vec<_>>(), ["docs/decisions/0002-own-binder.md"]);
    }
}
