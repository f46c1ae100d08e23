//! Types of stored columns in the words of SQL.

use arrow::datatypes::{DataType, TimeUnit};

/// The type of SQL whose values these are; none if there is none.
pub(crate) fn in_sql(ty: &DataType) -> Option<String> {
    Some(match ty {
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Int8 => "TINYINT".to_owned(),
        DataType::Int16 => "SMALLINT".to_owned(),
        DataType::Int32 => "INT".to_owned(),
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::Float32 => "FLOAT".to_owned(),
        DataType::Float64 => "DOUBLE".to_owned(),
        DataType::Utf8 => "STRING".to_owned(),
        DataType::Binary => "BYTES".to_owned(),
        DataType::Date32 => "DATE".to_owned(),
        DataType::Decimal128(precision, scale) if *scale >= 0 => format!("DECIMAL({precision}, {scale})"),
        DataType::Timestamp(TimeUnit::Millisecond, None) => "TIMESTAMP(3)".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, None) => "TIMESTAMP(6)".to_owned(),
        DataType::Timestamp(TimeUnit::Millisecond, Some(_)) => "TIMESTAMP_LTZ(3)".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "TIMESTAMP_LTZ(6)".to_owned(),
        DataType::List(item) => format!("ARRAY<{}>", in_sql(item.data_type())?),
        DataType::Struct(fields) => {
            let field = |field: &arrow::datatypes::FieldRef| {
                Some(format!("`{}` {}", field.name().replace('`', "``"), in_sql(field.data_type())?))
            };
            format!("ROW<{}>", fields.iter().map(field).collect::<Option<Vec<_>>>()?.join(", "))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                format!("MAP<{}, {}>", in_sql(fields[0].data_type())?, in_sql(fields[1].data_type())?)
            }
            _ => return None,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_their_names_in_sql() {
        let names = |text: &str| in_sql(&text.parse().unwrap());
        assert_eq!(names("Utf8").as_deref(), Some("STRING"));
        assert_eq!(names("Decimal128(38, 2)").as_deref(), Some("DECIMAL(38, 2)"));
        assert_eq!(names("UInt64"), None);
    }
}
