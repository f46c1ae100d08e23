//! UPPER, LOWER, INITCAP, REVERSE, CHAR_LENGTH.

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::Int32Type;
use flott_types::{Result, TypeKind};

use crate::function::{Call, Function};
use crate::functions::build::{primitives, strings};
use crate::functions::check::{Family, infer, nullable_if};
use crate::value::Value;

const ONE: &[&[Family]] = &[&[Family::Character]];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("UPPER", infer!("UPPER", ONE, |args| args[0].ty.clone()), |args, call| {
        each(args, call, |text, out| {
            if text.is_ascii() {
                out.push_str(text);
                out.make_ascii_uppercase();
            } else {
                out.push_str(&text.to_uppercase());
            }
        })
    }),
    Function::new("LOWER", infer!("LOWER", ONE, |args| args[0].ty.clone()), |args, call| {
        each(args, call, |text, out| {
            if text.is_ascii() {
                out.push_str(text);
                out.make_ascii_lowercase();
            } else {
                out.push_str(&text.to_lowercase());
            }
        })
    }),
    Function::new("INITCAP", infer!("INITCAP", ONE, |args| args[0].ty.clone()), |args, call| {
        each(args, call, initcap)
    }),
    Function::new("REVERSE", infer!("REVERSE", ONE, |_args| TypeKind::STRING.nullable()), |args, call| {
        each(args, call, |text, out| out.extend(text.chars().rev()))
    }),
    Function::new(
        "CHAR_LENGTH",
        infer!("CHAR_LENGTH", ONE, |args| nullable_if(TypeKind::Int, args)),
        |args, call| {
            let text = args[0].view::<StringArray>()?;
            Ok(primitives::<Int32Type>(call.rows, |row| Some(text.get(row)?.chars().count() as i32)))
        },
    )
    .aliases(&["CHARACTER_LENGTH"]),
];

fn each(args: &[Value], call: &Call<'_>, change: impl Fn(&str, &mut String)) -> Result<ArrayRef> {
    let text = args[0].view::<StringArray>()?;
    Ok(strings(call.rows, |row, out| {
        change(text.get(row)?, out);
        Some(())
    }))
}

/// Knows only ASCII letters and digits; everything else parts words.
fn initcap(text: &str, out: &mut String) {
    let mut inside = false;
    for c in text.chars() {
        out.push(if inside { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() });
        inside = c.is_ascii_alphanumeric();
    }
}
