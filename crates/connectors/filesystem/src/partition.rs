//! Partitions: columns whose values are in the names of directories, `dt=2024-01-01/hr=10`.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::{Array, ArrayRef};
use flott_batch::text;
use flott_plan::TableSpec;
use flott_types::{Error, LogicalType, Result, TypeKind};

/// The partition columns of a table and the name that stands for NULL and the empty string.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Partitioning {
    /// Position in the table's schema, name and type, in the order of directories.
    pub(crate) columns: Vec<(usize, String, LogicalType)>,
    pub(crate) default_name: String,
}

impl Partitioning {
    pub(crate) fn new(table: &TableSpec, default_name: &str) -> Result<Self> {
        let column = |name: &String| {
            let index = table.schema.index_of(name).ok_or_else(|| {
                Error::invalid(format!("table {}: the partition column '{name}' is not a column", table.name))
            })?;
            let ty = table.schema.columns[index].ty.clone();
            match ty.kind {
                TypeKind::Array(_)
                | TypeKind::Map(..)
                | TypeKind::Multiset(_)
                | TypeKind::Row(_)
                | TypeKind::Structured(..)
                | TypeKind::Variant
                | TypeKind::Bitmap
                | TypeKind::Null => Err(Error::invalid(format!(
                    "table {}: the partition column '{name}' of type {ty} cannot be in a directory's name",
                    table.name
                ))),
                _ => Ok((index, name.clone(), ty)),
            }
        };
        let columns = table.partition_keys.iter().map(column).collect::<Result<Vec<_>>>()?;
        Ok(Partitioning { columns, default_name: default_name.to_owned() })
    }

    /// The text of a column's value in the name of a directory, if it is there.
    fn text(name: &str, directory: &Path) -> Option<String> {
        let mut parts =
            directory.components().rev().filter_map(|part| part.as_os_str().to_str()?.split_once('='));
        parts.find(|(key, _)| unescape(key) == name).map(|(_, value)| unescape(value))
    }

    /// The names of the columns and the texts in the name of a directory.
    pub(crate) fn texts(&self, directory: &Path) -> Vec<(&str, String)> {
        let text = |name: &str| Self::text(name, directory).unwrap_or_default();
        self.columns.iter().map(|(_, name, _)| (name.as_str(), text(name))).collect()
    }

    /// The values in a file's path, as arrays of one element.
    pub(crate) fn values(&self, path: &Path) -> Result<Vec<ArrayRef>> {
        let value = |(_, name, ty): &(usize, String, LogicalType)| {
            let Some(text) = path.parent().and_then(|directory| Self::text(name, directory)) else {
                return Err(Error::data(format!(
                    "the path {} has no directory '{name}=...' for the partition column '{name}'",
                    path.display()
                )));
            };
            let text = (text != self.default_name).then_some(text);
            flott_formats::single_value(ty, text.as_deref()).map_err(|error| {
                error.context(format!("the partition column '{name}' in the path {}", path.display()))
            })
        };
        self.columns.iter().map(value).collect()
    }

    /// The text of a value in the name of a directory; `None` is NULL.
    pub(crate) fn text_of(column: &dyn Array, row: usize, ty: &LogicalType) -> Option<String> {
        column.is_valid(row).then(|| {
            let mut value = String::new();
            text::write_value(&mut value, column, row, ty, chrono_tz::UTC);
            value
        })
    }

    /// The directory of the partition for which all columns are given, as `PARTITION (d = '...')` gives them.
    pub(crate) fn named(&self, given: &BTreeMap<String, String>) -> Result<Option<String>> {
        let value = |(_, name, ty): &(usize, String, LogicalType)| {
            let text = given.get(name)?;
            // As the rows have it that are written: `01` is 1.
            let value = flott_formats::single_value(ty, Some(text));
            Some(value.map(|value| Self::text_of(value.as_ref(), 0, ty)))
        };
        let values: Option<Result<Vec<Option<String>>>> = self.columns.iter().map(value).collect();
        Ok(values.transpose()?.map(|values| self.directory(&values)))
    }

    /// The directory of values given as text; `None` is NULL.
    pub(crate) fn directory(&self, values: &[Option<String>]) -> String {
        let mut out = String::new();
        for ((_, name, _), value) in self.columns.iter().zip(values) {
            escape(&mut out, name);
            out.push('=');
            match value.as_deref().filter(|value| !value.is_empty()) {
                None => out.push_str(&self.default_name),
                Some(value) => escape(&mut out, value),
            }
            out.push('/');
        }
        out
    }
}

/// Characters that cannot be in a directory's name, or would be taken for something else, become `%` and two
/// digits, as in Flink and Hive.
fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        let special = character.is_ascii_control()
            || matches!(
                character,
                '"' | '#' | '%' | '\'' | '*' | '/' | ':' | '=' | '?' | '\\' | '{' | '}' | '[' | ']' | '^'
            );
        if special {
            out.push_str(&format!("%{:02X}", character as u32));
        } else {
            out.push(character);
        }
    }
}

fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        let code = (*byte == b'%').then(|| tail.get(..2)).flatten();
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                out.push(code);
                rest = &tail[2..];
            }
            None => {
                out.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_escaping() {
        for text in ["a", "a/b=c", "100%", "2024-01-01 10:00", "ä", "%41", "a\tb", "{a}"] {
            let mut escaped = String::new();
            escape(&mut escaped, text);
            assert!(!escaped.contains(['/', '=', '{', '}']), "{escaped}");
            assert_eq!(unescape(&escaped), text);
        }
        assert_eq!(unescape("%"), "%");
        assert_eq!(unescape("%4"), "%4");
        assert_eq!(unescape("%zz"), "%zz");
    }
}
