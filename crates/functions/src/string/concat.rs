//! `||`, CONCAT, CONCAT_WS, REPEAT, ELT.

use arrow::array::{ArrayRef, BinaryArray, Int64Array, StringArray};
use flott_expr::context::PlanContext;
use flott_expr::function::{Argument, Call, Function, Signature, any_nullable, no_signature};
use flott_expr::value::{Value, View};
use flott_types::{Error, LogicalType, Result, TypeKind};

use crate::build::{slices, strings, try_binaries, try_strings};
use crate::check::{Family, illegal_null, infer, nullable_if};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("||", infer_operator, |args, call| {
        if call.result.kind.is_binary() { concat_binary(args, call) } else { concat(args, call) }
    }),
    Function::new("CONCAT", |args, _| infer_strings("CONCAT", args), concat),
    Function::new("CONCAT_WS", |args, _| infer_strings("CONCAT_WS", args), concat_ws),
    Function::new(
        "REPEAT",
        infer!("REPEAT", &[&[Family::Character, Family::Integer]], |args| {
            nullable_if(TypeKind::STRING, args)
        }),
        repeat,
    ),
    Function::new("ELT", infer_elt, elt),
];

/// CHAR stays CHAR, anything else becomes VARCHAR; the lengths add up.
pub(super) fn joined(left: &TypeKind, right: &TypeKind) -> TypeKind {
    let sum = |a: u32, b: u32| a.saturating_add(b).min(TypeKind::MAX_LENGTH);
    match (left, right) {
        (TypeKind::Char(a), TypeKind::Char(b)) => TypeKind::Char(sum(*a, *b)),
        (TypeKind::Char(a) | TypeKind::Varchar(a), TypeKind::Char(b) | TypeKind::Varchar(b)) => {
            TypeKind::Varchar(sum(*a, *b))
        }
        (TypeKind::Binary(a), TypeKind::Binary(b)) => TypeKind::Binary(sum(*a, *b)),
        (TypeKind::Binary(a) | TypeKind::Varbinary(a), TypeKind::Binary(b) | TypeKind::Varbinary(b)) => {
            TypeKind::Varbinary(sum(*a, *b))
        }
        _ => TypeKind::STRING,
    }
}

fn infer_operator(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    let [left, right] = args else {
        return Err(no_signature("||", args, &["<STRING> || <STRING>"]));
    };
    let (l, r) = (&left.ty.kind, &right.ty.kind);
    if *l == TypeKind::Null || *r == TypeKind::Null {
        return Err(illegal_null("||"));
    }
    if (l.is_character() && r.is_character()) || (l.is_binary() && r.is_binary()) {
        return Ok(Signature::as_is(args, joined(l, r).with_nullable(any_nullable(args))));
    }
    Err(no_signature("||", args, &["<STRING> || <STRING>", "<EQUIVALENT_TYPE> || <EQUIVALENT_TYPE>"]))
}

fn infer_strings(name: &str, args: &[Argument<'_>]) -> Result<Signature> {
    if args.iter().any(|arg| arg.ty.kind == TypeKind::Null) {
        return Err(illegal_null(name));
    }
    let enough = args.len() >= if name == "CONCAT" { 1 } else { 2 };
    if !enough {
        return Err(Error::invalid(format!("Invalid number of arguments to function '{name}'")));
    }
    if !args.iter().all(|arg| arg.ty.kind.is_character()) {
        return Err(no_signature(name, args, &[&format!("{name}(<CHARACTER>)")]));
    }
    Ok(Signature::as_is(args, nullable_if(TypeKind::STRING, args)))
}

fn views(args: &[Value]) -> Result<Vec<View<'_, StringArray>>> {
    args.iter().map(|arg| arg.view::<StringArray>()).collect()
}

fn concat(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let parts = views(args)?;
    strings(call, |row, out| {
        for part in &parts {
            out.push_str(part.get(row)?);
        }
        Some(())
    })
}

fn concat_binary(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (args[0].view::<BinaryArray>()?, args[1].view::<BinaryArray>()?);
    try_binaries(call, |row, out| {
        let (Some(left), Some(right)) = (left.get(row), right.get(row)) else {
            return Ok(None);
        };
        out.extend_from_slice(left);
        out.extend_from_slice(right);
        Ok(Some(()))
    })
}

/// NULL only for a NULL separator; other NULLs are skipped.
fn concat_ws(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let parts = views(args)?;
    let (separator, parts) = (parts[0], &parts[1..]);
    strings(call, |row, out| {
        let separator = separator.get(row)?;
        for (position, part) in parts.iter().filter_map(|part| part.get(row)).enumerate() {
            if position > 0 {
                out.push_str(separator);
            }
            out.push_str(part);
        }
        Some(())
    })
}

/// A longer result is refused before it is built.
const LONGEST: usize = 1 << 28;

fn repeat(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (text, times) = (args[0].view::<StringArray>()?, args[1].view::<Int64Array>()?);
    try_strings(call, |row, out| {
        let (Some(text), Some(times)) = (text.get(row), times.get(row)) else {
            return Ok(None);
        };
        let times = usize::try_from(times).unwrap_or(0);
        if text.len().saturating_mul(times) > LONGEST {
            return Err(Error::data(format!("REPEAT of a text {times} times is longer than 256 MB")));
        }
        out.extend(std::iter::repeat_n(text, if text.is_empty() { 0 } else { times }));
        Ok(Some(()))
    })
}

fn infer_elt(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    let form = ["ELT(index <INTEGER_NUMERIC>, expr <CHARACTER_STRING>, exprs <CHARACTER_STRING>...)"];
    let [index, choices @ ..] = args else {
        return Err(no_signature("ELT", args, &form));
    };
    let all = |is: fn(&TypeKind) -> bool| {
        !choices.is_empty() && choices.iter().all(|arg| is(&arg.ty.kind) || arg.ty.kind == TypeKind::Null)
    };
    let index_fits = index.ty.kind.is_integer() || index.ty.kind == TypeKind::Null;
    if !index_fits || !(all(TypeKind::is_character) || all(TypeKind::is_binary)) {
        return Err(no_signature("ELT", args, &form));
    }
    if let Some(flott_plan::Literal::Integer(at)) = index.literal
        && *at < 0
    {
        return Err(Error::invalid(format!("Index must be an integer starting from '0', but was '{at}'.")));
    }
    let result = choices.iter().map(|arg| arg.ty.kind.clone()).reduce(|a, b| widest(&a, &b));
    let result = result.unwrap_or(TypeKind::STRING).nullable();
    let casts = std::iter::once(TypeKind::BigInt.with_nullable(index.ty.nullable))
        .chain(choices.iter().map(|arg| choice_type(arg.ty, &result)))
        .collect();
    Ok(Signature { casts, result })
}

/// A choice keeps its own CHAR length: Flink does not pad.
fn choice_type(ty: &LogicalType, result: &LogicalType) -> LogicalType {
    if ty.kind == TypeKind::Null { result.clone() } else { ty.clone() }
}

fn widest(a: &TypeKind, b: &TypeKind) -> TypeKind {
    match (a, b) {
        (TypeKind::Null, other) | (other, TypeKind::Null) => other.clone(),
        (TypeKind::Char(x), TypeKind::Char(y)) if x == y => a.clone(),
        (TypeKind::Binary(x), TypeKind::Binary(y)) if x == y => a.clone(),
        (TypeKind::Char(x) | TypeKind::Varchar(x), TypeKind::Char(y) | TypeKind::Varchar(y)) => {
            TypeKind::Varchar(*x.max(y))
        }
        (TypeKind::Binary(x) | TypeKind::Varbinary(x), TypeKind::Binary(y) | TypeKind::Varbinary(y)) => {
            TypeKind::Varbinary(*x.max(y))
        }
        _ => TypeKind::STRING,
    }
}

/// The n-th of the choices, counting from 1; NULL if there is no such choice.
fn elt(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let index = args[0].view::<Int64Array>()?;
    let at = |row: usize| index.get(row).and_then(|at| usize::try_from(at).ok());
    if call.result.kind.is_binary() {
        let choices: Vec<View<'_, BinaryArray>> =
            args[1..].iter().map(|arg| arg.view()).collect::<Result<_>>()?;
        return try_binaries(call, |row, out| {
            let choice = at(row).and_then(|at| choices.get(at.checked_sub(1)?)?.get(row));
            Ok(choice.map(|bytes| out.extend_from_slice(bytes)))
        });
    }
    let choices = views(&args[1..])?;
    slices(call, |row| choices.get(at(row)?.checked_sub(1)?)?.get(row))
}
