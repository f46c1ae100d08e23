//! TRIM, LTRIM, RTRIM, BTRIM: remove a set of characters from the ends.
//!
//! `TRIM('BOTH' | 'LEADING' | 'TRAILING', characters, text)`; without characters, spaces (U+0020) are
//! removed.

use arrow::array::{ArrayRef, StringArray};
use flott_expr::context::PlanContext;
use flott_expr::function::{Argument, Call, Function, Signature, no_signature};
use flott_expr::value::{Value, View};
use flott_types::{Error, Result, TypeKind};

use crate::build::slices;
use crate::check::{self, Family, infer, nullable_if, varying};

const FORMS: &[&[Family]] = &[&[Family::Character], &[Family::Character, Family::Character]];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("TRIM", infer_trim, trim),
    Function::new(
        "LTRIM",
        infer!("LTRIM", FORMS, |args| nullable_if(varying(args[0].ty), args)),
        |args, call| trim_ends(args, call, Ends { left: true, right: false }),
    ),
    Function::new(
        "RTRIM",
        infer!("RTRIM", FORMS, |args| nullable_if(varying(args[0].ty), args)),
        |args, call| trim_ends(args, call, Ends { left: false, right: true }),
    ),
    Function::new(
        "BTRIM",
        infer!(with_null "BTRIM", FORMS, |args| nullable_if(TypeKind::STRING, args)),
        |args, call| trim_ends(args, call, Ends { left: true, right: true }),
    ),
];

#[derive(Clone, Copy)]
struct Ends {
    left: bool,
    right: bool,
}

fn infer_trim(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    match args {
        [text] if text.ty.kind.is_character() => {
            Ok(Signature::as_is(args, varying(text.ty).with_nullable(text.ty.nullable)))
        }
        [_, characters, text] if characters.ty.kind.is_character() && text.ty.kind.is_character() => {
            let nullable = characters.ty.nullable || text.ty.nullable;
            Ok(Signature::as_is(args, varying(text.ty).with_nullable(nullable)))
        }
        _ if args.iter().any(|arg| arg.ty.kind == TypeKind::Null) => Err(check::illegal_null("TRIM")),
        _ => Err(no_signature("TRIM", args, &["TRIM([BOTH|LEADING|TRAILING] <STRING> FROM <STRING>)"])),
    }
}

fn trim(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    if args.len() == 1 {
        return trim_ends(args, call, Ends { left: true, right: true });
    }
    let side = args[0].view::<StringArray>()?.constant().flatten();
    let ends = match side {
        Some("BOTH") => Ends { left: true, right: true },
        Some("LEADING") => Ends { left: true, right: false },
        Some("TRAILING") => Ends { left: false, right: true },
        other => return Err(Error::internal(format!("TRIM of {other:?}"))),
    };
    cut(args[2].view()?, Some(args[1].view()?), call, ends)
}

fn trim_ends(args: &[Value], call: &Call<'_>, ends: Ends) -> Result<ArrayRef> {
    let characters = args.get(1).map(Value::view::<StringArray>).transpose()?;
    cut(args[0].view()?, characters, call, ends)
}

fn cut(
    text: View<'_, StringArray>,
    characters: Option<View<'_, StringArray>>,
    call: &Call<'_>,
    ends: Ends,
) -> Result<ArrayRef> {
    slices(call, |row| {
        let characters = match &characters {
            Some(characters) => characters.get(row)?,
            None => " ",
        };
        let mut text = text.get(row)?;
        if ends.left {
            text = text.trim_start_matches(|c| characters.contains(c));
        }
        if ends.right {
            text = text.trim_end_matches(|c| characters.contains(c));
        }
        Some(text)
    })
}
