//! How values that were written by one schema become those of a table: made once for each schema.
//!
//! Fields are found by name; what the table does not have is skipped, what the writer did not have is NULL.
//! A value may become one of another type if it says the same there, as Avro's rules for a reader's schema
//! have it, and also where the number fits. A long without a meaning can be a TIMESTAMP, an int a DATE or a
//! TIME: Flink reads them so.

use std::sync::Arc;

use flott_types::{LogicalType, RowField, TypeKind};

use super::schema::{Clock, Parsed, Record, Schema, Unit};

/// How a value is read into a column.
#[derive(Debug)]
pub(super) enum Wire {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    /// Bytes with their length, text or not.
    Sized,
    Fixed(usize),
    Enum(Arc<[String]>),
    Date,
    Time(Unit),
    Timestamp(Unit),
    Decimal {
        scale: u8,
        fixed: Option<usize>,
    },
    Array(Box<Wire>),
    Map(Box<Wire>),
    Record(Fields),
    Union(Vec<Branch>),
}

/// A branch of a union.
#[derive(Debug)]
pub(super) enum Branch {
    Null,
    Value(Wire),
    /// Why a value of this branch cannot be read.
    Unreadable(String),
}

/// The fields of a record, in the order in which they are written.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) steps: Vec<Step>,
    /// The columns that the record does not have.
    pub(super) missing: Vec<usize>,
}

/// What is done with a field.
#[derive(Debug)]
pub(super) enum Step {
    /// It becomes a value of the column at this place.
    Read {
        column: usize,
        name: String,
        wire: Wire,
    },
    Skip(Schema),
}

/// How what a message or a file holds becomes a row of these columns: a record, perhaps in a union with null.
pub(super) fn root<'a>(
    parsed: &Parsed,
    columns: impl Iterator<Item = (&'a str, &'a LogicalType)>,
) -> Result<Wire, String> {
    let record = Wire::Record(fields(parsed.record()?, columns)?);
    Ok(match &parsed.root {
        Schema::Union(branches) => {
            let null = || Branch::Unreadable("NULL is no row".to_owned());
            let is_null_first = branches.first() == Some(&Schema::Null);
            Wire::Union(if is_null_first {
                vec![null(), Branch::Value(record)]
            } else {
                vec![Branch::Value(record), null()]
            })
        }
        _ => record,
    })
}

/// How a record becomes a row of these columns.
pub(super) fn fields<'a>(
    record: &Record,
    columns: impl Iterator<Item = (&'a str, &'a LogicalType)>,
) -> Result<Fields, String> {
    let columns: Vec<(&str, &LogicalType)> = columns.collect();
    let mut steps = Vec::with_capacity(record.fields.len());
    let mut found = vec![false; columns.len()];
    for (name, schema) in &record.fields {
        let column = columns.iter().position(|(column, _)| column == name);
        steps.push(match column.and_then(|column| Some((column, columns.get(column)?.1))) {
            None => Step::Skip(schema.clone()),
            Some((column, ty)) => {
                if let Some(found) = found.get_mut(column) {
                    *found = true;
                }
                let wire = wire(schema, ty).map_err(|what| format!("column '{name}': {what}"))?;
                Step::Read { column, name: name.clone(), wire }
            }
        });
    }
    let mut missing = Vec::new();
    for (column, (name, ty)) in columns.iter().enumerate() {
        if found.get(column) == Some(&true) {
            continue;
        }
        if !ty.nullable {
            return Err(format!("the Avro record {} has no field '{name}', which is NOT NULL", record.name));
        }
        missing.push(column);
    }
    Ok(Fields { steps, missing })
}

/// How a value becomes one of this type.
pub(super) fn wire(schema: &Schema, ty: &LogicalType) -> Result<Wire, String> {
    use TypeKind as Kind;
    Ok(match (schema, &ty.kind) {
        (Schema::Union(branches), _) => return union(branches, ty),
        (Schema::Null, _) => return if ty.nullable { Ok(Wire::Null) } else { Err(null()) },
        (Schema::Boolean, Kind::Boolean) => Wire::Boolean,
        (
            Schema::Int,
            Kind::TinyInt | Kind::SmallInt | Kind::Int | Kind::BigInt | Kind::Float | Kind::Double,
        ) => Wire::Int,
        (
            Schema::Long,
            Kind::TinyInt | Kind::SmallInt | Kind::Int | Kind::BigInt | Kind::Float | Kind::Double,
        ) => Wire::Long,
        (Schema::Float, Kind::Float | Kind::Double) => Wire::Float,
        (Schema::Double, Kind::Double) => Wire::Double,
        (
            Schema::Text | Schema::Bytes,
            Kind::Char(_) | Kind::Varchar(_) | Kind::Binary(_) | Kind::Varbinary(_),
        ) => Wire::Sized,
        (Schema::Fixed(size), Kind::Binary(_) | Kind::Varbinary(_)) => Wire::Fixed(*size),
        (Schema::Enum(symbols), Kind::Char(_) | Kind::Varchar(_)) => Wire::Enum(symbols.clone()),
        (Schema::Date | Schema::Int, Kind::Date) => Wire::Date,
        (Schema::Time(unit), Kind::Time(_)) => Wire::Time(*unit),
        (Schema::Int, Kind::Time(_)) => Wire::Time(Unit::Millis),
        (Schema::Timestamp(unit, Clock::Utc | Clock::Local), Kind::Timestamp(_) | Kind::TimestampLtz(_)) => {
            Wire::Timestamp(*unit)
        }
        (Schema::Long, Kind::Timestamp(precision) | Kind::TimestampLtz(precision)) => {
            Wire::Timestamp(if *precision <= 3 { Unit::Millis } else { Unit::Micros })
        }
        (Schema::Decimal { scale: own, fixed, .. }, Kind::Decimal(_, scale)) if own <= scale => {
            Wire::Decimal { scale: *own, fixed: *fixed }
        }
        (Schema::Array(items), Kind::Array(element)) => Wire::Array(Box::new(wire(items, element)?)),
        (Schema::Map(values), Kind::Map(key, value)) if key.kind.is_character() => {
            Wire::Map(Box::new(wire(values, value)?))
        }
        (Schema::Map(values), Kind::Multiset(element)) if element.kind.is_character() => {
            Wire::Map(Box::new(wire(values, &Kind::Int.not_null())?))
        }
        (Schema::Record(record), Kind::Row(inner)) => {
            Wire::Record(fields(record, inner.iter().map(|RowField { name, ty, .. }| (name.as_str(), ty)))?)
        }
        (schema, kind) => return Err(format!("{} is not read as {kind}", schema.describe())),
    })
}

/// One branch that can be read is enough: a value of another is an error when it comes.
fn union(branches: &[Schema], ty: &LogicalType) -> Result<Wire, String> {
    let branch = |schema: &Schema| match schema {
        Schema::Null if ty.nullable => Branch::Null,
        Schema::Null => Branch::Unreadable(null()),
        schema => wire(schema, ty).map_or_else(Branch::Unreadable, Branch::Value),
    };
    let read: Vec<Branch> = branches.iter().map(branch).collect();
    let is_readable = |branch: &Branch| matches!(branch, Branch::Value(_));
    if read.iter().any(is_readable) || branches.iter().all(|schema| *schema == Schema::Null) {
        return Ok(Wire::Union(read));
    }
    let why = read.into_iter().zip(branches).find_map(|(branch, schema)| match branch {
        Branch::Unreadable(why) if *schema != Schema::Null => Some(why),
        Branch::Unreadable(_) | Branch::Null | Branch::Value(_) => None,
    });
    Err(why.unwrap_or_else(|| "a union without branches".to_owned()))
}

fn null() -> String {
    "NULL is not read as NOT NULL".to_owned()
}
