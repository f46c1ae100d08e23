//! All functions by name, collected once from the families' tables.

use std::sync::OnceLock;

use flott_types::FastMap;

use crate::function::ScalarFunction;
use crate::functions;

struct Registry {
    functions: Vec<Box<dyn ScalarFunction>>,
    by_name: FastMap<&'static str, usize>,
}

fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        let functions = functions::all();
        let mut by_name = FastMap::default();
        for (at, function) in functions.iter().enumerate() {
            for name in std::iter::once(function.name()).chain(function.aliases().iter().copied()) {
                by_name.entry(name).or_insert(at);
            }
        }
        Registry { functions, by_name }
    })
}

/// The function of this name or alias, in any case.
pub fn lookup(name: &str) -> Option<&'static dyn ScalarFunction> {
    let registry = registry();
    let at = match registry.by_name.get(name) {
        Some(at) => at,
        None => registry.by_name.get(name.to_ascii_uppercase().as_str())?,
    };
    Some(&*registry.functions[*at])
}

/// The names and aliases of all functions that are called by name (not the operators such as `+`), sorted.
pub fn names() -> Vec<&'static str> {
    let called = registry().by_name.keys().copied().filter(|name| is_callable(name));
    let mut names: Vec<_> = called.chain(["IF", "NULLIF"]).collect();
    names.sort_unstable();
    names
}

/// Whether Flink has a function of this name that is not built here yet.
pub fn is_planned(name: &str) -> bool {
    matches!(name, "PRINT" | "HASH_CODE")
}

fn is_callable(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !matches!(name, "AND" | "OR" | "NOT" | "LIKE" | "IN")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_functions_share_a_name() {
        let mut seen = flott_types::FastSet::default();
        for function in &registry().functions {
            for name in std::iter::once(&function.name()).chain(function.aliases()) {
                assert!(seen.insert(*name), "two functions are called {name}");
                assert_eq!(lookup(name).map(|found| found.name()), Some(function.name()));
            }
        }
    }
}
