//! Flink's scalar functions and operators.
//!
//! Each family is a module with a table `functions()` of [`Function`](flott_expr::Function)s; [`builtin`]
//! puts them together. What a function is, and how it is typed and computed, is defined in `flott-expr`,
//! which knows none of them: expressions are bound, folded and compiled with the [`Functions`] that are
//! passed in, and users can add their own.
//!
//! | family | functions |
//! |---|---|
//! | [`operators`] | arithmetic, comparison, logic, LIKE and IN, COALESCE and similar |
//! | [`math`], [`bitmap`] | numbers, random numbers; sets of numbers |
//! | [`string`], [`regex`] | text and its encodings; Java's regular expressions |
//! | [`temporal`] | dates, times, zones, and their patterns |
//! | [`collection`], [`structured`] | arrays, maps, rows; structured types |
//! | [`json`], [`variant`] | documents, paths, values of any type |
//! | [`conversion`], [`catalog`] | types, and the session |

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

use std::sync::OnceLock;

use flott_expr::Functions;
use flott_expr::function::ScalarFunction;

/// Flink's functions that are known but not implemented yet.
const PLANNED: &[&str] = &["PRINT", "HASH_CODE"];

/// All of Flink's functions that are implemented. They are created once per process.
pub fn builtin() -> Functions {
    static BUILTIN: OnceLock<Functions> = OnceLock::new();
    BUILTIN.get_or_init(|| Functions::new(all()).with_planned(PLANNED)).clone()
}

/// All functions of all families.
fn all() -> Vec<Box<dyn ScalarFunction>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_functions_share_a_name() {
        let builtin = builtin();
        let mut seen = flott_types::FastSet::default();
        for function in all() {
            for name in std::iter::once(function.name()).chain(function.aliases().iter().copied()) {
                assert!(seen.insert(name.to_owned()), "two functions are called {name}");
                assert_eq!(builtin.get(name).map(|found| found.name()), Some(function.name()));
            }
        }
    }

    #[test]
    fn a_user_function_is_added_to_these_and_may_hide_one() {
        let own = |name| all().into_iter().find(|function| function.name() == name);
        let upper = own("UPPER").into_iter().collect::<Vec<_>>();
        let functions = Functions::default().with(upper);
        assert_eq!(functions.names(), ["IF", "NULLIF", "UPPER"]);
        assert!(functions.get("LOWER").is_none() && builtin().get("lower").is_some());
    }
}
