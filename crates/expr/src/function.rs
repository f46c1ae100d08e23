//! What a scalar function is.

use std::fmt::Debug;

use arrow::array::ArrayRef;
use flott_batch::bytes::Room;
use flott_plan::{Expr, Literal};
use flott_types::{Error, LogicalType, Result};

use crate::context::{EvalContext, PlanContext};
use crate::value::Value;

/// An argument while a call is being typed.
#[derive(Clone, Copy, Debug)]
pub struct Argument<'a> {
    /// Its type.
    pub ty: &'a LogicalType,
    /// Its value if it is a constant.
    pub literal: Option<&'a Literal>,
}

/// What is derived from the types of the arguments.
#[derive(Clone, PartialEq, Debug)]
pub struct Signature {
    /// The type to which each argument is cast, one per argument. Casts that change nothing are left out.
    pub casts: Vec<LogicalType>,
    /// The type of the result.
    pub result: LogicalType,
}

impl Signature {
    /// Takes the arguments as they are.
    pub fn as_is(args: &[Argument<'_>], result: LogicalType) -> Self {
        Signature { casts: args.iter().map(|arg| arg.ty.clone()).collect(), result }
    }
}

/// When a call returns the same result again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Determinism {
    /// Always, for the same arguments: calls on constants are folded.
    Always,
    /// Within a statement of a batch query (NOW, CURRENT_DATE). Not folded.
    Statement,
    /// Never (RAND, UUID).
    Never,
}

/// The environment of one evaluation of a call on a batch.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// How many rows the result must have.
    pub rows: usize,
    /// The types of the arguments after the casts of the signature.
    pub arg_types: &'a [LogicalType],
    /// The type of the result.
    pub result: &'a LogicalType,
    /// Time, zone, random numbers.
    pub context: &'a EvalContext,
}

impl Call<'_> {
    /// How large the result may become. A function that may exceed it reports that before it builds the
    /// result; then the caller retries with fewer rows.
    pub fn room(&self) -> Room {
        self.context.room()
    }
}

/// A function or operator of SQL.
///
/// Keywords inside a call are arguments too: constants of type CHAR, in the order of Flink's call syntax:
/// `EXTRACT('YEAR', x)`, `FLOOR(x, 'DAY')`, `TIMESTAMPADD('DAY', 1, x)`, `TRIM('BOTH', ' ', x)`.
pub trait ScalarFunction: Debug + Send + Sync {
    /// The canonical upper-case name.
    fn name(&self) -> &str;

    /// Other names of the same function.
    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }

    /// When a call returns the same result again.
    fn determinism(&self) -> Determinism {
        Determinism::Always
    }

    /// Rewrites the arguments before a call is typed, for a function that depends on their expressions.
    fn arguments(&self, args: Vec<Expr>) -> Vec<Expr> {
        args
    }

    /// Types a call. Refuse wrong arguments with [`no_signature`].
    fn infer(&self, args: &[Argument<'_>], context: &PlanContext) -> Result<Signature>;

    /// Work to do once per expression, not once per batch: compile a constant pattern, choose a typed loop.
    /// `None` if there is nothing to prepare. Literals are passed after the casts of the signature.
    fn prepare(
        &self,
        args: &[Argument<'_>],
        result: &LogicalType,
    ) -> Result<Option<Box<dyn PreparedFunction>>> {
        let _ = (args, result);
        Ok(None)
    }

    /// Computes the result for all rows: an array of `call.rows` elements of the arrow type of `call.result`.
    fn evaluate(&self, args: &[Value], call: &Call<'_>) -> Result<ArrayRef>;
}

/// A call after [`ScalarFunction::prepare`]. One per operator instance; it may keep state behind a lock (RAND
/// with a seed).
pub trait PreparedFunction: Debug + Send + Sync {
    /// Like [`ScalarFunction::evaluate`].
    fn evaluate(&self, args: &[Value], call: &Call<'_>) -> Result<ArrayRef>;
}

/// Rewrites the arguments of a call by their expressions.
pub type ArgumentsFn = fn(Vec<Expr>) -> Vec<Expr>;
/// Types a call.
pub type InferFn = fn(&[Argument<'_>], &PlanContext) -> Result<Signature>;
/// Computes a call.
pub type EvaluateFn = fn(&[Value], &Call<'_>) -> Result<ArrayRef>;
/// Prepares a call.
pub type PrepareFn = fn(&[Argument<'_>], &LogicalType) -> Result<Option<Box<dyn PreparedFunction>>>;

/// A function made of function pointers: a row of a family's table.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    name: &'static str,
    aliases: &'static [&'static str],
    determinism: Determinism,
    arguments: Option<ArgumentsFn>,
    infer: InferFn,
    prepare: Option<PrepareFn>,
    evaluate: EvaluateFn,
}

impl Function {
    /// A deterministic function with one name.
    pub const fn new(name: &'static str, infer: InferFn, evaluate: EvaluateFn) -> Self {
        Function {
            name,
            aliases: &[],
            determinism: Determinism::Always,
            arguments: None,
            infer,
            prepare: None,
            evaluate,
        }
    }

    /// Adds other names.
    #[must_use]
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// Sets another determinism.
    #[must_use]
    pub const fn determinism(mut self, determinism: Determinism) -> Self {
        self.determinism = determinism;
        self
    }

    /// Sets how to rewrite the arguments before they are typed.
    #[must_use]
    pub const fn arguments(mut self, arguments: ArgumentsFn) -> Self {
        self.arguments = Some(arguments);
        self
    }

    /// Sets the work to do once per expression.
    #[must_use]
    pub const fn prepare(mut self, prepare: PrepareFn) -> Self {
        self.prepare = Some(prepare);
        self
    }

    /// The function in the form that a table of functions takes.
    pub fn boxed(self) -> Box<dyn ScalarFunction> {
        Box::new(self)
    }
}

impl ScalarFunction for Function {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &'static [&'static str] {
        self.aliases
    }

    fn determinism(&self) -> Determinism {
        self.determinism
    }

    fn arguments(&self, args: Vec<Expr>) -> Vec<Expr> {
        match self.arguments {
            Some(arguments) => arguments(args),
            None => args,
        }
    }

    fn infer(&self, args: &[Argument<'_>], context: &PlanContext) -> Result<Signature> {
        (self.infer)(args, context)
    }

    fn prepare(
        &self,
        args: &[Argument<'_>],
        result: &LogicalType,
    ) -> Result<Option<Box<dyn PreparedFunction>>> {
        self.prepare.map_or(Ok(None), |prepare| prepare(args, result))
    }

    fn evaluate(&self, args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
        (self.evaluate)(args, call)
    }
}

/// Whether any argument may be NULL.
pub fn any_nullable(args: &[Argument<'_>]) -> bool {
    args.iter().any(|arg| arg.ty.nullable)
}

/// The error for arguments that no signature accepts: it names their types and the supported forms, such as
/// `SIN(<NUMERIC>)`.
pub fn no_signature(name: &str, args: &[Argument<'_>], forms: &[&str]) -> Error {
    let types = args.iter().map(|arg| format!("<{}>", arg.ty.kind)).collect::<Vec<_>>();
    let given = match types.as_slice() {
        [one] if !is_word(name) => format!("{name}{one}"),
        [left, right] if !is_word(name) => format!("{left} {name} {right}"),
        _ => format!("{name}({})", types.join(", ")),
    };
    let forms = forms.iter().map(|form| format!("'{form}'")).collect::<Vec<_>>().join(" | ");
    Error::invalid(format!(
        "Cannot apply '{name}' to arguments of type '{given}'. Supported form(s): {forms}"
    ))
}

fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && !matches!(name, "AND" | "OR")
}
