//! Which casts exist.

use flott_types::{Error, LogicalType, Result, RowField, TypeKind};

/// Refuses a CAST that Flink does not have, and suggests an alternative if Flink does.
pub fn check_explicit(from: &LogicalType, to: &LogicalType) -> Result<()> {
    if is_explicit(&from.kind, &to.kind) {
        return Ok(());
    }
    let hint = match (&from.kind, &to.kind) {
        (from, TypeKind::Timestamp(_)) if from.is_numeric() => ": use TO_TIMESTAMP(FROM_UNIXTIME(seconds))",
        (from, TypeKind::TimestampLtz(_)) if from.is_numeric() => ": use TO_TIMESTAMP_LTZ(number, precision)",
        (TypeKind::Timestamp(_), to) if to.is_numeric() => ": use UNIX_TIMESTAMP(CAST(timestamp AS STRING))",
        _ => "",
    };
    Err(Error::invalid(format!(
        "Cast function cannot convert value of type {} to type {}{hint}",
        from.kind, to.kind
    )))
}

/// Whether CAST(from AS to) exists.
pub fn is_explicit(from: &TypeKind, to: &TypeKind) -> bool {
    use TypeKind::*;
    match (from, to) {
        (Null, _) => true,
        // A VARIANT cannot be cast, not even to VARIANT.
        (Variant, _) | (_, Variant) => false,
        (from, to) if from == to => true,
        (Bitmap, Varbinary(TypeKind::MAX_LENGTH)) => true,
        (_, Char(_) | Varchar(_)) => true,
        (from, Boolean | TinyInt | SmallInt | Int | BigInt | Float | Double | Decimal(..)) => {
            *from == Boolean || from.is_numeric() || from.is_character()
        }
        (from, Binary(_) | Varbinary(_)) => from.is_character() || from.is_binary(),
        (from, Date) => from.is_character() || from.is_timestamp() || *from == Date,
        (from, Time(_)) => from.is_character() || from.is_timestamp() || matches!(from, Time(_)),
        (from, Timestamp(_) | TimestampLtz(_)) => from.is_character() || from.is_datetime(),
        (Array(a), Array(b)) | (Multiset(a), Multiset(b)) => is_explicit(&a.kind, &b.kind),
        (Map(ak, av), Map(bk, bv)) => is_explicit(&ak.kind, &bk.kind) && is_explicit(&av.kind, &bv.kind),
        (Row(a), Row(b)) | (Structured(_, a), Row(b) | Structured(_, b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_explicit(&a.ty.kind, &b.ty.kind))
        }
        _ => false,
    }
}

/// Whether values of one type go into a column or argument of another without CAST: nothing is lost, except
/// for length and precision.
pub fn is_implicit(from: &TypeKind, to: &TypeKind) -> bool {
    use TypeKind::*;
    match (from, to) {
        (Null, _) => true,
        (from, to) if from == to => true,
        (Char(_), Char(_)) | (Char(_) | Varchar(_), Varchar(_)) => true,
        (Binary(_), Binary(_)) | (Binary(_) | Varbinary(_), Varbinary(_)) => true,
        (from, Decimal(..) | Double) => from.is_numeric(),
        (from, Float) => from.is_integer() || matches!(from, Decimal(..) | Float),
        (TinyInt, SmallInt | Int | BigInt) | (SmallInt, Int | BigInt) | (Int, BigInt) => true,
        (Timestamp(_), Date | Time(_)) | (Time(_), Time(_)) => true,
        (Timestamp(_) | TimestampLtz(_), Timestamp(_) | TimestampLtz(_)) => true,
        (Array(a), Array(b)) | (Multiset(a), Multiset(b)) => is_implicit(&a.kind, &b.kind),
        (Map(ak, av), Map(bk, bv)) => is_implicit(&ak.kind, &bk.kind) && is_implicit(&av.kind, &bv.kind),
        (Structured(class, a), Structured(other, b)) => {
            let fits =
                |(a, b): (&RowField, &RowField)| a.name == b.name && is_implicit(&a.ty.kind, &b.ty.kind);
            class == other && a.len() == b.len() && a.iter().zip(b).all(fits)
        }
        (Row(a), Row(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_implicit(&a.ty.kind, &b.ty.kind))
        }
        _ => false,
    }
}
