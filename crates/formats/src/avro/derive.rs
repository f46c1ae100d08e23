//! The schema of a table, as Flink derives it, and schemas as JSON.
//!
//! A column that may be NULL is a union with null, which comes first and is the default. Records within
//! records are called after their fields. What timestamps are depends on `timestamp_mapping.legacy`: by
//! default a TIMESTAMP is written as `timestamp-millis`, although it is no point in time, and has at most
//! three digits; otherwise it is a `local-timestamp`, and a TIMESTAMP_LTZ is a `timestamp`.

use std::fmt::Write;
use std::sync::Arc;

use flott_batch::json::write_text;
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::schema::{Clock, Record, Schema, Unit};

/// What Flink calls the record of a table.
const ROOT: &str = "org.apache.flink.avro.generated.record";

/// The record of a table.
pub(super) fn record<'a>(
    format: &str,
    columns: impl Iterator<Item = (&'a str, &'a LogicalType)>,
    legacy_timestamps: bool,
) -> Result<Record> {
    Derive { format, legacy_timestamps }.record(ROOT, columns)
}

struct Derive<'a> {
    format: &'a str,
    legacy_timestamps: bool,
}

impl Derive<'_> {
    fn record<'a>(
        &self,
        name: &str,
        columns: impl Iterator<Item = (&'a str, &'a LogicalType)>,
    ) -> Result<Record> {
        let mut fields = Vec::new();
        for (field, ty) in columns {
            let first = field.bytes().next();
            let is_name = first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
                && field.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !is_name {
                return Err(Error::invalid(format!(
                    "the format '{}' cannot hold column '{field}': a name in Avro has letters of ASCII, digits and '_', and \
                     does not begin with a digit",
                    self.format
                )));
            }
            fields.push((field.to_owned(), self.schema(field, &format!("{name}_{field}"), ty)?));
        }
        Ok(Record { name: name.to_owned(), fields })
    }

    fn schema(&self, column: &str, name: &str, ty: &LogicalType) -> Result<Schema> {
        let unit = |precision: u8| if precision <= 3 { Unit::Millis } else { Unit::Micros };
        let schema = match &ty.kind {
            TypeKind::Null => return Ok(Schema::Null),
            TypeKind::Boolean => Schema::Boolean,
            TypeKind::TinyInt | TypeKind::SmallInt | TypeKind::Int => Schema::Int,
            TypeKind::BigInt => Schema::Long,
            TypeKind::Float => Schema::Float,
            TypeKind::Double => Schema::Double,
            TypeKind::Char(_) | TypeKind::Varchar(_) => Schema::Text,
            TypeKind::Binary(_) | TypeKind::Varbinary(_) => Schema::Bytes,
            TypeKind::Date => Schema::Date,
            TypeKind::Time(0..=3) => Schema::Time(Unit::Millis),
            TypeKind::Timestamp(0..=3) if self.legacy_timestamps => {
                Schema::Timestamp(Unit::Millis, Clock::Utc)
            }
            TypeKind::Timestamp(precision @ 0..=6) if !self.legacy_timestamps => {
                Schema::Timestamp(unit(*precision), Clock::Local)
            }
            TypeKind::TimestampLtz(precision @ 0..=6) if !self.legacy_timestamps => {
                Schema::Timestamp(unit(*precision), Clock::Utc)
            }
            TypeKind::Decimal(precision, scale) => {
                Schema::Decimal { precision: *precision, scale: *scale, fixed: None }
            }
            TypeKind::Array(element) => Schema::Array(Arc::new(self.schema(column, name, element)?)),
            TypeKind::Map(key, value) if key.kind.is_character() => {
                Schema::Map(Arc::new(self.schema(column, name, value)?))
            }
            TypeKind::Multiset(element) if element.kind.is_character() => Schema::Map(Arc::new(Schema::Int)),
            TypeKind::Row(fields) => {
                let fields = fields.iter().map(|field| (field.name.as_str(), &field.ty));
                Schema::Record(Arc::new(self.record(name, fields)?))
            }
            _ => return Err(self.cannot(column, ty)),
        };
        Ok(if ty.nullable { Schema::Union([Schema::Null, schema].into()) } else { schema })
    }

    fn cannot(&self, column: &str, ty: &LogicalType) -> Error {
        let format = self.format;
        let instead = match &ty.kind {
            TypeKind::Timestamp(4..) | TypeKind::TimestampLtz(_) if self.legacy_timestamps => format!(
                ": set '{format}.timestamp_mapping.legacy' to 'false' for TIMESTAMP(6) and TIMESTAMP_LTZ; a TIMESTAMP(3) it \
                 can hold"
            ),
            TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => ": at most 6 digits of a second".to_owned(),
            TypeKind::Time(_) => ": at most 3 digits of a second".to_owned(),
            TypeKind::Map(..) | TypeKind::Multiset(_) => ": keys are STRING".to_owned(),
            _ => String::new(),
        };
        Error::invalid(format!("the format '{format}' cannot hold column '{column}' of type {ty}{instead}"))
    }
}

/// A record as JSON.
pub(super) fn to_json(record: &Record) -> String {
    let mut out = String::new();
    write_record(&mut out, record);
    out
}

fn write_record(out: &mut String, record: &Record) {
    let (space, name) = record.name.rsplit_once('.').unwrap_or(("", &record.name));
    let _ = write!(out, "{{\"type\":\"record\",\"name\":\"{name}\"");
    if !space.is_empty() {
        let _ = write!(out, ",\"namespace\":\"{space}\"");
    }
    out.push_str(",\"fields\":[");
    for (at, (name, schema)) in record.fields.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str("{\"name\":");
        write_text(out, name);
        out.push_str(",\"type\":");
        write_schema(out, schema);
        if matches!(schema, Schema::Union(branches) if branches.first() == Some(&Schema::Null)) {
            out.push_str(",\"default\":null");
        }
        out.push('}');
    }
    out.push_str("]}");
}

/// Of a schema that was derived: there are no types that are called by their names in it.
fn write_schema(out: &mut String, schema: &Schema) {
    let mut logical = |kind: &str, what: &str| {
        let _ = write!(out, "{{\"type\":\"{kind}\",\"logicalType\":\"{what}\"}}");
    };
    match schema {
        Schema::Date => logical("int", "date"),
        Schema::Time(Unit::Millis) => logical("int", "time-millis"),
        Schema::Time(_) => logical("long", "time-micros"),
        Schema::Timestamp(..) => logical("long", &schema.describe()),
        Schema::Decimal { precision, scale, .. } => {
            let _ = write!(
                out,
                "{{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":{precision},\"scale\":{scale}}}"
            );
        }
        Schema::Array(items) => {
            out.push_str("{\"type\":\"array\",\"items\":");
            write_schema(out, items);
            out.push('}');
        }
        Schema::Map(values) => {
            out.push_str("{\"type\":\"map\",\"values\":");
            write_schema(out, values);
            out.push('}');
        }
        Schema::Record(record) => write_record(out, record),
        Schema::Union(branches) => {
            out.push('[');
            for (at, branch) in branches.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_schema(out, branch);
            }
            out.push(']');
        }
        Schema::Null
        | Schema::Boolean
        | Schema::Int
        | Schema::Long
        | Schema::Float
        | Schema::Double
        | Schema::Bytes
        | Schema::Text
        | Schema::Fixed(_)
        | Schema::Enum(_)
        | Schema::Within(_) => {
            let _ = write!(out, "\"{}\"", schema.describe());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::Parsed;
    use super::*;
    use flott_types::RowField;

    fn derived(columns: &[(&str, LogicalType)], legacy: bool) -> Result<String> {
        let record = record("avro", columns.iter().map(|(name, ty)| (*name, ty)), legacy)?;
        let text = to_json(&record);
        let read = Parsed::new(&text).unwrap();
        assert_eq!(**read.record().unwrap(), record, "{text}");
        Ok(text)
    }

    #[test]
    fn a_table_has_flinks_schema() {
        let inner = RowField { name: "b".into(), ty: TypeKind::STRING.nullable(), comment: None };
        let columns = [
            ("id", TypeKind::BigInt.not_null()),
            ("price", TypeKind::Decimal(10, 2).nullable()),
            ("at_", TypeKind::Timestamp(3).not_null()),
            ("page", TypeKind::Row(vec![inner]).nullable()),
        ];
        assert_eq!(
            derived(&columns, true).unwrap(),
            r#"{"type":"record","name":"record","namespace":"org.apache.flink.avro.generated","fields":["#
                .to_owned()
                + r#"{"name":"id","type":"long"},"#
                + r#"{"name":"price","type":["null",{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}],"default":null},"#
                + r#"{"name":"at_","type":{"type":"long","logicalType":"timestamp-millis"}},"#
                + r#"{"name":"page","type":["null",{"type":"record","name":"record_page","namespace":"org.apache.flink.avro.generated","#
                + r#""fields":[{"name":"b","type":["null","string"],"default":null}]}],"default":null}]}"#
        );
    }

    #[test]
    fn timestamps_are_of_two_mappings() {
        let ltz = [("a", TypeKind::TimestampLtz(3).not_null())];
        assert!(derived(&ltz, true).unwrap_err().to_string().contains("timestamp_mapping.legacy"));
        assert!(derived(&ltz, false).unwrap().contains("\"logicalType\":\"timestamp-millis\""));
        let micros = [("a", TypeKind::Timestamp(6).not_null())];
        assert!(derived(&micros, true).is_err());
        assert!(derived(&micros, false).unwrap().contains("\"logicalType\":\"local-timestamp-micros\""));
        assert!(derived(&[("a", TypeKind::Timestamp(9).nullable())], false).is_err());
    }

    #[test]
    fn what_avro_cannot_name_or_hold_is_refused() {
        let error =
            |name: &str, ty: TypeKind| derived(&[(name, ty.nullable())], true).unwrap_err().to_string();
        assert!(error("a b", TypeKind::Int).contains("cannot hold column 'a b': a name in Avro"));
        let map = TypeKind::Map(Box::new(TypeKind::Int.nullable()), Box::new(TypeKind::Int.nullable()));
        assert!(error("m", map).contains("keys are STRING"));
        assert!(error("v", TypeKind::Variant).contains("cannot hold column 'v'"));
    }
}
