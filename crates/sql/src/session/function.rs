//! Functions of users: registered by the program that runs the session, or named by statements.

use flott_expr::Functions;
use flott_expr::user::{FunctionDefinition, FunctionName};
use flott_sql_parser::ast::{AlterFunction, CreateFunction, DropFunction, Ident, ObjectName, Show, Text};
use flott_types::{Error, Result};

use super::function_names::listed;
use super::settings::artifact_limits;
use super::{Outcome, Session};
use crate::catalog::{CatalogFunction, FunctionLanguage, FunctionResource, FunctionResourceKind, ObjectPath};
use crate::user_function::{defined, of_path, temporary};

impl Session {
    /// What expressions may call.
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    /// Defines a function by an identifier, as which statements can name it:
    /// `CREATE FUNCTION f AS 'identifier'`.
    ///
    /// # Errors
    /// If there is one of this identifier.
    pub fn define_function(
        &mut self,
        identifier: &str,
        definition: impl Into<FunctionDefinition>,
    ) -> Result<()> {
        self.functions = self.functions.with_definition(identifier, definition.into())?;
        Ok(())
    }

    /// Registers a function that hides any other function of its name
    /// (`TableEnvironment.createTemporarySystemFunction`).
    ///
    /// # Errors
    /// If there is one already.
    pub fn create_temporary_system_function(
        &mut self,
        name: &str,
        definition: impl Into<FunctionDefinition>,
    ) -> Result<()> {
        self.register(FunctionName::System(name.to_lowercase()), definition.into())
    }

    /// Registers a function of a database: `f`, `database.f` or `catalog.database.f`. Flott's own functions of the same
    /// name come first (`TableEnvironment.createTemporaryFunction`).
    ///
    /// # Errors
    /// If there is one already.
    pub fn create_temporary_function(
        &mut self,
        path: &str,
        definition: impl Into<FunctionDefinition>,
    ) -> Result<()> {
        let parts: Vec<String> = path.split('.').map(str::to_owned).collect();
        let name = of_path(&self.catalogs.qualify(&parts)?);
        self.register(name, definition.into())
    }

    fn register(&mut self, name: FunctionName, definition: FunctionDefinition) -> Result<()> {
        if temporary(&self.functions, &self.catalogs, &name).is_some() {
            return Err(exists_already(&name));
        }
        self.functions = self.functions.with_user(name, definition);
        Ok(())
    }

    /// CREATE FUNCTION
    pub(super) fn create_function(&mut self, create: &CreateFunction) -> Result<Outcome> {
        let function = catalog_function(&create.class, create.language.as_ref(), &create.resources)?;
        let path = self.path(&create.name)?;
        let name = match create.system {
            true => system_name(&create.name)?,
            false => of_path(&path),
        };
        if create.temporary {
            // What does not exist is an error at once; of a permanent function it is one when it is called.
            let limits = artifact_limits(&self.configuration)?;
            defined(&self.functions, limits, &function, &name).map_err(|error| {
                error.context(format!(
                    "Could not register temporary {} function '{name}' due to implementation errors",
                    if create.system { "system" } else { "catalog" }
                ))
            })?;
            if temporary(&self.functions, &self.catalogs, &name).is_none() {
                self.catalogs.temporary_functions.insert(name, function);
            } else if !create.if_not_exists {
                return Err(exists_already(&name));
            }
            return Ok(Outcome::Done);
        }
        self.database_of(&path)?;
        if self.catalogs.function(&name)?.is_some() {
            return match create.if_not_exists {
                true => Ok(Outcome::Done),
                false => Err(Error::invalid(format!(
                    "Function {}.{} already exists in Catalog {}.",
                    path.database,
                    name.simple(),
                    path.catalog
                ))),
            };
        }
        let catalog = &mut self.catalogs.catalog_mut(&path.catalog)?.catalog;
        catalog.create_function(&path.database, name.simple(), function)?;
        Ok(Outcome::Done)
    }

    /// ALTER FUNCTION
    pub(super) fn alter_function(&mut self, alter: &AlterFunction) -> Result<Outcome> {
        let function = catalog_function(&alter.class, alter.language.as_ref(), &[])?;
        if alter.temporary {
            let which = if alter.system { "system" } else { "catalog" };
            return Err(Error::invalid(format!(
                "Alter temporary {which} function is not supported: drop it and create it anew, at {}",
                alter.position
            )));
        }
        let path = self.path(&alter.name)?;
        // IF EXISTS speaks of the function, not of its catalog.
        self.catalogs.catalog(&path.catalog)?;
        let name = of_path(&path);
        if self.catalogs.function(&name)?.is_none() {
            return if alter.if_exists { Ok(Outcome::Done) } else { Err(self.no_function(&path)) };
        }
        let catalog = &mut self.catalogs.catalog_mut(&path.catalog)?.catalog;
        catalog.alter_function(&path.database, name.simple(), function)?;
        Ok(Outcome::Done)
    }

    /// DROP FUNCTION
    pub(super) fn drop_function(&mut self, drop: &DropFunction) -> Result<Outcome> {
        if drop.temporary {
            let name = match drop.system {
                true => system_name(&drop.name)?,
                false => of_path(&self.path(&drop.name)?),
            };
            if temporary(&self.functions, &self.catalogs, &name).is_some() {
                self.catalogs.temporary_functions.remove(&name);
                self.functions = self.functions.without_user(&name);
            } else if !drop.if_exists {
                return Err(Error::invalid(match drop.system {
                    true => format!(
                        "Could not drop temporary system function. A function named '{name}' doesn't exist."
                    ),
                    false => format!("Temporary catalog function '{name}' doesn't exist"),
                }));
            }
            return Ok(Outcome::Done);
        }
        let path = self.path(&drop.name)?;
        // IF EXISTS speaks of the function, not of its catalog.
        self.catalogs.catalog(&path.catalog)?;
        let name = of_path(&path);
        if self.catalogs.function(&name)?.is_none() {
            return if drop.if_exists { Ok(Outcome::Done) } else { Err(self.no_function(&path)) };
        }
        self.catalogs.catalog_mut(&path.catalog)?.catalog.drop_function(&path.database, name.simple())?;
        Ok(Outcome::Done)
    }

    fn no_function(&self, path: &ObjectPath) -> Error {
        let name = of_path(path);
        let hint = match temporary(&self.functions, &self.catalogs, &name) {
            Some(_) => " There is a temporary one: DROP TEMPORARY FUNCTION drops it.",
            None => "",
        };
        Error::invalid(format!(
            "Function {}.{} does not exist in Catalog {}.{hint}",
            path.database,
            name.simple(),
            path.catalog
        ))
    }

    /// Refuses a path in a database that there is not.
    fn database_of(&self, path: &ObjectPath) -> Result<()> {
        self.catalogs.database(&path.catalog, &path.database).map(|_| ())
    }

    /// The names of Flott's own functions, as Flink writes them.
    pub(super) fn own_functions(&self) -> Vec<String> {
        let aggregates = flott_expr::aggregate::NAMES.iter().copied();
        self.functions.names().into_iter().chain(aggregates).map(listed).collect()
    }

    /// The names of the functions of users that are in a database, or everywhere.
    pub(super) fn user_functions(&self, show: &Show) -> Result<Vec<String>> {
        let (catalog, database) = match &show.scope {
            Some(name) => self.database_path(name)?,
            None => (self.catalogs.current_catalog.clone(), self.catalogs.current_database.clone()),
        };
        let temporary = self.functions.users().map(|(name, _)| name);
        let named = self.catalogs.temporary_functions.keys();
        let here = temporary.chain(named).filter(|name| match name {
            FunctionName::System(_) => true,
            FunctionName::Catalog(of_catalog, of_database, _) => {
                *of_catalog == catalog && *of_database == database
            }
        });
        let mut names: Vec<String> = here.map(|name| name.simple().to_owned()).collect();
        // As in Flink it is no error to ask for what there is in a database that is not there.
        if let Some(found) = self.catalogs.catalogs.get(&catalog)
            && found.catalog.database(&database)?.is_some()
        {
            names.extend(found.catalog.functions(&database)?);
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }
}

fn exists_already(name: &FunctionName) -> Error {
    Error::invalid(match name {
        FunctionName::System(name) => {
            format!(
                "Could not register temporary system function. A function named '{name}' does already exist."
            )
        }
        FunctionName::Catalog(..) => {
            format!("Could not register temporary catalog function. A function '{name}' does already exist.")
        }
    })
}

fn system_name(name: &ObjectName) -> Result<FunctionName> {
    match name.parts().as_slice() {
        [name] => Ok(FunctionName::System(name.to_lowercase())),
        _ => Err(Error::invalid(format!("the name of a system function has no dots, and '{name}' has"))),
    }
}

/// What a statement says of a function. Without LANGUAGE it is Rust: what Flink's scripts name by a class, a program can
/// define by the class's name. In WebAssembly it is what a component exports; the file is the artifact.
fn catalog_function(
    class: &Text,
    language: Option<&Ident>,
    resources: &[(bool, Text)],
) -> Result<CatalogFunction> {
    let is = |name: &str| language.is_some_and(|language| language.value.eq_ignore_ascii_case(name));
    let wasm = is("WASM");
    if let Some(language) = language
        && !is("RUST")
        && !wasm
    {
        let (what, position) = (language.value.to_uppercase(), class.position);
        return Err(Error::unsupported(format!(
            "functions in {what}, at {position}: there is no {what} in this process; a Rust program that defines a function \
             by the identifier '{}' leaves LANGUAGE out, or writes LANGUAGE RUST",
            class.value
        )));
    }
    if class.value.trim().is_empty() {
        return Err(Error::invalid(format!(
            "the identifier of the function cannot be empty, at {}",
            class.position
        )));
    }
    if wasm && !matches!(resources, [(false, _)]) {
        return Err(Error::invalid(format!(
            "a function in WASM names the file of its component, at {}: write USING ARTIFACT '/path/to/component.wasm'",
            class.position
        )));
    }
    let resources = resources.iter().map(|(jar, uri)| FunctionResource {
        kind: if *jar { FunctionResourceKind::Jar } else { FunctionResourceKind::Artifact },
        uri: uri.value.clone(),
    });
    Ok(CatalogFunction {
        identifier: class.value.clone(),
        language: if wasm { FunctionLanguage::Wasm } else { FunctionLanguage::Rust },
        resources: resources.collect(),
    })
}
