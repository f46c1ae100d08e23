//! The operators that call the functions of programs: the execution of `map`, `process`, `reduce`, joins and
//! requests.
//!
//! An operator gets [`Records`](flott_batch::Records) of a type that it knows, casts once for the whole
//! batch, and runs a typed loop over the values: closures and functions are called directly, not through a
//! pointer.
//!
//! A keyed operator turns the keys of a batch into slots of its table, and its functions' states are columns
//! over these slots ([`flott_function::state`]): one lookup per record, however many states there are.
//! `keyed_core` and `process_core` are what operators with and without keys have in common. Windows, which
//! share nothing with these but the table, are in `flott-function-windows`.

pub mod async_io;
pub mod broadcast;
pub mod co_process;
pub mod flat_map;
pub mod interval_join;
pub mod keyed_co_process;
mod keyed_core;
pub mod keyed_process;
pub mod map_partition;
pub mod partition;
pub mod process;
mod process_core;
pub mod read_keys;
pub mod reduce;
pub mod rows;
pub mod side_output;
#[cfg(test)]
mod spilling;
#[cfg(test)]
mod testing;
