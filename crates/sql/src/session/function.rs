//! Functions of the program that runs the session.

use flott_expr::user::{ClosureFunction, FunctionKind, FunctionName};
use flott_expr::{Determinism, Functions, aggregate};
use flott_sql_parser::ast::{CreateFunction, DropFunction, ObjectName};
use flott_types::{Error, Result};

use super::{Outcome, Session};
use crate::catalog::Catalogs;
use crate::user_function::{in_database, resolve};

impl Session {
    /// What expressions may call.
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    /// Registers a function that hides any other function of its name
    /// (`TableEnvironment.createTemporarySystemFunction`).
    ///
    /// # Errors
    /// If there is one already.
    pub fn create_temporary_system_function(&mut self, name: &str, function: ClosureFunction) -> Result<()> {
        let system = FunctionName::System(name.to_lowercase());
        if self.functions.user(&system).is_some() {
            return Err(Error::invalid(format!(
                "Could not register temporary system function. A function named '{name}' does already exist."
            )));
        }
        self.functions = self.functions.with_user(system, function);
        Ok(())
    }

    /// Registers a function of a database: `f`, `database.f` or `catalog.database.f`. Flott's own functions of the same
    /// name come first (`TableEnvironment.createTemporaryFunction`).
    ///
    /// # Errors
    /// If there is one already, or no such catalog.
    pub fn create_temporary_function(&mut self, path: &str, function: ClosureFunction) -> Result<()> {
        let parts: Vec<String> = path.split('.').map(str::to_owned).collect();
        let name = in_database(&self.catalogs, &parts)?;
        if self.functions.user(&name).is_some() {
            return Err(Error::invalid(format!(
                "Could not register temporary catalog function. A function '{name}' does already exist."
            )));
        }
        self.functions = self.functions.with_user(name, function);
        Ok(())
    }

    /// CREATE FUNCTION names a class, and there are none here.
    pub(super) fn create_function(&self, create: &CreateFunction) -> Result<Outcome> {
        let language = create.language.as_ref().map_or("JAVA".to_owned(), |word| word.value.to_uppercase());
        Err(Error::unsupported(format!(
            "CREATE FUNCTION at {}: '{}' is a class of {language}, and there is no {language} in this process; a Rust program \
             registers its functions with create_temporary_system_function or create_temporary_function",
            create.position, create.class.value
        )))
    }

    pub(super) fn drop_function(&mut self, drop: &DropFunction) -> Result<Outcome> {
        let parts = drop.name.parts();
        let name = match (drop.system, parts.as_slice()) {
            (true, [name]) => FunctionName::System(name.to_lowercase()),
            (true, _) => {
                return Err(Error::invalid(format!(
                    "the name of a system function has no dots, at {}",
                    drop.position
                )));
            }
            (false, parts) => in_database(&self.catalogs, parts)?,
        };
        let found = self.functions.user(&name).is_some();
        if found && (drop.system || drop.temporary) {
            self.functions = self.functions.without_user(&name);
            return Ok(Outcome::Done);
        }
        if found {
            return Err(Error::invalid(format!(
                "A temporary function with the path '{name}' exists: DROP TEMPORARY FUNCTION, at {}",
                drop.position
            )));
        }
        if drop.if_exists {
            return Ok(Outcome::Done);
        }
        Err(Error::invalid(match (drop.system, drop.temporary) {
            (true, _) => {
                format!("Could not drop temporary system function. A function named '{name}' doesn't exist.")
            }
            (false, true) => format!("Temporary catalog function '{name}' doesn't exist"),
            (false, false) => format!("Function '{name}' does not exist"),
        }))
    }

    /// The names of the program's functions that can be called without a path.
    pub(super) fn user_functions(&self) -> Vec<String> {
        let Catalogs { current_catalog, current_database, .. } = &self.catalogs;
        let names = self.functions.users().filter_map(|(name, _)| match name {
            FunctionName::System(name) => Some(name.clone()),
            FunctionName::Catalog(catalog, database, name) => {
                (catalog == current_catalog && database == current_database).then(|| name.clone())
            }
        });
        names.collect()
    }

    /// What DESCRIBE FUNCTION tells: names and values.
    pub(super) fn function_info(
        &self,
        name: &ObjectName,
        extended: bool,
    ) -> Result<Vec<(&'static str, String)>> {
        let parts = name.parts();
        let user = resolve(&self.functions, &self.catalogs, &parts)?;
        let own = match parts.as_slice() {
            [name] => {
                let upper = name.to_uppercase();
                let scalar = self.functions.get(&upper).map(|function| function.determinism());
                scalar.or_else(|| aggregate::is_aggregate(&upper).then_some(Determinism::Always))
            }
            _ => None,
        };
        let (system, temporary, kind, determinism) = match (&user, own) {
            (Some(name), _) => {
                let found =
                    self.functions.user(name).ok_or_else(|| Error::internal("a function was found"))?;
                let kind = match found.kind {
                    FunctionKind::Scalar => "SCALAR",
                    FunctionKind::Table => "TABLE",
                };
                (matches!(name, FunctionName::System(_)), true, kind, found.function.determinism())
            }
            (None, Some(determinism)) => {
                let is_aggregate = aggregate::is_aggregate(name.to_string().as_str());
                (true, false, if is_aggregate { "AGGREGATE" } else { "SCALAR" }, determinism)
            }
            (None, None) => {
                return Err(Error::invalid(format!("Function with the identifier '{name}' doesn't exist.")));
            }
        };
        let mut info =
            vec![("is system function", system.to_string()), ("is temporary", temporary.to_string())];
        if extended {
            let always = determinism == Determinism::Always;
            info.push(("kind", kind.to_owned()));
            info.push(("requirements", "[]".to_owned()));
            info.push(("is deterministic", (determinism != Determinism::Never).to_string()));
            info.push(("supports constant folding", always.to_string()));
        }
        Ok(info)
    }
}
