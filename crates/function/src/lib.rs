//! Functions of programs: what they are, and what they are given.
//!
//! Simple functions are closures. Those with a life of their own (state, timers, side outputs, `open` and `close`) are types that
//! implement a trait of this crate; each subtask gets a clone. Nothing here calls a function: the operators that do are in
//! `flott-function-operators` and `flott-function-windows`, so that what functions are does not depend on how they are run.
//!
//! The modules use each other in one direction, from the top of this table to its end:
//!
//! | module | what is in it |
//! |---|---|
//! | [`output`] | collectors and side outputs |
//! | [`aggregate`] | functions that fold values into accumulators |
//! | [`state`] | keyed and operator state: one table of keys for an operator, a column over it for each state |
//! | [`runtime_context`] | what a function may ask when it is opened, and where it declares its state |
//! | [`accumulator`], [`cached_files`] | what it finds there besides state |
//! | [`snapshot`] | what it is given when a checkpoint is taken |
//! | [`process`], [`rich`], [`join`], [`async_function`] | functions of one record, of two records, and of the outside |
//! | [`keyed_process`], [`keyed_rich`], [`co_process`], [`broadcast`] | those with state for each key, of two inputs, of a broadcast input |

pub mod accumulator;
pub mod aggregate;
pub mod async_function;
pub mod broadcast;
pub mod cached_files;
pub mod co_process;
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
