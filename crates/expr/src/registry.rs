//! The functions that expressions may call, by name.
//!
//! They are passed in with the contexts of planning and execution ([`PlanContext`](crate::PlanContext),
//! [`EvalContext`](crate::EvalContext)): whoever sets up a session or a cluster decides which functions there
//! are, and two sessions may have different ones.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use flott_types::{Error, FastMap, Result};

use crate::function::ScalarFunction;
use crate::user::{
    ArtifactLimits, Entry, FunctionDefinition, FunctionKind, FunctionLoader, FunctionName, LOADED, Loaded,
    UserFunction,
};

/// Plans call functions that are defined by an identifier by this and the identifier.
const DEFINED: &str = "rust:";

/// Functions by name. Cloning shares them.
#[derive(Clone, Default)]
pub struct Functions(Arc<Inner>);

#[derive(Clone, Default)]
struct Inner {
    by_name: FastMap<String, Arc<dyn ScalarFunction>>,
    planned: Vec<&'static str>,
    has_async: bool,
    /// The user's functions, by the names under which they are called.
    user: BTreeMap<FunctionName, Arc<UserFunction>>,
    /// All of them, those with no name any more too, by the names under which plans call them.
    called: FastMap<String, Arc<UserFunction>>,
    /// Those that statements may name (CREATE FUNCTION), by identifier.
    defined: BTreeMap<String, Arc<UserFunction>>,
    /// What loads functions from files, and those that were loaded.
    loader: Option<Arc<dyn FunctionLoader>>,
    loaded: Arc<Loaded>,
}

impl Inner {
    /// Plans may call it.
    fn insert(&mut self, name: String, shown: &str, definition: FunctionDefinition) -> Arc<UserFunction> {
        let function = Arc::new(UserFunction::new(name.clone(), shown.to_owned(), definition));
        self.has_async |= function.is_async();
        if matches!(
            function.kind(),
            FunctionKind::Scalar | FunctionKind::Table | FunctionKind::AsyncScalar | FunctionKind::AsyncTable
        ) {
            self.by_name.insert(name.clone(), function.clone());
        }
        self.called.insert(name, function.clone());
        function
    }
}

impl Functions {
    /// These functions and no others.
    pub fn new(functions: impl IntoIterator<Item = Box<dyn ScalarFunction>>) -> Self {
        Functions::default().with(functions)
    }

    /// Adds functions. A function with the name of an earlier one hides it.
    #[must_use]
    pub fn with(&self, functions: impl IntoIterator<Item = Box<dyn ScalarFunction>>) -> Self {
        let mut inner = (*self.0).clone();
        for function in functions.into_iter().map(Arc::<dyn ScalarFunction>::from) {
            for name in std::iter::once(function.name()).chain(function.aliases().iter().copied()) {
                inner.by_name.insert(name.to_ascii_uppercase(), function.clone());
            }
        }
        Functions(Arc::new(inner))
    }

    /// Registers names of functions that are known but not implemented yet.
    #[must_use]
    pub fn with_planned(&self, names: &[&'static str]) -> Self {
        let mut inner = (*self.0).clone();
        inner.planned.extend_from_slice(names);
        Functions(Arc::new(inner))
    }

    /// Adds one of the user's functions. Plans call it by a unique name, so that running jobs keep the
    /// function they were started with when its name is reused.
    #[must_use]
    pub fn with_user(&self, name: FunctionName, definition: FunctionDefinition) -> Self {
        let mut inner = (*self.0).clone();
        let plain = name.to_string();
        let taken = |name: &String| inner.by_name.contains_key(name) || inner.called.contains_key(name);
        let own = std::iter::once(plain.clone()).chain((2u64..).map(|number| format!("{plain}#{number}")));
        let own = own.into_iter().find(|name| !taken(name)).unwrap_or(plain);
        let function = inner.insert(own, name.simple(), definition);
        inner.user.insert(name, function);
        Functions(Arc::new(inner))
    }

    /// Adds a function that statements may name by this identifier; plans call it by that, too.
    ///
    /// # Errors
    /// If there is one of this identifier.
    pub fn with_definition(&self, identifier: &str, definition: FunctionDefinition) -> Result<Self> {
        if self.0.defined.contains_key(identifier) {
            return Err(Error::invalid(format!(
                "a function of the identifier '{identifier}' is defined already"
            )));
        }
        let mut inner = (*self.0).clone();
        let function = inner.insert(format!("{DEFINED}{identifier}"), identifier, definition);
        inner.defined.insert(identifier.to_owned(), function);
        Ok(Functions(Arc::new(inner)))
    }

    /// The function that is defined by this identifier, for a name.
    pub fn definition(&self, identifier: &str, name: &FunctionName) -> Option<Arc<UserFunction>> {
        let found = self.0.defined.get(identifier)?;
        Some(Arc::new(found.shown_as(name.simple())))
    }

    /// Functions of files are loaded by this.
    #[must_use]
    pub fn with_loader(&self, loader: Arc<dyn FunctionLoader>) -> Self {
        let inner = Inner { loader: Some(loader), loaded: Arc::default(), ..(*self.0).clone() };
        Functions(Arc::new(inner))
    }

    /// The function of a file, for a name; `None` if nothing loads files.
    ///
    /// # Errors
    /// If it cannot be loaded.
    pub fn artifact(
        &self,
        (path, function): (&str, &str),
        limits: ArtifactLimits,
        name: &FunctionName,
    ) -> Result<Option<Arc<UserFunction>>> {
        let Some(loader) = &self.0.loader else { return Ok(None) };
        let called = loader.name(path, function, limits)?;
        let found = self.0.loaded.get(&called, || loader.load(&called))?;
        Ok(Some(Arc::new(found.function.shown_as(name.simple()))))
    }

    /// The function that a plan calls by this name, if it is one of a file.
    ///
    /// # Errors
    /// If it cannot be loaded.
    fn loaded(&self, name: &str) -> Result<Option<&Entry>> {
        match &self.0.loader {
            Some(loader) if name.starts_with(LOADED) => {
                self.0.loaded.get(name, || loader.load(name)).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Makes sure that a function of a file can be called.
    ///
    /// # Errors
    /// If it cannot be loaded, or nothing loads files.
    pub fn require(&self, name: &str) -> Result<()> {
        match self.loaded(name)?.is_some() || !name.starts_with(LOADED) {
            true => Ok(()),
            false => Err(Error::unsupported(format!(
                "the plan calls '{name}', and this program has no functions in WebAssembly: build it with the feature `wasm`"
            ))),
        }
    }

    /// The identifiers of all that are defined, sorted.
    pub fn definitions(&self) -> impl Iterator<Item = &str> {
        self.0.defined.keys().map(String::as_str)
    }

    /// Removes the name of one of the user's functions. Plans that call it still find it.
    #[must_use]
    pub fn without_user(&self, name: &FunctionName) -> Self {
        let mut inner = (*self.0).clone();
        inner.user.remove(name);
        Functions(Arc::new(inner))
    }

    /// The user's function with this name.
    pub fn user(&self, name: &FunctionName) -> Option<&Arc<UserFunction>> {
        self.0.user.get(name)
    }

    /// The user's function that plans call by this name.
    pub fn called(&self, name: &str) -> Option<&Arc<UserFunction>> {
        self.0.called.get(name)
    }

    /// Whether some functions answer later.
    pub fn has_async(&self) -> bool {
        self.0.has_async
    }

    /// All of the user's functions, by name.
    pub fn users(&self) -> impl Iterator<Item = (&FunctionName, &Arc<UserFunction>)> {
        self.0.user.iter()
    }

    /// The function with this name or alias, in any case.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn ScalarFunction>> {
        let by_name = &self.0.by_name;
        let own = by_name.get(name).or_else(|| by_name.get(name.to_ascii_uppercase().as_str()));
        own.or_else(|| self.loaded(name).ok().flatten().map(|entry| &entry.scalar))
    }

    /// Whether a name in upper case is that of a function that is no user's.
    pub fn is_own(&self, name: &str) -> bool {
        self.0.by_name.contains_key(name) || matches!(name, "IF" | "NULLIF") || self.is_planned(name)
    }

    /// The names and aliases of all functions that are called by name (not the operators such as `+`),
    /// sorted.
    pub fn names(&self) -> Vec<&str> {
        let called = self.0.by_name.keys().map(String::as_str).filter(|name| is_callable(name));
        let mut names: Vec<_> = called.chain(["IF", "NULLIF"]).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether this is the name of a function that is not implemented yet.
    pub fn is_planned(&self, name: &str) -> bool {
        self.0.planned.contains(&name)
    }
}

/// Equal only if they are the same instance.
impl PartialEq for Functions {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} functions", self.0.by_name.len())
    }
}

fn is_callable(name: &str) -> bool {
    // Lower-case names are those of the user's functions in plans.
    name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        // FIELD is what `row.field` becomes.
        && !matches!(name, "AND" | "OR" | "NOT" | "LIKE" | "IN" | "FIELD")
}
