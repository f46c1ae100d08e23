//! POSITION, LOCATE, INSTR, STARTSWITH, ENDSWITH. Positions count characters from 1; 0 means not found.

use arrow::array::{ArrayRef, BinaryArray, Int64Array, StringArray};
use arrow::datatypes::Int32Type;
use flott_expr::function::{Call, Function};
use flott_expr::value::Value;
use flott_types::{Error, Result, TypeKind};

use crate::build::{booleans, primitives, try_primitives};
use crate::check::{Family, infer, nullable_if};

const TWO: &[&[Family]] = &[&[Family::Character, Family::Character]];
const LOCATE: &[&[Family]] =
    &[&[Family::Character, Family::Character], &[Family::Character, Family::Character, Family::Integer]];
const INSTR: &[&[Family]] = &[
    &[Family::Character, Family::Character],
    &[Family::Character, Family::Character, Family::Integer],
    &[Family::Character, Family::Character, Family::Integer, Family::Integer],
];
const ENDS: &[&[Family]] = &[&[Family::Character, Family::Character], &[Family::Binary, Family::Binary]];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("POSITION", infer!("POSITION", TWO, |args| nullable_if(TypeKind::Int, args)), locate),
    Function::new("LOCATE", infer!("LOCATE", LOCATE, |args| nullable_if(TypeKind::Int, args)), locate),
    Function::new("INSTR", infer!("INSTR", INSTR, |args| nullable_if(TypeKind::Int, args)), instr),
    Function::new(
        "STARTSWITH",
        infer!(with_null "STARTSWITH", ENDS, |args| nullable_if(TypeKind::Boolean, args)),
        |args, call| ends(args, call, |text, part| text.starts_with(part)),
    ),
    Function::new(
        "ENDSWITH",
        infer!(with_null "ENDSWITH", ENDS, |args| nullable_if(TypeKind::Boolean, args)),
        |args, call| ends(args, call, |text, part| text.ends_with(part)),
    ),
];

/// The first occurrence of a part at or after a position. The empty part is always found at 1.
fn find(text: &str, part: &str, from: i64) -> i32 {
    if part.is_empty() {
        return 1;
    }
    let skipped = usize::try_from(from.saturating_sub(1)).unwrap_or(0);
    let Some(start) = byte_of(text, skipped) else {
        return 0;
    };
    match text[start..].find(part) {
        Some(at) => (skipped + text[start..start + at].chars().count()) as i32 + 1,
        None => 0,
    }
}

/// The byte offset of the n-th character, counting from 0; the end is a position too.
fn byte_of(text: &str, chars: usize) -> Option<usize> {
    if chars == 0 {
        return Some(0);
    }
    match text.char_indices().nth(chars) {
        Some((at, _)) => Some(at),
        None if text.chars().count() == chars => Some(text.len()),
        None => None,
    }
}

/// LOCATE(part, text, from); POSITION(part IN text).
fn locate(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (part, text) = (args[0].view::<StringArray>()?, args[1].view::<StringArray>()?);
    let from = args.get(2).map(Value::view::<Int64Array>).transpose()?;
    Ok(primitives::<Int32Type>(call.rows, |row| {
        let from = match &from {
            Some(from) => from.get(row)?,
            None => 1,
        };
        Some(find(text.get(row)?, part.get(row)?, from))
    }))
}

/// INSTR(text, part, from, nth): a negative `from` searches backwards from the end.
fn instr(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (text, part) = (args[0].view::<StringArray>()?, args[1].view::<StringArray>()?);
    let number = |at: usize| args.get(at).map(Value::view::<Int64Array>).transpose();
    let (from, nth) = (number(2)?, number(3)?);
    try_primitives::<Int32Type>(call.rows, |row| {
        let (Some(text), Some(part)) = (text.get(row), part.get(row)) else {
            return Ok(None);
        };
        let Some(from) = from.map_or(Some(1), |from| from.get(row)) else {
            return Ok(None);
        };
        let Some(nth) = nth.map_or(Some(1), |nth| nth.get(row)) else {
            return Ok(None);
        };
        if nth <= 0 {
            return Err(Error::data("nthAppearance must be positive!"));
        }
        Ok(Some(nth_position(text, part, from, nth)))
    })
}

fn nth_position(text: &str, part: &str, from: i64, nth: i64) -> i32 {
    if from == 0 {
        return 0;
    }
    if from > 0 {
        let mut at = 0;
        let mut next = from;
        for _ in 0..nth {
            at = find(text, part, next);
            if at == 0 {
                return 0;
            }
            if part.is_empty() {
                break;
            }
            next = i64::from(at) + 1;
        }
        return at;
    }
    let backwards = |text: &str| text.chars().rev().collect::<String>();
    match nth_position(&backwards(text), &backwards(part), from.saturating_neg(), nth) {
        0 => 0,
        at => text.chars().count() as i32 + 2 - at - part.chars().count() as i32,
    }
}

fn ends(args: &[Value], call: &Call<'_>, test: impl Fn(&[u8], &[u8]) -> bool) -> Result<ArrayRef> {
    if call.arg_types[0].kind.is_binary() {
        let (text, part) = (args[0].view::<BinaryArray>()?, args[1].view::<BinaryArray>()?);
        return Ok(booleans(call.rows, |row| Some(test(text.get(row)?, part.get(row)?))));
    }
    let (text, part) = (args[0].view::<StringArray>()?, args[1].view::<StringArray>()?);
    Ok(booleans(call.rows, |row| Some(test(text.get(row)?.as_bytes(), part.get(row)?.as_bytes()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions() {
        let cases = [
            ("hello", "l", 1, 3),
            ("hello", "l", 4, 4),
            ("hello", "", 1, 1),
            ("hello", "l", 0, 3),
            ("hello", "l", -1, 3),
            ("hello", "l", 100, 0),
            ("日本", "本", 1, 2),
            ("日本", "本", 3, 0),
            ("a😀b😀c", "😀", 3, 4),
        ];
        for (text, part, from, at) in cases {
            assert_eq!(find(text, part, from), at, "{part} in {text} from {from}");
        }
    }

    #[test]
    fn the_nth_from_either_end() {
        assert_eq!(nth_position("Corporate Floor", "or", 3, 1), 5);
        assert_eq!(nth_position("Corporate Floor", "or", 3, 2), 14);
        assert_eq!(nth_position("Corporate Floor", "or", -3, 2), 2);
        assert_eq!(nth_position("Corporate Floor", "or", 0, 1), 0);
        assert_eq!(nth_position("Corporate Floor", "or", 1, 4), 0);
    }
}
