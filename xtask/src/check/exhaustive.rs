//! Inside the workspace the compiler is the reviewer: none of our enums is `#[non_exhaustive]`.
//!
//! The attribute forces every other crate to write a catch-all, and a variant that is added later silently
//! falls into it. An action of the coordinator that "must not get lost" was lost that way. All our crates are
//! built together; external users build against one version.

use std::path::Path;

use super::Complaints;
use crate::workspace;

pub(super) fn check(root: &Path) -> Result<Complaints, String> {
    let mut complaints = Complaints::new();
    for path in workspace::files(&root.join("crates"), "rs") {
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        complaints.extend(open_enums(&name, &workspace::read(&path)?));
    }
    Ok(complaints)
}

fn open_enums(name: &str, text: &str) -> Complaints {
    let lines =
        text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("#[non_exhaustive"));
    let complaint = |(at, _): (usize, &str)| {
        format!("{name}:{}: #[non_exhaustive] makes others write a catch-all; leave it out", at + 1)
    };
    lines.map(complaint).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_enum_is_reported_with_its_line() {
        assert_eq!(
            open_enums("a.rs", "enum A { B }\n// finish_non_exhaustive, #[non_exhaustive]\n"),
            Complaints::new()
        );
        assert!(open_enums("a.rs", "\n#[non_exhaustive]\nenum A {\n}\n")[0].starts_with("a.rs:2: "));
    }
}
