//! ARRAY_SORT, ARRAY_MAX, ARRAY_MIN, ARRAY_REVERSE, ARRAY_SLICE.

use std::cmp::Ordering;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, Int64Array, PrimitiveArray, UInt32Array,
};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use flott_expr::function::{Argument, Call, Function, Signature, any_nullable, no_signature};
use flott_expr::value::{Value, downcast};
use flott_types::{Result, TypeKind};

use super::lists::{Lists, Picker, arrow_error, element_type};
use crate::check::{Family, infer};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("ARRAY_SORT", |args, _| infer_sort(args), sort),
    Function::new(
        "ARRAY_MAX",
        |args, _| infer_extreme("ARRAY_MAX", args),
        |args, call| extreme(args, call, Ordering::Greater),
    ),
    Function::new(
        "ARRAY_MIN",
        |args, _| infer_extreme("ARRAY_MIN", args),
        |args, call| extreme(args, call, Ordering::Less),
    ),
    Function::new(
        "ARRAY_REVERSE",
        infer!("ARRAY_REVERSE", &[&[Family::Array]], |args| args[0].ty.clone()),
        reverse,
    ),
    Function::new(
        "ARRAY_SLICE",
        infer!(
            with_null "ARRAY_SLICE",
            &[&[Family::Array, Family::Integer], &[Family::Array, Family::Integer, Family::Integer]],
            |args| args[0].ty.clone().with_nullable(any_nullable(args))
        ),
        slice,
    ),
];

fn is_comparable(arg: &Argument<'_>) -> bool {
    element_type(arg).is_some_and(|element| {
        let kind = &element.kind;
        kind.is_numeric()
            || kind.is_character()
            || kind.is_binary()
            || kind.is_datetime()
            || kind.is_interval()
    })
}

fn infer_sort(args: &[Argument<'_>]) -> Result<Signature> {
    let is_flag = |arg: &Argument<'_>| matches!(arg.ty.kind, TypeKind::Boolean | TypeKind::Null);
    match args {
        [array, flags @ ..] if is_comparable(array) && flags.len() <= 2 && flags.iter().all(is_flag) => {
            let mut casts = vec![array.ty.clone()];
            casts.extend(flags.iter().map(|flag| TypeKind::Boolean.with_nullable(flag.ty.nullable)));
            Ok(Signature { casts, result: array.ty.clone().with_nullable(any_nullable(args)) })
        }
        _ => Err(no_signature(
            "ARRAY_SORT",
            args,
            &[
                "ARRAY_SORT(<ARRAY<COMPARABLE>>)",
                "ARRAY_SORT(<ARRAY<COMPARABLE>>, <BOOLEAN>)",
                "ARRAY_SORT(<ARRAY<COMPARABLE>>, <BOOLEAN>, <BOOLEAN>)",
            ],
        )),
    }
}

fn infer_extreme(name: &str, args: &[Argument<'_>]) -> Result<Signature> {
    match args {
        [array] if is_comparable(array) => match element_type(array) {
            Some(element) => Ok(Signature::as_is(args, element.clone().with_nullable(true))),
            None => Err(no_signature(name, args, &[&format!("{name}(<ARRAY<COMPARABLE>>)")])),
        },
        _ => Err(no_signature(name, args, &[&format!("{name}(<ARRAY<COMPARABLE>>)")])),
    }
}

/// Compares two elements that are not NULL. Zeros of either sign are equal.
fn comparator(array: &ArrayRef) -> Result<Box<dyn Fn(usize, usize) -> Ordering>> {
    fn floats<T: ArrowPrimitiveType>(array: &ArrayRef) -> Result<Box<dyn Fn(usize, usize) -> Ordering>>
    where
        T::Native: PartialOrd,
    {
        let array: PrimitiveArray<T> = downcast::<PrimitiveArray<T>>(array)?.clone();
        Ok(Box::new(move |a, b| array.value(a).partial_cmp(&array.value(b)).unwrap_or(Ordering::Equal)))
    }
    match array.data_type() {
        DataType::Float32 => floats::<Float32Type>(array),
        DataType::Float64 => floats::<Float64Type>(array),
        _ => arrow::array::make_comparator(array, array, SortOptions::default())
            .map(|compare| compare as Box<dyn Fn(usize, usize) -> Ordering>)
            .map_err(arrow_error),
    }
}

/// ARRAY_SORT(array [, ascending [, NULLs first]]): by default ascending with NULLs first, descending with
/// NULLs last.
fn sort(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(&args[0])?;
    let flag = |at: usize| args.get(at).map(Value::view::<BooleanArray>).transpose();
    let (ascending, nulls_first) = (flag(1)?, flag(2)?);
    let elements = lists.elements();
    let compare = comparator(elements)?;
    let mut picker = Picker::new(call.rows);
    for row in 0..call.rows {
        let ascending = ascending.map_or(Some(true), |ascending| ascending.get(row));
        let nulls_first = nulls_first.map_or(ascending, |nulls_first| nulls_first.get(row));
        let (Some(range), Some(ascending), Some(nulls_first)) = (lists.range(row), ascending, nulls_first)
        else {
            picker.end(false);
            continue;
        };
        // Backwards, because Flink's order of equal elements (zeros of both signs) is that of Java's sort
        // with a comparison that never says "equal".
        range.rev().for_each(|at| picker.pick(at));
        picker.row_mut().sort_by(|a, b| {
            let (a, b) = (*a as usize, *b as usize);
            match (elements.is_null(a), elements.is_null(b)) {
                (true, true) => Ordering::Equal,
                (true, false) => {
                    if nulls_first {
                        Ordering::Less
                    } else {
                        Ordering::Greater
                    }
                }
                (false, true) => {
                    if nulls_first {
                        Ordering::Greater
                    } else {
                        Ordering::Less
                    }
                }
                (false, false) if ascending => compare(a, b),
                (false, false) => compare(b, a),
            }
        });
        picker.end(true);
    }
    picker.lists(elements, call)
}

/// The first of the greatest or least elements; NULLs are ignored.
fn extreme(args: &[Value], call: &Call<'_>, wanted: Ordering) -> Result<ArrayRef> {
    let lists = Lists::of(&args[0])?;
    let elements = lists.elements();
    let compare = comparator(elements)?;
    let best = |range: std::ops::Range<usize>| {
        range
            .filter(|at| elements.is_valid(*at))
            .reduce(|best, at| if compare(at, best) == wanted { at } else { best })
    };
    let picked = (0..call.rows).map(|row| lists.range(row).and_then(best).map(|at| at as u32));
    call.room().take(elements, &UInt32Array::from_iter(picked))
}

fn reverse(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(&args[0])?;
    let mut picker = Picker::new(call.rows);
    for row in 0..call.rows {
        let range = lists.range(row);
        let valid = range.is_some();
        range.into_iter().flat_map(Iterator::rev).for_each(|at| picker.pick(at));
        picker.end(valid);
    }
    picker.lists(lists.elements(), call)
}

/// ARRAY_SLICE(array, first [, last]): positions from 1, from the end if negative; 0 is the first.
fn slice(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(&args[0])?;
    let first = args[1].view::<Int64Array>()?;
    let last = args.get(2).map(Value::view::<Int64Array>).transpose()?;
    let mut picker = Picker::new(call.rows);
    for row in 0..call.rows {
        let last = last.map_or(Some(i64::MAX), |last| last.get(row));
        let (Some(range), Some(first), Some(last)) = (lists.range(row), first.get(row), last) else {
            picker.end(false);
            continue;
        };
        let length = range.len() as i64;
        let from_end = |position: i64| if position < 0 { position + length + 1 } else { position };
        let first = from_end(first).max(1);
        let last = match from_end(last) {
            0 => 1,
            last => last.min(length),
        };
        for position in first..=last.min(length) {
            picker.pick(range.start + position as usize - 1);
        }
        picker.end(true);
    }
    picker.lists(lists.elements(), call)
}
