//! `cargo xtask check`: the rules that keep the code base as `ARCHITECTURE.md` describes it.
//!
//! | check | rule |
//! |---|---|
//! | [`layers`] | dependencies between our crates point down only |
//! | [`libraries`] | only the crates named there use tokio, and none DataFusion; every library comes from the registry |
//! | [`linked`] | what a crate links, however many are between, is free of what is named there |
//! | [`modules`] | inside the crates named there: modules use each other in one direction, none through the crate's own `lib.rs` |
//! | [`dependencies`] | each direct dependency has its line in `docs/dependencies.md`, and no line is left over |
//! | [`files`] | no source file is longer than 500 lines, save those in `xtask/long-files.txt` with a reason; each crate begins with its header |
//! | [`exhaustive`] | none of our enums is `#[non_exhaustive]` |
//! | [`wrappers`] | a wrapper of an operator forwards every call |
//! | [`paths`] | files that the documents name exist |
//! | [`docs`](crate::docs) | generated documents are up to date |

mod dependencies;
mod exhaustive;
mod files;
mod layers;
mod libraries;
mod linked;
mod modules;
mod paths;
mod wrappers;

use std::path::Path;

use crate::{docs, workspace};

/// What breaks a rule, one line each: where, what, what to do.
type Complaints = Vec<String>;

/// Runs all checks, and says what is wrong.
///
/// # Errors
/// If something is wrong.
pub fn run(root: &Path) -> Result<(), String> {
    let packages = workspace::packages(root)?;
    let results = [
        ("layers", layers::check(&packages)),
        ("libraries", libraries::check(&packages)),
        ("linked", linked::check(&workspace::links(root)?)),
        ("modules", modules::check(root, &packages)?),
        ("dependencies", dependencies::check(&packages, &workspace::read(&root.join(dependencies::FILE))?)),
        ("file length", files::check_length(root)?),
        ("headers", files::check_headers(root, &packages)?),
        ("exhaustive enums", exhaustive::check(root)?),
        ("wrappers", wrappers::check(root)?),
        ("paths", paths::check(root)?),
        ("generated documents", docs::check(root)?),
    ];
    for (name, complaints) in &results {
        for complaint in complaints {
            println!("{name}: {complaint}");
        }
    }
    let failed = results.iter().filter(|(_, complaints)| !complaints.is_empty()).count();
    let summary = format!("xtask check: {} passed, {failed} failed", results.len() - failed);
    if failed > 0 {
        return Err(summary);
    }
    println!("{summary}");
    Ok(())
}
