//! Columns as a person would write them: `{user: STRING, amount: BIGINT}`.

use std::fmt;

use arrow::datatypes::{DataType, Field};

use super::shape::{ENCODING, ENUM, JSON};

/// Prints the type of a field. Structs are in braces; type names are SQL's.
pub(super) struct SchemaText<'a>(pub &'a Field);

/// The type of a field, as [`ColumnCodec::type_text`](crate::column::ColumnCodec::type_text) has it.
pub fn type_text(field: &Field) -> String {
    SchemaText(field).to_string()
}

impl fmt::Display for SchemaText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.metadata().get(ENCODING).map(String::as_str) {
            Some(JSON) => return f.write_str("JSON"),
            Some(ENUM) => return f.write_str("ENUM"),
            _ => {}
        }
        match self.0.data_type() {
            DataType::Null => f.write_str("NULL"),
            DataType::Boolean => f.write_str("BOOLEAN"),
            DataType::Int8 => f.write_str("TINYINT"),
            DataType::Int16 => f.write_str("SMALLINT"),
            DataType::Int32 => f.write_str("INT"),
            DataType::Int64 => f.write_str("BIGINT"),
            DataType::UInt8 => f.write_str("TINYINT UNSIGNED"),
            DataType::UInt16 => f.write_str("SMALLINT UNSIGNED"),
            DataType::UInt32 => f.write_str("INT UNSIGNED"),
            DataType::UInt64 => f.write_str("BIGINT UNSIGNED"),
            DataType::Float32 => f.write_str("FLOAT"),
            DataType::Float64 => f.write_str("DOUBLE"),
            DataType::Utf8 => f.write_str("STRING"),
            DataType::Binary => f.write_str("BYTES"),
            DataType::List(item) => write!(f, "ARRAY<{}>", SchemaText(item)),
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(entry) if entry.len() == 2 => {
                    write!(f, "MAP<{}, {}>", SchemaText(&entry[0]), SchemaText(&entry[1]))
                }
                other => write!(f, "MAP<{other}>"),
            },
            DataType::Struct(fields) => {
                f.write_str("{")?;
                for (at, field) in fields.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    write!(f, "{comma}{}: {}", field.name(), SchemaText(field))?;
                }
                f.write_str("}")
            }
            other => write!(f, "{other}"),
        }
    }
}
