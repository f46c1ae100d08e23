//! Avro's schemas.

use std::sync::Arc;

use flott_types::FastMap;
use serde_json::Value;

/// How values are written.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Schema {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    Text,
    /// This many bytes.
    Fixed(usize),
    /// One of these words.
    Enum(Arc<[String]>),
    /// Days, as an int.
    Date,
    /// An int of milliseconds, a long of microseconds.
    Time(Unit),
    /// A long. Whether it is a local time matters only to who writes the schema down.
    Timestamp(Unit, Clock),
    /// Bytes, or that many of them.
    Decimal {
        precision: u8,
        scale: u8,
        fixed: Option<usize>,
    },
    Array(Arc<Schema>),
    Map(Arc<Schema>),
    Record(Arc<Record>),
    Union(Arc<[Schema]>),
    /// A type within itself, by its full name.
    Within(Arc<str>),
}

/// What a number of time counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    Millis,
    Micros,
    Nanos,
}

/// What a timestamp is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Clock {
    /// `timestamp-millis`, `timestamp-micros`
    Utc,
    /// `local-timestamp-millis`, `local-timestamp-micros`
    Local,
}

/// A record, by its full name.
#[derive(PartialEq, Debug)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) fields: Vec<(String, Schema)>,
}

/// The types that have a name, by their full names.
pub(super) type Names = FastMap<Arc<str>, Schema>;

/// A schema, and the types in it that have a name.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Parsed {
    pub(super) root: Schema,
    pub(super) names: Arc<Names>,
}

impl Parsed {
    /// A schema from its JSON.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| format!("an Avro schema is not JSON: {error}"))?;
        let mut names = Names::default();
        let root = parse(&value, "", &mut names)?;
        Ok(Parsed { root, names: Arc::new(names) })
    }

    /// The record that is the root.
    #[cfg(feature = "confluent")]
    pub(super) fn plain_record(&self) -> Result<&Arc<Record>, String> {
        match &self.root {
            Schema::Record(record) => Ok(record),
            other => Err(format!("the Avro schema is {}, and a record is needed", other.describe())),
        }
    }

    /// The record at the root. Flink writes files whose root is a union with null.
    pub(super) fn record(&self) -> Result<&Arc<Record>, String> {
        let record = match &self.root {
            Schema::Record(record) => Some(record),
            Schema::Union(branches) => match branches.as_ref() {
                [Schema::Null, Schema::Record(record)] | [Schema::Record(record), Schema::Null] => {
                    Some(record)
                }
                _ => None,
            },
            _ => None,
        };
        record
            .ok_or_else(|| format!("the Avro schema is {}, and a table needs a record", self.root.describe()))
    }
}

impl Schema {
    /// What it is, for people.
    pub(super) fn describe(&self) -> String {
        let unit = |unit: &Unit| match unit {
            Unit::Millis => "millis",
            Unit::Micros => "micros",
            Unit::Nanos => "nanos",
        };
        match self {
            Schema::Null => "null".to_owned(),
            Schema::Boolean => "boolean".to_owned(),
            Schema::Int => "int".to_owned(),
            Schema::Long => "long".to_owned(),
            Schema::Float => "float".to_owned(),
            Schema::Double => "double".to_owned(),
            Schema::Bytes => "bytes".to_owned(),
            Schema::Text => "string".to_owned(),
            Schema::Fixed(size) => format!("fixed({size})"),
            Schema::Enum(_) => "enum".to_owned(),
            Schema::Date => "date".to_owned(),
            Schema::Time(of) => format!("time-{}", unit(of)),
            Schema::Timestamp(of, Clock::Utc) => format!("timestamp-{}", unit(of)),
            Schema::Timestamp(of, Clock::Local) => format!("local-timestamp-{}", unit(of)),
            Schema::Decimal { precision, scale, .. } => format!("decimal({precision}, {scale})"),
            Schema::Array(items) => format!("array of {}", items.describe()),
            Schema::Map(values) => format!("map of {}", values.describe()),
            Schema::Record(record) => format!("record {}", record.name),
            Schema::Union(branches) => {
                let branches: Vec<String> = branches.iter().map(Schema::describe).collect();
                format!("union of {}", branches.join(", "))
            }
            Schema::Within(name) => format!("record {name} within itself"),
        }
    }
}

fn parse(value: &Value, space: &str, names: &mut Names) -> Result<Schema, String> {
    match value {
        Value::String(name) => named(name, space, names),
        Value::Array(branches) => {
            let branches = branches.iter().map(|branch| parse(branch, space, names));
            Ok(Schema::Union(branches.collect::<Result<Vec<_>, _>>()?.into()))
        }
        Value::Object(members) => match members.get("type") {
            Some(Value::String(kind)) => complex(kind, value, space, names),
            // A type in a type: {"type": {"type": "array", ...}}.
            Some(inner) => parse(inner, space, names),
            None => Err("an Avro type has no \"type\"".to_owned()),
        },
        other => Err(format!("{other} is no Avro type")),
    }
}

fn complex(kind: &str, value: &Value, space: &str, names: &mut Names) -> Result<Schema, String> {
    let member = |name: &str| value.get(name).ok_or_else(|| format!("an Avro {kind} has no \"{name}\""));
    let inner =
        |name: &str, names: &mut Names| Ok::<_, String>(Arc::new(parse(member(name)?, space, names)?));
    match kind {
        "array" => Ok(Schema::Array(inner("items", names)?)),
        "map" => Ok(Schema::Map(inner("values", names)?)),
        "record" | "error" => {
            let full: Arc<str> = full_name(value, space)?.into();
            let space = full.rsplit_once('.').map_or("", |(space, _)| space).to_owned();
            names.insert(full.clone(), Schema::Within(full.clone()));
            let mut fields = Vec::new();
            let list = member("fields")?.as_array();
            for field in list.ok_or_else(|| format!("the fields of the Avro record {full} are no list"))? {
                let name = field.get("name").and_then(Value::as_str);
                let name = name.ok_or_else(|| format!("a field of the Avro record {full} has no name"))?;
                let ty = field.get("type");
                let ty =
                    ty.ok_or_else(|| format!("the field '{name}' of the Avro record {full} has no type"))?;
                fields.push((name.to_owned(), parse(ty, &space, names)?));
            }
            let record = Schema::Record(Arc::new(Record { name: full.to_string(), fields }));
            names.insert(full, record.clone());
            Ok(record)
        }
        "enum" => {
            let symbols = member("symbols")?.as_array().map(|symbols| symbols.iter().map(Value::as_str));
            let symbols: Option<Vec<&str>> = symbols.and_then(Iterator::collect);
            let symbols = symbols.ok_or("the symbols of an Avro enum are no texts")?;
            let schema = Schema::Enum(symbols.into_iter().map(str::to_owned).collect());
            names.insert(full_name(value, space)?.into(), schema.clone());
            Ok(schema)
        }
        "fixed" => {
            let size = member("size")?.as_u64().and_then(|size| usize::try_from(size).ok());
            let size = size.ok_or("the size of an Avro fixed is no number")?;
            let schema = decimal(value, Some(size)).unwrap_or(Schema::Fixed(size));
            names.insert(full_name(value, space)?.into(), schema.clone());
            Ok(schema)
        }
        primitive => {
            let logical = value.get("logicalType").and_then(Value::as_str).unwrap_or("");
            Ok(match (primitive, logical) {
                ("int", "date") => Schema::Date,
                ("int", "time-millis") => Schema::Time(Unit::Millis),
                ("long", "time-micros") => Schema::Time(Unit::Micros),
                ("long", "timestamp-millis") => Schema::Timestamp(Unit::Millis, Clock::Utc),
                ("long", "timestamp-micros") => Schema::Timestamp(Unit::Micros, Clock::Utc),
                ("long", "timestamp-nanos") => Schema::Timestamp(Unit::Nanos, Clock::Utc),
                ("long", "local-timestamp-millis") => Schema::Timestamp(Unit::Millis, Clock::Local),
                ("long", "local-timestamp-micros") => Schema::Timestamp(Unit::Micros, Clock::Local),
                ("long", "local-timestamp-nanos") => Schema::Timestamp(Unit::Nanos, Clock::Local),
                ("bytes", "decimal") => decimal(value, None).unwrap_or(Schema::Bytes),
                // As the specification has it: a logical type that is not known is not there.
                (primitive, _) => named(primitive, space, names)?,
            })
        }
    }
}

/// A decimal that fits; any other is its bytes.
fn decimal(value: &Value, fixed: Option<usize>) -> Option<Schema> {
    if value.get("logicalType")?.as_str()? != "decimal" {
        return None;
    }
    let number =
        |name: &str| value.get(name).and_then(Value::as_u64).and_then(|number| u8::try_from(number).ok());
    let (precision, scale) = (number("precision")?, number("scale").unwrap_or(0));
    ((1..=38).contains(&precision) && scale <= precision).then_some(Schema::Decimal {
        precision,
        scale,
        fixed,
    })
}

fn named(name: &str, space: &str, names: &Names) -> Result<Schema, String> {
    Ok(match name {
        "null" => Schema::Null,
        "boolean" => Schema::Boolean,
        "int" => Schema::Int,
        "long" => Schema::Long,
        "float" => Schema::Float,
        "double" => Schema::Double,
        "bytes" => Schema::Bytes,
        "string" => Schema::Text,
        name => {
            let within = (!name.contains('.') && !space.is_empty()).then(|| format!("{space}.{name}"));
            let found = within.and_then(|full| names.get(full.as_str())).or_else(|| names.get(name));
            found.cloned().ok_or_else(|| format!("the Avro type '{name}' is not declared"))?
        }
    })
}

/// The name with its namespace.
fn full_name(value: &Value, space: &str) -> Result<String, String> {
    let name = value.get("name").and_then(Value::as_str).ok_or("an Avro type has no name")?;
    let space = value.get("namespace").and_then(Value::as_str).unwrap_or(space);
    Ok(if name.contains('.') || space.is_empty() { name.to_owned() } else { format!("{space}.{name}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(text: &str) -> Schema {
        Parsed::new(text).unwrap().root
    }

    #[test]
    fn names_are_found_in_their_space_and_types_within_themselves() {
        let text = r#"{"type":"record","name":"a.Node","fields":[
            {"name":"size","type":{"type":"fixed","name":"Size","size":4}},
            {"name":"again","type":"Size"},
            {"name":"next","type":["null","Node"]},
            {"name":"other","type":{"type":"record","name":"Other","namespace":"b","fields":[
                {"name":"x","type":["null","a.Node"]}]}}]}"#;
        let parsed = Parsed::new(text).unwrap();
        let record = parsed.record().unwrap();
        assert_eq!(record.name, "a.Node");
        let types: Vec<String> = record.fields.iter().map(|(_, schema)| schema.describe()).collect();
        assert_eq!(
            types,
            ["fixed(4)", "fixed(4)", "union of null, record a.Node within itself", "record b.Other"]
        );
        assert!(matches!(parsed.names.get("a.Node"), Some(Schema::Record(_))));
    }

    #[test]
    fn logical_types_that_are_not_known_are_not_there() {
        let of = |text: &str| root(text).describe();
        assert_eq!(of(r#"{"type":"string","logicalType":"uuid"}"#), "string");
        assert_eq!(of(r#"{"type":"bytes","logicalType":"decimal","precision":50}"#), "bytes");
        assert_eq!(of(r#"{"type":"int","logicalType":"timestamp-millis"}"#), "int");
        assert_eq!(of(r#"{"type":{"type":"long","logicalType":"timestamp-micros"}}"#), "timestamp-micros");
    }

    #[test]
    fn what_is_no_schema_is_said() {
        let wrong = |text: &str| Parsed::new(text).unwrap_err();
        assert_eq!(wrong(r#""Thing""#), "the Avro type 'Thing' is not declared");
        assert_eq!(wrong(r#"{"type":"array"}"#), "an Avro array has no \"items\"");
        assert_eq!(
            wrong(r#"{"type":"record","name":"r","fields":[{"name":"a"}]}"#),
            "the field 'a' of the Avro record r has no type"
        );
        assert!(wrong("{").starts_with("an Avro schema is not JSON"));
        assert!(Parsed::new(r#""int""#).unwrap().record().unwrap_err().contains("is int, and a table needs"));
    }
}
