//! LPAD, RPAD, OVERLAY: these count Java's chars.

use arrow::array::{ArrayRef, Int64Array, StringArray};
use flott_expr::function::{Call, Function, any_nullable};
use flott_expr::value::Value;
use flott_types::{Error, Result, TypeKind};

use super::concat::joined;
use crate::build::{strings, try_strings};
use crate::check::{Family, infer, nullable_if};
use crate::utf16;

const PAD: &[&[Family]] = &[&[Family::Character, Family::Integer, Family::Character]];
const OVERLAY: &[&[Family]] = &[
    &[Family::Character, Family::Character, Family::Integer],
    &[Family::Character, Family::Character, Family::Integer, Family::Integer],
];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("LPAD", infer!("LPAD", PAD, |args| nullable_if(TypeKind::STRING, args)), |args, call| {
        pad(args, call, Side::Left)
    }),
    Function::new("RPAD", infer!("RPAD", PAD, |args| nullable_if(TypeKind::STRING, args)), |args, call| {
        pad(args, call, Side::Right)
    }),
    Function::new(
        "OVERLAY",
        infer!("OVERLAY", OVERLAY, |args| {
            let kind = match joined(&args[0].ty.kind, &args[1].ty.kind) {
                TypeKind::Char(length) => TypeKind::Varchar(length),
                other => other,
            };
            kind.with_nullable(any_nullable(args))
        }),
        overlay,
    ),
];

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Left,
    Right,
}

/// Longer padding is refused before memory is allocated for it.
const LONGEST: usize = 1 << 28;

/// NULL for a negative length or empty padding; a longer text is truncated at its end.
fn pad(args: &[Value], call: &Call<'_>, side: Side) -> Result<ArrayRef> {
    let (text, length) = (args[0].view::<StringArray>()?, args[1].view::<Int64Array>()?);
    let filling = args[2].view::<StringArray>()?;
    try_strings(call, |row, out| {
        let (Some(text), Some(length), Some(filling)) = (text.get(row), length.get(row), filling.get(row))
        else {
            return Ok(None);
        };
        let Ok(length) = usize::try_from(length) else {
            return Ok(None);
        };
        if filling.is_empty() {
            return Ok(None);
        }
        if length.saturating_mul(filling.len().max(1)) > LONGEST {
            return Err(Error::data(format!("a text cannot be padded to {length} characters")));
        }
        let own = utf16::len(text);
        let missing = length.saturating_sub(own);
        let padding = filling.encode_utf16().cycle().take(missing);
        let kept = text.encode_utf16().take(length);
        match side {
            Side::Left => utf16::push(out, padding.chain(kept)),
            Side::Right => utf16::push(out, kept.chain(padding)),
        }
        Ok(Some(()))
    })
}

/// Replaces as many chars as the new text has, or as many as `length` says, starting at a position.
fn overlay(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (text, new) = (args[0].view::<StringArray>()?, args[1].view::<StringArray>()?);
    let start = args[2].view::<Int64Array>()?;
    let length = args.get(3).map(Value::view::<Int64Array>).transpose()?;
    strings(call, |row, out| {
        let (text, new, start) = (text.get(row)?, new.get(row)?, start.get(row)?);
        let length = match &length {
            Some(length) => length.get(row)?,
            None => utf16::len(new) as i64,
        };
        let units: Vec<u16> = text.encode_utf16().collect();
        if start <= 0 || start > units.len() as i64 {
            out.push_str(text);
            return Some(());
        }
        let before = &units[..start as usize - 1];
        // Flink drops the whole tail if the length is not positive.
        let rest = start.saturating_add(length);
        let after = if length > 0 && rest <= units.len() as i64 { &units[rest as usize - 1..] } else { &[] };
        utf16::push(out, before.iter().copied().chain(new.encode_utf16()).chain(after.iter().copied()));
        Some(())
    })
}
