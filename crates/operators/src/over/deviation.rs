//! Variance and standard deviation over frames, as SQL expands them: from sums, in the arithmetic of the
//! argument's type.
//!
//! `(SUM(x * x) - SUM(x) * SUM(x) / n) / n`, and its root. Integers are divided as integers, so that the
//! results are Flink's, even where they are less accurate.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::compute::cast;
use arrow::compute::kernels::numeric::{mul, mul_wrapping};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use flott_plan::{AggregateCall, Schema};
use flott_types::{LogicalType, Result, TypeKind};

use crate::support::kernel;

/// One call.
pub(super) struct Deviation {
    /// The first of three results of the frames: sum, sum of squares, count.
    first: usize,
    sample: bool,
    root: bool,
    ty: LogicalType,
}

/// The calls, and the columns of squares behind those of the input.
#[derive(Default)]
pub(super) struct Deviations {
    calls: Vec<Deviation>,
    /// The columns that are squared.
    squared: Vec<usize>,
}

impl Deviations {
    /// Adds a call if it is one; the calls that it needs are added to those of the frames. Returns its number.
    pub fn add(
        &mut self,
        call: &AggregateCall,
        width: usize,
        framed: &mut Vec<AggregateCall>,
    ) -> Option<usize> {
        let (sample, root) = match call.function.as_str() {
            "STDDEV_POP" => (false, true),
            "STDDEV_SAMP" | "STDDEV" => (true, true),
            "VAR_POP" => (false, false),
            "VAR_SAMP" | "VARIANCE" => (true, false),
            _ => return None,
        };
        let (arg, ty) = (*call.args.first()?, call.arg_types.first()?.clone());
        let computes = ty.kind.is_integer() || matches!(ty.kind, TypeKind::Float | TypeKind::Double);
        if !computes || call.distinct {
            return None;
        }
        let number = self.calls.len();
        self.calls.push(Deviation { first: framed.len(), sample, root, ty: ty.clone() });
        let part = |function: &str, column: usize, ty: LogicalType| AggregateCall {
            function: function.to_owned(),
            args: vec![column],
            name: format!("{}.{}{column}", call.name, function.to_lowercase()),
            ty,
            ..call.clone()
        };
        framed.push(part("SUM", arg, ty.clone()));
        framed.push(part("SUM", width + self.squared.len(), ty));
        framed.push(part("COUNT", arg, TypeKind::BigInt.nullable()));
        self.squared.push(arg);
        Some(number)
    }

    /// The columns of the input and those of squares.
    pub fn schema(&self, input: &Schema) -> Schema {
        let columns = input.columns.iter().chain(self.squared.iter().map(|column| &input.columns[*column]));
        Schema { columns: columns.cloned().collect() }
    }

    /// The columns of squares.
    pub fn squares(&self, columns: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
        let square = |column: &usize| match &columns[*column] {
            float if float.data_type().is_floating() => mul(float, float).map_err(kernel),
            integer => mul_wrapping(integer, integer).map_err(kernel),
        };
        self.squared.iter().map(square).collect()
    }

    /// The result of a call, of the results of the frames.
    pub fn result(&self, number: usize, framed: &[ArrayRef], ty: &DataType) -> Result<ArrayRef> {
        let call = &self.calls[number];
        let counts = framed[call.first + 2].as_primitive::<Int64Type>();
        let (sums, squares) = (&framed[call.first], &framed[call.first + 1]);
        let wide = |column: &ArrayRef, ty: &DataType| cast(column, ty).map_err(kernel);
        // NULL without values, and of one value of a sample.
        let divisor = |row: usize| {
            let count = counts.value(row);
            Some(if call.sample { count - 1 } else { count })
                .filter(|divisor| *divisor > 0 && sums.is_valid(row))
        };
        let result: ArrayRef = if call.ty.kind.is_integer() {
            let (sums, squares) = (wide(sums, &DataType::Int64)?, wide(squares, &DataType::Int64)?);
            let (sums, squares) = (sums.as_primitive::<Int64Type>(), squares.as_primitive::<Int64Type>());
            let value = |row: usize| {
                let product = wrap(sums.value(row).wrapping_mul(sums.value(row)), &call.ty.kind);
                let divisor = divisor(row)?;
                let variance = squares.value(row).wrapping_sub(product / counts.value(row)) / divisor;
                Some(if call.root { (variance as f64).sqrt() as i64 } else { variance })
            };
            Arc::new((0..counts.len()).map(value).collect::<Int64Array>())
        } else {
            let (sums, squares) = (wide(sums, &DataType::Float64)?, wide(squares, &DataType::Float64)?);
            let (sums, squares) = (sums.as_primitive::<Float64Type>(), squares.as_primitive::<Float64Type>());
            let value = |row: usize| {
                let product = sums.value(row) * sums.value(row);
                let divisor = divisor(row)? as f64;
                let variance = (squares.value(row) - product / counts.value(row) as f64) / divisor;
                Some(if call.root { variance.sqrt() } else { variance })
            };
            Arc::new((0..counts.len()).map(value).collect::<Float64Array>())
        };
        cast(&result, ty).map_err(kernel)
    }
}

/// A product as the type holds it.
fn wrap(product: i64, kind: &TypeKind) -> i64 {
    match kind {
        TypeKind::TinyInt => i64::from(product as i8),
        TypeKind::SmallInt => i64::from(product as i16),
        TypeKind::Int => i64::from(product as i32),
        _ => product,
    }
}
