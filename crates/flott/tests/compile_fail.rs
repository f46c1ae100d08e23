//! Mistakes that the compiler finds, and whether a reader understands it: each program of `compile_fail/`
//! begins with what the compiler must say about it, and marks the line that it must point to; one must
//! compile.
//!
//! The compiler is called directly, with the crate as it was built for this test. A tool that makes a package
//! of each program would build all dependencies a second time.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// What a program asks for: a part of the compiler's message.
const SAYS: &str = "//! says: ";
/// The end of the line in which the mistake is: the compiler's error must be there, not in the library.
const HERE: &str = "//~ here";

#[test]
fn the_compiler_says_what_is_wrong() {
    let (deps, library) = library();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail");
    let mut programs: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    programs.sort();
    assert!(programs.len() > 1);
    for program in programs {
        let (compiles, said) = compile(&program, &deps, &library);
        let text = std::fs::read_to_string(&program).unwrap();
        let asked: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(SAYS)).collect();
        assert_eq!(compiles, asked.is_empty(), "{}:\n{said}", program.display());
        for asked in asked {
            assert!(said.contains(asked), "{}: '{asked}' is not in\n{said}", program.display());
        }
        let here = (1..).zip(text.lines()).find(|(_, line)| line.ends_with(HERE)).map(|(number, _)| number);
        assert_eq!(here.is_none(), compiles, "{}: no line is marked", program.display());
        if let Some(number) = here {
            let place = format!("--> {}:{number}:", program.display());
            assert!(said.contains(&place), "'{place}' is not in\n{said}");
        }
    }
}

/// Whether a program compiles, and what the compiler says.
fn compile(program: &Path, deps: &Path, library: &Path) -> (bool, String) {
    let metadata = tempfile::tempdir().unwrap();
    let mut rustc = Command::new(std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned()));
    rustc.args(["--edition", "2024", "--emit", "metadata", "--out-dir"]).arg(metadata.path());
    rustc.arg("-L").arg(format!("dependency={}", deps.display()));
    rustc.arg("--extern").arg(format!("flott={}", library.display()));
    let output = rustc.arg(program).output().unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

/// The folder of all libraries, and ours in it. Of several (with other features) each is up to date that is
/// not older than this test needs, and the newest is not.
fn library() -> (PathBuf, PathBuf) {
    let deps = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let files = std::fs::read_dir(&deps).unwrap().map(|entry| entry.unwrap().path());
    let ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libflott-") && name.ends_with(".rlib")
    };
    let newest = files.filter(ours).max_by_key(|path| path.metadata().unwrap().modified().unwrap());
    (deps, newest.unwrap())
}
