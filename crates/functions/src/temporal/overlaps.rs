//! OVERLAPS(period, period): whether two periods have a point in common, ends included. A period is a ROW of
//! its start and its end or length; the four values may also be given one by one.

use arrow::array::{ArrayRef, AsArray, DurationMillisecondArray, IntervalYearMonthArray};
use flott_expr::context::PlanContext;
use flott_expr::function::{Argument, Call, Function, Signature, no_signature};
use flott_expr::time;
use flott_expr::value::{Value, View};
use flott_types::{LogicalType, Result, TypeKind};

use super::instant::{DAY, Instants};
use crate::build::booleans;
use crate::check::illegal_null;

pub(super) const FUNCTIONS: &[Function] = &[Function::new("OVERLAPS", infer, overlaps)];

fn infer(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    if args.iter().any(|arg| arg.ty.kind == TypeKind::Null) {
        return Err(illegal_null("OVERLAPS"));
    }
    let flat = flat_types(args.iter().map(|arg| arg.ty));
    let is_start = |ty: &LogicalType| ty.kind.is_datetime();
    let is_end = |ty: &LogicalType| ty.kind.is_datetime() || ty.kind.is_interval();
    match flat.as_slice() {
        [s0, e0, s1, e1] if is_start(s0) && is_start(s1) && is_end(e0) && is_end(e1) => {
            let nullable = flat.iter().any(|ty| ty.nullable) || args.iter().any(|arg| arg.ty.nullable);
            Ok(Signature::as_is(args, TypeKind::Boolean.with_nullable(nullable)))
        }
        _ => Err(no_signature(
            "OVERLAPS",
            args,
            &["(<DATETIME>, <DATETIME_INTERVAL>) OVERLAPS (<DATETIME>, <DATETIME_INTERVAL>)"],
        )),
    }
}

/// The types of the values, with ROWs flattened.
fn flat_types<'a>(types: impl Iterator<Item = &'a LogicalType>) -> Vec<LogicalType> {
    types
        .flat_map(|ty| match &ty.kind {
            TypeKind::Row(fields) => fields.iter().map(|field| field.ty.clone()).collect(),
            _ => vec![ty.clone()],
        })
        .collect()
}

/// The values, with ROWs flattened.
fn flat_values(args: &[Value]) -> Vec<Value> {
    let flat = |arg: &Value| match arg.held().as_struct_opt() {
        Some(row) if arg.is_constant() => row.columns().iter().cloned().map(Value::constant).collect(),
        Some(row) => row.columns().iter().cloned().map(Value::array).collect(),
        None => vec![arg.clone()],
    };
    args.iter().flat_map(flat).collect()
}

enum End<'a> {
    At(Instants<'a>),
    AfterMonths(View<'a, IntervalYearMonthArray>),
    AfterMillis(View<'a, DurationMillisecondArray>),
}

impl<'a> End<'a> {
    fn of(value: &'a Value, ty: &LogicalType) -> Result<End<'a>> {
        Ok(match ty.kind {
            TypeKind::IntervalYearMonth => End::AfterMonths(value.view()?),
            TypeKind::IntervalDaySecond => End::AfterMillis(value.view()?),
            _ => End::At(Instants::of(value, ty)?),
        })
    }

    /// Start and end in order, in nanoseconds; a TIME wraps around at midnight.
    fn period(&self, from: &Instants<'_>, row: usize, is_time: bool) -> Option<(i128, i128)> {
        let (start, millis) = (from.nanos(row)?, from.millis(row)?);
        let after = |end: i64| i128::from(end) * 1_000_000 + start.rem_euclid(1_000_000);
        let end = match self {
            End::At(end) => end.nanos(row)?,
            End::AfterMonths(_) if is_time => start,
            End::AfterMonths(months) => {
                after(time::add_months_to_instant(millis, DAY, months.get(row)?.into()))
            }
            End::AfterMillis(length) if is_time => after((millis + DAY + length.get(row)? % DAY) % DAY),
            End::AfterMillis(length) => after(millis.saturating_add(length.get(row)?)),
        };
        Some((start.min(end), start.max(end)))
    }
}

fn overlaps(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let types = flat_types(call.arg_types.iter());
    let args = flat_values(args);
    let (s0, s1) = (Instants::of(&args[0], &types[0])?, Instants::of(&args[2], &types[2])?);
    let (e0, e1) = (End::of(&args[1], &types[1])?, End::of(&args[3], &types[3])?);
    let is_time = |ty: &LogicalType| matches!(ty.kind, TypeKind::Time(_));
    let (time0, time1) = (is_time(&types[0]), is_time(&types[2]));
    Ok(booleans(call.rows, |row| {
        let (start0, end0) = e0.period(&s0, row, time0)?;
        let (start1, end1) = e1.period(&s1, row, time1)?;
        Some(end0 >= start1 && end1 >= start0)
    }))
}
