//! Which function of a user a name means.

use std::sync::Arc;

use flott_expr::user::{ArtifactLimits, FunctionName, UserFunction};
use flott_expr::{Functions, aggregate};
use flott_types::{Error, Result};

use crate::catalog::{CatalogFunction, Catalogs, FunctionLanguage, ObjectPath};

/// Names that are Flott's own although no registry has them: the binder knows their form.
const FORMS: &[&str] = &[
    "CUMULATE",
    "FROM_CHANGELOG",
    "GROUPING",
    "GROUPING_ID",
    "GROUP_ID",
    "HOP",
    "HOP_END",
    "HOP_PROCTIME",
    "HOP_ROWTIME",
    "HOP_START",
    "SESSION",
    "SESSION_END",
    "SESSION_PROCTIME",
    "SESSION_ROWTIME",
    "SESSION_START",
    "TO_CHANGELOG",
    "TUMBLE",
    "TUMBLE_END",
    "TUMBLE_PROCTIME",
    "TUMBLE_ROWTIME",
    "TUMBLE_START",
];

/// A function of a user, and where it was found.
pub(crate) struct Found {
    /// Its name.
    pub name: FunctionName,
    /// Whether it ends with the session.
    pub temporary: bool,
    /// What a statement said of it; a program that registers a function says nothing.
    pub catalog: Option<CatalogFunction>,
    functions: Functions,
    limits: ArtifactLimits,
}

impl Found {
    /// What it does.
    ///
    /// # Errors
    /// If the program defines no function of the identifier.
    pub fn function(&self) -> Result<Arc<UserFunction>> {
        match &self.catalog {
            None => {
                self.functions.user(&self.name).cloned().ok_or_else(|| Error::internal("a function is lost"))
            }
            Some(function) => defined(&self.functions, self.limits, function, &self.name).map_err(|error| {
                error.context(format!("Cannot instantiate user-defined function '{}'", self.name))
            }),
        }
    }
}

/// The function that a statement names: one that the program defines by an identifier, or one of a file.
///
/// # Errors
/// If there is none.
pub(crate) fn defined(
    functions: &Functions,
    limits: ArtifactLimits,
    function: &CatalogFunction,
    name: &FunctionName,
) -> Result<Arc<UserFunction>> {
    let identifier = function.identifier.as_str();
    if function.language == FunctionLanguage::Wasm {
        let lost = || Error::invalid(format!("the function '{name}' lacks its file"));
        let file = function.resources.first().ok_or_else(lost)?;
        return functions.artifact((&file.uri, identifier), limits, name)?.ok_or_else(|| {
            Error::unsupported(
                "functions in WebAssembly: this program is built without them; build it with the feature `wasm` \
                 (cargo build --features wasm)",
            )
        });
    }
    functions.definition(identifier, name).ok_or_else(|| {
        let known: Vec<&str> = functions.definitions().collect();
        let known = match known.as_slice() {
            [] => "none at all".to_owned(),
            known => known.join(", "),
        };
        Error::invalid(format!(
            "this program defines no function of the identifier '{identifier}'; it defines {known}"
        ))
    })
}

/// The function of a user that a name means. As in Flink a function that is temporary and of the system comes first, then
/// Flott's own, then a temporary one of the database, then the catalog's. A name with dots is only sought in its database.
///
/// `qualify` makes a full path of the parts of a name.
///
/// # Errors
/// If a catalog cannot be reached.
pub(crate) fn resolve(
    (functions, limits): (&Functions, ArtifactLimits),
    catalogs: &Catalogs,
    parts: &[String],
    qualify: impl FnOnce(&[String]) -> Result<ObjectPath>,
) -> Result<Option<Found>> {
    if let [name] = parts {
        let system = FunctionName::System(name.to_lowercase());
        if let Some(found) = temporary(functions, catalogs, &system) {
            return Ok(Some(Found { limits, ..found }));
        }
        if is_own(functions, name) {
            return Ok(None);
        }
    }
    // Something with dots that is no path is no function.
    let Ok(path) = qualify(parts) else { return Ok(None) };
    let name = of_path(&path);
    if let Some(found) = temporary(functions, catalogs, &name) {
        return Ok(Some(Found { limits, ..found }));
    }
    let found = catalogs.function(&name)?;
    Ok(found.map(|catalog| Found {
        name,
        temporary: false,
        catalog: Some(catalog),
        functions: functions.clone(),
        limits,
    }))
}

/// The temporary function of this name.
pub(crate) fn temporary(functions: &Functions, catalogs: &Catalogs, name: &FunctionName) -> Option<Found> {
    let catalog = catalogs.temporary_functions.get(name).cloned();
    (catalog.is_some() || functions.user(name).is_some()).then(|| Found {
        name: name.clone(),
        temporary: true,
        catalog,
        functions: functions.clone(),
        limits: ArtifactLimits::default(),
    })
}

/// Whether a name without dots is one of Flott's own functions.
pub(crate) fn is_own(functions: &Functions, name: &str) -> bool {
    let upper = name.to_uppercase();
    functions.is_own(&upper) || aggregate::is_aggregate(&upper) || FORMS.contains(&upper.as_str())
}

/// The name of the function of a path.
pub(crate) fn of_path(path: &ObjectPath) -> FunctionName {
    FunctionName::Catalog(path.catalog.clone(), path.database.clone(), path.object.to_lowercase())
}
