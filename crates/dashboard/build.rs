//! Lists the files of `dashboard/dist/files` as Rust, so that the crate has them as data.
//!
//! The folder above it is there in every clone. Were it not, cargo would run this at every build: a path to
//! watch that does not exist is one that has changed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let missing = |name: &str| io::Error::other(format!("cargo does not say {name}"));
    let manifest = env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| missing("CARGO_MANIFEST_DIR"))?;
    let out = env::var_os("OUT_DIR").ok_or_else(|| missing("OUT_DIR"))?;
    let dist = Path::new(&manifest).join("../../dashboard/dist");
    println!("cargo:rerun-if-changed={}", dist.display());
    let root = dist.join("files");
    let mut found = Vec::new();
    if root.is_dir() {
        collect(&root.canonicalize()?, "", &mut found)?;
    }
    found.sort();
    let mut code = "&[\n".to_owned();
    for (name, path) in &found {
        writeln!(
            code,
            "    File {{ path: {name:?}, bytes: include_bytes!({:?}) }},",
            path.display().to_string()
        )
        .map_err(io::Error::other)?;
    }
    code.push(']');
    fs::write(Path::new(&out).join("files.rs"), code)
}

/// All files below a folder, with their paths as a browser asks for them.
fn collect(folder: &Path, prefix: &str, found: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &name, found)?;
        } else {
            found.push((name, entry.path()));
        }
    }
    Ok(())
}
