//! Typed expressions with Flink's semantics.
//!
//! Three steps, three entry points:
//!
//! 1. [`bind`] builds [`flott_plan::Expr`] trees from names and operands: it looks up the function in the
//!    [`registry`] that is passed in, casts the arguments and fixes type and nullability as Flink does.
//!    [`literal_text`] parses literals.
//! 2. [`fold()`] computes constant parts.
//! 3. [`compile()`] prepares a tree to run on arrow batches, once per operator instance.
//!
//! Rules about types (common types, legal casts, decimal precision) are in [`typing`]. [`function`] defines
//! what a function is; [`kernel`], [`decimal`] and [`time`] are its building blocks. Flink's own functions
//! are in the crate `flott-functions`. [`aggregate`] types aggregate functions, which are computed elsewhere.
//!
//! Compiled expressions are trees of our own nodes
//! ([decision](../../../docs/decisions/0011-own-expression-nodes.md)): a library's nodes would have to be
//! replaced wherever Flink computes differently, which is almost everywhere.
//!
//! Cost: one virtual call per node and batch; inside, typed loops. Constants are held once and are not
//! expanded over the rows. Operands that can fail are computed only for the rows that need them, which copies
//! those rows.

pub mod aggregate;
pub mod bind;
pub mod cast;
mod compile;
pub mod context;
pub mod decimal;
mod fold;
pub mod function;
pub mod kernel;
pub mod literal;
pub mod literal_text;
pub mod registry;
pub mod time;
pub mod typing;
pub mod user;
pub mod value;

pub use compile::{CompiledExpr, can_fail, compile};
pub use context::{EvalContext, PlanContext};
pub use fold::{fold, fold_once};
pub use function::{
    Argument, Call, Determinism, Function, PreparedFunction, ScalarFunction, Signature, any_nullable,
    no_signature,
};
pub use literal_text::IntervalUnit;
pub use registry::Functions;
pub use value::{Value, View};
