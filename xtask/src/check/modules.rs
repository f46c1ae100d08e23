//! Inside a crate: its modules use each other in one direction, and none imports through the crate's own
//! `lib.rs`.
//!
//! A crate whose files import each other through its `lib.rs` is one file of ten thousand lines. With both
//! rules it can be read from one end to the other, and a module can be split off as a crate when that is
//! wanted.
//!
//! Tests are not checked: they may use anything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Complaints;
use crate::workspace::{self, Package};

/// The crates that are held to it.
const HELD: &[&str] = &[
    "flott-connector-basic",
    "flott-connector-collections",
    "flott-connector-combinators",
    "flott-connector-filesystem",
    "flott-connector-socket",
    "flott-connector-text-file",
    "flott-datastream",
    "flott-files",
    "flott-formats",
    "flott-function",
    "flott-function-cep",
    "flott-function-operators",
    "flott-function-table",
    "flott-function-windows",
    "flott-functions",
    "flott-pattern",
    "flott-storage",
    "flott-types",
    "flott-values",
];

/// Which module uses which, with a file that does.
type Uses = BTreeMap<(String, String), String>;

pub(super) fn check(root: &Path, packages: &[Package]) -> Result<Complaints, String> {
    let mut complaints = Complaints::new();
    for package in packages.iter().filter(|package| HELD.contains(&package.name.as_str())) {
        let sources = package.roots.iter().filter(|path| path.ends_with("src/lib.rs"));
        for folder in sources.filter_map(|lib| lib.parent()) {
            let mut files = Vec::new();
            for path in workspace::files(folder, "rs") {
                let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
                let module = path.strip_prefix(folder).unwrap_or(&path).with_extension("");
                let mut module: Vec<String> =
                    module.iter().map(|part| part.to_string_lossy().into_owned()).collect();
                if module.last().is_some_and(|last| last == "mod") {
                    module.pop();
                }
                files.push((name, module, workspace::read(&path)?));
            }
            complaints.extend(of_crate(&package.name, &files));
        }
    }
    Ok(complaints)
}

/// Of the files of one crate: name, path of the module, text.
fn of_crate(package: &str, files: &[(String, Vec<String>, String)]) -> Complaints {
    let modules: BTreeSet<&str> = files.iter().map(|(_, module, _)| module[0].as_str()).collect();
    let mut complaints = Complaints::new();
    let mut uses = Uses::new();
    let inside = |(_, module, _): &&(String, Vec<String>, String)| {
        module[0] != "lib" && !module.iter().any(|part| part == "tests" || part == "testing")
    };
    for (name, module, text) in files.iter().filter(inside) {
        for target in imports(module, &code(text)) {
            if modules.contains(target.as_str()) {
                if target != module[0] {
                    uses.entry((module[0].clone(), target)).or_insert_with(|| name.clone());
                }
            } else if target.starts_with(char::is_uppercase) {
                complaints.push(format!(
                    "{name} imports {target} through the face of {package}; import it from the module that has it"
                ));
            }
        }
    }
    if let Some(circle) = circle(&uses) {
        let through: Vec<&str> =
            circle.windows(2).map(|pair| uses[&(pair[0].clone(), pair[1].clone())].as_str()).collect();
        complaints.push(format!(
            "{package}: the modules {} use each other in a circle, in {}",
            circle.join(" -> "),
            through.join(", ")
        ));
    }
    complaints
}

/// Without comments, and without the tests at a file's end.
fn code(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// What stands at the root of the crate in the paths of a module's code: `a` in `crate::a::B`, and in
/// `super::a` of a module at the top.
fn imports(module: &[String], code: &str) -> BTreeSet<String> {
    let mut targets = BTreeSet::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | ':')) {
                continue;
            }
            let mut rest = &code[at..];
            let mut depth = if start == "crate::" { 0 } else { module.len() };
            if let Some(path) = rest.strip_prefix("crate::") {
                rest = path;
            }
            while let Some(path) = rest.strip_prefix("super::") {
                (rest, depth) = (path, depth.saturating_sub(1));
            }
            match depth {
                0 => targets.extend(heads(rest)),
                _ => {
                    targets.insert(module[0].clone());
                }
            }
        }
    }
    targets
}

/// The first names of a path, or of all paths between braces.
fn heads(path: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut depth, mut from, mut heads) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                heads.push(name(&group[from..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.push(name(&group[from..at]));
                from = at + 1;
            }
            _ => {}
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

/// Modules that use each other, the first one again at the end.
fn circle(uses: &Uses) -> Option<Vec<String>> {
    fn follow(uses: &Uses, at: &str, path: &mut Vec<String>, done: &mut BTreeSet<String>) -> bool {
        if let Some(start) = path.iter().position(|module| module == at) {
            path.drain(..start);
            path.push(at.to_owned());
            return true;
        }
        if done.contains(at) {
            return false;
        }
        path.push(at.to_owned());
        let next = uses.keys().filter(|(from, _)| from == at);
        if next.into_iter().any(|(_, to)| follow(uses, to, path, done)) {
            return true;
        }
        path.pop();
        done.insert(at.to_owned());
        false
    }
    let mut done = BTreeSet::new();
    uses.keys().find_map(|(from, _)| {
        let mut path = Vec::new();
        follow(uses, from, &mut path, &mut done).then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> Complaints {
        let file = |(path, text): &(&str, &str)| {
            let module = path.split('/').map(str::to_owned).collect();
            (format!("{path}.rs"), module, (*text).to_owned())
        };
        of_crate("flott-a", &files.iter().map(file).collect::<Vec<_>>())
    }

    #[test]
    fn one_direction_is_fine() {
        let files = [
            ("lib", "mod a;\nmod b;\npub use a::A;\n"),
            ("a", "use crate::b::{self, B};\n#[cfg(test)]\nmod tests {\n    use crate::A;\n}\n"),
            ("b", "//! See [`crate::a`].\nuse flott_types::Result;\nmod c;\nuse self::c::C;\n"),
            ("b/c", "use super::B;\nuse super::super::b::D;\n"),
        ];
        assert_eq!(of(&files), Complaints::new());
    }

    #[test]
    fn a_cycle_is_reported_with_its_files() {
        let files = [
            ("lib", ""),
            ("a", "use crate::b::B;\n"),
            ("b/c", "fn f() -> crate::d::D {}\n"),
            ("d", "use super::a;\n"),
        ];
        assert_eq!(
            of(&files),
            ["flott-a: the modules a -> b -> d -> a use each other in a circle, in a.rs, b/c.rs, d.rs"]
        );
    }

    #[test]
    fn the_face_of_the_crate_is_for_others() {
        let files = [("lib", ""), ("a", "use crate::{\n    B, c::{C, D},\n};\n"), ("c", "use super::E;\n")];
        assert_eq!(
            of(&files),
            [
                "a.rs imports B through the face of flott-a; import it from the module that has it",
                "c.rs imports E through the face of flott-a; import it from the module that has it",
            ]
        );
    }
}
