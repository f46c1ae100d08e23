//! Functions of programs: their traits, and what they can use.
//!
//! Simple functions are closures. Functions with a life cycle (state, timers, side outputs, `open` and
//! `close`) are types that implement a trait of this crate; each subtask gets a clone. Nothing here calls a
//! function: the operators that do are in `flott-function-operators`, `flott-function-windows` and
//! `flott-function-cep`, so that the traits do not depend on how functions are run.
//!
//! The modules use each other in one direction, from the top of this table to its end:
//!
//! | module | what is in it |
//! |---|---|
//! | [`output`] | collectors and side outputs |
//! | [`aggregate`] | functions that fold values into accumulators |
//! | [`state`] | keyed and operator state: one table of keys for an operator, a column over it for each state |
//! | [`runtime_context`] | what a function can use when it is opened, and where it declares its state |
//! | [`accumulator`], [`cached_files`] | what else it finds there |
//! | [`snapshot`] | what it can use when a checkpoint is taken |
//! | [`process`], [`rich`], [`join`], [`window_join`], [`async_function`] | functions of one record, of pairs and groups of records, and of asynchronous requests |
//! | [`keyed_process`], [`keyed_rich`], [`co_process`], [`co_rich`], [`broadcast`] | functions with keyed state, of two inputs, of a broadcast input |

pub mod accumulator;
pub mod aggregate;
pub mod async_function;
pub mod broadcast;
pub mod cached_files;
pub mod co_process;
pub mod co_rich;
pub mod join;
pub mod keyed_process;
pub mod keyed_rich;
mod life_cycle;
pub mod output;
pub mod process;
pub mod rich;
pub mod runtime_context;
pub mod snapshot;
pub mod state;
pub mod window_join;
