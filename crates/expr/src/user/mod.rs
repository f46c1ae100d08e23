//! The user's functions, called by name in SQL.
//!
//! [`scalar`] and [`table`] make them from closures over Rust types; the SQL types of parameters and result
//! follow from the Rust types ([`SqlType`]). Where a closure is not enough, implement
//! [`ScalarFunction`](crate::ScalarFunction) over arrow arrays, with your own type inference.
//!
//! A parameter that is not an `Option` is never NULL: if an argument is NULL, the function is not called, and
//! the result is NULL (a table function returns no rows).
//!
//! A table function is a function that returns an ARRAY of ROWs, which the planner unnests.

mod call;
mod types;

use std::fmt;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use flott_batch::arrow_type;
use flott_types::{LogicalType, Result, TypeKind};

use crate::context::PlanContext;
use crate::function::{Argument, Call, Determinism, ScalarFunction, Signature, no_signature};
use crate::typing::casts::is_implicit;
use crate::value::Value;

pub use call::{FunctionBody, Returned, scalar, table};
pub use types::{SqlRow, SqlType};

/// What a user's function returns for a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FunctionKind {
    /// A value.
    Scalar,
    /// Rows.
    Table,
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

/// A registered function.
#[derive(Clone, Debug)]
pub struct UserFunction {
    /// What it returns for a row.
    pub kind: FunctionKind,
    /// The function, under the name by which plans call it.
    pub function: Arc<dyn ScalarFunction>,
}

/// A parameter or a result.
#[derive(Clone, Debug)]
pub struct Typed {
    /// Its type.
    pub kind: TypeKind,
    /// Whether it may be NULL.
    pub nullable: bool,
}

/// Takes the arguments, the number of rows, and the arrow type of the result.
type Body = Arc<dyn Fn(&[Value], usize, &DataType) -> Result<ArrayRef> + Send + Sync>;

/// A function made from a closure.
#[derive(Clone)]
pub struct ClosureFunction {
    kind: FunctionKind,
    params: Vec<Typed>,
    result: Typed,
    determinism: Determinism,
    body: Body,
}

impl ClosureFunction {
    /// Declares that the function may return different results for the same arguments: calls are not
    /// evaluated during planning, and not twice.
    #[must_use]
    pub fn non_deterministic(mut self) -> Self {
        self.determinism = Determinism::Never;
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

    /// The function under the name by which plans call it.
    pub(crate) fn named(self, name: String, shown: String) -> Arc<dyn ScalarFunction> {
        Arc::new(Named { name, shown, function: self })
    }
}

impl fmt::Debug for ClosureFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClosureFunction").field("kind", &self.kind).field("params", &self.params).finish()
    }
}

#[derive(Debug)]
struct Named {
    name: String,
    shown: String,
    function: ClosureFunction,
}

impl ScalarFunction for Named {
    fn name(&self) -> &str {
        &self.name
    }

    fn determinism(&self) -> Determinism {
        self.function.determinism
    }

    fn infer(&self, args: &[Argument<'_>], _: &PlanContext) -> Result<Signature> {
        let ClosureFunction { params, result, .. } = &self.function;
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
        (self.function.body)(args, call.rows, &arrow_type::to_arrow(call.result))
    }
}
