//! Functions of a catalog.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A function: which one of those that a program defines a name in a database stands for.
///
/// What the function does is not in the catalog, as in Flink, where a catalog names a class. Whether there is a function of
/// this identifier is found out when it is called.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogFunction {
    /// `AS '...'`: the identifier under which the program defines it, or the name under which the component exports it.
    pub identifier: String,
    /// LANGUAGE
    pub language: FunctionLanguage,
    /// USING: the file of a component; otherwise kept and shown.
    #[serde(default)]
    pub resources: Vec<FunctionResource>,
}

/// What a function is written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FunctionLanguage {
    /// Rust: a function of the program that runs the session.
    Rust,
    /// WebAssembly: a function of a component in a file.
    Wasm,
}

impl fmt::Display for FunctionLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FunctionLanguage::Rust => f.write_str("RUST"),
            FunctionLanguage::Wasm => f.write_str("WASM"),
        }
    }
}

/// A file that a function names.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunctionResource {
    /// JAR or ARTIFACT
    pub kind: FunctionResourceKind,
    /// Where it is.
    pub uri: String,
}

/// What a file is to a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FunctionResourceKind {
    /// USING JAR
    Jar,
    /// USING ARTIFACT
    Artifact,
}
