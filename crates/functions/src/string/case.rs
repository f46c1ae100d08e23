//! UPPER, LOWER, INITCAP, REVERSE, CHAR_LENGTH.

use arrow::array::{Array, ArrayRef, Int32Array, StringArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::Int32Type;
use flott_expr::function::{Call, Function};
use flott_expr::kernel::{arrow_error, as_ref};
use flott_expr::value::Value;
use flott_types::{Result, TypeKind};

use crate::build::{primitives, strings};
use crate::check::{Family, infer, nullable_if};

const ONE: &[&[Family]] = &[&[Family::Character]];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("UPPER", infer!("UPPER", ONE, |args| args[0].ty.clone()), |args, call| {
        match ascii(&args[0])? {
            Some(texts) => texts.changed(<[u8]>::make_ascii_uppercase),
            None => each(args, call, |text, out| out.push_str(&text.to_uppercase())),
        }
    }),
    Function::new("LOWER", infer!("LOWER", ONE, |args| args[0].ty.clone()), |args, call| {
        match ascii(&args[0])? {
            Some(texts) => texts.changed(<[u8]>::make_ascii_lowercase),
            None => each(args, call, |text, out| out.push_str(&text.to_lowercase())),
        }
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
            if let Some(texts) = ascii(&args[0])? {
                return texts.lengths();
            }
            let text = args[0].view::<StringArray>()?;
            Ok(primitives::<Int32Type>(call.rows, |row| Some(text.get(row)?.chars().count() as i32)))
        },
    )
    .aliases(&["CHARACTER_LENGTH"]),
];

/// A column of ASCII text: each byte is a character, so the bytes of all rows can be processed at once.
struct Ascii<'a> {
    texts: &'a StringArray,
    bytes: &'a [u8],
}

fn ascii(value: &Value) -> Result<Option<Ascii<'_>>> {
    let texts = value.view::<StringArray>()?;
    if texts.is_constant() {
        return Ok(None);
    }
    let texts = texts.held();
    let offsets = texts.value_offsets();
    let (start, end) = (offsets[0] as usize, offsets[texts.len()] as usize);
    let bytes = &texts.value_data()[start..end];
    Ok(bytes.is_ascii().then_some(Ascii { texts, bytes }))
}

impl Ascii<'_> {
    /// The texts with their letters changed, which must not change their lengths.
    fn changed(&self, change: impl FnOnce(&mut [u8])) -> Result<ArrayRef> {
        let mut bytes = self.bytes.to_vec();
        change(&mut bytes);
        let lengths = self.texts.offsets().lengths();
        let texts = StringArray::try_new(
            OffsetBuffer::from_lengths(lengths),
            bytes.into(),
            self.texts.nulls().cloned(),
        );
        texts.map(as_ref).map_err(arrow_error)
    }

    fn lengths(&self) -> Result<ArrayRef> {
        let lengths: ScalarBuffer<i32> = self.texts.offsets().lengths().map(|length| length as i32).collect();
        Int32Array::try_new(lengths, self.texts.nulls().cloned()).map(as_ref).map_err(arrow_error)
    }
}

fn each(args: &[Value], call: &Call<'_>, change: impl Fn(&str, &mut String)) -> Result<ArrayRef> {
    let text = args[0].view::<StringArray>()?;
    strings(call, |row, out| {
        change(text.get(row)?, out);
        Some(())
    })
}

/// Knows only ASCII letters and digits; everything else separates words.
fn initcap(text: &str, out: &mut String) {
    let mut inside = false;
    for c in text.chars() {
        out.push(if inside { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() });
        inside = c.is_ascii_alphanumeric();
    }
}
