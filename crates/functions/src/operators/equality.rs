//! Compares two columns of one type, value by value, as Java does for Flink: `NaN` equals nothing and `-0.0`
//! equals `0.0`, but not in comparisons with a DECIMAL; strings and binaries compare by bytes; arrays, maps and rows can only be equal or not.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Datum, Scalar, StructArray};
use arrow::compute::kernels::cmp;
use arrow::datatypes::{Decimal128Type, Float32Type, Float64Type, TimestampMicrosecondType};
use flott_expr::decimal;
use flott_expr::kernel::{arrow_error, test_binary};
use flott_expr::typing::decimal as decimal_type;
use flott_expr::value::Value;
use flott_types::{Error, LogicalType, Result, TypeKind};

/// A comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};

impl Comparison {
    #[inline]
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Equal => ordering.is_eq(),
            NotEqual => ordering.is_ne(),
            Less => ordering.is_lt(),
            LessOrEqual => ordering.is_le(),
            Greater => ordering.is_gt(),
            GreaterOrEqual => ordering.is_ge(),
        }
    }

    #[inline]
    fn holds_between<T: PartialOrd>(self, a: T, b: T) -> bool {
        match self {
            Equal => a == b,
            NotEqual => a != b,
            Less => a < b,
            LessOrEqual => a <= b,
            Greater => a > b,
            GreaterOrEqual => a >= b,
        }
    }
}

/// Whether the comparison holds, row by row; NULL where either side is NULL.
pub(crate) fn compare(
    comparison: Comparison,
    (left, left_type): (&Value, &LogicalType),
    (right, right_type): (&Value, &LogicalType),
    rows: usize,
) -> Result<BooleanArray> {
    match (&left_type.kind, &right_type.kind) {
        (TypeKind::Null, _) | (_, TypeKind::Null) => Ok(BooleanArray::new_null(rows)),
        // Java compares a decimal with a double by `Double.compare`.
        (TypeKind::Decimal(_, scale), TypeKind::Double) => {
            let (scale, constant) = (*scale, constant_of(left, *scale));
            test_binary::<Decimal128Type, Float64Type>(left, right, rows, |a, b| {
                let a = constant.unwrap_or_else(|| decimal::to_f64(a, scale));
                comparison.holds(total_order(a, b))
            })
        }
        (TypeKind::Double, TypeKind::Decimal(_, scale)) => {
            let (scale, constant) = (*scale, constant_of(right, *scale));
            test_binary::<Float64Type, Decimal128Type>(left, right, rows, |a, b| {
                let b = constant.unwrap_or_else(|| decimal::to_f64(b, scale));
                comparison.holds(total_order(a, b))
            })
        }
        (TypeKind::Float, _) => {
            test_binary::<Float32Type, Float32Type>(left, right, rows, |a, b| comparison.holds_between(a, b))
        }
        (TypeKind::Double, _) => {
            test_binary::<Float64Type, Float64Type>(left, right, rows, |a, b| comparison.holds_between(a, b))
        }
        (TypeKind::Decimal(p1, s1), TypeKind::Decimal(p2, s2)) => {
            let (p1, s1, p2, s2) = (*p1, *s1, *p2, *s2);
            let common = s1.max(s2);
            if (p1 - s1).max(p2 - s2) + common <= decimal_type::MAX_PRECISION {
                // At the same scale they compare as integers. Wrapping, because the value under a NULL can be
                // anything.
                let up_a = decimal::power10((common - s1).into());
                let up_b = decimal::power10((common - s2).into());
                return test_binary::<Decimal128Type, Decimal128Type>(left, right, rows, |a, b| {
                    comparison.holds_between(a.wrapping_mul(up_a), b.wrapping_mul(up_b))
                });
            }
            test_binary::<Decimal128Type, Decimal128Type>(left, right, rows, |a, b| {
                comparison.holds(decimal::compare((a, s1), (b, s2)))
            })
        }
        (a, b) if precision(a) <= 6 && precision(b) > 6 => {
            test_binary::<TimestampMicrosecondType, Decimal128Type>(left, right, rows, |a, b| {
                comparison.holds((i128::from(a) * 1_000).cmp(&b))
            })
        }
        (a, b) if precision(a) > 6 && precision(b) <= 6 => {
            test_binary::<Decimal128Type, TimestampMicrosecondType>(left, right, rows, |a, b| {
                comparison.holds(a.cmp(&(i128::from(b) * 1_000)))
            })
        }
        (
            TypeKind::Array(_)
            | TypeKind::Map(..)
            | TypeKind::Multiset(_)
            | TypeKind::Row(_)
            | TypeKind::Structured(..),
            _,
        ) => nested(comparison, left, right, rows),
        _ => plain(comparison, left, right, rows),
    }
}

/// The number, if it is the same in all rows: it is converted once.
fn constant_of(value: &Value, scale: u8) -> Option<f64> {
    let decimals = value.is_constant().then(|| value.held().as_primitive_opt::<Decimal128Type>())??;
    let number = decimals.iter().next()??;
    Some(decimal::to_f64(number, scale))
}

/// The order of `Double.compare`: NaN is equal to itself and above all else, `-0.0` is below `0.0`.
fn total_order(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) => a.total_cmp(&b),
        (a, b) => a.cmp(&b),
    }
}

/// The precision of a timestamp, which determines its unit in memory; 0 for other types.
fn precision(kind: &TypeKind) -> u8 {
    match kind {
        TypeKind::Timestamp(precision) | TypeKind::TimestampLtz(precision) => *precision,
        _ => 0,
    }
}

fn plain(comparison: Comparison, left: &Value, right: &Value, rows: usize) -> Result<BooleanArray> {
    let kernel = match comparison {
        Equal => cmp::eq,
        NotEqual => cmp::neq,
        Less => cmp::lt,
        LessOrEqual => cmp::lt_eq,
        Greater => cmp::gt,
        GreaterOrEqual => cmp::gt_eq,
    };
    if left.is_constant() && right.is_constant() && rows != 1 {
        return kernel(&left.to_array(rows)?, &right.to_array(rows)?).map_err(arrow_error);
    }
    kernel(&*datum(left), &*datum(right)).map_err(arrow_error)
}

fn datum(value: &Value) -> Box<dyn Datum> {
    if value.is_constant() {
        Box::new(Scalar::new(value.held().clone()))
    } else {
        Box::new(value.held().clone())
    }
}

fn nested(comparison: Comparison, left: &Value, right: &Value, rows: usize) -> Result<BooleanArray> {
    let want = match comparison {
        Equal => true,
        NotEqual => false,
        _ => return Err(Error::internal("constructed types have no order")),
    };
    let equal = |row: usize| {
        if left.is_null(row) || right.is_null(row) {
            return None;
        }
        Some(equal_at(left.held(), left.position(row), right.held(), right.position(row)) == want)
    };
    Ok((0..rows).map(equal).collect())
}

/// Whether two values of one type are equal, with NULL equal to NULL; maps are compared regardless of order.
pub(crate) fn equal_at(left: &ArrayRef, at: usize, right: &ArrayRef, other: usize) -> bool {
    match (left.is_null(at), right.is_null(other)) {
        (true, true) => return true,
        (false, false) => {}
        _ => return false,
    }
    let any = left.as_any();
    if let Some(list) = any.downcast_ref::<arrow::array::ListArray>() {
        let Some(other_list) = right.as_any().downcast_ref::<arrow::array::ListArray>() else {
            return false;
        };
        let (a, b) = (list.value(at), other_list.value(other));
        return a.len() == b.len() && (0..a.len()).all(|i| equal_at(&a, i, &b, i));
    }
    if let Some(map) = any.downcast_ref::<arrow::array::MapArray>() {
        let Some(other_map) = right.as_any().downcast_ref::<arrow::array::MapArray>() else {
            return false;
        };
        return equal_entries(&map.value(at), &other_map.value(other));
    }
    if let Some(row) = any.downcast_ref::<StructArray>() {
        let Some(other_row) = right.as_any().downcast_ref::<StructArray>() else {
            return false;
        };
        let columns = row.columns().iter().zip(other_row.columns());
        return row.num_columns() == other_row.num_columns()
            && columns.into_iter().all(|(a, b)| equal_at(a, at, b, other));
    }
    left.slice(at, 1).to_data() == right.slice(other, 1).to_data()
}

fn equal_entries(a: &StructArray, b: &StructArray) -> bool {
    a.len() == b.len()
        && (0..a.len()).all(|i| {
            (0..b.len())
                .any(|j| equal_at(a.column(0), i, b.column(0), j) && equal_at(a.column(1), i, b.column(1), j))
        })
}
