//! Functions on ARRAY, MAP and ROW.
//!
//! Results are assembled from elements of the arguments: a function selects them ([`lists::Picker`]), and
//! arrow's `take` copies them, whatever their type. Elements are compared by arrow's row encoding: equal
//! bytes are equal values, and NULL equals NULL.
//!
//! Brackets are `ITEM(collection, index or key)`; constructors are `ARRAY`, `MAP` and `ROW`; a field of a row
//! is `FIELD(row, position from 0 or name)`.

mod access;
mod combine;
mod construct;
mod join;
mod lists;
mod maps;
mod order;
mod search;

use flott_expr::function::{Function, ScalarFunction};

/// The table of the family.
pub(crate) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    let tables: [&[Function]; 7] = [
        access::FUNCTIONS,
        combine::FUNCTIONS,
        construct::FUNCTIONS,
        join::FUNCTIONS,
        maps::FUNCTIONS,
        order::FUNCTIONS,
        search::FUNCTIONS,
    ];
    tables.into_iter().flatten().map(|function| function.boxed()).collect()
}
