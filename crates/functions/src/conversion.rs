//! TYPEOF. CAST and TRY_CAST are expressions of their own.

use arrow::array::{ArrayRef, StringArray, new_null_array};
use arrow::datatypes::DataType;
use flott_expr::function::{Argument, Call, Function, ScalarFunction, Signature, no_signature};
use flott_expr::kernel::as_ref;
use flott_expr::value::{Value, repeat};
use flott_plan::Literal;
use flott_types::{Error, LogicalType, Result, RowField, TypeKind};

/// The table of the family.
pub(crate) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    vec![Function::new("TYPEOF", |args, _| infer(args), type_of).boxed()]
}

fn infer(args: &[Argument<'_>]) -> Result<Signature> {
    let result = TypeKind::STRING.nullable();
    match args {
        [_] => Ok(Signature::as_is(args, result)),
        [_, force] if force.ty.kind == TypeKind::Boolean => match force.literal {
            Some(Literal::Boolean(_)) => Ok(Signature::as_is(args, result)),
            _ => Err(Error::invalid("TYPEOF takes a literal TRUE or FALSE as its second argument")),
        },
        _ => Err(no_signature("TYPEOF", args, &["TYPEOF(<ANY>)", "TYPEOF(<ANY>, <BOOLEAN LITERAL>)"])),
    }
}

fn type_of(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let serializable = match args.get(1) {
        Some(force) => force.view::<arrow::array::BooleanArray>()?.get(0) == Some(true),
        None => false,
    };
    let ty = &call.arg_types[0];
    if serializable && has_variant(ty) {
        return Ok(new_null_array(&DataType::Utf8, call.rows));
    }
    let text = if serializable { serializable_name(ty) } else { ty.to_string() };
    repeat(&as_ref(StringArray::from(vec![text])), call.rows)
}

/// The name without abbreviations: STRING and BYTES show their length.
fn serializable_name(ty: &LogicalType) -> String {
    let kind = match &ty.kind {
        TypeKind::Varchar(length) => format!("VARCHAR({length})"),
        TypeKind::Varbinary(length) => format!("VARBINARY({length})"),
        TypeKind::TimestampLtz(precision) => format!("TIMESTAMP({precision}) WITH LOCAL TIME ZONE"),
        TypeKind::Timestamp(precision) => format!("TIMESTAMP({precision})"),
        TypeKind::Array(element) => format!("ARRAY<{}>", serializable_name(element)),
        TypeKind::Multiset(element) => format!("MULTISET<{}>", serializable_name(element)),
        TypeKind::Map(key, value) => format!("MAP<{}, {}>", serializable_name(key), serializable_name(value)),
        TypeKind::Row(fields) => format!("ROW<{}>", serializable_fields(fields)),
        TypeKind::Structured(class, fields) => {
            format!("STRUCTURED<'{}', {}>", class.replace('\'', "''"), serializable_fields(fields))
        }
        other => other.to_string(),
    };
    if ty.nullable { kind } else { format!("{kind} NOT NULL") }
}

fn serializable_fields(fields: &[RowField]) -> String {
    let field =
        |field: &RowField| format!("`{}` {}", field.name.replace('`', "``"), serializable_name(&field.ty));
    fields.iter().map(field).collect::<Vec<_>>().join(", ")
}

/// A VARIANT has no serializable name, which is NULL in Flink.
fn has_variant(ty: &LogicalType) -> bool {
    match &ty.kind {
        TypeKind::Variant => true,
        TypeKind::Array(element) | TypeKind::Multiset(element) => has_variant(element),
        TypeKind::Map(key, value) => has_variant(key) || has_variant(value),
        kind => kind.fields().is_some_and(|fields| fields.iter().any(|field| has_variant(&field.ty))),
    }
}
