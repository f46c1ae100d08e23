//! Errors and panics of a program's functions, with the function and the arguments of the row.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::util::display::array_value_to_string;
use flott_types::panics::panic_text;
use flott_types::{Error, Result};

use crate::value::Value;

/// Arguments are shown up to this many characters.
const LONGEST: usize = 200;

/// Calls a function on a batch. It says in the cell which row it is about to compute.
///
/// # Errors
/// That of the function, or its panic, with the arguments of the row.
pub fn of_row<T>(function: &str, args: &[Value], call: impl FnOnce(&Cell<usize>) -> Result<T>) -> Result<T> {
    let row = Cell::new(0);
    let result = catch_unwind(AssertUnwindSafe(|| call(&row)))
        .unwrap_or_else(|panic| Err(Error::internal(format!("it panicked: {}", panic_text(&*panic)))));
    result.map_err(|error| with_arguments(function, args, row.get(), error))
}

/// An error of a function with the arguments of the row.
pub(super) fn with_arguments(function: &str, args: &[Value], row: usize, error: Error) -> Error {
    error.context(match args {
        [] => format!("function '{function}' failed"),
        args => format!("function '{function}' failed for the arguments ({})", shown(args, row)),
    })
}

fn shown(args: &[Value], row: usize) -> String {
    let of = |arg: &Value| match arg.is_null(row) {
        true => "NULL".to_owned(),
        false => array_value_to_string(arg.held(), arg.position(row)).unwrap_or_else(|_| "?".to_owned()),
    };
    let mut text = args.iter().map(of).collect::<Vec<_>>().join(", ");
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}
