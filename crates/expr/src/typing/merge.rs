//! The common type of arguments that must agree (COALESCE, GREATEST, ARRAY[...]): Flink's
//! `LogicalTypeMerging`.

use flott_types::{LogicalType, RowField, TypeKind};

use crate::typing::casts::is_implicit;
use crate::typing::decimal;

/// The most general type to which all given types can be cast without loss; `None` if there is none, or only
/// NULL literals are given. Nullable if any of them is.
pub fn merge(types: &[LogicalType]) -> Option<LogicalType> {
    let nullable = types.iter().any(|ty| ty.nullable);
    let kinds = || types.iter().map(|ty| &ty.kind).filter(|kind| **kind != TypeKind::Null);
    let first = kinds().next()?;
    let similar = match first {
        TypeKind::Array(_) | TypeKind::Map(..) | TypeKind::Multiset(_) | TypeKind::Row(_) => {
            nested(types, &merge)
        }
        _ => kinds().skip(1).try_fold(first.clone(), |result, kind| two(&result, kind)),
    };
    let kind = match similar {
        Some(kind) => kind,
        None => kinds().skip(1).try_fold(first.clone(), castable)?,
    };
    Some(kind.with_nullable(nullable))
}

fn castable(result: TypeKind, kind: &TypeKind) -> Option<TypeKind> {
    if is_implicit(&result, kind) { Some(kind.clone()) } else { is_implicit(kind, &result).then_some(result) }
}

fn two(a: &TypeKind, b: &TypeKind) -> Option<TypeKind> {
    use TypeKind::*;
    Some(match (a, b) {
        (a, b) if a == b => a.clone(),
        (Float | Double, Float | Double) => Double,
        (Float | Double, Decimal(..)) | (Decimal(..), Float | Double) => {
            // An approximate type after a DECIMAL wins unchanged; before it, it becomes DOUBLE.
            if a.is_decimal() { b.clone() } else { Double }
        }
        (Float | Double, b) if b.is_integer() => a.clone(),
        (a, Float | Double) if a.is_integer() => b.clone(),
        (Time(p), Time(q)) => Time(*p.max(q)),
        (Timestamp(p), Timestamp(q)) => Timestamp(*p.max(q)),
        (Timestamp(p) | TimestampLtz(p), Timestamp(q) | TimestampLtz(q)) => TimestampLtz(*p.max(q)),
        _ => return text_or_exact(a, b),
    })
}

/// Character strings, binary strings and exact numbers: treated alike by both kinds of common type.
pub(super) fn text_or_exact(a: &TypeKind, b: &TypeKind) -> Option<TypeKind> {
    use TypeKind::*;
    Some(match (a, b) {
        (Char(n), Char(m)) if n == m => Char(*n),
        (Char(n) | Varchar(n), Char(m) | Varchar(m)) => Varchar(*n.max(m)),
        (Binary(n), Binary(m)) if n == m => Binary(*n),
        (Binary(n) | Varbinary(n), Binary(m) | Varbinary(m)) => Varbinary(*n.max(m)),
        (Decimal(..), _) | (_, Decimal(..)) => {
            let (precision, scale) = decimal::common(decimal::of_exact(a)?, decimal::of_exact(b)?);
            Decimal(precision, scale)
        }
        (a, b) if a.is_integer() && b.is_integer() => {
            if decimal::of_exact(b) > decimal::of_exact(a) {
                b.clone()
            } else {
                a.clone()
            }
        }
        _ => return None,
    })
}

/// The common type of constructed types: child by child. Names come from the first.
pub(super) fn nested(
    types: &[LogicalType],
    common: &dyn Fn(&[LogicalType]) -> Option<LogicalType>,
) -> Option<TypeKind> {
    let types: Vec<_> = types.iter().filter(|ty| ty.kind != TypeKind::Null).collect();
    let child = |pick: &dyn Fn(&TypeKind) -> Option<LogicalType>| -> Option<LogicalType> {
        common(&types.iter().map(|ty| pick(&ty.kind)).collect::<Option<Vec<_>>>()?)
    };
    Some(match &types.first()?.kind {
        TypeKind::Array(_) => TypeKind::Array(Box::new(child(&|kind| match kind {
            TypeKind::Array(element) => Some((**element).clone()),
            _ => None,
        })?)),
        TypeKind::Multiset(_) => TypeKind::Multiset(Box::new(child(&|kind| match kind {
            TypeKind::Multiset(element) => Some((**element).clone()),
            _ => None,
        })?)),
        TypeKind::Map(..) => {
            let key = child(&|kind| match kind {
                TypeKind::Map(key, _) => Some((**key).clone()),
                _ => None,
            })?;
            let value = child(&|kind| match kind {
                TypeKind::Map(_, value) => Some((**value).clone()),
                _ => None,
            })?;
            TypeKind::Map(Box::new(key), Box::new(value))
        }
        TypeKind::Row(first) => {
            let mut fields = Vec::with_capacity(first.len());
            for (at, field) in first.iter().enumerate() {
                let ty = child(&|kind| match kind {
                    TypeKind::Row(fields) if fields.len() == first.len() => Some(fields[at].ty.clone()),
                    _ => None,
                })?;
                fields.push(RowField { name: field.name.clone(), ty, comment: field.comment.clone() });
            }
            TypeKind::Row(fields)
        }
        _ => return None,
    })
}
