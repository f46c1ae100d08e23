//! The constructors ARRAY, MAP and ROW, and FIELD.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, ListArray, StructArray, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::DataType;
use flott_batch::arrow_type::to_arrow;
use flott_expr::context::PlanContext;
use flott_expr::function::{Argument, Call, Function, Signature, no_signature};
use flott_expr::typing::common::least_restrictive;
use flott_expr::value::Value;
use flott_plan::Literal;
use flott_types::{Error, LogicalType, Result, RowField, TypeKind};

use super::lists::{Encoder, Picker, Pool, arrow_error, conform};
use crate::check::illegal_null;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("ARRAY", infer_array, array),
    Function::new("MAP", infer_map, map),
    Function::new("ROW", infer_row, row),
    Function::new("FIELD", infer_field, field),
    Function::new("$TIMES", infer_times, times),
];

fn common(name: &str, args: &[&Argument<'_>]) -> Result<LogicalType> {
    let types: Vec<LogicalType> = args.iter().map(|arg| arg.ty.clone()).collect();
    if types.iter().all(|ty| ty.kind == TypeKind::Null) {
        return Err(illegal_null(name));
    }
    least_restrictive(&types)
        .ok_or_else(|| Error::invalid(format!("Parameters of {name} must be of the same type")))
}

fn infer_array(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    if args.is_empty() {
        return Err(Error::invalid("ARRAY: Require at least 1 argument"));
    }
    let element = common("ARRAY", &args.iter().collect::<Vec<_>>())?;
    Ok(Signature {
        casts: args.iter().map(|arg| cast_to(arg.ty, &element)).collect(),
        result: TypeKind::Array(Box::new(element)).not_null(),
    })
}

/// A shorter CHAR among others is not padded.
fn cast_to(ty: &LogicalType, common: &LogicalType) -> LogicalType {
    let text = ty.kind.is_character() && common.kind.is_character();
    if text { ty.clone() } else { common.clone().with_nullable(ty.nullable || ty.kind == TypeKind::Null) }
}

fn array(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let held: Vec<&ArrayRef> = args.iter().map(Value::held).collect();
    let pool = Pool::new(&held, call)?;
    let mut picker = Picker::new(call.rows);
    for row in 0..call.rows {
        for (arg, start) in args.iter().zip(&pool.starts) {
            picker.pick(start + arg.position(row));
        }
        picker.end(true);
    }
    picker.lists(&pool.all, call)
}

fn infer_map(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    if args.is_empty() {
        return Err(Error::invalid("Map requires at least 2 arguments"));
    }
    if !args.len().is_multiple_of(2) {
        return Err(Error::invalid("Map requires an even number of arguments"));
    }
    let key = common("MAP", &args.iter().step_by(2).collect::<Vec<_>>())?;
    let value = common("MAP", &args.iter().skip(1).step_by(2).collect::<Vec<_>>())?;
    let casts =
        args.iter().enumerate().map(|(at, arg)| cast_to(arg.ty, if at % 2 == 0 { &key } else { &value }));
    Ok(Signature { casts: casts.collect(), result: TypeKind::Map(Box::new(key), Box::new(value)).not_null() })
}

/// If keys are equal, the last value wins, at the position of the first.
fn map(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let keys = Pool::new(&args.iter().step_by(2).map(Value::held).collect::<Vec<_>>(), call)?;
    let values = Pool::new(&args.iter().skip(1).step_by(2).map(Value::held).collect::<Vec<_>>(), call)?;
    let encoder = Encoder::new(keys.all.data_type())?;
    let encoded = encoder.encode(&keys.all)?;
    let pairs = args.len() / 2;
    let (mut picked_keys, mut picked_values) = (Vec::new(), Vec::new());
    let (mut offsets, mut entries) = (vec![0], Vec::<(usize, usize)>::with_capacity(pairs));
    for row in 0..call.rows {
        entries.clear();
        for pair in 0..pairs {
            let key = keys.starts[pair] + args[2 * pair].position(row);
            let value = values.starts[pair] + args[2 * pair + 1].position(row);
            if keys.all.is_null(key) {
                return Err(Error::data("a key of a MAP is NULL"));
            }
            match entries.iter_mut().find(|(known, _)| encoded.row(*known) == encoded.row(key)) {
                Some((_, known)) => *known = value,
                None => entries.push((key, value)),
            }
        }
        picked_keys.extend(entries.iter().map(|(key, _)| *key as u32));
        picked_values.extend(entries.iter().map(|(_, value)| *value as u32));
        offsets.push(picked_keys.len() as i32);
    }
    let room = call.room();
    let keys = room.take(&keys.all, &UInt32Array::from(picked_keys))?;
    let values = room.take(&values.all, &UInt32Array::from(picked_values))?;
    super::lists::maps_of(keys, values, offsets, vec![true; call.rows], call.result)
}

fn infer_row(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    let field = |(at, arg): (usize, &Argument<'_>)| RowField {
        name: format!("EXPR${at}"),
        ty: arg.ty.clone(),
        comment: None,
    };
    let fields = args.iter().enumerate().map(field).collect();
    Ok(Signature::as_is(args, TypeKind::Row(fields).not_null()))
}

fn row(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let DataType::Struct(fields) = to_arrow(call.result) else {
        return Err(Error::internal(format!("{} is not a row", call.result)));
    };
    if fields.is_empty() {
        return Ok(Arc::new(StructArray::new_empty_fields(call.rows, None)));
    }
    let columns = args
        .iter()
        .zip(&fields)
        .map(|(arg, field)| conform(arg.to_array(call.rows)?, field))
        .collect::<Result<Vec<_>>>()?;
    let array = StructArray::try_new(fields, columns, None).map_err(arrow_error)?;
    Ok(Arc::new(array))
}

/// The position of the field that a constant names or numbers.
fn position(row: &LogicalType, field: Option<&Literal>) -> Option<usize> {
    let fields = row.kind.fields()?;
    match field? {
        Literal::Integer(at) => usize::try_from(*at).ok().filter(|at| *at < fields.len()),
        Literal::String(name) => fields.iter().position(|field| field.name == *name),
        _ => None,
    }
}

fn infer_field(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    let forms = ["FIELD(<ROW>, <position or name of a field>)"];
    let [row, field] = args else {
        return Err(no_signature("FIELD", args, &forms));
    };
    let (Some(fields), Some(at)) = (row.ty.kind.fields(), position(row.ty, field.literal)) else {
        return Err(no_signature("FIELD", args, &forms));
    };
    let ty = &fields[at].ty;
    Ok(Signature::as_is(args, ty.clone().with_nullable(row.ty.nullable || ty.nullable)))
}

fn field(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let row = args[0].held().as_any().downcast_ref::<StructArray>();
    let row = row.ok_or_else(|| Error::internal("FIELD of a value that is not a row"))?;
    let literal = flott_expr::literal::from_array(args[1].held(), 0, &call.arg_types[1]);
    let at = position(&call.arg_types[0], literal.as_ref());
    let at = at.ok_or_else(|| Error::internal("FIELD names no field"))?;
    let column = row.column(at);
    // A field of a NULL row is NULL, whatever is stored under it.
    let column = match row.nulls() {
        None => column.clone(),
        Some(_) => {
            let is_null = arrow::compute::is_null(row).map_err(arrow_error)?;
            arrow::compute::nullif(column, &is_null).map_err(arrow_error)?
        }
    };
    Value::to_array(
        &if args[0].is_constant() { Value::constant(column) } else { Value::array(column) },
        call.rows,
    )
}

/// An ARRAY of this many empty elements: INTERSECT ALL and EXCEPT ALL repeat rows with it.
fn infer_times(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    Ok(Signature {
        casts: vec![TypeKind::BigInt.nullable(); args.len()],
        result: TypeKind::Array(Box::new(TypeKind::Boolean.not_null())).not_null(),
    })
}

fn times(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let counts = args[0].view::<Int64Array>()?;
    let lengths = (0..call.rows).map(|row| usize::try_from(counts.get(row).unwrap_or(0)).unwrap_or(0));
    let offsets = OffsetBuffer::from_lengths(lengths);
    let total = offsets.last().map_or(0, |end| *end as usize);
    let elements: ArrayRef = Arc::new(BooleanArray::from(vec![true; total]));
    let item = flott_batch::arrow_type::list_item(&TypeKind::Boolean.not_null());
    Ok(Arc::new(ListArray::try_new(item, offsets, elements, None).map_err(arrow_error)?))
}
