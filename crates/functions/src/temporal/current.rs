//! CURRENT_DATE, CURRENT_TIME, CURRENT_TIMESTAMP, LOCALTIME, LOCALTIMESTAMP, NOW, CURRENT_ROW_TIMESTAMP,
//! PROCTIME, CURRENT_WATERMARK. The context provides the time; dates and local times are those of the
//! session's zone.

use arrow::array::{ArrayRef, new_null_array};
use flott_batch::arrow_type::to_arrow;
use flott_expr::context::PlanContext;
use flott_expr::function::{Argument, Call, Determinism, Function, Signature, no_signature};
use flott_expr::time;
use flott_expr::value::repeat;
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::instant::{DAY, from_millis};

macro_rules! current {
    ($name:literal, $kind:expr, $of:expr) => {
        Function::new($name, |args, _| infer($name, args, $kind.not_null()), |_, call| now(call, $of))
            .determinism(Determinism::Statement)
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    current!("CURRENT_DATE", TypeKind::Date, |local, _| local.div_euclid(DAY) * DAY),
    current!("CURRENT_TIME", TypeKind::Time(0), |local, _| local.rem_euclid(DAY)),
    current!("LOCALTIME", TypeKind::Time(0), |local, _| local.rem_euclid(DAY)),
    current!("LOCALTIMESTAMP", TypeKind::Timestamp(3), |local, _| local),
    current!("CURRENT_TIMESTAMP", TypeKind::TimestampLtz(3), |_, instant| { instant }),
    current!("NOW", TypeKind::TimestampLtz(3), |_, instant| instant),
    Function::new("CURRENT_ROW_TIMESTAMP", |args, _| infer("CURRENT_ROW_TIMESTAMP", args, LTZ), row_now)
        .determinism(Determinism::Never),
    Function::new("PROCTIME", |args, _| infer("PROCTIME", args, LTZ), row_now)
        .determinism(Determinism::Never),
    Function::new("CURRENT_WATERMARK", infer_watermark, watermark).determinism(Determinism::Never),
];

const LTZ: LogicalType = TypeKind::TimestampLtz(3).not_null();

fn infer(name: &str, args: &[Argument<'_>], result: LogicalType) -> Result<Signature> {
    if args.is_empty() {
        return Ok(Signature { casts: Vec::new(), result });
    }
    Err(Error::invalid(format!(
        "Invalid number of arguments to function '{name}'. Was expecting 0 arguments"
    )))
}

fn now(call: &Call<'_>, of: fn(i64, i64) -> i64) -> Result<ArrayRef> {
    let instant = call.context.now();
    let local = time::to_local(instant, 1_000, call.context.time_zone());
    same(of(local, instant), call)
}

fn row_now(_args: &[flott_expr::value::Value], call: &Call<'_>) -> Result<ArrayRef> {
    same(call.context.row_now(), call)
}

/// The same time for all rows.
fn same(millis: i64, call: &Call<'_>) -> Result<ArrayRef> {
    repeat(&from_millis(call.result, 1, |_| Some(millis))?, call.rows)
}

fn infer_watermark(args: &[Argument<'_>], context: &PlanContext) -> Result<Signature> {
    if !context.streaming {
        return Err(Error::invalid(
            "The argument of CURRENT_WATERMARK() must be a rowtime attribute, and in batch no column is one",
        ));
    }
    let kind = match args {
        [rowtime] => match rowtime.ty.kind {
            TypeKind::Timestamp(_) => Some(TypeKind::Timestamp(3)),
            TypeKind::TimestampLtz(_) => Some(TypeKind::TimestampLtz(3)),
            _ => None,
        },
        _ => None,
    };
    let kind =
        kind.ok_or_else(|| no_signature("CURRENT_WATERMARK", args, &["CURRENT_WATERMARK(<TIMESTAMP>)"]))?;
    Ok(Signature::as_is(args, kind.nullable()))
}

fn watermark(_args: &[flott_expr::value::Value], call: &Call<'_>) -> Result<ArrayRef> {
    match call.context.watermark() {
        Some(watermark) => same(watermark, call),
        None => Ok(new_null_array(&to_arrow(call.result), call.rows)),
    }
}
