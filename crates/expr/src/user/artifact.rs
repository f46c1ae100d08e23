//! Functions in files: `CREATE FUNCTION f AS 'name' LANGUAGE ... USING ARTIFACT 'path'`.
//!
//! What reads the files is given to the registry ([`Functions::with_loader`](crate::Functions::with_loader)): this crate knows no language.
//! A plan calls such a function by a name that says all that is needed to load it, so that every process of a cluster can.

use std::fmt;
use std::sync::{Arc, OnceLock};

use flott_types::Result;

use super::{Body, FunctionDefinition, FunctionKind, OfRows, Typed, UserFunction};
use crate::function::{Determinism, ScalarFunction};

/// The names by which plans call functions of files begin so.
pub const LOADED: &str = "wasm:";

/// How much a function of a file may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArtifactLimits {
    /// Instructions for a call, about.
    pub fuel: u64,
    /// Bytes of memory.
    pub memory: u64,
}

impl Default for ArtifactLimits {
    fn default() -> Self {
        ArtifactLimits { fuel: 1_000_000_000, memory: 64 << 20 }
    }
}

/// Loads functions from files.
pub trait FunctionLoader: Send + Sync + fmt::Debug {
    /// The name by which plans call a function of a file: it begins with [`LOADED`].
    ///
    /// # Errors
    /// If the file cannot be read.
    fn name(&self, path: &str, function: &str, limits: ArtifactLimits) -> Result<String>;

    /// The function of such a name.
    ///
    /// # Errors
    /// If there is no such file, it is another than when it was named, or it has no such function.
    fn load(&self, name: &str) -> Result<FunctionDefinition>;
}

impl FunctionDefinition {
    /// A function whose types are known when the program runs. The parameters have names; those of a table function are rows of
    /// `result`, an ARRAY of ROWs. `body` is called for batches: it gets the arguments, the number of rows and the arrow type of the
    /// result, and says in the cell which row it computes.
    pub fn computed(
        kind: FunctionKind,
        parameters: Vec<(String, Typed)>,
        result: Typed,
        body: OfRows,
    ) -> FunctionDefinition {
        let (names, params) = parameters.into_iter().unzip();
        FunctionDefinition {
            kind,
            params,
            names,
            result,
            determinism: Determinism::Always,
            body: Body::Rows(body),
        }
    }
}

/// The functions that were loaded, in a list that only grows, so that they can be lent.
#[derive(Default)]
pub(crate) struct Loaded(Link);

type Link = OnceLock<Box<Entry>>;

/// A function.
pub(crate) struct Entry {
    pub function: Arc<UserFunction>,
    pub scalar: Arc<dyn ScalarFunction>,
    next: Link,
}

impl Loaded {
    /// The function of this name, which is loaded if it is not known.
    ///
    /// # Errors
    /// If it cannot be loaded: the next time it is tried again.
    pub fn get(&self, name: &str, load: impl FnOnce() -> Result<FunctionDefinition>) -> Result<&Entry> {
        let mut at = &self.0;
        while let Some(entry) = at.get() {
            if entry.function.called() == name {
                return Ok(entry);
            }
            at = &entry.next;
        }
        let function = Arc::new(UserFunction::new(name.to_owned(), shown(name).to_owned(), load()?));
        let mut new = Box::new(Entry { scalar: function.clone(), function, next: Link::new() });
        loop {
            match at.set(new) {
                Ok(()) => (),
                Err(again) => {
                    new = again;
                    let Some(other) = at.get() else { continue };
                    if other.function.called() == name {
                        return Ok(other);
                    }
                    at = &other.next;
                    continue;
                }
            }
            if let Some(entry) = at.get() {
                return Ok(entry);
            }
            return Err(flott_types::Error::internal("a function that was loaded is lost"));
        }
    }
}

/// The name that messages call a function by that is called so in plans: what follows the prefix, up to the first `@`.
fn shown(name: &str) -> &str {
    let name = name.strip_prefix(LOADED).unwrap_or(name);
    name.split_once('@').map_or(name, |(function, _)| function)
}
