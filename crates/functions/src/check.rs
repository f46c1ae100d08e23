//! Which argument types a function takes, written as the forms of its call.
//!
//! Flink has two generations of functions. The older ones ([`casts`]) refuse a bare NULL, the newer ones
//! ([`casts_with_null`]) take it as a NULL of the type they want.

use flott_expr::function::{Argument, no_signature};
use flott_types::{Error, LogicalType, Result, TypeKind};

/// A set of types that an argument may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    /// CHAR, VARCHAR.
    Character,
    /// BINARY, VARBINARY.
    Binary,
    /// TINYINT to BIGINT; passed to the function as BIGINT.
    Integer,
    /// TIMESTAMP, TIMESTAMP_LTZ.
    Timestamp,
    /// ARRAY.
    Array,
    /// BOOLEAN.
    Boolean,
    /// BITMAP.
    Bitmap,
    /// Anything.
    Any,
}

/// The families of one call's arguments.
pub(crate) type Form = [Family];

impl Family {
    fn takes(self, kind: &TypeKind) -> bool {
        match self {
            Family::Character => kind.is_character(),
            Family::Binary => kind.is_binary(),
            Family::Integer => kind.is_integer(),
            Family::Timestamp => kind.is_timestamp(),
            Family::Array => matches!(kind, TypeKind::Array(_)),
            Family::Boolean => *kind == TypeKind::Boolean,
            Family::Bitmap => *kind == TypeKind::Bitmap,
            Family::Any => true,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Family::Character => "CHARACTER",
            Family::Binary => "BINARY",
            Family::Integer => "INTEGER",
            Family::Timestamp => "TIMESTAMP",
            Family::Array => "ARRAY",
            Family::Boolean => "BOOLEAN",
            Family::Bitmap => "BITMAP",
            Family::Any => "ANY",
        }
    }

    /// The type to which an argument of the family is cast.
    fn target(self, ty: &LogicalType) -> LogicalType {
        match (self, &ty.kind) {
            (Family::Integer, _) => TypeKind::BigInt.with_nullable(ty.nullable),
            (Family::Character, TypeKind::Null) => TypeKind::STRING.nullable(),
            (Family::Binary, TypeKind::Null) => TypeKind::BYTES.nullable(),
            (Family::Boolean, TypeKind::Null) => TypeKind::Boolean.nullable(),
            (Family::Bitmap, TypeKind::Null) => TypeKind::Bitmap.nullable(),
            (Family::Timestamp, TypeKind::Null) => TypeKind::Timestamp(3).nullable(),
            _ => ty.clone(),
        }
    }
}

/// The casts of a call whose arguments fit one of the forms. A bare NULL fits none.
pub(crate) fn casts(name: &str, args: &[Argument<'_>], forms: &[&Form]) -> Result<Vec<LogicalType>> {
    matching(name, args, forms, false)
}

/// Like [`casts`]; a bare NULL fits every family.
pub(crate) fn casts_with_null(
    name: &str,
    args: &[Argument<'_>],
    forms: &[&Form],
) -> Result<Vec<LogicalType>> {
    matching(name, args, forms, true)
}

fn matching(name: &str, args: &[Argument<'_>], forms: &[&Form], nulls: bool) -> Result<Vec<LogicalType>> {
    let fits = |form: &&&Form| {
        form.len() == args.len()
            && form.iter().zip(args).all(|(family, arg)| {
                let bare_null = arg.ty.kind == TypeKind::Null;
                if bare_null { nulls } else { family.takes(&arg.ty.kind) }
            })
    };
    if let Some(form) = forms.iter().find(fits) {
        return Ok(form.iter().zip(args).map(|(family, arg)| family.target(arg.ty)).collect());
    }
    if !forms.iter().any(|form| form.len() == args.len()) {
        return Err(wrong_count(name, forms));
    }
    if !nulls && args.iter().any(|arg| arg.ty.kind == TypeKind::Null) {
        return Err(illegal_null(name));
    }
    let texts: Vec<String> = forms
        .iter()
        .map(|form| {
            let words: Vec<String> = form.iter().map(|family| format!("<{}>", family.word())).collect();
            format!("{name}({})", words.join(", "))
        })
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    Err(no_signature(name, args, &texts))
}

/// The error for a NULL without a type.
pub(crate) fn illegal_null(name: &str) -> Error {
    Error::invalid(format!(
        "Illegal use of 'NULL' in {name}: write CAST(NULL AS <type>) to say of which type it is"
    ))
}

fn wrong_count(name: &str, forms: &[&Form]) -> Error {
    let mut counts: Vec<usize> = forms.iter().map(|form| form.len()).collect();
    counts.sort_unstable();
    counts.dedup();
    let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
    Error::invalid(format!(
        "Invalid number of arguments to function '{name}'. Was expecting {} arguments",
        counts.join(" or ")
    ))
}

/// The text of a constant CHAR or VARCHAR argument.
pub(crate) fn text<'a>(arg: &Argument<'a>) -> Option<&'a str> {
    match arg.literal {
        Some(flott_plan::Literal::String(text)) => Some(text),
        _ => None,
    }
}

/// The type, nullable if any of the arguments is.
pub(crate) fn nullable_if(kind: TypeKind, args: &[Argument<'_>]) -> LogicalType {
    kind.with_nullable(args.iter().any(|arg| arg.ty.nullable))
}

/// VARCHAR with the length of an argument's CHAR or VARCHAR.
pub(crate) fn varying(ty: &LogicalType) -> TypeKind {
    match ty.kind {
        TypeKind::Char(length) | TypeKind::Varchar(length) => TypeKind::Varchar(length),
        _ => TypeKind::STRING,
    }
}

/// An `InferFn` from the forms of a call and the type of its result.
macro_rules! infer {
    ($name:expr, $forms:expr, |$args:ident| $result:expr) => {
        |args: &[flott_expr::function::Argument<'_>], _: &flott_expr::context::PlanContext| {
            let casts = $crate::check::casts($name, args, $forms)?;
            let $args = args;
            Ok(flott_expr::function::Signature { casts, result: $result })
        }
    };
    (with_null $name:expr, $forms:expr, |$args:ident| $result:expr) => {
        |args: &[flott_expr::function::Argument<'_>], _: &flott_expr::context::PlanContext| {
            let casts = $crate::check::casts_with_null($name, args, $forms)?;
            let $args = args;
            Ok(flott_expr::function::Signature { casts, result: $result })
        }
    };
}
pub(crate) use infer;
