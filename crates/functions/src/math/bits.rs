//! BIN, HEX, UNHEX.

use std::fmt::Write;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use flott_expr::function::{Argument, Call, Function, ScalarFunction, Signature, any_nullable, no_signature};
use flott_expr::value::Value;
use flott_types::{Result, TypeKind};

use crate::build::{strings, try_binaries};

pub(super) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    vec![
        Function::new("BIN", |args, _| infer_number("BIN", args, &["BIN(<INTEGER>)"]), bin).boxed(),
        Function::new("HEX", |args, _| infer_hex(args), hex).boxed(),
        Function::new("UNHEX", |args, _| infer_unhex(args), unhex).boxed(),
    ]
}

fn infer_number(name: &'static str, args: &[Argument<'_>], forms: &[&str]) -> Result<Signature> {
    match args {
        [arg] if arg.ty.kind.is_integer() => Ok(Signature {
            casts: vec![TypeKind::BigInt.with_nullable(arg.ty.nullable)],
            result: TypeKind::STRING.with_nullable(any_nullable(args)),
        }),
        _ => Err(no_signature(name, args, forms)),
    }
}

fn infer_hex(args: &[Argument<'_>]) -> Result<Signature> {
    match args {
        [arg] if arg.ty.kind.is_character() => {
            Ok(Signature::as_is(args, TypeKind::STRING.with_nullable(any_nullable(args))))
        }
        _ => infer_number("HEX", args, &["HEX(<INTEGER>)", "HEX(<CHARACTER>)"]),
    }
}

fn infer_unhex(args: &[Argument<'_>]) -> Result<Signature> {
    match args {
        [arg] if arg.ty.kind.is_character() || arg.ty.kind == TypeKind::Null => {
            Ok(Signature { casts: vec![TypeKind::STRING.nullable()], result: TypeKind::BYTES.nullable() })
        }
        _ => Err(no_signature("UNHEX", args, &["UNHEX(<CHARACTER_STRING>)"])),
    }
}

fn bin(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let input = args[0].view::<Int64Array>()?;
    strings(call, |row, out| input.get(row).map(|value| write!(out, "{value:b}").unwrap_or(())))
}

fn hex(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    if call.arg_types[0].kind == TypeKind::BigInt {
        let input = args[0].view::<Int64Array>()?;
        return strings(call, |row, out| input.get(row).map(|value| write!(out, "{value:X}").unwrap_or(())));
    }
    let input = args[0].view::<StringArray>()?;
    strings(call, |row, out| {
        let text = input.get(row)?;
        text.bytes().try_for_each(|byte| write!(out, "{byte:02X}")).ok()
    })
}

/// NULL for what is not hexadecimal. If the number of digits is odd, the first one is checked and read as 0,
/// as in Flink.
fn unhex(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let input = args[0].view::<StringArray>()?;
    try_binaries(call, |row, out| Ok(input.get(row).and_then(|text| decode(text.as_bytes(), out))))
}

fn decode(text: &[u8], bytes: &mut Vec<u8>) -> Option<()> {
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    let (odd, pairs) = text.split_at(text.len() % 2);
    for byte in odd {
        digit(*byte)?;
        bytes.push(0);
    }
    for pair in pairs.chunks_exact(2) {
        bytes.push(digit(pair[0])? << 4 | digit(pair[1])?);
    }
    Some(())
}
