//! Functions that return information about the session.

use arrow::array::{ArrayRef, StringArray};
use flott_expr::function::{Argument, Call, Determinism, Function, ScalarFunction, Signature, no_signature};
use flott_expr::kernel::as_ref;
use flott_expr::value::{Value, repeat};
use flott_types::{Result, TypeKind};

/// The table of the family.
pub(crate) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    vec![
        Function::new("CURRENT_DATABASE", |args, _| infer(args), current_database)
            .determinism(Determinism::Statement)
            .boxed(),
    ]
}

fn infer(args: &[Argument<'_>]) -> Result<Signature> {
    match args {
        [] => Ok(Signature { casts: Vec::new(), result: TypeKind::STRING.not_null() }),
        _ => Err(no_signature("CURRENT_DATABASE", args, &["CURRENT_DATABASE()"])),
    }
}

fn current_database(_: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    repeat(&as_ref(StringArray::from(vec![call.context.database()])), call.rows)
}
