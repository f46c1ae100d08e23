//! A wrapper of an operator, a reader or a writer forwards every call.
//!
//! The traits' methods have default bodies, so that a simple operator is short. In a wrapper, the default of
//! a forgotten method silently replaces that of the wrapped value: asynchronous operators were never woken
//! behind such a wrapper. Clippy's `missing_trait_methods` finds this; this check ensures that wrappers
//! enable it.

use std::path::Path;

use super::Complaints;
use crate::workspace;

/// Traits whose methods are to be handed on.
const TRAITS: [&str; 5] = ["Operator", "Output", "SourceReader", "SourceOutput", "SinkWriter"];
/// What stands above the `impl` of a wrapper.
const ASKED: &str = "clippy::missing_trait_methods";

pub(super) fn check(root: &Path) -> Result<Complaints, String> {
    let mut complaints = Complaints::new();
    for path in workspace::files(&root.join("crates"), "rs") {
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        complaints.extend(forgetful(&name, &workspace::read(&path)?));
    }
    Ok(complaints)
}

/// The implementations in a file of a trait by a type that holds another of the same trait.
fn forgetful(name: &str, text: &str) -> Complaints {
    let mut complaints = Complaints::new();
    for of in TRAITS {
        let held = [format!("Box<dyn {of}>"), format!("&'a mut dyn {of}")];
        let types = structs(text).filter(|(_, body)| held.iter().any(|held| body.contains(held)));
        for (type_, _) in types {
            let implements = |line: &str| {
                line.starts_with("impl")
                    && line.contains(&format!("{of} for "))
                    && line.split(" for ").nth(1).is_some_and(|for_| is_name(for_, type_))
            };
            let lines: Vec<&str> = text.lines().collect();
            for at in (0..lines.len()).filter(|at| implements(lines[*at])) {
                let above = lines[..at].iter().rev().take_while(|line| line.starts_with(['#', '/']));
                if !above.into_iter().any(|line| line.contains(ASKED)) {
                    complaints.push(format!(
                        "{name}: '{type_}' stands around a '{of}'; write #[deny({ASKED}, reason = \"...\")] above its impl"
                    ));
                }
            }
        }
    }
    complaints
}

fn is_name(text: &str, name: &str) -> bool {
    text.strip_prefix(name).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// Names and fields of the structs of a file.
fn structs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("struct ").skip(1).filter_map(|rest| {
        let name = rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next()?;
        let open = rest.find(['{', '('])?;
        let body = &rest[open + 1..];
        if rest[..open].contains(';') {
            return None; // `struct Unit;`
        }
        Some((name, body.split("\n}").next()?.split(");").next()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRAPPER: &str = "struct Around<T> {\n    inner: Box<dyn Operator>,\n    of: T,\n}\n\n";

    #[test]
    fn a_wrapper_asks_for_every_method() {
        let bare = format!("{WRAPPER}impl<T> Operator for Around<T> {{\n}}\n");
        assert!(forgetful("a.rs", &bare)[0].starts_with("a.rs: 'Around' stands around a 'Operator'"));
        let asked = format!(
            "{WRAPPER}#[deny(clippy::missing_trait_methods, reason = \"all\")]\nimpl<T> Operator for Around<T> {{\n}}\n"
        );
        assert_eq!(forgetful("a.rs", &asked), Complaints::new());
    }

    #[test]
    fn an_owner_is_not_a_wrapper() {
        assert_eq!(forgetful("a.rs", WRAPPER), Complaints::new());
        let unit = "struct Unit;\n\nimpl SinkWriter for Unit {\n}\n\nfn of() -> Box<dyn SinkWriter> {\n}\n";
        assert_eq!(forgetful("a.rs", unit), Complaints::new());
        let other = format!("{WRAPPER}struct Other;\n\nimpl Operator for Other {{\n}}\n");
        assert_eq!(forgetful("a.rs", &other), Complaints::new());
    }
}
