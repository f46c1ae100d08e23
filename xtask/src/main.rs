//! The project's own checks, which no other tool does, and documents that are generated from the code.
//!
//! - `cargo xtask check` looks at the workspace and says what breaks its rules; see [`check`] for the list.
//! - `cargo xtask docs` writes the documents that are generated.
//!
//! Each rule is a function from what was read to a list of complaints, so its tests need no workspace. The
//! crate depends on next to nothing, so it compiles in seconds; the documentation of connectors and formats
//! comes from a program that links them.

mod check;
mod docs;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask check | docs";

fn main() -> ExitCode {
    let result = match std::env::args().nth(1).as_deref() {
        Some("check") => check::run(&root()),
        Some("docs") => docs::write(&root()),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace: the parent of this crate's.
fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.parent().map_or_else(|| here.clone(), PathBuf::from)
}
