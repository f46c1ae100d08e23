//! The families of functions. Each has a table `functions()`; [`all`] joins them.

mod collection;
mod json;
mod string;
mod temporal;

use crate::function::ScalarFunction;

/// All functions of all families.
pub(crate) fn all() -> Vec<Box<dyn ScalarFunction>> {
    [
        collection::functions(),
        json::functions(),
        string::functions(),
        temporal::functions(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
