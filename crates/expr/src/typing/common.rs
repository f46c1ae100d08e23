//! The common type of branches, columns and operands: Calcite's least restrictive type, widened by its type
//! coercion.

use flott_types::{Error, LogicalType, Result, TypeKind};

use crate::typing::merge::{nested, text_or_exact};

/// The common type of CASE branches and IN lists.
pub fn common_type(types: &[LogicalType]) -> Result<LogicalType> {
    least_restrictive(types).or_else(|| widest(types)).ok_or_else(|| {
        let types = types.iter().map(|ty| ty.kind.to_string()).collect::<Vec<_>>().join(", ");
        Error::invalid(format!("the types {types} have no type in common: CAST the values to one type"))
    })
}

/// The least restrictive of several types; `None` if there is none, or only NULL literals are given. Of FLOAT
/// and DOUBLE, the one that comes first wins, as in Flink.
pub fn least_restrictive(types: &[LogicalType]) -> Option<LogicalType> {
    let nullable = types.iter().any(|ty| ty.nullable);
    let mut kinds = types.iter().map(|ty| &ty.kind).filter(|kind| **kind != TypeKind::Null);
    let first = kinds.next()?;
    let kind = match first {
        TypeKind::Array(_) | TypeKind::Map(..) | TypeKind::Multiset(_) | TypeKind::Row(_) => {
            nested(types, &least_restrictive)
        }
        _ => kinds.try_fold(first.clone(), |result, kind| two(&result, kind)),
    };
    Some(kind?.with_nullable(nullable))
}

/// The type of timestamps with and without a time zone; `None` if there is something else.
pub fn timestamp_of(types: &[LogicalType]) -> Option<LogicalType> {
    let nullable = types.iter().any(|ty| ty.nullable);
    let mut kinds = types.iter().map(|ty| &ty.kind).filter(|kind| **kind != TypeKind::Null);
    let largest = kinds.try_fold(None, |largest: Option<u8>, kind| match kind {
        TypeKind::Timestamp(precision) | TypeKind::TimestampLtz(precision) => {
            Some(largest.max(Some(*precision)))
        }
        _ => None,
    })?;
    largest.map(|precision| TypeKind::TimestampLtz(precision).with_nullable(nullable))
}

fn two(a: &TypeKind, b: &TypeKind) -> Option<TypeKind> {
    use TypeKind::*;
    Some(match (a, b) {
        (a, b) if a == b => a.clone(),
        (Float | Double, Float | Double) => a.clone(),
        (Float | Double, Decimal(..)) => Double,
        (Decimal(..), Float | Double) => Double,
        (Float | Double, b) if b.is_integer() => a.clone(),
        (a, Float | Double) if a.is_integer() => b.clone(),
        (Time(p), Time(q)) => Time(*p.max(q)),
        (Timestamp(p), Timestamp(q)) => Timestamp(*p.max(q)),
        (TimestampLtz(p), TimestampLtz(q)) => TimestampLtz(*p.max(q)),
        _ => return text_or_exact(a, b),
    })
}

/// Type coercion: dates widen to timestamps, and anything combined with a string becomes a string.
fn widest(types: &[LogicalType]) -> Option<LogicalType> {
    let nullable = types.iter().any(|ty| ty.nullable);
    let mut kinds = types.iter().map(|ty| &ty.kind).filter(|kind| **kind != TypeKind::Null);
    let first = kinds.next()?.clone();
    let kind = kinds.try_fold(first, |result, kind| two(&result, kind).or_else(|| widen(&result, kind)))?;
    Some(kind.with_nullable(nullable))
}

fn widen(a: &TypeKind, b: &TypeKind) -> Option<TypeKind> {
    use TypeKind::*;
    Some(match (a, b) {
        (Date, Timestamp(_) | TimestampLtz(_)) => b.clone(),
        (Timestamp(_) | TimestampLtz(_), Date) => a.clone(),
        (Timestamp(p), TimestampLtz(q)) | (TimestampLtz(p), Timestamp(q)) => TimestampLtz(*p.max(q)),
        (text, other) | (other, text)
            if text.is_character() && (other.is_numeric() || other.is_datetime() || *other == Boolean) =>
        {
            TypeKind::STRING
        }
        _ => return None,
    })
}

/// The type to which both sides of `=`, `<>`, `<`, ... are cast. A string takes the other side's type.
pub fn comparison_type(a: &LogicalType, b: &LogicalType) -> Option<LogicalType> {
    let nullable = a.nullable || b.nullable;
    if let Some(ty) = least_restrictive(&[a.clone(), b.clone()]) {
        return Some(ty);
    }
    let other = match (&a.kind, &b.kind) {
        (TypeKind::Null, TypeKind::Null) => &TypeKind::Boolean,
        (text, other) if text.is_character() => other,
        (other, text) if text.is_character() => other,
        // A DATE cannot be compared with a TIMESTAMP.
        (TypeKind::Date, _) | (_, TypeKind::Date) => return None,
        (a, b) => return widen(a, b).map(|kind| kind.with_nullable(nullable)),
    }
    .clone();
    let comparable = other.is_numeric() || other.is_datetime() || other == TypeKind::Boolean;
    comparable.then(|| other.with_nullable(nullable))
}
