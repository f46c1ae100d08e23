//! Functions on character strings.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, StringArray, StringBuilder};
use flott_types::{Result, TypeKind};

use crate::context::PlanContext;
use crate::function::{Argument, Call, Function, ScalarFunction, Signature, any_nullable, no_signature};
use crate::value::Value;

/// The table of the family.
pub(crate) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    vec![
        Function::new("UPPER", infer_upper, upper).boxed(),
        Function::new("CHAR_LENGTH", infer_length, char_length)
            .aliases(&["CHARACTER_LENGTH"])
            .boxed(),
    ]
}

fn infer_upper(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    match args {
        [arg] if arg.ty.kind.is_character() => Ok(Signature::as_is(args, arg.ty.clone())),
        _ => Err(no_signature("UPPER", args, &["UPPER(<CHARACTER>)"])),
    }
}

fn upper(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let input = args[0].view::<StringArray>()?;
    let mut output = StringBuilder::with_capacity(call.rows, 16 * call.rows);
    for row in 0..call.rows {
        output.append_option(input.get(row).map(str::to_uppercase));
    }
    Ok(Arc::new(output.finish()))
}

fn infer_length(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    match args {
        [arg] if arg.ty.kind.is_character() => Ok(Signature::as_is(
            args,
            TypeKind::Int.with_nullable(any_nullable(args)),
        )),
        _ => Err(no_signature("CHAR_LENGTH", args, &["CHAR_LENGTH(<CHARACTER>)"])),
    }
}

fn char_length(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let input = args[0].view::<StringArray>()?;
    let lengths = (0..call.rows).map(|row| input.get(row).map(|text| text.chars().count() as i32));
    Ok(Arc::new(lengths.collect::<Int32Array>()))
}
