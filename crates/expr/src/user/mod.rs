//! The user's functions, called by name in SQL.
//!
//! [`scalar`], [`table`] and [`aggregate`] make a [`FunctionDefinition`] of closures over Rust types; the SQL types of parameters and
//! result follow from the Rust types ([`SqlType`]). Registered under a name it is a [`UserFunction`]; a statement may
//! name it itself (CREATE FUNCTION), when the program has defined it by an identifier.
//!
//! A parameter that is not an `Option` is never NULL: if an argument is NULL, the function is not called, and
//! the result is NULL (a table function returns no rows).
//!
//! A table function is a function that returns an ARRAY of ROWs, which the planner unnests.

mod aggregate;
mod artifact;
mod asynchronous;
mod call;
mod failure;
mod process;
mod types;

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use flott_batch::arrow_type;
use flott_types::{Error, LogicalType, Result, TypeKind};

use crate::context::PlanContext;
use crate::function::{Argument, Call, Determinism, ScalarFunction, Signature, no_signature};
use crate::typing::casts::is_implicit;
use crate::value::Value;

pub use aggregate::{AggregateDefinition, AggregateRows, AggregateStates, Done, StateBody, aggregate};
pub use artifact::{ArtifactLimits, FunctionLoader, LOADED};
pub(crate) use artifact::{Entry, Loaded};
pub use asynchronous::{AsyncAnswer, async_scalar, async_table};
pub use call::{FunctionBody, Returned, scalar, table};
pub use failure::of_row;
pub use process::{ChangelogContext, ChangelogOf, ProcessFunction, ProcessParameter, TableTraits};
pub use types::{SqlRow, SqlType, typed};

/// What a user's function returns for a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FunctionKind {
    /// A value.
    Scalar,
    /// Rows.
    Table,
    /// A value for a group of rows.
    Aggregate,
    /// Rows for the rows of tables, with state.
    ProcessTable,
    /// A value, later.
    AsyncScalar,
    /// Rows, later.
    AsyncTable,
}

impl fmt::Display for FunctionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FunctionKind::Scalar => "SCALAR",
            FunctionKind::Table => "TABLE",
            FunctionKind::Aggregate => "AGGREGATE",
            FunctionKind::ProcessTable => "PROCESS_TABLE",
            FunctionKind::AsyncScalar => "ASYNC_SCALAR",
            FunctionKind::AsyncTable => "ASYNC_TABLE",
        })
    }
}

/// The name under which a user's function is called; in lower case, because Flink ignores case here.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FunctionName {
    /// Everywhere, with precedence over other functions of that name.
    System(String),
    /// In a database: `catalog`, `database`, name.
    Catalog(String, String, String),
}

impl FunctionName {
    /// The name without catalog and database.
    pub fn simple(&self) -> &str {
        match self {
            FunctionName::System(name) | FunctionName::Catalog(_, _, name) => name,
        }
    }
}

impl fmt::Display for FunctionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FunctionName::System(name) => f.write_str(name),
            FunctionName::Catalog(catalog, database, name) => write!(f, "{catalog}.{database}.{name}"),
        }
    }
}

/// A parameter or a result.
#[derive(Clone, Debug)]
pub struct Typed {
    /// Its type.
    pub kind: TypeKind,
    /// Whether it may be NULL.
    pub nullable: bool,
}

/// Takes the arguments, the number of rows, and the arrow type of the result. The cell says which row is being computed.
pub type OfRows = Arc<dyn Fn(&[Value], usize, &DataType, &Cell<usize>) -> Result<ArrayRef> + Send + Sync>;

/// How a function is computed.
#[derive(Clone)]
enum Body {
    Rows(OfRows),
    Aggregate(Arc<dyn aggregate::AggregateBody>),
    Process(ProcessFunction),
    Async(asynchronous::AsyncBody),
}

/// What a user's function does, with the types of its parameters and its result.
#[derive(Clone)]
pub struct FunctionDefinition {
    kind: FunctionKind,
    params: Vec<Typed>,
    /// The names of the parameters; none, or one for each.
    names: Vec<String>,
    result: Typed,
    determinism: Determinism,
    body: Body,
}

impl FunctionDefinition {
    /// Declares that the function may return different results for the same arguments: calls are not
    /// evaluated during planning, and not twice.
    #[must_use]
    pub fn non_deterministic(mut self) -> Self {
        self.determinism = Determinism::Never;
        self
    }

    /// Names the parameters, so that arguments can be given by name: `f(x => 1)`. The names are of as many as there are.
    #[must_use]
    pub fn parameters<const N: usize>(mut self, names: [&str; N]) -> Self {
        self.names = names.map(str::to_owned).to_vec();
        self.names.truncate(self.params.len());
        self
    }

    /// Names the columns of a table function; without names they are `f0`, `f1`, and so on.
    #[must_use]
    pub fn columns<const N: usize>(mut self, names: [&str; N]) -> Self {
        if let TypeKind::Array(row) = &mut self.result.kind
            && let TypeKind::Row(fields) = &mut row.kind
        {
            for (field, name) in fields.iter_mut().zip(names) {
                name.clone_into(&mut field.name);
            }
        }
        self
    }

    /// What it returns for a row.
    pub fn kind(&self) -> FunctionKind {
        self.kind
    }
}

impl fmt::Debug for FunctionDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FunctionDefinition").field("kind", &self.kind).field("params", &self.params).finish()
    }
}

/// A user's function, under its names.
#[derive(Clone, Debug)]
pub struct UserFunction {
    /// The name that plans call it by.
    name: String,
    /// The name that messages call it by.
    shown: String,
    definition: FunctionDefinition,
}

impl UserFunction {
    pub(crate) fn new(name: String, shown: String, definition: FunctionDefinition) -> Self {
        UserFunction { name, shown, definition }
    }

    /// The same function, which messages call by another name.
    pub(crate) fn shown_as(&self, shown: &str) -> Self {
        UserFunction { shown: shown.to_owned(), ..self.clone() }
    }

    /// The name that plans call it by.
    pub fn called(&self) -> &str {
        &self.name
    }

    /// The name that messages call it by.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// What it gives for a row.
    pub fn kind(&self) -> FunctionKind {
        self.definition.kind
    }

    fn aggregate(&self) -> Result<&dyn aggregate::AggregateBody> {
        match &self.definition.body {
            Body::Aggregate(body) => Ok(body.as_ref()),
            Body::Rows(_) | Body::Process(_) | Body::Async(_) => {
                Err(Error::invalid(format!("the function '{}' is not an aggregate function", self.shown)))
            }
        }
    }

    /// The type of the result of an aggregate function, of rows that there are.
    pub fn aggregated(&self) -> LogicalType {
        let Typed { kind, nullable } = &self.definition.result;
        kind.clone().with_nullable(*nullable)
    }

    /// The states of an aggregate function, called so in snapshots.
    ///
    /// # Errors
    /// If it is another function, or the type of its state cannot be stored.
    pub fn states(&self, name: &str) -> Result<Box<dyn AggregateStates>> {
        self.aggregate()?.states(name, &self.shown)
    }

    /// Checks that an aggregate function can do what a plan asks of it.
    ///
    /// # Errors
    /// If it cannot take rows away or merge states, and must.
    pub fn check_aggregate(&self, must_retract: Option<&str>, must_merge: Option<&str>) -> Result<()> {
        let body = self.aggregate()?;
        let lacks = |what: &str, why: &str| {
            Err(Error::invalid(format!(
                "the aggregate function '{}' has no {what}, which {why} needs: define it with .{what}(...)",
                self.shown
            )))
        };
        match (must_retract, must_merge) {
            (Some(why), _) if !body.retracts() => lacks("retract", why),
            (_, Some(why)) if !body.merges() => lacks("merge", why),
            _ => Ok(()),
        }
    }

    /// The names of the parameters, if they have names.
    pub fn parameters(&self) -> Vec<&str> {
        let FunctionDefinition { names, params, .. } = &self.definition;
        let named = names.len() == params.len();
        if named { names.iter().map(String::as_str).collect() } else { Vec::new() }
    }

    /// How it is called by a name: `f(BIGINT, STRING)`, or `f(x => BIGINT, y => STRING)` if the parameters have names.
    pub fn signature(&self, name: &str) -> String {
        if let Some(process) = self.process() {
            let own = process.parameters.iter().map(ToString::to_string);
            let all: Vec<String> =
                own.chain(["on_time => DESCRIPTOR", "uid => STRING"].map(str::to_owned)).collect();
            return format!("{name}({})", all.join(", "));
        }
        let names = self.parameters();
        let param = |(at, param): (usize, &Typed)| match names.get(at) {
            Some(name) => format!("{name} => {}", param.kind),
            None => param.kind.to_string(),
        };
        let params: Vec<String> = self.definition.params.iter().enumerate().map(param).collect();
        format!("{name}({})", params.join(", "))
    }
}

impl ScalarFunction for UserFunction {
    fn name(&self) -> &str {
        &self.name
    }

    fn determinism(&self) -> Determinism {
        match self.is_async() {
            // It is asked in one place of a plan, which expressions cannot be moved to.
            true => Determinism::Never,
            false => self.definition.determinism,
        }
    }

    fn infer(&self, args: &[Argument<'_>], _: &PlanContext) -> Result<Signature> {
        let FunctionDefinition { params, result, .. } = &self.definition;
        let fits = |(arg, param): (&Argument<'_>, &Typed)| {
            arg.ty.kind == TypeKind::Null || is_implicit(&arg.ty.kind, &param.kind)
        };
        if args.len() != params.len() || !args.iter().zip(params).all(fits) {
            let types: Vec<String> = params.iter().map(|param| format!("<{}>", param.kind)).collect();
            let form = format!("{}({})", self.shown, types.join(", "));
            return Err(no_signature(&self.shown, args, &[&form]));
        }
        let casts: Vec<LogicalType> = params
            .iter()
            .zip(args)
            .map(|(param, arg)| param.kind.clone().with_nullable(arg.ty.nullable))
            .collect();
        let skipped = args.iter().zip(params).any(|(arg, param)| arg.ty.nullable && !param.nullable);
        let result = result.kind.clone().with_nullable(result.nullable || skipped);
        Ok(Signature { casts, result })
    }

    fn evaluate(&self, args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
        let result = arrow_type::to_arrow(call.result);
        let Body::Rows(body) = &self.definition.body else {
            let shown = &self.shown;
            return Err(match self.is_async() {
                true => Error::unsupported(format!(
                    "the asynchronous function '{shown}' is not supported in this place"
                )),
                false => Error::internal(format!("'{shown}' is not computed row by row")),
            });
        };
        failure::of_row(&self.shown, args, |row| body(args, call.rows, &result, row))
    }
}
