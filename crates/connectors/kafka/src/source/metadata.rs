//! What is known of a record besides key and value.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, Int32Array, Int64Array, MapBuilder, MapFieldNames, StringArray, StringBuilder,
    TimestampMicrosecondArray,
};
use flott_batch::arrow_type;
use flott_kafka::records::{Batch, Header, Message};
use flott_plan::{Column, TableSpec};
use flott_types::{Error, LogicalType, Result, TypeKind};

/// A metadata column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Metadata {
    Topic,
    Partition,
    Offset,
    Timestamp,
    TimestampType,
    LeaderEpoch,
    Headers,
}

const ALL: [(&str, Metadata); 7] = [
    ("topic", Metadata::Topic),
    ("partition", Metadata::Partition),
    ("headers", Metadata::Headers),
    ("leader-epoch", Metadata::LeaderEpoch),
    ("offset", Metadata::Offset),
    ("timestamp", Metadata::Timestamp),
    ("timestamp-type", Metadata::TimestampType),
];

/// The type of `headers`.
pub(crate) fn headers_type() -> TypeKind {
    TypeKind::Map(Box::new(TypeKind::STRING.not_null()), Box::new(TypeKind::BYTES.not_null()))
}

/// All that can be read, with their types.
pub(crate) fn readable() -> Vec<(String, LogicalType)> {
    ALL.into_iter().map(|(key, metadata)| (key.to_owned(), metadata.ty())).collect()
}

impl Metadata {
    pub(super) fn of(column: &Column, table: &TableSpec) -> Result<Self> {
        let found = ALL.iter().find(|(key, _)| *key == column.name);
        found.map(|(_, metadata)| *metadata).ok_or_else(|| {
            Error::invalid(format!(
                "table {} has no metadata '{}'; there are: {}",
                table.name,
                column.name,
                ALL.map(|(key, _)| key).join(", ")
            ))
        })
    }

    /// Whether it must be read out of the record, and may not be readable.
    pub(super) fn is_in_record(&self) -> bool {
        *self == Metadata::Headers
    }

    fn ty(self) -> LogicalType {
        match self {
            Metadata::Topic | Metadata::TimestampType => TypeKind::STRING.not_null(),
            Metadata::Partition => TypeKind::Int.not_null(),
            Metadata::Offset => TypeKind::BigInt.not_null(),
            Metadata::Timestamp => TypeKind::TimestampLtz(3).not_null(),
            Metadata::LeaderEpoch => TypeKind::Int.nullable(),
            Metadata::Headers => headers_type().not_null(),
        }
    }
}

/// The values of one metadata column, as rows come.
pub(super) enum Values {
    /// Of all rows of a batch the same.
    Topic,
    Partition,
    Offsets(Vec<i64>),
    Timestamps(Vec<i64>),
    TimestampTypes(Vec<&'static str>),
    LeaderEpochs(Vec<Option<i32>>),
    Headers(Box<MapBuilder<StringBuilder, BinaryBuilder>>),
}

impl Values {
    pub(super) fn new(metadata: Metadata) -> Self {
        match metadata {
            Metadata::Topic => Values::Topic,
            Metadata::Partition => Values::Partition,
            Metadata::Offset => Values::Offsets(Vec::new()),
            Metadata::Timestamp => Values::Timestamps(Vec::new()),
            Metadata::TimestampType => Values::TimestampTypes(Vec::new()),
            Metadata::LeaderEpoch => Values::LeaderEpochs(Vec::new()),
            Metadata::Headers => Values::Headers(Box::new(headers_builder())),
        }
    }

    /// The same for this many rows, which come of one record.
    pub(super) fn push(&mut self, batch: &Batch, message: &Message<'_>, rows: usize) -> Result<()> {
        match self {
            Values::Topic | Values::Partition => {}
            Values::Offsets(values) => values.extend(std::iter::repeat_n(message.offset, rows)),
            Values::Timestamps(values) => {
                values.extend(std::iter::repeat_n(message.timestamp.saturating_mul(1_000), rows));
            }
            Values::TimestampTypes(values) => {
                let text = match (message.timestamp, batch.log_append_time) {
                    (..0, _) => "NoTimestampType",
                    (_, true) => "LogAppendTime",
                    (_, false) => "CreateTime",
                };
                values.extend(std::iter::repeat_n(text, rows));
            }
            Values::LeaderEpochs(values) => {
                let epoch = Some(batch.leader_epoch).filter(|epoch| *epoch >= 0);
                values.extend(std::iter::repeat_n(epoch, rows));
            }
            Values::Headers(builder) => {
                for _ in 0..rows {
                    push_headers(builder, message)?;
                }
            }
        }
        Ok(())
    }

    /// The column of this many rows of a partition.
    pub(super) fn finish(&mut self, topic: &str, partition: i32, rows: usize) -> ArrayRef {
        match self {
            Values::Topic => Arc::new(StringArray::from_iter_values(std::iter::repeat_n(topic, rows))),
            Values::Partition => Arc::new(Int32Array::from_value(partition, rows)),
            Values::Offsets(values) => Arc::new(Int64Array::from(std::mem::take(values))),
            Values::Timestamps(values) => Arc::new(
                TimestampMicrosecondArray::from(std::mem::take(values)).with_timezone(arrow_type::utc()),
            ),
            Values::TimestampTypes(values) => Arc::new(StringArray::from(std::mem::take(values))),
            Values::LeaderEpochs(values) => Arc::new(Int32Array::from(std::mem::take(values))),
            Values::Headers(builder) => Arc::new(builder.finish()),
        }
    }
}

fn headers_builder() -> MapBuilder<StringBuilder, BinaryBuilder> {
    // As `arrow_type` names them.
    let names =
        MapFieldNames { entry: "entries".to_owned(), key: "keys".to_owned(), value: "values".to_owned() };
    MapBuilder::new(Some(names), StringBuilder::new(), BinaryBuilder::new())
}

/// The headers of a record. Of several of a name the last one counts.
pub(super) fn headers<'a>(message: &Message<'a>) -> Result<Vec<Header<'a>>> {
    let mut headers: Vec<Header<'a>> = Vec::new();
    for header in message.headers.iter() {
        let (name, value) = header.map_err(Error::data)?;
        match headers.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => headers.push((name, value)),
        }
    }
    Ok(headers)
}

fn push_headers(builder: &mut MapBuilder<StringBuilder, BinaryBuilder>, message: &Message<'_>) -> Result<()> {
    for (name, value) in headers(message)? {
        builder.keys().append_value(name);
        builder.values().append_option(value);
    }
    builder.append(true).map_err(|error| Error::internal("headers of a record").with_source(error))
}
