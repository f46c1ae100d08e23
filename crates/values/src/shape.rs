//! What a type looks like, and the arrow field that holds it.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields};

/// The metadata key that says how text encodes something else.
pub(super) const ENCODING: &str = "flott.encoding";
/// Text that is JSON.
pub(super) const JSON: &str = "json";
/// Text that is a variant of an enum.
pub(super) const ENUM: &str = "enum";

/// What a type looks like.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Shape {
    pub kind: Kind<Shape>,
    /// Whether it is an `Option`.
    pub optional: bool,
}

/// The kinds of shapes, over children of type `C`.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Kind<C> {
    /// Nothing to store.
    Unit,
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F32,
    F64,
    Text,
    Bytes,
    Enum,
    Json(NoColumn),
    List(Box<C>),
    Map(Box<C>, Box<C>),
    Tuple(Vec<C>),
    Struct(Vec<Member<C>>),
}

/// A field of a struct.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Member<C> {
    pub name: &'static str,
    /// Further names under which it is read (`#[serde(alias)]`), or written.
    pub aliases: Vec<&'static str>,
    pub value: C,
}

/// Why a type is JSON and not a column.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum NoColumn {
    /// A number of 128 bits. Its text depends on its value alone, so that it can be a key.
    Wide,
    /// Its shape is known only from data.
    SelfDescribing,
    /// It contains itself.
    Recursive,
    /// It has no fields.
    Empty,
}

impl NoColumn {
    pub fn reason(self) -> &'static str {
        match self {
            NoColumn::Wide => "it has 128 bits",
            NoColumn::SelfDescribing => {
                "only its data tells what it is (an untagged or tagged enum, a flattened struct, a value of any type)"
            }
            NoColumn::Recursive => "it contains itself",
            NoColumn::Empty => "it has no fields",
        }
    }
}

/// The name of an element of a tuple, as in Flink.
pub(super) fn tuple_field(at: usize) -> String {
    format!("f{at}")
}

impl Shape {
    /// The field of that name.
    pub fn field(&self, name: &str) -> FieldRef {
        let field = Field::new(name, self.data_type(), true);
        Arc::new(match self.kind {
            Kind::Json(_) => field.with_metadata([(ENCODING.to_owned(), JSON.to_owned())].into()),
            Kind::Enum => field.with_metadata([(ENCODING.to_owned(), ENUM.to_owned())].into()),
            _ => field,
        })
    }

    fn data_type(&self) -> DataType {
        match &self.kind {
            Kind::Unit => DataType::Null,
            Kind::Bool => DataType::Boolean,
            Kind::I8 => DataType::Int8,
            Kind::I16 => DataType::Int16,
            Kind::I32 => DataType::Int32,
            Kind::I64 => DataType::Int64,
            Kind::U8 => DataType::UInt8,
            Kind::U16 => DataType::UInt16,
            Kind::U32 => DataType::UInt32,
            Kind::U64 => DataType::UInt64,
            Kind::F32 => DataType::Float32,
            Kind::F64 => DataType::Float64,
            Kind::Text | Kind::Enum | Kind::Json(_) => DataType::Utf8,
            Kind::Bytes => DataType::Binary,
            Kind::List(item) => DataType::List(item.field("item")),
            Kind::Map(key, value) => {
                let key = Arc::new(key.field("key").as_ref().clone().with_nullable(false));
                let entries = DataType::Struct(Fields::from(vec![key, value.field("value")]));
                DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
            }
            Kind::Tuple(items) => {
                let items = items.iter().enumerate();
                DataType::Struct(items.map(|(at, item)| item.field(&tuple_field(at))).collect())
            }
            Kind::Struct(members) => {
                DataType::Struct(members.iter().map(|member| member.value.field(member.name)).collect())
            }
        }
    }

    /// Why values of it cannot be hashed by value alone, with the path of the part that cannot.
    pub fn not_a_key(&self) -> Option<(String, NoColumn)> {
        let below = |name: String, shape: &Shape| {
            let (path, reason) = shape.not_a_key()?;
            Some((if path.is_empty() { name } else { format!("{name}.{path}") }, reason))
        };
        match &self.kind {
            Kind::Json(NoColumn::Wide) => None,
            Kind::Json(reason) => Some((String::new(), *reason)),
            Kind::List(item) => below("item".to_owned(), item),
            Kind::Map(key, value) => {
                below("key".to_owned(), key).or_else(|| below("value".to_owned(), value))
            }
            Kind::Tuple(items) => {
                items.iter().enumerate().find_map(|(at, item)| below(tuple_field(at), item))
            }
            Kind::Struct(members) => {
                members.iter().find_map(|member| below(member.name.to_owned(), &member.value))
            }
            _ => None,
        }
    }
}
