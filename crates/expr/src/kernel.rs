//! Typed loops over arguments that are columns or constants. Functions that can return NULL or fail for a
//! valid argument return an `Option` or a `Result` per row; the others process the value buffers alone.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray, PrimitiveBuilder};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{self, kernels::zip::zip};
use arrow::datatypes::Decimal128Type;
use flott_batch::bytes::Room;
use flott_types::{Error, Result};

use crate::value::Value;

/// Turns an error of an arrow kernel into an internal error.
pub fn arrow_error(error: arrow::error::ArrowError) -> Error {
    Error::internal("arrow kernel failed").with_source(error)
}

/// Applies `f` to every value that is not NULL.
pub fn unary<A: ArrowPrimitiveType, O: ArrowPrimitiveType>(
    arg: &Value,
    rows: usize,
    f: impl Fn(A::Native) -> O::Native,
) -> Result<PrimitiveArray<O>> {
    let input = arg.view::<PrimitiveArray<A>>()?;
    Ok(match input.constant() {
        None => input.held().unary(f),
        Some(None) => PrimitiveArray::new_null(rows),
        Some(Some(value)) => PrimitiveArray::from_value(f(value), rows),
    })
}

/// Applies `f` to every value that is not NULL; `f` may return NULL.
pub fn unary_opt<A: ArrowPrimitiveType, O: ArrowPrimitiveType>(
    arg: &Value,
    rows: usize,
    f: impl Fn(A::Native) -> Option<O::Native>,
) -> Result<PrimitiveArray<O>> {
    let input = arg.view::<PrimitiveArray<A>>()?;
    let mut output = PrimitiveBuilder::<O>::with_capacity(rows);
    for row in 0..rows {
        output.append_option(input.get(row).and_then(&f));
    }
    Ok(output.finish())
}

/// Applies `f` to every pair without NULL. `f` must be total: it also sees the values under NULLs.
pub fn binary<A: ArrowPrimitiveType, B: ArrowPrimitiveType, O: ArrowPrimitiveType>(
    left: &Value,
    right: &Value,
    rows: usize,
    f: impl Fn(A::Native, B::Native) -> O::Native,
) -> Result<PrimitiveArray<O>> {
    let (a, b) = (left.view::<PrimitiveArray<A>>()?, right.view::<PrimitiveArray<B>>()?);
    Ok(match (a.constant(), b.constant()) {
        (Some(None), _) | (_, Some(None)) => PrimitiveArray::new_null(rows),
        (None, None) => compute::binary(a.held(), b.held(), f).map_err(arrow_error)?,
        (None, Some(Some(b))) => a.held().unary(|a| f(a, b)),
        (Some(Some(a)), None) => b.held().unary(|b| f(a, b)),
        (Some(Some(a)), Some(Some(b))) => PrimitiveArray::from_value(f(a, b), rows),
    })
}

/// Applies `f` to every pair without NULL; `f` may return NULL, and sees only valid pairs.
pub fn binary_opt<A: ArrowPrimitiveType, B: ArrowPrimitiveType, O: ArrowPrimitiveType>(
    left: &Value,
    right: &Value,
    rows: usize,
    f: impl Fn(A::Native, B::Native) -> Option<O::Native>,
) -> Result<PrimitiveArray<O>> {
    let (a, b) = (left.view::<PrimitiveArray<A>>()?, right.view::<PrimitiveArray<B>>()?);
    Ok(match (a.constant(), b.constant()) {
        (Some(None), _) | (_, Some(None)) => PrimitiveArray::new_null(rows),
        (None, Some(Some(b))) => a.held().unary_opt(|a| f(a, b)),
        (Some(Some(a)), None) => b.held().unary_opt(|b| f(a, b)),
        _ => {
            let mut output = PrimitiveBuilder::<O>::with_capacity(rows);
            for row in 0..rows {
                output.append_option(a.get(row).zip(b.get(row)).and_then(|(a, b)| f(a, b)));
            }
            output.finish()
        }
    })
}

/// Applies `f` to every pair without NULL; `f` may fail or return NULL, and sees only valid pairs.
pub fn try_binary<A: ArrowPrimitiveType, B: ArrowPrimitiveType, O: ArrowPrimitiveType>(
    left: &Value,
    right: &Value,
    rows: usize,
    f: impl Fn(A::Native, B::Native) -> Result<Option<O::Native>>,
) -> Result<PrimitiveArray<O>> {
    let (a, b) = (left.view::<PrimitiveArray<A>>()?, right.view::<PrimitiveArray<B>>()?);
    let mut output = PrimitiveBuilder::<O>::with_capacity(rows);
    for row in 0..rows {
        match (a.get(row), b.get(row)) {
            (Some(a), Some(b)) => output.append_option(f(a, b)?),
            _ => output.append_null(),
        }
    }
    Ok(output.finish())
}

/// Tests `f` on every pair without NULL. `f` must be total.
pub fn test_binary<A: ArrowPrimitiveType, B: ArrowPrimitiveType>(
    left: &Value,
    right: &Value,
    rows: usize,
    f: impl Fn(A::Native, B::Native) -> bool,
) -> Result<BooleanArray> {
    let (a, b) = (left.view::<PrimitiveArray<A>>()?, right.view::<PrimitiveArray<B>>()?);
    Ok(match (a.constant(), b.constant()) {
        (Some(None), _) | (_, Some(None)) => BooleanArray::new_null(rows),
        (None, Some(Some(b))) => BooleanArray::from_unary(a.held(), |a| f(a, b)),
        (Some(Some(a)), None) => BooleanArray::from_unary(b.held(), |b| f(a, b)),
        (None, None) => BooleanArray::from_binary(a.held(), b.held(), f),
        (Some(Some(a)), Some(Some(b))) => BooleanArray::from(vec![f(a, b); rows]),
    })
}

/// The array behind an `Arc`.
pub fn as_ref<A: Array + 'static>(array: A) -> ArrayRef {
    std::sync::Arc::new(array)
}

/// Unscaled values as an array of DECIMAL(precision, scale).
pub fn decimal_array(
    values: PrimitiveArray<Decimal128Type>,
    (precision, scale): (u8, u8),
) -> Result<ArrayRef> {
    let array = values.with_precision_and_scale(precision, scale as i8).map_err(arrow_error)?;
    Ok(as_ref(array))
}

/// The first array where it is not NULL, the second elsewhere.
pub fn fill(first: &ArrayRef, second: &ArrayRef, room: Room) -> Result<ArrayRef> {
    room.fit_all([first.as_ref(), second.as_ref()])?;
    let valid = BooleanBuffer::collect_bool(first.len(), |row| first.is_valid(row));
    zip(&BooleanArray::new(valid, None), first, second).map_err(arrow_error)
}
