//! How the fields of a message become columns, and columns fields: made once, from the message's definition
//! and the table's types.

use flott_types::{FastMap, LogicalType, RowField, TypeKind};
use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Syntax};

use super::wire::Form;

/// The columns of a message, in the order of the table.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) fields: Vec<Field>,
    /// The places of the fields by their numbers.
    pub(super) places: FastMap<u32, usize>,
    /// For each member of a oneof, column or not, how it is written, and the places of the other members: they
    /// have no value when it has one.
    pub(super) rivals: FastMap<u32, (Form, Vec<usize>)>,
}

/// A column.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) number: u32,
    pub(super) shape: Shape,
    /// What it is where the message does not have it: always, or if defaults are wanted.
    pub(super) default: Absent,
    /// Whether a default that was written can be told from nothing.
    pub(super) has_presence: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Shape {
    One(Value),
    List {
        element: Value,
        packed: bool,
    },
    /// The counts of a MULTISET are a MAP's values here.
    Map {
        key: Scalar,
        value: Value,
    },
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Scalar(Scalar),
    Message(Message),
}

/// A value that is not a message.
#[derive(Clone, Debug)]
pub(super) enum Scalar {
    Double,
    Float,
    /// int32, int64, uint32, uint64
    Varint(Width),
    /// sint32, sint64
    Zigzag(Width),
    /// fixed32, sfixed32
    Fixed32(Width),
    /// fixed64, sfixed64
    Fixed64,
    Bool,
    Text,
    Bytes,
    Enum(Symbols),
}

/// Which numbers a field has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Width {
    /// 32 bits with a sign.
    Signed,
    /// 32 bits without a sign, in a BIGINT.
    Unsigned,
    /// 32 bits without a sign, in an INT: those above its greatest are below zero there, as in Java.
    Bits,
    /// 64 bits. Also those without a sign are a BIGINT, as in Java.
    Long,
}

/// The names of an enum.
#[derive(Clone, Debug)]
pub(super) struct Symbols {
    pub(super) names: FastMap<i32, String>,
    pub(super) numbers: FastMap<String, i32>,
    /// Of proto2: other numbers are as if they were not there.
    pub(super) closed: bool,
}

/// What a field without a value has.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Absent {
    /// NULL, or an empty collection or message if defaults are wanted.
    Empty,
    Number(i64),
    Real(f64),
    Bytes(Vec<u8>),
}

impl Message {
    pub(super) fn new<'a>(
        message: &MessageDescriptor,
        columns: impl Iterator<Item = (&'a str, &'a LogicalType)>,
    ) -> Result<Self, String> {
        let (mut fields, mut places) = (Vec::new(), FastMap::<u32, usize>::default());
        for (name, ty) in columns {
            let field = message.get_field_by_name(name);
            let field =
                field.ok_or_else(|| format!("the message {} has no field '{name}'", message.full_name()))?;
            places.insert(field.number(), fields.len());
            fields.push(Field::new(&field, ty).map_err(|what| format!("column '{name}': {what}"))?);
        }
        let mut rivals = FastMap::default();
        for oneof in message.oneofs() {
            for member in oneof.fields() {
                let others = oneof.fields().filter(|other| other.number() != member.number());
                let others: Vec<usize> =
                    others.filter_map(|other| places.get(&other.number()).copied()).collect();
                if !others.is_empty() {
                    rivals.insert(member.number(), (form(&member.kind()), others));
                }
            }
        }
        Ok(Message { fields, places, rivals })
    }
}

impl Field {
    fn new(field: &FieldDescriptor, ty: &LogicalType) -> Result<Self, String> {
        if field.is_group() {
            return Err("a group is not read".to_owned());
        }
        let shape = match (&ty.kind, field.kind()) {
            (TypeKind::Map(key, value), Kind::Message(entry)) if field.is_map() => Shape::Map {
                key: scalar(&entry.map_entry_key_field().kind(), key)?,
                value: self::value(&entry.map_entry_value_field().kind(), value)?,
            },
            (_, _) if field.is_map() => return Err(format!("a map is not read as {ty}")),
            (TypeKind::Array(element), kind) if field.is_list() => {
                Shape::List { element: value(&kind, element)?, packed: field.is_packed() }
            }
            (_, _) if field.is_list() => return Err(format!("a repeated field is not read as {ty}")),
            (_, kind) => Shape::One(value(&kind, ty)?),
        };
        Ok(Field {
            name: field.name().to_owned(),
            number: field.number(),
            default: default(field),
            has_presence: field.supports_presence(),
            shape,
        })
    }
}

fn form(kind: &Kind) -> Form {
    match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => Form::Fixed64,
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => Form::Fixed32,
        Kind::String | Kind::Bytes | Kind::Message(_) => Form::Sized,
        Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 => Form::Varint,
        Kind::Sint32 | Kind::Sint64 | Kind::Bool | Kind::Enum(_) => Form::Varint,
    }
}

fn default(field: &FieldDescriptor) -> Absent {
    use prost_reflect::Value;
    if field.is_list() || field.is_map() {
        return Absent::Empty;
    }
    match field.default_value() {
        Value::Bool(value) => Absent::Number(value.into()),
        Value::I32(value) | Value::EnumNumber(value) => Absent::Number(value.into()),
        Value::I64(value) => Absent::Number(value),
        Value::U32(value) => Absent::Number(value.into()),
        Value::U64(value) => Absent::Number(value as i64),
        Value::F32(value) => Absent::Real(value.into()),
        Value::F64(value) => Absent::Real(value),
        Value::String(text) => Absent::Bytes(text.into_bytes()),
        Value::Bytes(bytes) => Absent::Bytes(bytes.to_vec()),
        Value::Message(_) | Value::List(_) | Value::Map(_) => Absent::Empty,
    }
}

fn value(kind: &Kind, ty: &LogicalType) -> Result<Value, String> {
    match (kind, &ty.kind) {
        (Kind::Message(message), TypeKind::Row(fields)) => {
            let fields = fields.iter().map(|RowField { name, ty, .. }| (name.as_str(), ty));
            Message::new(message, fields).map(Value::Message)
        }
        (Kind::Message(message), _) => {
            Err(format!("the message {} is a ROW of its fields, and not {ty}", message.full_name()))
        }
        (kind, _) => scalar(kind, ty).map(Value::Scalar),
    }
}

fn scalar(kind: &Kind, ty: &LogicalType) -> Result<Scalar, String> {
    use TypeKind as Type;
    let is_int = matches!(ty.kind, Type::Int | Type::BigInt);
    let is_long = ty.kind == Type::BigInt;
    let unsigned = if is_long { Width::Unsigned } else { Width::Bits };
    Ok(match kind {
        Kind::Double if ty.kind == Type::Double => Scalar::Double,
        Kind::Float if ty.kind == Type::Float => Scalar::Float,
        Kind::Int32 if is_int => Scalar::Varint(Width::Signed),
        Kind::Uint32 if is_int => Scalar::Varint(unsigned),
        Kind::Int64 | Kind::Uint64 if is_long => Scalar::Varint(Width::Long),
        Kind::Sint32 if is_int => Scalar::Zigzag(Width::Signed),
        Kind::Sint64 if is_long => Scalar::Zigzag(Width::Long),
        Kind::Sfixed32 if is_int => Scalar::Fixed32(Width::Signed),
        Kind::Fixed32 if is_int => Scalar::Fixed32(unsigned),
        Kind::Fixed64 | Kind::Sfixed64 if is_long => Scalar::Fixed64,
        Kind::Bool if ty.kind == Type::Boolean => Scalar::Bool,
        Kind::String if ty.kind.is_character() => Scalar::Text,
        Kind::Bytes if matches!(ty.kind, Type::Binary(_) | Type::Varbinary(_)) => Scalar::Bytes,
        Kind::Enum(symbols)
            if ty.kind.is_character() || is_int || matches!(ty.kind, Type::TinyInt | Type::SmallInt) =>
        {
            Scalar::Enum(Symbols::new(symbols))
        }
        kind => return Err(format!("{} is not read as {}", describe(kind), ty.kind)),
    })
}

impl Width {
    /// The number that these bits are.
    pub(super) fn read(self, bits: u64) -> i64 {
        match self {
            Width::Signed | Width::Bits => (bits as i32).into(),
            Width::Unsigned => (bits as u32).into(),
            Width::Long => bits as i64,
        }
    }

    /// The bits of a number, if the field has it: those of a number below zero go on to the left.
    pub(super) fn write(self, value: i64) -> Option<u64> {
        match self {
            Width::Signed => i32::try_from(value).ok().map(|_| value as u64),
            Width::Unsigned => u32::try_from(value).ok().map(u64::from),
            Width::Bits => i32::try_from(value).ok().map(|value| (value as u32).into()),
            Width::Long => Some(value as u64),
        }
    }
}

impl Symbols {
    fn new(symbols: &EnumDescriptor) -> Self {
        let mut names = FastMap::default();
        let mut numbers = FastMap::default();
        for symbol in symbols.values() {
            // Of several names of a number the first one is told.
            names.entry(symbol.number()).or_insert_with(|| symbol.name().to_owned());
            numbers.insert(symbol.name().to_owned(), symbol.number());
        }
        Symbols { names, numbers, closed: symbols.parent_file().syntax() == Syntax::Proto2 }
    }
}

fn describe(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) => format!("the message {}", message.full_name()),
        Kind::Enum(symbols) => format!("the enum {}", symbols.full_name()),
        other => format!("{other:?}").to_lowercase(),
    }
}
