//! Typed expressions with Flink's semantics.
//!
//! Three steps, three faces:
//!
//! 1. [`bind`] builds [`flott_plan::Expr`] trees from names and operands: it finds the function among those
//!    that it is given ([`registry`]), casts the arguments and fixes type and nullability as Flink does.
//!    [`literal_text`] reads literals.
//! 2. [`fold()`] computes what is constant.
//! 3. [`compile()`] makes a tree ready to run on arrow batches, once per operator instance.
//!
//! Rules about types (common types, legal casts, decimal precision) live in [`typing`]. What a function is,
//! [`function`] says, and [`kernel`], [`decimal`] and [`time`] are what they are made of; Flink's own are in
//! the crate `flott-functions`. [`aggregate`] types aggregate functions, which are computed elsewhere.
//!
//! Compiled expressions are trees of nodes of our own
//! ([decision](../../../docs/decisions/0011-own-expression-nodes.md)): a library's would have to be replaced
//! wherever Flink computes differently, which is almost everywhere.
//!
//! Cost: one virtual call per node and batch; inside, typed loops. Constants are held once and are not spread
//! over the rows. Operands that can fail are computed for the rows that need them only, which copies those
//! rows.

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
pub use fold::fold;
pub use function::{
    Argument, Call, Determinism, Function, PreparedFunction, ScalarFunction, Signature, any_nullable,
    no_signature,
};
pub use literal_text::IntervalUnit;
pub use registry::Functions;
pub use value::{Value, View};
