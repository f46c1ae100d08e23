//! ARRAY_DISTINCT, ARRAY_UNION, ARRAY_INTERSECT, ARRAY_EXCEPT, ARRAY_CONCAT, ARRAY_APPEND, ARRAY_PREPEND.

use arrow::array::ArrayRef;
use flott_expr::context::PlanContext;
use flott_expr::function::{Argument, Call, Function, Signature, any_nullable, no_signature};
use flott_expr::typing::merge;
use flott_expr::value::Value;
use flott_types::{Error, FastSet, LogicalType, Result, TypeKind};

use super::lists::{Encoder, Lists, Picker, Pool, element_type};
use super::search::with_element;
use crate::check::{Family, infer};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "ARRAY_DISTINCT",
        infer!("ARRAY_DISTINCT", &[&[Family::Array]], |args| args[0].ty.clone()),
        |args, call| sets(args, call, |_, _| true),
    ),
    Function::new(
        "ARRAY_UNION",
        |args, _| infer_common("ARRAY_UNION", args, Some(2)),
        |args, call| sets(args, call, |_, _| true),
    ),
    Function::new(
        "ARRAY_INTERSECT",
        |args, _| infer_common("ARRAY_INTERSECT", args, Some(2)),
        |args, call| sets(args, call, |from, in_second| from == 0 && in_second),
    ),
    Function::new(
        "ARRAY_EXCEPT",
        |args, _| infer_common("ARRAY_EXCEPT", args, Some(2)),
        |args, call| sets(args, call, |from, in_second| from == 0 && !in_second),
    ),
    Function::new("ARRAY_CONCAT", |args, _| infer_common("ARRAY_CONCAT", args, None), concat),
    Function::new(
        "ARRAY_APPEND",
        |args, context| infer_extend("ARRAY_APPEND", args, context),
        |args, call| extend(args, call, false),
    ),
    Function::new(
        "ARRAY_PREPEND",
        |args, context| infer_extend("ARRAY_PREPEND", args, context),
        |args, call| extend(args, call, true),
    ),
];

/// Arrays whose elements have a common type.
fn infer_common(name: &str, args: &[Argument<'_>], count: Option<usize>) -> Result<Signature> {
    let form = format!("{name}(<COMMON>, <COMMON>)");
    let right_count = count.map_or(!args.is_empty(), |count| args.len() == count);
    if !right_count || !args.iter().all(|arg| element_type(arg).is_some()) {
        return Err(no_signature(name, args, &[&form]));
    }
    let types: Vec<LogicalType> = args.iter().map(|arg| arg.ty.clone()).collect();
    let common = merge(&types).ok_or_else(|| no_signature(name, args, &[&form]))?;
    Ok(Signature {
        casts: types.iter().map(|ty| common.clone().with_nullable(ty.nullable)).collect(),
        result: common.with_nullable(any_nullable(args)),
    })
}

/// The elements of one array or two, each once, in order; `keep` is called with the array that an element is
/// from and whether the second array has it.
fn sets(args: &[Value], call: &Call<'_>, keep: impl Fn(usize, bool) -> bool) -> Result<ArrayRef> {
    let lists = args.iter().map(Lists::of).collect::<Result<Vec<_>>>()?;
    let pool = Pool::new(&lists.iter().map(Lists::elements).collect::<Vec<_>>(), call)?;
    let encoded = Encoder::new(pool.all.data_type())?.encode(&pool.all)?;
    let mut picker = Picker::new(call.rows);
    let mut seen = FastSet::default();
    let mut second = FastSet::default();
    for row in 0..call.rows {
        let ranges: Option<Vec<_>> = lists.iter().map(|lists| lists.range(row)).collect();
        let Some(ranges) = ranges else {
            picker.end(false);
            continue;
        };
        seen.clear();
        second.clear();
        if let ([_, start], [_, range]) = (pool.starts.as_slice(), ranges.as_slice()) {
            second.extend(range.clone().map(|at| encoded.row(start + at)));
        }
        for (from, range) in ranges.into_iter().enumerate() {
            for at in range {
                let at = pool.starts[from] + at;
                let element = encoded.row(at);
                if keep(from, second.contains(&element)) && seen.insert(element) {
                    picker.pick(at);
                }
            }
        }
        picker.end(true);
    }
    picker.lists(&pool.all, call)
}

fn concat(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let lists = args.iter().map(Lists::of).collect::<Result<Vec<_>>>()?;
    let pool = Pool::new(&lists.iter().map(Lists::elements).collect::<Vec<_>>(), call)?;
    let mut picker = Picker::new(call.rows);
    for row in 0..call.rows {
        let mut valid = true;
        for (lists, start) in lists.iter().zip(&pool.starts) {
            match lists.range(row) {
                Some(range) => range.for_each(|at| picker.pick(start + at)),
                None => valid = false,
            }
        }
        picker.end(valid);
    }
    picker.lists(&pool.all, call)
}

/// The elements of the result are nullable if those of the array or the new one are.
fn infer_extend(name: &str, args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    let casts = with_element(name, ["array", "element"], args)?;
    let own = element_type(&args[0]).ok_or_else(|| Error::internal("no array"))?;
    let element = own.clone().with_nullable(own.nullable || args[1].ty.nullable);
    Ok(Signature { casts, result: TypeKind::Array(Box::new(element)).with_nullable(any_nullable(args)) })
}

fn extend(args: &[Value], call: &Call<'_>, at_start: bool) -> Result<ArrayRef> {
    let lists = Lists::of(&args[0])?;
    let pool = Pool::new(&[lists.elements(), args[1].held()], call)?;
    let mut picker = Picker::new(call.rows);
    for row in 0..call.rows {
        let Some(range) = lists.range(row) else {
            picker.end(false);
            continue;
        };
        let new = pool.starts[1] + args[1].position(row);
        if at_start {
            picker.pick(new);
        }
        range.for_each(|at| picker.pick(at));
        if !at_start {
            picker.pick(new);
        }
        picker.end(true);
    }
    picker.lists(&pool.all, call)
}
