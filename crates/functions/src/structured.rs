//! OBJECT_OF and OBJECT_UPDATE: values of STRUCTURED types.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::datatypes::DataType;
use flott_batch::arrow_type::to_arrow;
use flott_expr::function::{Argument, Call, Function, ScalarFunction, Signature, no_signature};
use flott_expr::kernel::arrow_error;
use flott_expr::value::Value;
use flott_plan::Literal;
use flott_types::{Error, Result, RowField, TypeKind};

const FUNCTIONS: &[Function] = &[
    Function::new("OBJECT_OF", |args, _| infer_of(args), object_of),
    Function::new("OBJECT_UPDATE", |args, _| infer_update(args), object_update),
];

/// The table of the family.
pub(crate) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    FUNCTIONS.iter().map(|function| function.boxed()).collect()
}

/// The names and values after the first argument; positions in messages count from 1.
fn pairs<'a>(name: &str, args: &'a [Argument<'a>]) -> Result<Vec<(&'a str, &'a Argument<'a>)>> {
    let mut fields: Vec<(&str, &Argument<'_>)> = Vec::with_capacity(args.len() / 2);
    for (at, pair) in args.get(1..).unwrap_or_default().chunks(2).enumerate() {
        let [key, value] = pair else {
            return Err(no_signature(name, args, &[&format!("{name}(<first>, [<STRING>, <ANY>]*...)")]));
        };
        let position = 2 * at + 2;
        let Some(Literal::String(field)) = key.literal else {
            return Err(Error::invalid(format!(
                "The field key at position {position} must be a non-nullable character string literal."
            )));
        };
        if fields.iter().any(|(known, _)| known == field) {
            return Err(Error::invalid(format!(
                "The field name '{field}' at position {position} is repeated."
            )));
        }
        fields.push((field.as_str(), value));
    }
    Ok(fields)
}

fn infer_of(args: &[Argument<'_>]) -> Result<Signature> {
    let Some(Literal::String(class)) = args.first().and_then(|class| class.literal) else {
        return Err(Error::invalid(
            "The first argument of OBJECT_OF must be a non-nullable character string literal representing the class name.",
        ));
    };
    let field = |(name, value): (&str, &Argument<'_>)| RowField {
        name: name.to_owned(),
        ty: value.ty.clone(),
        comment: None,
    };
    let fields = pairs("OBJECT_OF", args)?.into_iter().map(field).collect();
    Ok(Signature::as_is(args, TypeKind::Structured(class.clone(), fields).nullable()))
}

fn object_of(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let DataType::Struct(fields) = to_arrow(call.result) else {
        return Err(Error::internal(format!("{} has no fields", call.result)));
    };
    if fields.is_empty() {
        return Ok(Arc::new(StructArray::new_empty_fields(call.rows, None)));
    }
    let columns =
        args.iter().skip(2).step_by(2).map(|arg| arg.to_array(call.rows)).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(StructArray::try_new(fields, columns, None).map_err(arrow_error)?))
}

fn infer_update(args: &[Argument<'_>]) -> Result<Signature> {
    let Some(TypeKind::Structured(class, fields)) = args.first().map(|object| &object.ty.kind) else {
        let given = args.first().map_or_else(String::new, |object| format!(", but was {}", object.ty));
        return Err(Error::invalid(format!("The first argument must be a structured type{given}.")));
    };
    let mut fields = fields.clone();
    for (at, (name, value)) in pairs("OBJECT_UPDATE", args)?.into_iter().enumerate() {
        let Some(field) = fields.iter_mut().find(|field| field.name == name) else {
            let known: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
            return Err(Error::invalid(format!(
                "The field name '{name}' at position {} is not part of the structured type attributes. Available \
                 attributes: [{}].",
                2 * at + 2,
                known.join(", ")
            )));
        };
        field.ty = value.ty.clone();
    }
    let result = TypeKind::Structured(class.clone(), fields).with_nullable(args[0].ty.nullable);
    Ok(Signature::as_is(args, result))
}

/// NULL stays NULL.
fn object_update(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (DataType::Struct(types), Some(fields)) = (to_arrow(call.result), call.result.kind.fields()) else {
        return Err(Error::internal(format!("{} has no fields", call.result)));
    };
    let object = args[0].to_array(call.rows)?;
    let object = object.as_struct_opt().ok_or_else(|| Error::internal("an object without fields"))?;
    let mut columns = object.columns().to_vec();
    for pair in args[1..].chunks(2) {
        let [key, value] = pair else {
            return Err(Error::internal("OBJECT_UPDATE with a name but no value"));
        };
        let key = key.held().as_string_opt::<i32>().map(|key| key.value(0));
        let at = fields.iter().position(|field| Some(field.name.as_str()) == key);
        let at = at.ok_or_else(|| Error::internal("OBJECT_UPDATE of a field that is not there"))?;
        columns[at] = value.to_array(call.rows)?;
    }
    if columns.is_empty() {
        return Ok(Arc::new(object.clone()));
    }
    Ok(Arc::new(StructArray::try_new(types, columns, object.nulls().cloned()).map_err(arrow_error)?))
}
