//! Builds typed expressions: finds the function, casts the arguments, fixes type and nullability. Called by
//! the SQL planner.

use flott_plan::{Expr, Literal};
use flott_types::{Error, LogicalType, Result, TypeKind};

use crate::context::PlanContext;
use crate::function::{Argument, ScalarFunction, any_nullable, no_signature};
use crate::literal_text::IntervalUnit;
use crate::registry::Functions;
use crate::typing::casts::{check_explicit, is_implicit};
use crate::typing::common;

/// A call by name. Negations (`NOT IN`, `NOT LIKE`, `NOT BETWEEN`, `NOT SIMILAR TO`), `BETWEEN [SYMMETRIC]`,
/// `NULLIF` and `IF` are handled here; everything else is in the registry.
pub fn call(name: &str, args: Vec<Expr>, context: &PlanContext) -> Result<Expr> {
    let upper = name.to_ascii_uppercase();
    match upper.as_str() {
        "NULLIF" => return nullif(args, context),
        "IF" => return if_then_else(args),
        "BETWEEN" | "BETWEEN ASYMMETRIC" => return between(args, false, context),
        "BETWEEN SYMMETRIC" => return between(args, true, context),
        _ => {}
    }
    let args = match upper.as_str() {
        "=" => match field_by_field(args, context)? {
            Ok(compared) => return Ok(compared),
            Err(args) => lenient_times(args),
        },
        "<>" => lenient_times(args),
        _ => args,
    };
    let Some(function) = context.functions.get(&upper) else {
        if let Some(positive) = upper.strip_prefix("NOT ") {
            return call("NOT", vec![call(positive, args, context)?], context);
        }
        if context.functions.is_planned(&upper) {
            return Err(Error::unsupported(format!("function {upper} is not built yet")));
        }
        let types = args.iter().map(|arg| arg.ty().kind.to_string()).collect::<Vec<_>>().join(", ");
        let hint = nearest(&context.functions, &upper)
            .map_or_else(String::new, |name| format!(": did you mean {name}?"));
        return Err(Error::invalid(format!("No match found for function signature {upper}({types}){hint}")));
    };
    call_of(function.as_ref(), args, context)
}

/// A call of this function.
pub fn call_of(function: &dyn ScalarFunction, args: Vec<Expr>, context: &PlanContext) -> Result<Expr> {
    let args = function.arguments(args);
    let arguments: Vec<_> = args.iter().map(argument).collect();
    let signature = function.infer(&arguments, context)?;
    if signature.casts.len() != args.len() {
        let upper = function.name();
        return Err(Error::internal(format!(
            "{upper} casts {} of {} arguments",
            signature.casts.len(),
            args.len()
        )));
    }
    let args = args.into_iter().zip(signature.casts).map(|(arg, ty)| convert(arg, ty)).collect();
    Ok(Expr::call(function.name(), args, signature.result))
}

/// Two row constructors are compared field by field, so a NULL makes the result unknown. In values of a ROW
/// type, and in rows compared with `<>`, NULLs are equal; for those the operands are returned.
fn field_by_field(args: Vec<Expr>, context: &PlanContext) -> Result<std::result::Result<Expr, Vec<Expr>>> {
    let (left, right) = match args.as_slice() {
        [
            Expr::Call { function: left, args: fields, .. },
            Expr::Call { function: right, args: others, .. },
        ] if left == "ROW" && right == "ROW" && fields.len() == others.len() && !fields.is_empty() => {
            (fields.clone(), others.clone())
        }
        _ => return Ok(Err(args)),
    };
    let pairs = left.into_iter().zip(right);
    let mut tests = pairs.map(|(left, right)| call("=", vec![left, right], context));
    let first = tests.next().unwrap_or_else(|| Err(Error::internal("a ROW without fields")))?;
    let all = tests.try_fold(first, |all, test| call("AND", vec![all, test?], context))?;
    Ok(Ok(all))
}

/// A date or time equals a string column if the string parses to it; other strings give NULL, not an error.
fn lenient_times(mut args: Vec<Expr>) -> Vec<Expr> {
    let [left, right] = args.as_slice() else {
        return args;
    };
    let is_text = |expr: &Expr| expr.ty().kind.is_character() && !matches!(expr, Expr::Literal { .. });
    let (at, kind) = match (is_text(left), is_text(right)) {
        (true, false) if right.ty().kind.is_datetime() => (0, right.ty().kind.clone()),
        (false, true) if left.ty().kind.is_datetime() => (1, left.ty().kind.clone()),
        _ => return args,
    };
    let input = Box::new(args[at].clone());
    args[at] = Expr::Cast { input, ty: kind.nullable(), is_try: true };
    args
}

fn argument(expr: &Expr) -> Argument<'_> {
    let literal = match expr {
        Expr::Literal { value, .. } => Some(value),
        _ => None,
    };
    Argument { ty: expr.ty(), literal }
}

/// The function name that the user probably meant.
fn nearest<'a>(functions: &'a Functions, name: &str) -> Option<&'a str> {
    let distance = |other: &&str| edit_distance(name.as_bytes(), other.as_bytes());
    functions.names().into_iter().min_by_key(distance).filter(|found| distance(found) <= name.len() / 4 + 1)
}

fn edit_distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replace = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// A cast inserted by a rule: keeps the nullability of the value, gives NULL a type, and does nothing if the
/// value already has the type.
pub fn convert(expr: Expr, ty: LogicalType) -> Expr {
    if let Expr::Literal { value: Literal::Null, .. } = expr {
        return Expr::literal(Literal::Null, ty.with_nullable(true));
    }
    let nullable = expr.ty().nullable;
    expr.cast(ty.with_nullable(nullable))
}

/// `CAST(expr AS ty)` and `TRY_CAST(expr AS ty)`. Refuses casts that Flink does not have.
pub fn cast(expr: Expr, ty: LogicalType, is_try: bool) -> Result<Expr> {
    check_explicit(expr.ty(), &ty)?;
    if let Expr::Literal { value: Literal::Null, .. } = expr {
        return Ok(Expr::literal(Literal::Null, ty.with_nullable(true)));
    }
    let ty = ty.with_nullable(is_try || expr.ty().nullable);
    if expr.ty().kind == ty.kind && !is_try {
        return Ok(expr);
    }
    Ok(Expr::Cast { input: Box::new(expr), ty, is_try })
}

/// `CAST(number AS INTERVAL unit)`: this many units. Flink has it for single units only.
pub fn interval_of(number: Expr, unit: IntervalUnit, context: &PlanContext) -> Result<Expr> {
    if !number.ty().kind.is_integer() && !number.ty().kind.is_decimal() {
        return Err(Error::invalid(format!(
            "CAST to INTERVAL {unit:?} takes a whole number, not {}",
            number.ty()
        )));
    }
    let kind = if unit.is_months() { TypeKind::IntervalYearMonth } else { TypeKind::IntervalDaySecond };
    let one = Expr::literal(Literal::Integer(unit.size()), kind.not_null());
    call("*", vec![number, one], context)
}

/// `CASE [operand] WHEN .. THEN .. [ELSE ..] END`
pub fn case(
    operand: Option<Expr>,
    branches: Vec<(Expr, Expr)>,
    otherwise: Option<Expr>,
    context: &PlanContext,
) -> Result<Expr> {
    let mut conditions = Vec::with_capacity(branches.len());
    let mut values = Vec::with_capacity(branches.len() + 1);
    for (when, then) in branches {
        let condition = match &operand {
            Some(operand) => call("=", vec![operand.clone(), when], context)?,
            None if matches!(when.ty().kind, TypeKind::Boolean | TypeKind::Null) => {
                convert(when, TypeKind::Boolean.nullable())
            }
            None => {
                return Err(Error::invalid(format!(
                    "WHEN takes a BOOLEAN, not {}: compare it with something",
                    when.ty()
                )));
            }
        };
        conditions.push(condition);
        values.push(then);
    }
    values.push(otherwise.unwrap_or_else(|| Expr::literal(Literal::Null, TypeKind::Null.nullable())));
    if values.iter().all(|value| value.ty().kind == TypeKind::Null) {
        return Err(Error::invalid("ELSE clause or at least one THEN clause must be non-NULL"));
    }
    let types: Vec<_> = values.iter().map(|value| value.ty().clone()).collect();
    let ty = common::least_restrictive(&types)
        .or_else(|| common::timestamp_of(&types))
        .ok_or_else(|| mixed_case(&types))?;
    let mut values = values.into_iter().map(|value| convert(value, ty.clone())).collect::<Vec<_>>();
    let otherwise = Box::new(values.pop().ok_or_else(|| Error::internal("CASE without values"))?);
    let branches = conditions.into_iter().zip(values).collect();
    Ok(Expr::Case { branches, otherwise, ty })
}

fn mixed_case(types: &[LogicalType]) -> Error {
    let types = types.iter().map(|ty| ty.kind.to_string()).collect::<Vec<_>>().join(", ");
    Error::invalid(format!(
        "Illegal mixing of types in CASE or COALESCE statement: {types} have no type in common; CAST the values to one type"
    ))
}

fn nullif(args: Vec<Expr>, context: &PlanContext) -> Result<Expr> {
    let [value, other]: [Expr; 2] = args
        .try_into()
        .map_err(|args: Vec<Expr>| Error::invalid(format!("NULLIF takes 2 arguments, not {}", args.len())))?;
    let ty = value.ty().clone().with_nullable(true);
    let equal = call("=", vec![value.clone(), other], context)?;
    let null = Expr::literal(Literal::Null, ty.clone());
    Ok(Expr::Case { branches: vec![(equal, null)], otherwise: Box::new(value), ty })
}

fn if_then_else(args: Vec<Expr>) -> Result<Expr> {
    let arguments: Vec<_> = args.iter().map(argument).collect();
    let refuse = || no_signature("IF", &arguments, &["IF(<BOOLEAN>, <COMMON>, <COMMON>)"]);
    let [condition, then, otherwise] = arguments.as_slice() else {
        return Err(refuse());
    };
    if !matches!(condition.ty.kind, TypeKind::Boolean | TypeKind::Null) {
        return Err(refuse());
    }
    let types = [then.ty.clone(), otherwise.ty.clone()];
    let common = common::least_restrictive(&types).ok_or_else(refuse)?;
    // A timestamp takes the precision of the first branch.
    let kind = match (&then.ty.kind, &common.kind) {
        (TypeKind::Timestamp(first), TypeKind::Timestamp(_)) => TypeKind::Timestamp(*first),
        (TypeKind::TimestampLtz(first), TypeKind::TimestampLtz(_)) => TypeKind::TimestampLtz(*first),
        (_, common) => common.clone(),
    };
    let ty = kind.with_nullable(any_nullable(&arguments));
    let mut values = args.into_iter();
    let mut next = || values.next().ok_or_else(|| Error::internal("IF without arguments"));
    let condition = convert(next()?, TypeKind::Boolean.nullable());
    let then = convert(next()?, ty.clone());
    Ok(Expr::Case {
        branches: vec![(condition, then)],
        otherwise: Box::new(convert(next()?, ty.clone())),
        ty,
    })
}

fn between(args: Vec<Expr>, symmetric: bool, context: &PlanContext) -> Result<Expr> {
    let [value, low, high]: [Expr; 3] = args.try_into().map_err(|args: Vec<Expr>| {
        Error::invalid(format!("BETWEEN takes a value and two bounds, not {} operands", args.len()))
    })?;
    let within = |low: Expr, high: Expr| {
        let from = call(">=", vec![value.clone(), low], context)?;
        let to = call("<=", vec![value.clone(), high], context)?;
        call("AND", vec![from, to], context)
    };
    let ordered = within(low.clone(), high.clone())?;
    if !symmetric {
        return Ok(ordered);
    }
    let reversed = within(high, low)?;
    call("OR", vec![ordered, reversed], context)
}

/// The common type of several branches.
pub fn common_type(types: &[LogicalType]) -> Result<LogicalType> {
    common::common_type(types)
}

/// The type of a column of VALUES or of a set operation: unlike branches of CASE, values are not coerced; `None` if there is none.
pub fn values_type(types: &[LogicalType]) -> Option<LogicalType> {
    common::least_restrictive(types).or_else(|| common::timestamp_of(types))
}

/// Puts a value into a column of a sink: an implicit cast, or the reason why there is none.
pub fn assign(expr: Expr, column: &str, ty: &LogicalType) -> Result<Expr> {
    if !is_implicit(&expr.ty().kind, &ty.kind) {
        let (from, to) = (&expr.ty().kind, &ty.kind);
        return Err(Error::invalid(format!(
            "Incompatible types for sink column '{column}': the query gives {from}, the column is {to}. \
             Write CAST(... AS {to})"
        )));
    }
    Ok(convert(expr, ty.clone()))
}

/// Whether values of one type can be assigned to a column of another.
pub fn assignable(from: &LogicalType, to: &LogicalType) -> bool {
    is_implicit(&from.kind, &to.kind)
}
