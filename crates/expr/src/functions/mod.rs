//! The families of functions. Each has a table `functions()`; [`all`] joins them.

mod bitmap;
mod build;
mod catalog;
mod check;
mod collection;
mod constant;
mod conversion;
mod json;
mod math;
mod operators;
mod regex;
mod string;
mod structured;
mod temporal;
mod utf16;
mod variant;

use crate::function::ScalarFunction;

pub(crate) use json::mark_json;
pub(crate) use operators::{decimal_array, divides_by_literal_zero, fill, takes_integer};

/// All functions of all families.
pub(crate) fn all() -> Vec<Box<dyn ScalarFunction>> {
    [
        bitmap::functions(),
        catalog::functions(),
        collection::functions(),
        conversion::functions(),
        json::functions(),
        math::functions(),
        operators::functions(),
        regex::functions(),
        string::functions(),
        structured::functions(),
        temporal::functions(),
        variant::functions(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
