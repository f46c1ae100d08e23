//! BIN, HEX, UNHEX.

use std::fmt::Write;

use arrow::array::{ArrayRef, BinaryBuilder, Int64Array, StringArray, StringBuilder};
use flott_types::{Result, TypeKind};

use crate::function::{Argument, Call, Function, ScalarFunction, Signature, any_nullable, no_signature};
use crate::kernel::as_ref;
use crate::value::Value;

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
    write_each(call.rows, |row, out| input.get(row).map(|value| write!(out, "{value:b}").unwrap_or(())))
}

fn hex(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    if call.arg_types[0].kind == TypeKind::BigInt {
        let input = args[0].view::<Int64Array>()?;
        return write_each(call.rows, |row, out| {
            input.get(row).map(|value| write!(out, "{value:X}").unwrap_or(()))
        });
    }
    let input = args[0].view::<StringArray>()?;
    write_each(call.rows, |row, out| {
        let text = input.get(row)?;
        text.bytes().try_for_each(|byte| write!(out, "{byte:02X}")).ok()
    })
}

fn write_each(rows: usize, mut each: impl FnMut(usize, &mut String) -> Option<()>) -> Result<ArrayRef> {
    let mut output = StringBuilder::with_capacity(rows, rows * 16);
    let mut text = String::new();
    for row in 0..rows {
        text.clear();
        output.append_option(each(row, &mut text).map(|()| &text));
    }
    Ok(as_ref(output.finish()))
}

/// NULL for what is not hexadecimal. The first digit of an odd number of them is checked and read as 0, as Flink does.
fn unhex(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let input = args[0].view::<StringArray>()?;
    let mut output = BinaryBuilder::with_capacity(call.rows, call.rows * 16);
    for row in 0..call.rows {
        output.append_option(input.get(row).and_then(|text| decode(text.as_bytes())));
    }
    Ok(as_ref(output.finish()))
}

fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    let (odd, pairs) = text.split_at(text.len() % 2);
    let mut bytes = Vec::with_capacity(text.len() / 2 + 1);
    for byte in odd {
        digit(*byte)?;
        bytes.push(0);
    }
    for pair in pairs.chunks_exact(2) {
        bytes.push(digit(pair[0])? << 4 | digit(pair[1])?);
    }
    Some(bytes)
}
