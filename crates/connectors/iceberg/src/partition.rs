//! Partitions: what is computed of a row's columns, by which rows are put into files.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use flott_types::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::avro::Encoder;
use crate::schema::{Field, Type, number, text};

/// The first id of a partition's field.
const FIRST_ID: i32 = 1_000;
const MICROS_PER_HOUR: i64 = 3_600_000_000;

/// How a value is made of a column's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Transform {
    Identity,
    Year,
    Month,
    Day,
    Hour,
    Bucket(u32),
    Truncate(u32),
    /// The field was dropped: NULL.
    Void,
}

/// A field of partitions.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct PartitionField {
    id: i32,
    pub(crate) name: String,
    source: i32,
    /// The name of the column, which may have been renamed since the field was named.
    of: String,
    /// The position of the column.
    column: usize,
    ty: Type,
    pub(crate) transform: Transform,
}

/// How rows are partitioned.
#[derive(Clone, PartialEq, Default, Debug)]
pub(crate) struct PartitionSpec {
    pub(crate) id: i32,
    pub(crate) fields: Vec<PartitionField>,
}

/// A value of a partition; floats by their bits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    Int(i32),
    Long(i64),
    Float(u32),
    Double(u64),
    String(String),
}

impl PartitionSpec {
    /// By the values of these columns.
    pub(crate) fn identity(names: &[String], fields: &[Field]) -> Result<Self> {
        let field = |(name, id): (&String, i32)| {
            let column = fields.iter().position(|field| field.name == *name);
            let column = column.ok_or_else(|| Error::invalid(format!("there is no column '{name}'")))?;
            PartitionField::new(id, name, column, &fields[column], Transform::Identity)
        };
        let fields = names.iter().zip(FIRST_ID..).map(field).collect::<Result<_>>()?;
        Ok(PartitionSpec { id: 0, fields })
    }

    pub(crate) fn from_json(id: i32, value: &Json, columns: &[Field]) -> Result<Self> {
        let fields = value.get("fields").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        let field = |field: &Json| {
            let source: i32 = number(field, "source-id")?;
            let (name, transform) = (text(field, "name")?, Transform::parse(text(field, "transform")?)?);
            let column = columns.iter().position(|column| column.id == source);
            let column = column.ok_or_else(|| {
                Error::unsupported(format!(
                    "the partition field '{name}' of a column that is within another one or was dropped"
                ))
            })?;
            PartitionField::new(number(field, "field-id")?, name, column, &columns[column], transform)
        };
        Ok(PartitionSpec { id, fields: fields.iter().map(field).collect::<Result<_>>()? })
    }

    pub(crate) fn to_json(&self) -> Json {
        let field = |field: &PartitionField| json!({"source-id": field.source, "field-id": field.id, "name": field.name, "transform": field.transform.to_text()});
        Json::Array(self.fields.iter().map(field).collect())
    }

    pub(crate) fn last_id(&self) -> i32 {
        self.fields.iter().map(|field| field.id).max().unwrap_or(FIRST_ID - 1)
    }

    /// The columns by whose values rows are partitioned, as they are.
    pub(crate) fn identities(&self) -> impl Iterator<Item = &str> {
        let identities = self.fields.iter().filter(|field| field.transform == Transform::Identity);
        identities.map(|field| field.of.as_str())
    }

    /// The partition of a row.
    pub(crate) fn of(&self, columns: &[ArrayRef], row: usize) -> Result<Vec<Value>> {
        self.fields.iter().map(|field| field.transform.of(&columns[field.column], row)).collect()
    }

    /// `day=2024-01-01/region=eu`: where files of a partition are.
    pub(crate) fn directory(&self, values: &[Value]) -> String {
        let part = |(field, value): (&PartitionField, &Value)| {
            format!("{}={}", field.name, encoded(&value.to_text()))
        };
        self.fields.iter().zip(values).map(part).collect::<Vec<_>>().join("/")
    }

    /// The record of Avro that holds a partition.
    pub(crate) fn avro_schema(&self) -> Result<Json> {
        let field = |field: &PartitionField| {
            let ty = field.avro_type()?;
            Ok(json!({"name": field.name, "type": ["null", ty], "default": null, "field-id": field.id}))
        };
        let fields = self.fields.iter().map(field).collect::<Result<Vec<_>>>()?;
        Ok(json!({"type": "record", "name": "r102", "fields": fields}))
    }

    pub(crate) fn encode(values: &[Value], out: &mut Encoder) {
        for value in values {
            out.option((*value != Value::Null).then_some(value), |out, value| match value {
                Value::Null => {}
                Value::Boolean(value) => _ = out.boolean(*value),
                Value::Int(value) => _ = out.long(i64::from(*value)),
                Value::Long(value) => _ = out.long(*value),
                Value::Float(bits) => _ = out.fixed(&bits.to_le_bytes()),
                Value::Double(bits) => _ = out.fixed(&bits.to_le_bytes()),
                Value::String(value) => _ = out.bytes(value),
            });
        }
    }
}

impl PartitionField {
    fn new(id: i32, name: &str, column: usize, source: &Field, transform: Transform) -> Result<Self> {
        let this = PartitionField {
            id,
            name: name.to_owned(),
            source: source.id,
            of: source.name.clone(),
            column,
            ty: source.ty.clone(),
            transform,
        };
        let simple = matches!(
            source.ty,
            Type::Boolean
                | Type::Int
                | Type::Long
                | Type::Float
                | Type::Double
                | Type::Date
                | Type::String
                | Type::Timestamp { .. }
        );
        let in_time = matches!(source.ty, Type::Date | Type::Timestamp { .. });
        let works = match transform {
            Transform::Identity => simple,
            Transform::Year | Transform::Month | Transform::Day => in_time,
            Transform::Hour => matches!(source.ty, Type::Timestamp { .. }),
            Transform::Bucket(_) => {
                simple && !matches!(source.ty, Type::Boolean | Type::Float | Type::Double)
            }
            Transform::Truncate(_) => matches!(source.ty, Type::Int | Type::Long | Type::String),
            Transform::Void => true,
        };
        match works {
            true => Ok(this),
            false => Err(Error::unsupported(format!(
                "partitions by {}({}) of type {}",
                transform.to_text(),
                source.name,
                source.logical()
            ))),
        }
    }

    fn avro_type(&self) -> Result<Json> {
        Ok(match (self.transform, &self.ty) {
            (Transform::Year | Transform::Month | Transform::Hour | Transform::Bucket(_), _) => json!("int"),
            (Transform::Day, _) | (_, Type::Date) => json!({"type": "int", "logicalType": "date"}),
            (_, Type::Boolean) => json!("boolean"),
            (_, Type::Int) => json!("int"),
            (_, Type::Long) => json!("long"),
            (_, Type::Float) => json!("float"),
            (_, Type::Double) => json!("double"),
            (_, Type::Timestamp { with_zone }) => {
                json!({"type": "long", "logicalType": "timestamp-micros", "adjust-to-utc": with_zone})
            }
            (_, Type::String) => json!("string"),
            (_, other) => return Err(Error::internal(format!("partitions of type {other:?}"))),
        })
    }
}

impl Transform {
    fn parse(text: &str) -> Result<Self> {
        let sized = |name: &str| text.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
        Ok(match text {
            "identity" => Transform::Identity,
            "year" => Transform::Year,
            "month" => Transform::Month,
            "day" => Transform::Day,
            "hour" => Transform::Hour,
            "void" => Transform::Void,
            _ => match (sized("bucket"), sized("truncate")) {
                (Some(count), _) if count > 0 => Transform::Bucket(count),
                (_, Some(width)) if width > 0 => Transform::Truncate(width),
                _ => return Err(Error::unsupported(format!("the partition transform '{text}'"))),
            },
        })
    }

    fn to_text(self) -> String {
        match self {
            Transform::Identity => "identity".to_owned(),
            Transform::Year => "year".to_owned(),
            Transform::Month => "month".to_owned(),
            Transform::Day => "day".to_owned(),
            Transform::Hour => "hour".to_owned(),
            Transform::Void => "void".to_owned(),
            Transform::Bucket(count) => format!("bucket[{count}]"),
            Transform::Truncate(width) => format!("truncate[{width}]"),
        }
    }

    fn of(self, column: &ArrayRef, row: usize) -> Result<Value> {
        if column.is_null(row) || self == Transform::Void {
            return Ok(Value::Null);
        }
        let value = identity(column, row)?;
        let micros = match column.data_type() {
            DataType::Date32 => {
                i64::from(column.as_primitive::<Date32Type>().value(row)) * 24 * MICROS_PER_HOUR
            }
            DataType::Timestamp(..) => column.as_primitive::<TimestampMicrosecondType>().value(row),
            _ => 0,
        };
        let days = micros.div_euclid(24 * MICROS_PER_HOUR);
        Ok(match self {
            Transform::Identity => value,
            Transform::Void => Value::Null,
            Transform::Day => Value::Int(days as i32),
            Transform::Hour => Value::Int(micros.div_euclid(MICROS_PER_HOUR) as i32),
            Transform::Month | Transform::Year => {
                let (year, month) = civil(days);
                let months = (year - 1970) * 12 + month - 1;
                Value::Int(if self == Transform::Month { months } else { year - 1970 })
            }
            Transform::Bucket(count) => {
                let hash = match &value {
                    Value::Int(value) => murmur3(&i64::from(*value).to_le_bytes()),
                    Value::Long(value) => murmur3(&value.to_le_bytes()),
                    Value::String(value) => murmur3(value.as_bytes()),
                    other => return Err(Error::internal(format!("a bucket of {other:?}"))),
                };
                Value::Int(((hash & 0x7fff_ffff) % count) as i32)
            }
            Transform::Truncate(width) => match value {
                Value::Int(value) => Value::Int(value - value.rem_euclid(width as i32)),
                Value::Long(value) => Value::Long(value - value.rem_euclid(i64::from(width))),
                Value::String(value) => Value::String(value.chars().take(width as usize).collect()),
                other => return Err(Error::internal(format!("{other:?} cannot be truncated"))),
            },
        })
    }
}

fn identity(column: &ArrayRef, row: usize) -> Result<Value> {
    Ok(match column.data_type() {
        DataType::Boolean => Value::Boolean(column.as_boolean().value(row)),
        DataType::Int32 => Value::Int(column.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => Value::Long(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => Value::Float(column.as_primitive::<Float32Type>().value(row).to_bits()),
        DataType::Float64 => Value::Double(column.as_primitive::<Float64Type>().value(row).to_bits()),
        DataType::Date32 => Value::Int(column.as_primitive::<Date32Type>().value(row)),
        DataType::Timestamp(..) => Value::Long(column.as_primitive::<TimestampMicrosecondType>().value(row)),
        DataType::Utf8 => Value::String(column.as_string::<i32>().value(row).to_owned()),
        other => return Err(Error::internal(format!("a partition by a column of type {other}"))),
    })
}

impl Value {
    fn to_text(&self) -> String {
        match self {
            Value::Null => "null".to_owned(),
            Value::Boolean(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Long(value) => value.to_string(),
            Value::Float(bits) => f32::from_bits(*bits).to_string(),
            Value::Double(bits) => f64::from_bits(*bits).to_string(),
            Value::String(value) => value.clone(),
        }
    }
}

/// As part of a path: what it means says the manifest.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => encoded.push(byte as char),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Year and month of a day since 1970 (Howard Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i32, i32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month as i32)
}

/// 32 bits of MurmurHash3, with the seed 0.
fn murmur3(bytes: &[u8]) -> u32 {
    let mix = |block: u32| block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let (blocks, rest) = bytes.as_chunks::<4>();
    let mut hash = 0_u32;
    for block in blocks {
        hash = (hash ^ mix(u32::from_le_bytes(*block)))
            .rotate_left(13)
            .wrapping_mul(5)
            .wrapping_add(0xe654_6b64);
    }
    if !rest.is_empty() {
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        hash ^= mix(u32::from_le_bytes(last));
    }
    hash ^= bytes.len() as u32;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of the specification's appendix B.
    #[test]
    fn hashes_are_those_of_the_specification() {
        assert_eq!(murmur3(&34_i64.to_le_bytes()) as i32, 2_017_239_379);
        assert_eq!(murmur3("iceberg".as_bytes()) as i32, 1_210_000_089);
        assert_eq!(murmur3(&17_486_i64.to_le_bytes()) as i32, -653_330_422);
        assert_eq!(murmur3(&1_510_871_468_000_000_i64.to_le_bytes()) as i32, -2_047_944_441);
    }

    #[test]
    fn months_and_years_are_counted_from_1970() {
        assert_eq!(civil(0), (1970, 1));
        assert_eq!(civil(-1), (1969, 12));
        assert_eq!(civil(17_486), (2017, 11));
        assert_eq!(civil(19_782), (2024, 2));
    }
}
