//! Precision and scale of decimal results, as in Flink (which follows SQL Server and Hive): if more than 38
//! digits would be needed, fraction digits beyond the sixth give way to integer digits.

use flott_types::TypeKind;

/// The most digits a DECIMAL has.
pub const MAX_PRECISION: u8 = 38;

/// The precision and scale that hold all values of an exact numeric type.
pub fn of_exact(kind: &TypeKind) -> Option<(u8, u8)> {
    match kind {
        TypeKind::Decimal(precision, scale) => Some((*precision, *scale)),
        TypeKind::TinyInt => Some((3, 0)),
        TypeKind::SmallInt => Some((5, 0)),
        TypeKind::Int => Some((10, 0)),
        TypeKind::BigInt => Some((19, 0)),
        _ => None,
    }
}

/// Whether decimal arithmetic takes an operand of this type directly, without a cast to DECIMAL.
pub fn takes_integer(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Int | TypeKind::BigInt)
}

/// The type of a sum or difference.
pub fn add((p1, s1): (u8, u8), (p2, s2): (u8, u8)) -> (u8, u8) {
    let scale = s1.max(s2);
    adjust(wide(p1 - s1).max(wide(p2 - s2)) + wide(scale) + 1, scale.into())
}

/// The type of a product.
pub fn multiply((p1, s1): (u8, u8), (p2, s2): (u8, u8)) -> (u8, u8) {
    adjust(wide(p1) + wide(p2) + 1, wide(s1) + wide(s2))
}

/// The type of a quotient.
pub fn divide((p1, s1): (u8, u8), (p2, s2): (u8, u8)) -> (u8, u8) {
    let scale = (wide(s1) + wide(p2) + 1).max(6);
    adjust(wide(p1 - s1) + wide(s2) + scale, scale)
}

/// The type of a remainder.
pub fn modulo((p1, s1): (u8, u8), (p2, s2): (u8, u8)) -> (u8, u8) {
    let scale = s1.max(s2);
    adjust(wide((p1 - s1).min(p2 - s2)) + wide(scale), scale.into())
}

/// The type of ROUND(value, digits) and TRUNCATE(value, digits) with constant digits.
pub fn round((precision, scale): (u8, u8), digits: i64) -> (u8, u8) {
    if digits >= i64::from(scale) {
        (precision, scale)
    } else if digits < 0 {
        ((1 + precision - scale).min(MAX_PRECISION), 0)
    } else {
        (1 + precision - scale + digits as u8, digits as u8)
    }
}

/// The type to which two decimal types widen without loss, as far as 38 digits allow.
pub fn common((p1, s1): (u8, u8), (p2, s2): (u8, u8)) -> (u8, u8) {
    let whole = (p1 - s1).max(p2 - s2).min(MAX_PRECISION);
    let scale = s1.max(s2).min(MAX_PRECISION - whole);
    (whole + scale, scale)
}

fn wide(digits: u8) -> u16 {
    digits.into()
}

fn adjust(precision: u16, scale: u16) -> (u8, u8) {
    let max = wide(MAX_PRECISION);
    if precision <= max {
        return (precision as u8, scale as u8);
    }
    let whole = precision - scale;
    let scale = max.saturating_sub(whole).max(scale.min(6));
    (MAX_PRECISION, scale as u8)
}
