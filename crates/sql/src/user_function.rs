//! Which function of the program a name means.

use flott_expr::user::FunctionName;
use flott_expr::{Functions, aggregate};
use flott_types::Result;

use crate::catalog::Catalogs;

/// The function of a program that a name means. As in Flink a function that is temporary and of the system comes first, then Flott's
/// own, then that of the database.
pub(crate) fn resolve(
    functions: &Functions,
    catalogs: &Catalogs,
    parts: &[String],
) -> Result<Option<FunctionName>> {
    if let [name] = parts {
        let system = FunctionName::System(name.to_lowercase());
        if functions.user(&system).is_some() {
            return Ok(Some(system));
        }
        let upper = name.to_uppercase();
        if functions.get(&upper).is_some() || aggregate::is_aggregate(&upper) {
            return Ok(None);
        }
    }
    // The path of a function that is not there need not exist.
    let Ok(name) = in_database(catalogs, parts) else { return Ok(None) };
    Ok(functions.user(&name).is_some().then_some(name))
}

/// The name of a function in a database.
pub(crate) fn in_database(catalogs: &Catalogs, parts: &[String]) -> Result<FunctionName> {
    let path = catalogs.qualify(parts)?;
    Ok(FunctionName::Catalog(path.catalog, path.database, path.object.to_lowercase()))
}
