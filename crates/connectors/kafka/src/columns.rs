//! Which columns are in keys and which in values.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_connector::format::{MessageDecoder, MessageEncoder};
use flott_connector::{Changelog, Format, Options, check_errors};
use flott_plan::{Schema, SourceSpec, TableSpec};
use flott_types::{Error, Result};

use crate::options::{FORMAT, KEY_FIELDS, KEY_FORMAT, KEY_PREFIX, TOPIC, VALUE_FORMAT, VALUE_INCLUDE};
use crate::source::list;

/// A part of a record: its format, and the table's columns that are in it.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    format: Arc<dyn Format>,
    /// Positions among the physical columns.
    pub(crate) columns: Vec<usize>,
    /// As they are called in the record.
    schema: Schema,
}

/// Both parts of a record.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) key: Option<Part>,
    pub(crate) value: Part,
}

impl Part {
    /// A decoder of these of the table's columns, which are all in this part.
    pub(crate) fn decoder(&self, wanted: &[usize]) -> Result<Box<dyn MessageDecoder>> {
        let position = |column: &usize| {
            let position = self.columns.iter().position(|ours| ours == column);
            position.ok_or_else(|| Error::internal("a column is in no part of a record"))
        };
        let projection = wanted.iter().map(position).collect::<Result<Vec<_>>>()?;
        self.format.for_messages()?.decoder(&self.schema, &projection)
    }

    /// Whether ERRORS INTO can be had of this part.
    pub(crate) fn check_errors(&self, spec: &SourceSpec) -> Result<()> {
        check_errors(spec, &*self.format)
    }

    pub(crate) fn encoder(&self) -> Result<Box<dyn MessageEncoder>> {
        self.format.for_messages()?.encoder(&self.schema)
    }
}

/// Where a format with a schema registry registers its schema: as Kafka's own serializers do, if there is one
/// topic.
fn subject(options: &Options<'_>, part: &str) -> Result<BTreeMap<&'static str, String>> {
    let topics = options.get(&TOPIC)?.map(|topics| list(&topics)).unwrap_or_default();
    Ok(match topics.as_slice() {
        [topic] => BTreeMap::from([("subject", format!("{topic}-{part}"))]),
        _ => BTreeMap::new(),
    })
}

impl Parts {
    /// Of a table of the connector `kafka`.
    pub(crate) fn new(table: &TableSpec, options: &Options<'_>) -> Result<Self> {
        let value = match (options.is_set(&FORMAT), options.is_set(&VALUE_FORMAT)) {
            (true, true) => {
                return Err(Error::invalid(format!(
                    "table {}: 'format' and 'value.format' are the same; set one of them",
                    table.name
                )));
            }
            (_, false) => options.format_with(&FORMAT, subject(options, "value")?)?,
            (false, true) => options.format_with(&VALUE_FORMAT, subject(options, "value")?)?,
        };
        let fields = options.get(&KEY_FIELDS)?;
        let key = match options.is_set(&KEY_FORMAT) {
            true => Some(options.format_with(&KEY_FORMAT, subject(options, "key")?)?),
            false => None,
        };
        let (key, fields) = match (key, fields) {
            (None, None) => return Parts::of(table, options, None, value, &[]),
            (Some(key), Some(fields)) => (key, fields),
            (Some(_), None) => {
                return Err(Error::invalid(format!(
                    "table {}: 'key.format' needs 'key.fields', the columns that are in the key",
                    table.name
                )));
            }
            (None, Some(_)) => {
                return Err(Error::invalid(format!("table {}: 'key.fields' needs 'key.format'", table.name)));
            }
        };
        let mut columns = Vec::new();
        for field in fields.split(';').map(str::trim).filter(|field| !field.is_empty()) {
            let found = table.schema.index_of(field);
            columns.push(found.ok_or_else(|| {
                Error::invalid(format!(
                    "table {}: 'key.fields' names '{field}', which is no physical column; there are: {}",
                    table.name,
                    table.schema.iter().map(|(name, _)| name).collect::<Vec<_>>().join(", ")
                ))
            })?);
        }
        Parts::of(table, options, Some(key), value, &columns)
    }

    /// Of a table of the connector `upsert-kafka`: its primary key is the key.
    pub(crate) fn of_upsert(table: &TableSpec, options: &Options<'_>) -> Result<Self> {
        if table.primary_key.is_empty() {
            return Err(Error::invalid(format!(
                "table {}: the connector 'upsert-kafka' needs a PRIMARY KEY, which is the key of records",
                table.name
            )));
        }
        let key = options.format_with(&KEY_FORMAT, subject(options, "key")?)?;
        let value = options.format_with(&VALUE_FORMAT, subject(options, "value")?)?;
        for (option, format) in [(KEY_FORMAT.key(), &key), (VALUE_FORMAT.key(), &value)] {
            if format.changelog() != Changelog::InsertOnly {
                return Err(Error::invalid(format!(
                    "table {}: the format '{}' ('{option}') has changes of its own; 'upsert-kafka' takes one without",
                    table.name,
                    format.name()
                )));
            }
        }
        Parts::of(table, options, Some(key), value, &table.primary_key)
    }

    fn of(
        table: &TableSpec,
        options: &Options<'_>,
        key: Option<Arc<dyn Format>>,
        value: Arc<dyn Format>,
        key_columns: &[usize],
    ) -> Result<Self> {
        let prefix = options.get(&KEY_PREFIX)?.unwrap_or_default();
        let include = options.get(&VALUE_INCLUDE)?;
        if !prefix.is_empty() && include {
            return Err(Error::invalid(format!(
                "table {}: 'key.fields-prefix' needs 'value.fields-include' = 'EXCEPT_KEY', or columns of the same name \
                 would be in the value",
                table.name
            )));
        }
        let all = 0..table.schema.len();
        let in_value = all.filter(|column| include || !key_columns.contains(column)).collect();
        let part = |format: Arc<dyn Format>, columns: Vec<usize>, prefix: &str| -> Result<Part> {
            let mut named = Vec::new();
            for column in columns.iter().filter_map(|column| table.schema.columns.get(*column)) {
                let name = column.name.strip_prefix(prefix).ok_or_else(|| {
                    Error::invalid(format!(
                        "table {}: the key's column '{}' does not begin with '{prefix}' ('key.fields-prefix')",
                        table.name, column.name
                    ))
                })?;
                named.push((name, column.ty.clone()));
            }
            Ok(Part { format, columns, schema: Schema::new(named) })
        };
        let key = key.map(|format| part(format, key_columns.to_vec(), &prefix)).transpose()?;
        Ok(Parts { key, value: part(value, in_value, "")? })
    }

    /// What the values' format says of changes.
    pub(crate) fn changelog(&self) -> Changelog {
        self.value.format.changelog()
    }
}
