//! How large the values of an expression may become, for nodes that assemble columns themselves.
//!
//! Functions check it with [`crate::function::Call::room`]. A constant is held once, however many rows it
//! stands for: it becomes large only when it is expanded to a column.

use arrow::array::ArrayRef;
use flott_batch::bytes::{Room, of_column};
use flott_types::Result;

use crate::value::Value;

/// The value as a column with one element per row.
pub(super) fn column(value: &Value, rows: usize, room: Room) -> Result<ArrayRef> {
    if value.is_constant() {
        room.fits(bytes_of(value, rows))?;
    }
    value.to_array(rows)
}

/// The size in bytes of a value that stands for this many rows.
pub(super) fn bytes_of(value: &Value, rows: usize) -> usize {
    of_column(value.held()) * if value.is_constant() { rows } else { 1 }
}

/// Refuses constant arguments of a function that would be too large when copied for each row.
pub(super) fn check_constants(args: &[Value], rows: usize, room: Room) -> Result<()> {
    args.iter().filter(|arg| arg.is_constant()).try_for_each(|arg| room.fits(bytes_of(arg, rows)))
}
