//! Types and schemas of Iceberg, as JSON has them, and what they are here.
//!
//! A field is known by its id, whatever it is called; ids are in the metadata of columns of data files.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, FieldRef, Fields, Schema as ArrowSchema, TimeUnit};
use flott_plan::Schema as TableSchema;
use flott_types::{Error, LogicalType, Result, RowField, TypeKind};
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;
use serde_json::{Value, json};

/// A field of a schema or of a struct.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Field {
    pub(crate) id: i32,
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) ty: Type,
}

/// A type.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Type {
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Decimal(u8, u8),
    Date,
    Time,
    /// With or without time zone.
    Timestamp {
        with_zone: bool,
    },
    String,
    Binary,
    Fixed(u32),
    Uuid,
    List(Box<Field>),
    Map(Box<Field>, Box<Field>),
    Struct(Vec<Field>),
}

/// Gives fields their ids.
#[derive(Default)]
struct Ids(i32);

impl Ids {
    fn next(&mut self) -> i32 {
        self.0 += 1;
        self.0
    }
}

/// The fields of a new table, with ids, and the last of the ids.
pub(crate) fn new_fields(schema: &TableSchema) -> Result<(Vec<Field>, i32)> {
    let mut ids = Ids::default();
    // Columns first, then what is in them.
    let own: Vec<i32> = schema.iter().map(|_| ids.next()).collect();
    let fields = schema.iter().zip(own).map(|((name, ty), id)| field(id, name, ty, &mut ids));
    let fields = fields.collect::<Result<_>>()?;
    Ok((fields, ids.0))
}

fn field(id: i32, name: &str, ty: &LogicalType, ids: &mut Ids) -> Result<Field> {
    let of = new_type(ty, ids).map_err(|error| error.context(format_args!("column '{name}'")))?;
    Ok(Field { id, name: name.to_owned(), required: !ty.nullable, ty: of })
}

fn new_type(ty: &LogicalType, ids: &mut Ids) -> Result<Type> {
    Ok(match &ty.kind {
        TypeKind::Boolean => Type::Boolean,
        TypeKind::TinyInt | TypeKind::SmallInt | TypeKind::Int => Type::Int,
        TypeKind::BigInt => Type::Long,
        TypeKind::Float => Type::Float,
        TypeKind::Double => Type::Double,
        TypeKind::Decimal(precision, scale) => Type::Decimal(*precision, *scale),
        TypeKind::Date => Type::Date,
        TypeKind::Time(_) => Type::Time,
        TypeKind::Timestamp(0..=6) => Type::Timestamp { with_zone: false },
        TypeKind::TimestampLtz(0..=6) => Type::Timestamp { with_zone: true },
        TypeKind::Char(_) | TypeKind::Varchar(_) => Type::String,
        TypeKind::Binary(_) | TypeKind::Varbinary(_) => Type::Binary,
        TypeKind::Array(element) => {
            let id = ids.next();
            Type::List(Box::new(field(id, "element", element, ids)?))
        }
        TypeKind::Map(key, value) => {
            let (key_id, value_id) = (ids.next(), ids.next());
            let key = (**key).clone().with_nullable(false);
            Type::Map(
                Box::new(field(key_id, "key", &key, ids)?),
                Box::new(field(value_id, "value", value, ids)?),
            )
        }
        TypeKind::Row(fields) => {
            let own: Vec<i32> = fields.iter().map(|_| ids.next()).collect();
            let inner = fields.iter().zip(own).map(|(inner, id)| field(id, &inner.name, &inner.ty, ids));
            Type::Struct(inner.collect::<Result<_>>()?)
        }
        _ => return Err(Error::unsupported(format!("an Iceberg table cannot hold the type {ty}"))),
    })
}

impl Field {
    /// As metadata has it.
    pub(crate) fn to_json(&self) -> Value {
        json!({"id": self.id, "name": self.name, "required": self.required, "type": self.ty.to_json()})
    }

    /// From metadata.
    pub(crate) fn from_json(value: &Value) -> Result<Self> {
        let name = text(value, "name")?.to_owned();
        let ty = Type::from_json(value.get("type").unwrap_or(&Value::Null))
            .map_err(|error| error.context(format_args!("column '{name}'")))?;
        let required = value.get("required").and_then(Value::as_bool).unwrap_or(false);
        Ok(Field { id: number(value, "id")?, name, required, ty })
    }

    /// The type that the column of a table has here.
    pub(crate) fn logical(&self) -> LogicalType {
        self.ty.logical().with_nullable(!self.required)
    }

    /// A column of a table must have the type that it has in Iceberg: in another one, values would be others.
    pub(crate) fn check(&self, ty: &LogicalType) -> Result<()> {
        if self.ty.is_of(&ty.kind) {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the column '{}' has the type {} in the Iceberg table and cannot be {ty}",
            self.name,
            self.logical()
        )))
    }

    /// As data files have it.
    fn arrow(&self) -> FieldRef {
        let id = [(PARQUET_FIELD_ID_META_KEY.to_owned(), self.id.to_string())];
        Arc::new(ArrowField::new(&self.name, self.ty.arrow(), !self.required).with_metadata(id.into()))
    }
}

/// What data files of these columns have.
pub(crate) fn arrow_schema(fields: &[Field]) -> Arc<ArrowSchema> {
    Arc::new(ArrowSchema::new(fields.iter().map(Field::arrow).collect::<Fields>()))
}

impl Type {
    /// Whether values of a table's column of this type are these, in both directions.
    fn is_of(&self, kind: &TypeKind) -> bool {
        match (self, kind) {
            (Type::List(own), TypeKind::Array(element)) => own.ty.is_of(&element.kind),
            (Type::Map(own_key, own_value), TypeKind::Map(key, value)) => {
                own_key.ty.is_of(&key.kind) && own_value.ty.is_of(&value.kind)
            }
            (Type::Struct(own), TypeKind::Row(fields)) => {
                let is_same = |(own, field): (&Field, &RowField)| {
                    own.name == field.name && own.ty.is_of(&field.ty.kind)
                };
                own.len() == fields.len() && own.iter().zip(fields).all(is_same)
            }
            (Type::List(_) | Type::Map(..) | Type::Struct(_), _) => false,
            (Type::Fixed(_) | Type::Uuid, kind) => self.logical().kind == *kind,
            (own, kind) => {
                new_type(&kind.clone().nullable(), &mut Ids::default()).is_ok_and(|new| new == *own)
            }
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Type::Boolean => json!("boolean"),
            Type::Int => json!("int"),
            Type::Long => json!("long"),
            Type::Float => json!("float"),
            Type::Double => json!("double"),
            Type::Decimal(precision, scale) => json!(format!("decimal({precision}, {scale})")),
            Type::Date => json!("date"),
            Type::Time => json!("time"),
            Type::Timestamp { with_zone: false } => json!("timestamp"),
            Type::Timestamp { with_zone: true } => json!("timestamptz"),
            Type::String => json!("string"),
            Type::Binary => json!("binary"),
            Type::Fixed(length) => json!(format!("fixed[{length}]")),
            Type::Uuid => json!("uuid"),
            Type::List(element) => json!({
                "type": "list", "element-id": element.id, "element": element.ty.to_json(), "element-required": element.required,
            }),
            Type::Map(key, value) => json!({
                "type": "map", "key-id": key.id, "key": key.ty.to_json(),
                "value-id": value.id, "value": value.ty.to_json(), "value-required": value.required,
            }),
            Type::Struct(fields) => {
                json!({"type": "struct", "fields": fields.iter().map(Field::to_json).collect::<Vec<_>>()})
            }
        }
    }

    fn from_json(value: &Value) -> Result<Self> {
        if let Some(name) = value.as_str() {
            return Type::named(name);
        }
        let inner = |name: &str, id: &str, required: bool| -> Result<Box<Field>> {
            let ty = Type::from_json(value.get(name).unwrap_or(&Value::Null))?;
            Ok(Box::new(Field { id: number(value, id)?, name: name.to_owned(), required, ty }))
        };
        let required = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
        match value.get("type").and_then(Value::as_str) {
            Some("list") => Ok(Type::List(inner("element", "element-id", required("element-required"))?)),
            Some("map") => Ok(Type::Map(
                inner("key", "key-id", true)?,
                inner("value", "value-id", required("value-required"))?,
            )),
            Some("struct") => Ok(Type::Struct(fields(value)?)),
            _ => Err(Error::data(format!("{value} is no type of Iceberg"))),
        }
    }

    fn named(name: &str) -> Result<Self> {
        let unknown = || Error::unsupported(format!("the type '{name}' of an Iceberg table"));
        let within = |open: &str, close: char| Some(name.strip_prefix(open)?.strip_suffix(close)?.trim());
        Ok(match name {
            "boolean" => Type::Boolean,
            "int" => Type::Int,
            "long" => Type::Long,
            "float" => Type::Float,
            "double" => Type::Double,
            "date" => Type::Date,
            "time" => Type::Time,
            "timestamp" => Type::Timestamp { with_zone: false },
            "timestamptz" => Type::Timestamp { with_zone: true },
            "string" => Type::String,
            "binary" => Type::Binary,
            "uuid" => Type::Uuid,
            _ => {
                if let Some(length) = within("fixed[", ']') {
                    return length.parse().map(Type::Fixed).map_err(|_| unknown());
                }
                let (precision, scale) =
                    within("decimal(", ')').and_then(|both| both.split_once(',')).ok_or_else(unknown)?;
                let read = |text: &str| text.trim().parse().map_err(|_| unknown());
                Type::Decimal(read(precision)?, read(scale)?)
            }
        })
    }

    fn logical(&self) -> LogicalType {
        let kind = match self {
            Type::Boolean => TypeKind::Boolean,
            Type::Int => TypeKind::Int,
            Type::Long => TypeKind::BigInt,
            Type::Float => TypeKind::Float,
            Type::Double => TypeKind::Double,
            Type::Decimal(precision, scale) => TypeKind::Decimal(*precision, *scale),
            Type::Date => TypeKind::Date,
            Type::Time => TypeKind::Time(0),
            Type::Timestamp { with_zone: false } => TypeKind::Timestamp(6),
            Type::Timestamp { with_zone: true } => TypeKind::TimestampLtz(6),
            Type::String => TypeKind::STRING,
            Type::Binary => TypeKind::BYTES,
            Type::Fixed(length) => TypeKind::Binary(*length),
            Type::Uuid => TypeKind::Binary(16),
            Type::List(element) => TypeKind::Array(Box::new(element.logical())),
            Type::Map(key, value) => TypeKind::Map(Box::new(key.logical()), Box::new(value.logical())),
            Type::Struct(fields) => {
                let row =
                    |field: &Field| RowField { name: field.name.clone(), ty: field.logical(), comment: None };
                TypeKind::Row(fields.iter().map(row).collect())
            }
        };
        kind.nullable()
    }

    pub(crate) fn arrow(&self) -> DataType {
        match self {
            Type::Boolean => DataType::Boolean,
            Type::Int => DataType::Int32,
            Type::Long => DataType::Int64,
            Type::Float => DataType::Float32,
            Type::Double => DataType::Float64,
            Type::Decimal(precision, scale) => DataType::Decimal128(*precision, *scale as i8),
            Type::Date => DataType::Date32,
            Type::Time => DataType::Time64(TimeUnit::Microsecond),
            Type::Timestamp { with_zone } => {
                let zone = with_zone.then(|| Arc::from("UTC"));
                DataType::Timestamp(TimeUnit::Microsecond, zone)
            }
            Type::String => DataType::Utf8,
            Type::Binary => DataType::Binary,
            Type::Fixed(length) => DataType::FixedSizeBinary(*length as i32),
            Type::Uuid => DataType::FixedSizeBinary(16),
            Type::List(element) => DataType::List(element.arrow()),
            Type::Map(key, value) => {
                let entries = DataType::Struct([key.arrow(), value.arrow()].into_iter().collect());
                DataType::Map(Arc::new(ArrowField::new("key_value", entries, false)), false)
            }
            Type::Struct(fields) => DataType::Struct(fields.iter().map(Field::arrow).collect()),
        }
    }
}

/// The fields of a schema or of a struct.
pub(crate) fn fields(value: &Value) -> Result<Vec<Field>> {
    let fields = value.get("fields").and_then(Value::as_array);
    let fields = fields.ok_or_else(|| Error::data("a schema of Iceberg without fields"))?;
    fields.iter().map(Field::from_json).collect()
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value.get(key).and_then(Value::as_str).ok_or_else(|| missing(key))
}

pub(crate) fn number<T: TryFrom<i64>>(value: &Value, key: &str) -> Result<T> {
    let number = value.get(key).and_then(Value::as_i64).and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| missing(key))
}

fn missing(key: &str) -> Error {
    Error::data(format!("metadata of Iceberg without '{key}'"))
}
