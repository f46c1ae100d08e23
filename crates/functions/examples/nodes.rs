//! What do the nodes of compiled expressions cost, in nanoseconds a row?
//!
//! `cargo run --release -p flott-functions --example nodes [batches] [rows a batch]`

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use flott_batch::arrow_type;
use flott_expr::{EvalContext, PlanContext, bind, compile};
use flott_plan::{Expr, Literal};
use flott_types::{Clock, LogicalType, Result, SystemClock, TypeKind};

fn context() -> PlanContext {
    PlanContext { functions: flott_functions::builtin(), ..PlanContext::default() }
}

fn call(name: &str, args: Vec<Expr>) -> Result<Expr> {
    bind::call(name, args, &context())
}

fn number(value: i64) -> Expr {
    Expr::literal(Literal::Integer(value), TypeKind::BigInt.not_null())
}

fn case(when: Expr, then: Expr, otherwise: Expr) -> Expr {
    let ty = then.ty().clone().with_nullable(true);
    Expr::Case { branches: vec![(when, then)], otherwise: Box::new(otherwise), ty }
}

/// Expressions over `a BIGINT, b BIGINT, s STRING`.
fn expressions() -> Result<Vec<(&'static str, Expr)>> {
    let a = || Expr::column(0, TypeKind::BigInt.nullable());
    let b = || Expr::column(1, TypeKind::BigInt.nullable());
    let s = || Expr::column(2, TypeKind::STRING.nullable());
    let above = |than| call(">", vec![a(), number(than)]);
    let divided = || call("/", vec![b(), a()]);
    Ok(vec![
        ("a", a()),
        ("7", number(7)),
        ("a + b * 2", call("+", vec![a(), call("*", vec![b(), number(2)])?])?),
        ("a > 500", above(500)?),
        ("NOT (a > 500)", call("NOT", vec![above(500)?])?),
        ("a IS NULL", call("IS NULL", vec![a()])?),
        ("a > 500 AND b > 3", call("AND", vec![above(500)?, call(">", vec![b(), number(3)])?])?),
        ("a > 500 AND b / a > 3", call("AND", vec![above(500)?, call(">", vec![divided()?, number(3)])?])?),
        ("CASE WHEN a > 500 THEN a ELSE b", case(above(500)?, a(), b())),
        ("CASE WHEN a > 500 THEN 1 ELSE 0", case(above(500)?, number(1), number(0))),
        ("CASE WHEN a > 500 THEN b / a ELSE 0", case(above(500)?, divided()?, number(0))),
        ("CASE WHEN a > 0 THEN b / a ELSE b", case(above(0)?, divided()?, b())),
        ("CASE WHEN a > 500 THEN UPPER(s) ELSE s", case(above(500)?, call("UPPER", vec![s()])?, s())),
        ("COALESCE(a, b)", call("COALESCE", vec![a(), b()])?),
        ("COALESCE(a, b / a)", call("COALESCE", vec![a(), divided()?])?),
        ("CAST(a AS STRING)", a().cast(TypeKind::STRING.nullable())),
        ("UPPER(s)", call("UPPER", vec![s()])?),
    ])
}

fn batch(rows: usize) -> Result<RecordBatch> {
    let types = [TypeKind::BigInt.nullable(), TypeKind::BigInt.nullable(), TypeKind::STRING.nullable()];
    let schema = arrow_type::schema(["a", "b", "s"].into_iter().zip(&types));
    let value = |row: usize| (row as i64 * 7_919) % 1_000 + 1;
    let a: Int64Array = (0..rows).map(|row| (row % 16 != 3).then(|| value(row))).collect();
    let b: Int64Array = (0..rows).map(|row| Some(value(row + 1))).collect();
    let s: StringArray = (0..rows).map(|row| Some(format!("name {}", value(row)))).collect();
    let columns: Vec<ArrayRef> = vec![Arc::new(a), Arc::new(b), Arc::new(s)];
    RecordBatch::try_new(schema, columns)
        .map_err(|error| flott_types::Error::internal("a batch").with_source(error))
}

fn main() -> Result<()> {
    let mut numbers = std::env::args().skip(1).filter_map(|number| number.parse::<usize>().ok());
    let batches = numbers.next().unwrap_or(2_000);
    let rows = numbers.next().unwrap_or(4_096);
    let types: Vec<LogicalType> =
        vec![TypeKind::BigInt.nullable(), TypeKind::BigInt.nullable(), TypeKind::STRING.nullable()];
    let batch = batch(rows)?;
    for (name, expr) in expressions()? {
        let context = Arc::new(EvalContext::new(&context(), 1));
        let compiled = compile(&expr, &types, &context)?;
        // The least of several: what else the machine does only adds.
        let mut least = u64::MAX;
        for _ in 0..10 {
            let clock = SystemClock::new();
            for _ in 0..batches / 10 {
                std::hint::black_box(compiled.evaluate(&batch)?);
            }
            least = least.min(clock.nanos());
        }
        println!("{:>8.3}  {name}", least as f64 / (batches / 10 * rows) as f64);
    }
    Ok(())
}
