//! Operators: arithmetic, comparison, logic, pattern matching, choice.

mod arithmetic;
mod choice;
mod comparison;
mod decimals;
mod equality;
mod in_set;
mod interval;
mod like;
mod logic;

use flott_expr::function::ScalarFunction;

/// The table of the family.
pub(crate) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    [
        arithmetic::functions(),
        choice::functions(),
        comparison::functions(),
        like::functions(),
        logic::functions(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
