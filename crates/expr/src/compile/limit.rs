//! How large the values of an expression may become, for nodes that put columns together themselves.
//!
//! Functions look at it in [`crate::function::Call::room`]. A constant is held once, however many rows it
//! stands for: it is large only when it becomes a column.

use arrow::array::ArrayRef;
use flott_batch::bytes::{Room, of_column};
use flott_types::Result;

use crate::value::Value;

/// One element a row.
pub(super) fn column(value: &Value, rows: usize, room: Room) -> Result<ArrayRef> {
    if value.is_constant() {
        room.fits(bytes_of(value, rows))?;
    }
    value.to_array(rows)
}

/// The bytes of a value that represents this many rows.
pub(super) fn bytes_of(value: &Value, rows: usize) -> usize {
    of_column(value.held()) * if value.is_constant() { rows } else { 1 }
}

/// Refuses constants among the arguments of a function that are large when they are copied for each row.
pub(super) fn check_constants(args: &[Value], rows: usize, room: Room) -> Result<()> {
    args.iter().filter(|arg| arg.is_constant()).try_for_each(|arg| room.fits(bytes_of(arg, rows)))
}
