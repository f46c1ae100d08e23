//! From rows to records.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::datatypes::TimestampMicrosecondType;
use flott_batch::ChangeBatch;
use flott_connector::Changelog;
use flott_connector::format::MessageEncoder;
use flott_kafka::Record;
use flott_plan::SinkSpec;
use flott_types::{Error, LogicalType, Result, TypeKind};

use crate::columns::Parts;
use crate::source::metadata::headers_type;

/// How rows of a table become records.
pub(crate) struct Encoding {
    parts: Parts,
    /// The positions of metadata columns.
    timestamp: Option<usize>,
    headers: Option<usize>,
    /// Whether deletions are records without a value.
    has_tombstones: bool,
}

impl Encoding {
    pub(super) fn new(parts: Parts, spec: &SinkSpec) -> Result<Self> {
        let physical = spec.table.schema.len();
        let (mut timestamp, mut headers) = (None, None);
        for (at, column) in spec.metadata.columns.iter().enumerate() {
            let (place, ty): (_, LogicalType) = match column.name.as_str() {
                "timestamp" => (&mut timestamp, TypeKind::TimestampLtz(3).nullable()),
                "headers" => (&mut headers, headers_type().nullable()),
                other => {
                    return Err(Error::invalid(format!(
                        "{}: the metadata '{other}' cannot be written; declare its column as VIRTUAL. There are: timestamp, \
                         headers",
                        super::owner(&spec.table)
                    )));
                }
            };
            if flott_batch::arrow_type::to_arrow(&column.ty) != flott_batch::arrow_type::to_arrow(&ty) {
                return Err(Error::invalid(format!(
                    "{}: the metadata '{}' is of type {ty}, and its column {}",
                    super::owner(&spec.table),
                    column.name,
                    column.ty
                )));
            }
            *place = Some(physical + at);
        }
        // The format of values says nothing of changes, and there are keys: the table of an upsert.
        let is_upsert = spec.table.connector == "upsert-kafka";
        let has_tombstones = is_upsert && parts.changelog() == Changelog::InsertOnly;
        Ok(Encoding { parts, timestamp, headers, has_tombstones })
    }

    pub(super) fn records(self: &Arc<Self>) -> Result<Records> {
        Ok(Records {
            encoding: self.clone(),
            key: self.parts.key.as_ref().map(|key| key.encoder()).transpose()?,
            value: self.parts.value.encoder()?,
            keys: Flat::default(),
            values: Flat::default(),
        })
    }
}

/// Encoded bytes of some rows, one after the other.
#[derive(Default)]
struct Flat {
    bytes: Vec<u8>,
    /// Of each row that has any, its number and where its bytes end.
    ends: Vec<(usize, usize)>,
}

impl Flat {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn push(&mut self, row: usize, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.ends.push((row, self.bytes.len()));
    }

    /// Walks along: rows are asked for in order.
    fn next(&self, at: &mut usize, row: usize) -> Option<&[u8]> {
        let (found, end) = *self.ends.get(*at)?;
        if found != row {
            return None;
        }
        let begin = at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(_, end)| *end);
        *at += 1;
        self.bytes.get(begin..end)
    }
}

/// Encodes batches.
pub(super) struct Records {
    encoding: Arc<Encoding>,
    key: Option<Box<dyn MessageEncoder>>,
    value: Box<dyn MessageEncoder>,
    keys: Flat,
    values: Flat,
}

impl Records {
    /// Hands over the record of each selected row, in order.
    pub(super) fn encode(
        &mut self,
        batch: &ChangeBatch,
        now: i64,
        take: &mut dyn FnMut(Record<'_>) -> Result<()>,
    ) -> Result<()> {
        let encoding = self.encoding.clone();
        self.keys.clear();
        if let (Some(encoder), Some(part)) = (&mut self.key, &encoding.parts.key) {
            let columns = project(batch, &part.columns)?.with_kinds(None);
            let keys = &mut self.keys;
            encoder.encode(&columns, &mut |row, bytes| {
                keys.push(row, bytes);
                Ok(())
            })?;
        }
        let values = project(batch, &encoding.parts.value.columns)?;
        let metadata = Metadata::of(batch, &encoding)?;
        let (keys, mut at) = (&self.keys, 0);
        let mut headers = Vec::new();
        if !encoding.has_tombstones {
            return self.value.encode(&values, &mut |row, bytes| {
                let key = keys.next(&mut at, row);
                metadata.headers(row, &mut headers);
                take(Record {
                    timestamp: metadata.timestamp(row, now),
                    key,
                    value: Some(bytes),
                    headers: &headers,
                })
            });
        }
        let additions = (0..batch.physical_rows()).map(|row| batch.kind(row).is_addition());
        let values =
            values.with_kinds(None).select(&BooleanArray::from_iter(additions.map(Some)).values().clone());
        let encoded = &mut self.values;
        encoded.clear();
        self.value.encode(&values, &mut |row, bytes| {
            encoded.push(row, bytes);
            Ok(())
        })?;
        let mut of_values = 0;
        for row in (0..batch.physical_rows()).filter(|row| batch.selection().is_none_or(|is| is.value(*row)))
        {
            let key = keys.next(&mut at, row);
            // A -U comes where a row leaves its key: what takes its place under the same key comes after it.
            let value = self.values.next(&mut of_values, row);
            let mut headers = Vec::new();
            metadata.headers(row, &mut headers);
            take(Record { timestamp: metadata.timestamp(row, now), key, value, headers: &headers })?;
        }
        Ok(())
    }
}

fn project(batch: &ChangeBatch, columns: &[usize]) -> Result<ChangeBatch> {
    let columns = batch.columns().project(columns);
    let columns = columns.map_err(|error| Error::internal("columns of a sink").with_source(error))?;
    Ok(batch.with_columns(columns))
}

/// The metadata columns of a batch.
struct Metadata<'a> {
    timestamps: Option<&'a arrow::array::TimestampMicrosecondArray>,
    headers: Option<&'a arrow::array::MapArray>,
}

impl<'a> Metadata<'a> {
    fn of(batch: &'a ChangeBatch, encoding: &Encoding) -> Result<Self> {
        let wrong = || Error::internal("a metadata column of a sink is of another type");
        let timestamps = encoding
            .timestamp
            .map(|at| batch.column(at).as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(wrong));
        let headers = encoding.headers.map(|at| batch.column(at).as_map_opt().ok_or_else(wrong));
        Ok(Metadata { timestamps: timestamps.transpose()?, headers: headers.transpose()? })
    }

    fn timestamp(&self, row: usize, now: i64) -> i64 {
        match self.timestamps {
            Some(timestamps) if timestamps.is_valid(row) => timestamps.value(row).div_euclid(1_000),
            Some(_) | None => now,
        }
    }

    fn headers(&self, row: usize, out: &mut Vec<(&'a str, Option<&'a [u8]>)>) {
        out.clear();
        let Some(headers) = self.headers.filter(|headers| headers.is_valid(row)) else { return };
        let (Some(names), Some(values)) =
            (headers.keys().as_string_opt::<i32>(), headers.values().as_binary_opt::<i32>())
        else {
            return;
        };
        let offsets = headers.value_offsets();
        let at = |row: usize| offsets.get(row).map_or(0, |offset| *offset as usize);
        for entry in at(row)..at(row + 1) {
            out.push((names.value(entry), values.is_valid(entry).then(|| values.value(entry))));
        }
    }
}
