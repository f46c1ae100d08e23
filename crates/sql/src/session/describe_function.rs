//! DESCRIBE FUNCTION.

use flott_expr::user::FunctionName;
use flott_expr::{Determinism, ScalarFunction, aggregate};
use flott_sql_parser::ast::ObjectName;
use flott_types::{Error, Result};

use super::Session;
use super::settings::artifact_limits;
use crate::catalog::{CatalogFunction, FunctionResourceKind};
use crate::user_function::{Found, is_own, resolve};

/// Names and values.
type Info = Vec<(&'static str, String)>;

impl Session {
    /// What DESCRIBE FUNCTION tells.
    pub(super) fn function_info(&self, name: &ObjectName, extended: bool) -> Result<Info> {
        let parts = name.parts();
        let qualify = |parts: &[String]| self.catalogs.qualify(parts);
        let limits = artifact_limits(&self.configuration)?;
        if let Some(found) = resolve((&self.functions, limits), &self.catalogs, &parts, qualify)? {
            return of_user(&found, extended);
        }
        match parts.as_slice() {
            [name] if is_own(&self.functions, name) => Ok(self.of_own(name, extended)),
            _ => Err(Error::invalid(format!("Function with the identifier '{name}' doesn't exist."))),
        }
    }

    fn of_own(&self, name: &str, extended: bool) -> Info {
        let upper = name.to_uppercase();
        let determinism =
            self.functions.get(&upper).map_or(Determinism::Always, |function| function.determinism());
        let mut info = flags(true, false);
        if extended {
            let kind = if aggregate::is_aggregate(&upper) { "AGGREGATE" } else { "SCALAR" };
            info.extend(properties(kind, determinism));
        }
        info
    }
}

fn of_user(found: &Found, extended: bool) -> Result<Info> {
    // As in Flink a function that cannot be found in the program is an error here, too.
    let function = found.function()?;
    let system = matches!(found.name, FunctionName::System(_));
    let mut info = flags(system, found.temporary);
    if let Some(catalog) = &found.catalog
        && !system
    {
        info.push(("class name", catalog.identifier.clone()));
        info.push(("function language", catalog.language.to_string()));
        info.push(("resource uris", resources(catalog)));
    }
    if extended {
        info.extend(properties(&function.kind().to_string(), function.determinism()));
        info.push(("signature", function.signature(&found.name.to_string())));
    }
    Ok(info)
}

fn flags(system: bool, temporary: bool) -> Info {
    vec![("is system function", system.to_string()), ("is temporary", temporary.to_string())]
}

fn properties(kind: &str, determinism: Determinism) -> Info {
    vec![
        ("kind", kind.to_owned()),
        ("requirements", "[]".to_owned()),
        ("is deterministic", (determinism != Determinism::Never).to_string()),
        ("supports constant folding", (determinism == Determinism::Always).to_string()),
    ]
}

/// As Flink writes them.
fn resources(function: &CatalogFunction) -> String {
    let all = function.resources.iter().map(|resource| {
        let kind = match resource.kind {
            FunctionResourceKind::Jar => "JAR",
            FunctionResourceKind::Artifact => "ARTIFACT",
        };
        format!("ResourceUri{{resourceType={kind}, uri='{}'}}", resource.uri)
    });
    format!("[{}]", all.collect::<Vec<_>>().join(", "))
}
