//! Functions of the collection family.

use crate::function::ScalarFunction;

/// The table of the family.
pub(crate) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    Vec::new()
}
