//! Variance and standard deviation over frames as SQL expands them: computed from sums, in the arithmetic of
//! the result's type.
//!
//! `(SUM(x * x) - SUM(x) * SUM(x) / n) / n`, and its root; every step is an expression of that type. Integers
//! are divided as integers, and decimals are rounded at each step, so that the results are Flink's, even
//! where they are not the most accurate.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use flott_batch::arrow_type;
use flott_expr::{PlanContext, bind};
use flott_plan::{AggregateCall, Expr, Literal, Schema};
use flott_types::{LogicalType, Result, TypeKind, Watermark};

use crate::BuildContext;
use crate::support::{Expression, record_batch};

/// One call.
struct Deviation {
    /// The first of three results of the frames: sum, sum of squares, count.
    first: usize,
    /// The expression for the result, over those three.
    result: Expression,
    /// The types of those three.
    parts: Schema,
}

/// The calls, and the columns that they need after those of the input.
pub(super) struct Deviations {
    calls: Vec<Deviation>,
    input: Schema,
    /// The arguments in the type of the result, and their squares.
    added: Vec<Expression>,
    types: Vec<LogicalType>,
}

impl Deviations {
    /// For rows with these columns.
    pub fn new(input: &Schema) -> Self {
        Deviations { calls: Vec::new(), input: input.clone(), added: Vec::new(), types: Vec::new() }
    }

    /// Adds a call if it is one of these; the calls that it needs are added to those of the frames. Returns
    /// its number.
    pub fn add(
        &mut self,
        call: &AggregateCall,
        framed: &mut Vec<AggregateCall>,
        context: &BuildContext,
    ) -> Result<Option<usize>> {
        let (sample, root) = match call.function.as_str() {
            "STDDEV_POP" => (false, true),
            "STDDEV_SAMP" | "STDDEV" => (true, true),
            "VAR_POP" => (false, false),
            "VAR_SAMP" | "VARIANCE" => (true, false),
            _ => return Ok(None),
        };
        let (Some(arg), Some(arg_type)) = (call.args.first(), call.arg_types.first()) else {
            return Ok(None);
        };
        if !arg_type.kind.is_numeric() || call.distinct {
            return Ok(None);
        }
        let (ty, plan) = (call.ty.kind.clone().nullable(), context.of_expressions());
        let value = Expr::column(*arg, arg_type.clone());
        let column = match arg_type.kind == ty.kind {
            true => *arg,
            false => self.column(&bind::cast(value.clone(), ty.clone(), false)?, &ty, context)?,
        };
        let value = bind::cast(value, ty.clone(), false)?;
        let square = bind::cast(bind::call("*", vec![value.clone(), value], &plan)?, ty.clone(), false)?;
        let square = self.column(&square, &ty, context)?;
        let part = |function: &str, column: usize, ty: LogicalType| AggregateCall {
            function: function.to_owned(),
            args: vec![column],
            name: format!("{}.{}{column}", call.name, function.to_lowercase()),
            arg_types: vec![ty.clone()],
            ty,
            ..call.clone()
        };
        let count = AggregateCall {
            arg_types: vec![arg_type.clone()],
            ..part("COUNT", *arg, TypeKind::BigInt.nullable())
        };
        let parts = [("sum", ty.clone()), ("squares", ty.clone()), ("count", TypeKind::BigInt.not_null())];
        let parts = Schema::new(parts.map(|(name, ty)| (name.to_owned(), ty)));
        let result = Expression::new(&expanded(&ty, sample, root, &plan)?, &parts, context)?;
        self.calls.push(Deviation { first: framed.len(), result, parts });
        framed.extend([part("SUM", column, ty.clone()), part("SUM", square, ty), count]);
        Ok(Some(self.calls.len() - 1))
    }

    /// Adds a column after the existing ones; returns its number.
    fn column(&mut self, value: &Expr, ty: &LogicalType, context: &BuildContext) -> Result<usize> {
        self.added.push(Expression::new(value, &self.input, context)?);
        self.types.push(ty.clone());
        Ok(self.input.len() + self.added.len() - 1)
    }

    /// The columns of the input and the added ones.
    pub fn schema(&self) -> Schema {
        let added = self.types.iter().enumerate().map(|(at, ty)| (format!("$deviation{at}"), ty.clone()));
        let input = self.input.iter().map(|(name, ty)| (name.to_owned(), ty.clone()));
        Schema::new(input.chain(added))
    }

    /// The added columns.
    pub fn added(&self, columns: &[ArrayRef], rows: usize) -> Result<Vec<ArrayRef>> {
        if self.added.is_empty() {
            return Ok(Vec::new());
        }
        let batch = record_batch(&arrow_type::schema(self.input.iter()), columns.to_vec(), rows)?;
        self.added.iter().map(|expression| evaluate(expression, &batch)).collect()
    }

    /// The result of a call, computed from the results of the frames.
    pub fn result(&self, number: usize, framed: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let Deviation { first, result, parts } = &self.calls[number];
        let schema = arrow_type::schema(parts.iter());
        let columns = schema.fields().iter().zip(&framed[*first..]);
        let columns = columns.map(|(field, column)| match column.data_type() == field.data_type() {
            true => Ok(Arc::clone(column)),
            false => arrow::compute::cast(column, field.data_type()).map_err(crate::support::kernel),
        });
        evaluate(result, &record_batch(&schema, columns.collect::<Result<_>>()?, rows)?)
    }
}

/// None of these expressions depends on time.
fn evaluate(expression: &Expression, columns: &RecordBatch) -> Result<ArrayRef> {
    expression.evaluate_at(columns, 0, Watermark::MIN)
}

/// The result over the columns of sum, sum of squares, and count.
fn expanded(ty: &LogicalType, sample: bool, root: bool, plan: &PlanContext) -> Result<Expr> {
    let [sum, squares] = [0, 1].map(|column| Expr::column(column, ty.clone()));
    let count = Expr::column(2, TypeKind::BigInt.not_null());
    let number = |number: i64| Expr::literal(Literal::Integer(number), TypeKind::BigInt.not_null());
    let call = |name: &str, left: Expr, right: Expr| bind::call(name, vec![left, right], plan);
    let typed = |expr: Expr| bind::cast(expr, ty.clone(), false);
    let rows = typed(count.clone())?;
    let mean = typed(call("/", typed(call("*", sum.clone(), sum)?)?, rows.clone())?)?;
    let distance = typed(call("-", squares, mean)?)?;
    let divisor = match sample {
        // A single row has no sample variance.
        true => call("NULLIF", call("-", count, number(1))?, number(0))?,
        false => rows,
    };
    let variance = typed(call("/", distance, divisor)?)?;
    let half = Expr::literal(Literal::Decimal(5), TypeKind::Decimal(2, 1).not_null());
    if root { typed(call("POWER", variance, half)?) } else { Ok(variance) }
}
