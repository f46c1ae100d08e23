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

use crate::function::ScalarFunction;

pub(crate) use arithmetic::{decimal_array, divides_by_literal_zero};
pub(crate) use choice::fill;
pub(crate) use decimals::takes_integer;

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
