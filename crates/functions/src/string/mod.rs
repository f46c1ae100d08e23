//! Functions on character strings, URLs and digests.
//!
//! Positions and lengths count characters, except where Flink counts Java's chars (LPAD, RPAD, OVERLAY, SPLIT
//! by ''); see [`super::utf16`]. A NULL argument gives NULL unless stated otherwise.

mod case;
mod classify;
mod concat;
mod encode;
mod hash;
mod java_decimal;
mod java_format;
mod needle;
mod pad;
mod printf;
mod search;
mod split;
mod substring;
mod trim;
mod url;

use flott_expr::function::{Function, ScalarFunction};

/// The table of the family.
pub(crate) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    let tables: [&[Function]; 12] = [
        case::FUNCTIONS,
        classify::FUNCTIONS,
        concat::FUNCTIONS,
        encode::FUNCTIONS,
        hash::FUNCTIONS,
        pad::FUNCTIONS,
        printf::FUNCTIONS,
        search::FUNCTIONS,
        split::FUNCTIONS,
        substring::FUNCTIONS,
        trim::FUNCTIONS,
        url::FUNCTIONS,
    ];
    tables.into_iter().flatten().map(|function| function.boxed()).collect()
}
