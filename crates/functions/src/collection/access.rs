//! CARDINALITY, ELEMENT, and ITEM: `array[1]`, `map['key']`.

use arrow::array::{Array, ArrayRef, Int64Array, StringArray, UInt32Array};
use arrow::compute::{concat, take};
use arrow::datatypes::Int32Type;
use flott_batch::arrow_type::to_arrow;
use flott_expr::context::PlanContext;
use flott_expr::function::{Argument, Call, Function, ScalarFunction, Signature, no_signature};
use flott_expr::typing::common::comparison_type;
use flott_expr::value::Value;
use flott_plan::Literal;
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::construct::FUNCTIONS as CONSTRUCTORS;
use super::lists::{Encoder, Lists, Maps, arrow_error};
use crate::build::primitives;
use crate::check::{illegal_null, nullable_if};
use crate::variant;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("CARDINALITY", infer_cardinality, cardinality),
    Function::new("ELEMENT", infer_element, element),
    Function::new("ITEM", infer_item, item),
];

fn infer_cardinality(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    match args {
        [arg] if matches!(arg.ty.kind, TypeKind::Array(_) | TypeKind::Map(..) | TypeKind::Multiset(_)) => {
            Ok(Signature::as_is(args, nullable_if(TypeKind::Int, args)))
        }
        _ => Err(no_signature(
            "CARDINALITY",
            args,
            &["CARDINALITY(<MULTISET>)", "CARDINALITY(<ARRAY>)", "CARDINALITY(<MAP>)"],
        )),
    }
}

fn cardinality(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    Ok(match call.arg_types[0].kind {
        TypeKind::Array(_) => {
            let lists = Lists::of(&args[0])?;
            primitives::<Int32Type>(call.rows, |row| Some(lists.range(row)?.len() as i32))
        }
        TypeKind::Multiset(_) => {
            let maps = Maps::of(&args[0])?;
            let counts = maps.values().as_any().downcast_ref::<arrow::array::Int32Array>();
            let counts = counts.ok_or_else(|| Error::internal("a multiset does not count in INT"))?;
            primitives::<Int32Type>(call.rows, |row| Some(maps.range(row)?.map(|at| counts.value(at)).sum()))
        }
        _ => {
            let maps = Maps::of(&args[0])?;
            primitives::<Int32Type>(call.rows, |row| Some(maps.range(row)?.len() as i32))
        }
    })
}

fn infer_element(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    match args {
        [arg] => match &arg.ty.kind {
            TypeKind::Array(element) => Ok(Signature::as_is(args, (**element).clone().with_nullable(true))),
            _ => Err(no_signature("ELEMENT", args, &["ELEMENT(<ARRAY>)"])),
        },
        _ => Err(no_signature("ELEMENT", args, &["ELEMENT(<ARRAY>)"])),
    }
}

/// The only element; NULL for an empty array.
fn element(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(&args[0])?;
    let all = lists.elements();
    let ranges: Vec<_> = (0..call.rows).map(|row| lists.range(row)).collect();
    if ranges.iter().flatten().any(|range| range.len() > 1) {
        return Err(Error::data("Array has more than one element."));
    }
    let picked = ranges
        .into_iter()
        .map(|range| range.filter(|range| !range.is_empty()).map(|range| range.start as u32));
    call.room().take(all, &UInt32Array::from_iter(picked))
}

const FORMS: [&str; 4] = [
    "<ARRAY>[<INTEGER>]",
    "<MAP>[<ANY>]",
    "<ROW>[<CHARACTER>|<INTEGER>]",
    "<VARIANT>[<CHARACTER>|<INTEGER>]",
];

fn infer_item(args: &[Argument<'_>], context: &PlanContext) -> Result<Signature> {
    let [collection, key] = args else {
        return Err(no_signature("ITEM", args, &FORMS));
    };
    if key.ty.kind == TypeKind::Null {
        return Err(illegal_null("ITEM"));
    }
    let wrong = || no_signature("ITEM", args, &FORMS);
    match &collection.ty.kind {
        TypeKind::Array(element) if key.ty.kind.is_integer() => {
            if let Some(Literal::Integer(at)) = key.literal
                && *at < 1
            {
                return Err(Error::invalid(format!(
                    "Array element access needs an index starting at 1 but was {at}."
                )));
            }
            let casts = vec![collection.ty.clone(), TypeKind::BigInt.with_nullable(key.ty.nullable)];
            Ok(Signature { casts, result: (**element).clone().with_nullable(true) })
        }
        TypeKind::Map(map_key, value) => {
            let fits = (map_key.kind.is_character() && key.ty.kind.is_character())
                || (map_key.kind.is_numeric() && key.ty.kind.is_numeric())
                || map_key.same_kind(key.ty)
                || (map_key.kind.is_timestamp() && key.ty.kind.is_timestamp());
            if !fits || comparison_type(map_key, key.ty).is_none() && !map_key.same_kind(key.ty) {
                return Err(wrong());
            }
            // Strings are compared as they are; truncating the key to the map's length could make it equal.
            let key = if map_key.kind.is_character() {
                key.ty.clone()
            } else {
                (**map_key).clone().with_nullable(key.ty.nullable)
            };
            Ok(Signature {
                casts: vec![collection.ty.clone(), key],
                result: (**value).clone().with_nullable(true),
            })
        }
        TypeKind::Variant if key.ty.kind.is_integer() => {
            let casts = vec![collection.ty.clone(), TypeKind::BigInt.with_nullable(key.ty.nullable)];
            Ok(Signature { casts, result: TypeKind::Variant.nullable() })
        }
        TypeKind::Variant if key.ty.kind.is_character() => {
            Ok(Signature::as_is(args, TypeKind::Variant.nullable()))
        }
        TypeKind::Row(_) | TypeKind::Structured(..) => {
            let field = CONSTRUCTORS.iter().find(|function| function.name() == "FIELD");
            field.ok_or_else(wrong)?.infer(args, context)
        }
        _ => Err(wrong()),
    }
}

fn item(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    match &call.arg_types[0].kind {
        TypeKind::Array(element) => {
            let lists = Lists::of(&args[0])?;
            let index = args[1].view::<Int64Array>()?;
            let places = (0..call.rows).map(|row| {
                let (Some(range), Some(index)) = (lists.range(row), index.get(row)) else {
                    return Place::Null;
                };
                match usize::try_from(index).ok().filter(|index| (1..=range.len()).contains(index)) {
                    Some(index) => Place::At(range.start + index - 1),
                    None => Place::Missing,
                }
            });
            collect(places, lists.elements(), element)
        }
        TypeKind::Variant if call.arg_types[1].kind.is_integer() => variant::element(args, call),
        TypeKind::Variant => variant::member(args, call),
        TypeKind::Map(_, value) => {
            let maps = Maps::of(&args[0])?;
            let found = find(&maps, &args[1], call.rows)?;
            collect(found.into_iter(), maps.values(), value)
        }
        _ => {
            let field = CONSTRUCTORS.iter().find(|function| function.name() == "FIELD");
            field.ok_or_else(|| Error::internal("FIELD is no function"))?.evaluate(args, call)
        }
    }
}

enum Place {
    Null,
    Missing,
    At(usize),
}

/// The places of a key in maps.
fn find(maps: &Maps<'_>, key: &Value, rows: usize) -> Result<Vec<Place>> {
    let place = |row: usize, equal: &dyn Fn(usize, usize) -> bool| {
        let Some(range) = maps.range(row) else {
            return Place::Null;
        };
        if key.is_null(row) {
            return Place::Null;
        }
        let position = key.position(row);
        range.into_iter().find(|at| equal(*at, position)).map_or(Place::Missing, Place::At)
    };
    let texts = |array: &ArrayRef| array.as_any().downcast_ref::<StringArray>().cloned();
    if let (Some(keys), Some(wanted)) = (texts(maps.keys()), texts(key.held())) {
        return Ok((0..rows)
            .map(|row| place(row, &|at, position| keys.value(at) == wanted.value(position)))
            .collect());
    }
    let encoder = Encoder::new(maps.keys().data_type())?;
    let (keys, wanted) = (encoder.encode(maps.keys())?, encoder.encode(key.held())?);
    Ok((0..rows).map(|row| place(row, &|at, position| keys.row(at) == wanted.row(position))).collect())
}

/// Elements at places. What is missing is NULL; but where elements are NOT NULL, Flink returns the initial
/// value of its variables: -1, FALSE or the empty string.
fn collect(places: impl Iterator<Item = Place>, all: &ArrayRef, ty: &LogicalType) -> Result<ArrayRef> {
    let default = if ty.nullable { None } else { default_of(ty)? };
    let (all, missing) = match default {
        None => (all.clone(), None),
        Some(default) => {
            let missing = all.len() as u32;
            (concat(&[all.as_ref(), default.as_ref()]).map_err(arrow_error)?, Some(missing))
        }
    };
    let picked = places.map(|place| match place {
        Place::Null => None,
        Place::Missing => missing,
        Place::At(at) => Some(at as u32),
    });
    take(&all, &UInt32Array::from_iter(picked), None).map_err(arrow_error)
}

fn default_of(ty: &LogicalType) -> Result<Option<ArrayRef>> {
    let literal = match &ty.kind {
        TypeKind::Char(_) | TypeKind::Varchar(_) => Literal::String(String::new()),
        TypeKind::Boolean => Literal::Boolean(false),
        TypeKind::TinyInt
        | TypeKind::SmallInt
        | TypeKind::Int
        | TypeKind::BigInt
        | TypeKind::Date
        | TypeKind::Time(_)
        | TypeKind::IntervalYearMonth
        | TypeKind::IntervalDaySecond => Literal::Integer(-1),
        TypeKind::Float | TypeKind::Double => Literal::Double(-1.0),
        _ => return Ok(None),
    };
    let array = flott_expr::literal::to_array(&literal, ty, 1)?;
    debug_assert_eq!(array.data_type(), &to_arrow(ty));
    Ok(Some(array))
}
