//! The input of the checks: packages and their direct dependencies, and files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A package of the workspace.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Package {
    /// Its name in Cargo.toml.
    pub name: String,
    /// Where its lib.rs or main.rs is.
    pub roots: Vec<PathBuf>,
    /// Its direct dependencies, also those for tests and build scripts.
    pub dependencies: Vec<Dependency>,
}

/// A direct dependency.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Dependency {
    /// The package's name.
    pub name: String,
    /// Where it comes from; none for a package of the workspace.
    pub source: Option<String>,
    /// Only tests, examples and benchmarks have it.
    pub for_tests: bool,
    /// Only with a feature of the package.
    pub optional: bool,
}

/// The packages of the workspace, as `cargo metadata` tells them.
///
/// # Errors
/// If cargo does not answer as expected.
pub fn packages(root: &Path) -> Result<Vec<Package>, String> {
    parse(&metadata(root, &["--no-deps"])?)
}

/// For each package, by name, those that are linked with it: no dependencies of tests and build scripts.
pub type Links = BTreeMap<String, BTreeSet<String>>;

/// What is linked on this machine, the workspace's packages and the libraries alike.
///
/// # Errors
/// If cargo or rustc does not answer as expected.
pub fn links(root: &Path) -> Result<Links, String> {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc).arg("-vV").output();
    let version = version.map_err(|error| format!("cannot run rustc: {error}"))?;
    let version = String::from_utf8_lossy(&version.stdout);
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or("rustc does not say what machine it is on")?;
    parse_links(&metadata(root, &["--filter-platform", host])?)
}

fn metadata(root: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1"])
        .args(arguments)
        .current_dir(root)
        .output()
        .map_err(|error| format!("cannot run cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(output.stdout)
}

fn parse(json: &[u8]) -> Result<Vec<Package>, String> {
    let metadata: Value = serde_json::from_slice(json).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata tells of no packages")?;
    Ok(packages.iter().map(package).collect())
}

fn parse_links(json: &[u8]) -> Result<Links, String> {
    let metadata: Value = serde_json::from_slice(json).map_err(|error| format!("cargo metadata: {error}"))?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let names: BTreeMap<String, String> = list(&metadata["packages"])
        .iter()
        .map(|package| (text(&package["id"]), text(&package["name"])))
        .collect();
    let nodes = metadata["resolve"]["nodes"].as_array().ok_or("cargo metadata resolves nothing")?;
    let mut links = Links::new();
    for node in nodes {
        let is_linked =
            |dependency: &&Value| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
        let name = |id: &Value| names.get(&text(id)).cloned();
        let dependencies = list(&node["deps"]);
        let linked = dependencies.iter().filter(is_linked).filter_map(|dependency| name(&dependency["pkg"]));
        if let Some(name) = name(&node["id"]) {
            links.entry(name).or_default().extend(linked);
        }
    }
    Ok(links)
}

fn package(value: &Value) -> Package {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let is_root = |target: &&Value| {
        list(&target["kind"]).iter().any(|kind| matches!(kind.as_str(), Some("lib" | "bin" | "proc-macro")))
    };
    Package {
        name: text(&value["name"]),
        roots: list(&value["targets"])
            .iter()
            .filter(is_root)
            .map(|target| PathBuf::from(text(&target["src_path"])))
            .collect(),
        dependencies: list(&value["dependencies"])
            .iter()
            .map(|dependency| Dependency {
                name: text(&dependency["name"]),
                source: dependency["source"].as_str().map(str::to_owned),
                for_tests: dependency["kind"].as_str() == Some("dev"),
                optional: dependency["optional"].as_bool() == Some(true),
            })
            .collect(),
    }
}

/// All files below `folder` with this ending, sorted; not those of build folders.
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if name != "target" && !name.to_string_lossy().starts_with('.') {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The text of a file.
///
/// # Errors
/// If it cannot be read; the message names it.
pub fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read() {
        let json = r#"{"packages": [{
            "name": "flott-plan",
            "targets": [
                {"kind": ["lib"], "src_path": "/w/crates/plan/src/lib.rs"},
                {"kind": ["test"], "src_path": "/w/crates/plan/tests/a.rs"}],
            "dependencies": [
                {"name": "flott-types", "source": null, "kind": null},
                {"name": "serde", "source": "registry+https://x", "kind": "dev"},
                {"name": "glob", "source": "registry+https://x", "kind": null, "optional": true}]}]}"#;
        let plan = &parse(json.as_bytes()).unwrap()[0];
        assert_eq!(plan.name, "flott-plan");
        assert_eq!(plan.roots, [PathBuf::from("/w/crates/plan/src/lib.rs")]);
        let types = Dependency { name: "flott-types".to_owned(), ..Dependency::default() };
        assert_eq!(plan.dependencies[0], types);
        assert_eq!(plan.dependencies[1].source.as_deref(), Some("registry+https://x"));
        assert!(plan.dependencies[1].for_tests && !plan.dependencies[1].optional);
        assert!(plan.dependencies[2].optional);
    }

    #[test]
    fn what_only_tests_use_is_not_linked() {
        let json = r#"{
            "packages": [{"id": "1", "name": "a"}, {"id": "2", "name": "b"}, {"id": "3", "name": "c"}],
            "resolve": {"nodes": [{"id": "1", "deps": [
                {"pkg": "2", "dep_kinds": [{"kind": "dev"}, {"kind": null}]},
                {"pkg": "3", "dep_kinds": [{"kind": "dev"}]}]}]}}"#;
        let links = parse_links(json.as_bytes()).unwrap();
        assert_eq!(links["a"], BTreeSet::from(["b".to_owned()]));
    }

    #[test]
    fn sources_are_found() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(files(here, "rs").contains(&here.join("src/workspace.rs")));
        assert!(files(here, "none").is_empty());
    }
}
