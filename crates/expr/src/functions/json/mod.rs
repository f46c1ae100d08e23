//! Functions of the json family.

use crate::function::ScalarFunction;

/// The table of the family.
pub(crate) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    Vec::new()
}
