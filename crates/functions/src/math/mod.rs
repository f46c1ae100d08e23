//! Mathematical functions.

mod bits;
mod elementary;
mod random;
mod rounding;
mod sign;

use flott_expr::function::ScalarFunction;

/// The table of the family.
pub(crate) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    [
        bits::functions(),
        elementary::functions(),
        random::functions(),
        rounding::functions(),
        sign::functions(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
