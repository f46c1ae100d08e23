//! Typed expressions with Flink's semantics.

pub mod context;
pub mod function;
mod functions;
pub mod registry;
pub mod value;

pub use context::{EvalContext, PlanContext};
pub use function::{
    Argument, Call, Determinism, Function, PreparedFunction, ScalarFunction, Signature, any_nullable,
    no_signature,
};
pub use value::{Value, View};
