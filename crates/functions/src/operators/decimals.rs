//! `+ - *` on exact numbers, at least one of which is a DECIMAL.
//!
//! Usually the result's type has room for every possible result: it has the exact scale, and as many digits
//! as the operands' types allow. Then a row costs one machine multiplication or addition, and nothing is
//! checked. Integers are used as they are, without a pass that converts them to DECIMAL.

use arrow::array::{ArrayRef, PrimitiveArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Decimal128Type, Int32Type, Int64Type};
use flott_expr::decimal::{self, power10};
use flott_expr::function::Call;
use flott_expr::kernel::{binary, binary_opt};
use flott_expr::typing::decimal::of_exact;
use flott_expr::value::Value;
use flott_types::{Error, Result};

use flott_expr::kernel::decimal_array;

/// An operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
}

/// Precision and scale.
type Digits = (u8, u8);

impl Operation {
    /// Whether the result's type holds all results exactly.
    fn is_exact(self, (p1, s1): Digits, (p2, s2): Digits, (precision, scale): Digits) -> bool {
        match self {
            Operation::Multiply => s1 + s2 == scale && p1 + p2 <= precision,
            Operation::Add | Operation::Subtract => {
                let common = s1.max(s2);
                common == scale && (p1 - s1).max(p2 - s2) + common < precision
            }
        }
    }
}

/// The result of an operation, row by row.
pub(super) fn evaluate(operation: Operation, args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let digits = |at: usize| {
        let ty = call.arg_types.get(at).and_then(|ty| of_exact(&ty.kind));
        ty.ok_or_else(|| Error::internal("decimal arithmetic takes two exact operands"))
    };
    let (left, right) = (digits(0)?, digits(1)?);
    let result = of_exact(&call.result.kind)
        .ok_or_else(|| Error::internal("decimal arithmetic that gives something else"))?;
    let types = (left, right, result);
    let narrow = |value: &Value| value.held().data_type().is_integer();
    let values = match (narrow(&args[0]), narrow(&args[1])) {
        (false, false) => typed::<Decimal128Type, Decimal128Type>(operation, args, types, call.rows)?,
        (true, false) => match args[0].held().data_type() {
            DataType::Int32 => typed::<Int32Type, Decimal128Type>(operation, args, types, call.rows)?,
            _ => typed::<Int64Type, Decimal128Type>(operation, args, types, call.rows)?,
        },
        (false, true) => match args[1].held().data_type() {
            DataType::Int32 => typed::<Decimal128Type, Int32Type>(operation, args, types, call.rows)?,
            _ => typed::<Decimal128Type, Int64Type>(operation, args, types, call.rows)?,
        },
        (true, true) => return Err(Error::internal("decimal arithmetic on integers")),
    };
    decimal_array(values, result)
}

fn typed<A, B>(
    operation: Operation,
    args: &[Value],
    (left, right, result): (Digits, Digits, Digits),
    rows: usize,
) -> Result<PrimitiveArray<Decimal128Type>>
where
    A: ArrowPrimitiveType,
    B: ArrowPrimitiveType,
    A::Native: Into<i128>,
    B::Native: Into<i128>,
{
    let (a, b) = (&args[0], &args[1]);
    if operation.is_exact(left, right, result) {
        let common = left.1.max(right.1);
        let (up_a, up_b) = (power10((common - left.1).into()), power10((common - right.1).into()));
        // Wrapping, because the value under a NULL can be anything.
        return match operation {
            Operation::Multiply => binary::<A, B, Decimal128Type>(a, b, rows, |a, b| {
                let (a, b): (i128, i128) = (a.into(), b.into());
                a.wrapping_mul(b)
            }),
            Operation::Add | Operation::Subtract => {
                let up_b = if operation == Operation::Add { up_b } else { -up_b };
                binary::<A, B, Decimal128Type>(a, b, rows, |a, b| {
                    let (a, b): (i128, i128) = (a.into(), b.into());
                    a.wrapping_mul(up_a).wrapping_add(b.wrapping_mul(up_b))
                })
            }
        };
    }
    let checked = match operation {
        Operation::Add => decimal::add,
        Operation::Subtract => decimal::subtract,
        Operation::Multiply => decimal::multiply,
    };
    binary_opt::<A, B, Decimal128Type>(a, b, rows, |a, b| {
        checked((a.into(), left.1), (b.into(), right.1), result)
    })
}
