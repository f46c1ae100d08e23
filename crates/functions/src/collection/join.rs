//! ARRAY_JOIN(array of strings, delimiter [, string for NULL]).

use arrow::array::{Array, ArrayRef, StringArray};
use flott_expr::function::{Argument, Call, Function, Signature, no_signature};
use flott_expr::value::{Value, downcast};
use flott_types::{Result, TypeKind};

use super::lists::{Lists, element_type};
use crate::build::strings;
use crate::check::nullable_if;

pub(super) const FUNCTIONS: &[Function] = &[Function::new("ARRAY_JOIN", |args, _| infer(args), join)];

fn infer(args: &[Argument<'_>]) -> Result<Signature> {
    let forms = [
        "ARRAY_JOIN(<ARRAY<STRING>>, <CHARACTER_STRING>)",
        "ARRAY_JOIN(<ARRAY<STRING>>, <CHARACTER_STRING>, <CHARACTER_STRING>)",
    ];
    let is_text = |arg: &Argument<'_>| arg.ty.kind.is_character() || arg.ty.kind == TypeKind::Null;
    match args {
        [array, texts @ ..]
            if element_type(array).is_some_and(|element| element.kind.is_character())
                && (1..=2).contains(&texts.len())
                && texts.iter().all(is_text) =>
        {
            let text = |arg: &Argument<'_>| match arg.ty.kind {
                TypeKind::Null => TypeKind::STRING.nullable(),
                _ => arg.ty.clone(),
            };
            let casts = std::iter::once(array.ty.clone()).chain(texts.iter().map(text)).collect();
            Ok(Signature { casts, result: nullable_if(TypeKind::STRING, args) })
        }
        _ => Err(no_signature("ARRAY_JOIN", args, &forms)),
    }
}

/// NULLs are skipped unless there is a string for them.
fn join(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(&args[0])?;
    let elements: &StringArray = downcast(lists.elements())?;
    let delimiter = args[1].view::<StringArray>()?;
    let for_null = args.get(2).map(Value::view::<StringArray>).transpose()?;
    strings(call, |row, out| {
        let (range, delimiter) = (lists.range(row)?, delimiter.get(row)?);
        let for_null = match &for_null {
            None => None,
            Some(for_null) => Some(for_null.get(row)?),
        };
        let texts =
            range.filter_map(|at| if elements.is_null(at) { for_null } else { Some(elements.value(at)) });
        for (position, text) in texts.enumerate() {
            if position > 0 {
                out.push_str(delimiter);
            }
            out.push_str(text);
        }
        Some(())
    })
}
